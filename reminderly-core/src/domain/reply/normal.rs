//! The form in which replies and campaign words are compared.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::domain::digits::to_ascii_digit;

/// The longest reply that is looked at, in characters: ten parts of a text message. The rest changes no meaning for sure.
pub(super) const CHARS_MAX: usize = 1_600;

/// A shorter word of another alphabet is a word of its own more often than a look-alike.
const LOOK_ALIKE_LETTERS_MIN: usize = 3;

/// Cyrillic and Greek letters that look like Latin ones, in either case
/// ([UTS 39](https://www.unicode.org/reports/tr39/#Confusable_Detection)).
const LOOK_ALIKES: [(char, char); 29] = [
    ('а', 'a'),
    ('в', 'b'),
    ('е', 'e'),
    ('к', 'k'),
    ('м', 'm'),
    ('н', 'h'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ԛ', 'q'),
    ('ԁ', 'd'),
    ('α', 'a'),
    ('β', 'b'),
    ('ε', 'e'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('ϲ', 'c'),
];

/// Brings a text to the form in which replies and campaign words are compared.
///
/// Compatibility forms and accents are folded (`①` and `1️⃣` are `1`, `arrêt` is `arret`), so are letters of other alphabets in
/// words that look Latin; case is folded, apostrophes, zero-width characters and emoji variants vanish, other signs become
/// spaces, and an emoji is a word of its own.
///
/// ```
/// use reminderly_core::domain::reply::normalise;
///
/// assert_eq!(normalise("  Please DON’T, stop!!  "), "please dont stop");
/// assert_eq!(normalise("1️⃣"), "1");
/// assert_eq!(normalise("Arrêt👍🏽👍🏽"), "arret 👍");
/// assert_eq!(normalise("ЅТОР"), "stop");
/// ```
pub fn normalise(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let joined = text.chars().take(CHARS_MAX).filter(|c| !is_apostrophe(*c));
    for c in joined.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)) {
        let c = to_ascii_digit(c);
        if c.is_alphanumeric() {
            folded.extend(c.to_lowercase().filter(|lower| !is_combining_mark(*lower)));
        } else {
            folded.push(' ');
            if is_emoji(c) {
                folded.push(c);
                folded.push(' ');
            }
        }
    }
    let composed: String = folded.nfc().collect();
    let mut words: Vec<Cow<'_, str>> = composed.split_whitespace().map(as_it_looks).collect();
    words.dedup_by(|next, previous| next == previous && next.starts_with(is_emoji));
    words.join(" ")
}

/// The Latin word that a word looks like: `ѕtop` with a Cyrillic letter passes a provider's filter, and is read as `stop`.
fn as_it_looks(word: &str) -> Cow<'_, str> {
    if word.is_ascii() || word.chars().count() < LOOK_ALIKE_LETTERS_MIN {
        return Cow::Borrowed(word);
    }
    let latin: Option<String> =
        word.chars().map(|c| if c.is_ascii() { Some(c) } else { look_alike(c) }).collect();
    latin.map_or(Cow::Borrowed(word), Cow::Owned)
}

/// The Latin letter that a letter of another alphabet looks like, both in lower case.
fn look_alike(c: char) -> Option<char> {
    LOOK_ALIKES.iter().find(|(other, _)| *other == c).map(|(_, latin)| *latin)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '＇' | '′')
}

/// Zero-width characters, marks of writing direction, soft hyphens, variation selectors and skin tones.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e007f}'
    )
}

pub(super) fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}')
}
