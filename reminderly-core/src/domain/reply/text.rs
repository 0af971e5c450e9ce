//! The text of a reply, reduced to what carries meaning.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::words::{is_courtesy, is_filler};
use crate::domain::digits::to_ascii_digit;

/// The longest reply that is looked at, in characters: ten parts of a text message. The rest changes no meaning for sure.
const CHARS_MAX: usize = 1_600;

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

/// A reply cut into words and clauses.
pub(super) struct Reply {
    /// The words of each clause; no clause is empty.
    pub clauses: Vec<Vec<String>>,
    /// All words in order.
    pub words: Vec<String>,
    /// The words without greetings, thanks and pleases.
    pub core: Vec<String>,
    /// Whether a question mark stands anywhere.
    pub asks: bool,
}

impl Reply {
    pub(super) fn read(text: &str) -> Self {
        let capped: String = text.chars().take(CHARS_MAX).collect();
        let clauses: Vec<Vec<String>> = capped
            .split(is_clause_end)
            .map(|clause| {
                normalise(clause).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
            })
            .filter(|words: &Vec<String>| !words.is_empty())
            .collect();
        let words = unspaced(clauses.concat());
        let core = without_courtesy(&words);
        Self { clauses, words, core, asks: text.contains(['?', '？', '؟']) }
    }

    /// The words without courtesies, as one text.
    pub(super) fn core_text(&self) -> String {
        self.core.join(" ")
    }

    /// Whether a phrase stands anywhere in a clause, not behind one of `negators`.
    pub(super) fn says(&self, phrase: &str, negators: &[&str]) -> bool {
        self.clauses.iter().any(|clause| says(clause, phrase, negators))
    }

    /// [`says`](Self::says) for the first of several phrases that does.
    pub(super) fn says_any(&self, phrases: &[&str], negators: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.says(phrase, negators))
    }
}

/// Whether a phrase stands in a clause, not behind one of `negators`, between which and the phrase only fillers stand.
pub(super) fn says(clause: &[String], phrase: &str, negators: &[&str]) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let mut places = clause.windows(phrase.len()).enumerate();
    places.any(|(at, window)| {
        window.iter().eq(phrase.iter())
            && !clause
                .iter()
                .take(at)
                .rev()
                .find(|word| !is_filler(word))
                .is_some_and(|word| negators.contains(&word.as_str()))
    })
}

/// The words that mean something. "You" is courtesy in "thank you" only.
fn without_courtesy(words: &[String]) -> Vec<String> {
    let previous = std::iter::once("").chain(words.iter().map(String::as_str));
    let thanked = |word: &str, before: &str| matches!(word, "you" | "u") && before == "thank";
    let meant =
        words.iter().zip(previous).filter(|(word, before)| !is_courtesy(word) && !thanked(word, before));
    meant.map(|(word, _)| word.clone()).collect()
}

/// `s t o p` is `stop`: some write it so to be sure that it is read.
fn unspaced(words: Vec<String>) -> Vec<String> {
    let spaced = words.len() >= 3
        && words.iter().all(|word| word.len() == 1 && word.bytes().all(|b| b.is_ascii_lowercase()));
    if spaced { vec![words.concat()] } else { words }
}

fn is_clause_end(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '\n'
            | '\r'
            | '–'
            | '—'
            | '…'
            | '。'
            | '，'
            | '！'
            | '？'
            | '、'
            | '؟'
    )
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

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}')
}
