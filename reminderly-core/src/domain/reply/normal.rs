//! The form in which replies and campaign words are compared.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::domain::digits::to_ascii_digit;

/// The longest reply that is looked at, in characters: ten parts of a text message. The rest changes no meaning for sure.
pub(super) const CHARS_MAX: usize = 1_600;

/// Brings a text to the form in which replies and campaign words are compared.
///
/// Compatibility forms and accents are folded (`①` and `1️⃣` are `1`, `arrêt` is `arret`), case is folded, apostrophes,
/// zero-width characters and emoji variants vanish, other signs become spaces, and an emoji is a word of its own.
///
/// ```
/// use reminderly_core::domain::reply::normalise;
///
/// assert_eq!(normalise("  Please DON’T, stop!!  "), "please dont stop");
/// assert_eq!(normalise("1️⃣"), "1");
/// assert_eq!(normalise("Arrêt👍🏽👍🏽"), "arret 👍");
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
    let mut words: Vec<&str> = composed.split_whitespace().collect();
    words.dedup_by(|next, previous| next == previous && next.starts_with(is_emoji));
    words.join(" ")
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
