//! Slips of the finger.

use super::lexicon::Lexicon;

/// The shortest word in which any letter may be another: of shorter ones there are too many that differ in one.
const REPLACED_LETTERS_MIN: usize = 7;

/// The shortest word in which two letters may be wrong.
const TWO_SLIPS_LETTERS_MIN: usize = 10;

/// Beginnings that turn a word into its opposite or say that it happens again: of "schedule" none may be left out or made up to
/// reach "reschedule", nor of "s'inscrire" to reach "désinscrire".
const TURNING_PREFIXES: [&str; 3] = ["des", "un", "re"];

/// The keys of a keyboard, row below row; neighbours stand beside or slanting above each other.
const KEYS: [&[u8]; 4] = [b"1234567890", b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];

/// Whether `typed` is `word` with one letter left out, added or held down, two neighbours swapped, or the key beside hit. In a
/// short word another replaced letter does not count ("shop", "step", "slop"); nor does a word that means something itself,
/// nor a word too short to be sure of.
pub(super) fn is_slip_of(typed: &str, word: &str) -> bool {
    if typed == word || word.len() < 4 || !typed.is_ascii() || Lexicon::get().knows(typed) {
        return false;
    }
    is_swapped(typed, word)
        || lacks_one(typed, word)
        || lacks_one(word, typed)
        || is_stretched(typed, word)
        || is_replaced(typed, word)
        || (word.len() >= TWO_SLIPS_LETTERS_MIN
            && keeps_prefix(typed, word)
            && differs_by_two(typed.as_bytes(), word.as_bytes()))
}

/// Whether the prefix that turns the meaning of `word`, if it has one, stands in `typed` too, with one slip at most.
fn keeps_prefix(typed: &str, word: &str) -> bool {
    let Some(prefix) = TURNING_PREFIXES.into_iter().find(|prefix| word.starts_with(prefix)) else {
        return true;
    };
    let replaced = typed.bytes().zip(prefix.bytes()).filter(|(typed, meant)| typed != meant).count();
    let lacks_one = (0..prefix.len()).any(|left_out| {
        let kept = prefix.bytes().enumerate().filter(|(at, _)| *at != left_out).map(|(_, letter)| letter);
        typed.bytes().zip(kept.clone()).all(|(typed, meant)| typed == meant)
    });
    replaced <= 1 || lacks_one
}

/// Whether `typed` is `word` with its last letter held down: `ouii`.
pub(super) fn without_held_letter(typed: &str) -> Option<&str> {
    let last = typed.chars().next_back()?;
    let short = typed.trim_end_matches(last);
    let kept = typed.get(..short.len() + last.len_utf8())?;
    (last.is_alphabetic() && kept.len() < typed.len()).then_some(kept)
}

/// Whether one letter of `word` is another: that of a key beside, a nought for an O, or any in a long word.
fn is_replaced(typed: &str, word: &str) -> bool {
    if typed.len() != word.len() {
        return false;
    }
    let mut differing = typed.bytes().zip(word.bytes()).filter(|(a, b)| a != b);
    match (differing.next(), differing.next()) {
        (Some((typed, meant)), None) => word.len() >= REPLACED_LETTERS_MIN || are_neighbours(typed, meant),
        _ => false,
    }
}

fn are_neighbours(a: u8, b: u8) -> bool {
    let place = |key: u8| {
        let rows = KEYS.iter().zip(0_usize..);
        rows.into_iter().find_map(|(keys, row)| Some((row, keys.iter().position(|other| *other == key)?)))
    };
    let (Some(first), Some(second)) = (place(a), place(b)) else { return false };
    let ((upper, at), (lower, below)) = (first.min(second), first.max(second));
    match lower - upper {
        0 => below - at == 1,
        // Each row stands half a key to the right of the one above.
        1 => below == at || below + 1 == at,
        _ => false,
    }
}

/// Whether two letters are left out, added or replaced, in any mixture.
fn differs_by_two(typed: &[u8], word: &[u8]) -> bool {
    fn is_within(typed: &[u8], word: &[u8], slips: usize) -> bool {
        let same = typed.iter().zip(word).take_while(|(a, b)| a == b).count();
        let (typed, word) = (typed.get(same..).unwrap_or_default(), word.get(same..).unwrap_or_default());
        let (Some((_, typed_rest)), Some((_, word_rest))) = (typed.split_first(), word.split_first()) else {
            return typed.len().max(word.len()) <= slips;
        };
        slips > 0
            && (is_within(typed_rest, word_rest, slips - 1)
                || is_within(typed_rest, word, slips - 1)
                || is_within(typed, word_rest, slips - 1))
    }
    is_within(typed, word, 2)
}

/// Whether `typed` is `word` with a letter held down: `stooop`. No English word has three of a letter in a row.
fn is_stretched(typed: &str, word: &str) -> bool {
    let squeezed = |text: &str| {
        let mut letters: Vec<u8> = text.bytes().collect();
        letters.dedup();
        letters
    };
    typed.as_bytes().windows(3).any(|run| matches!(run, [a, b, c] if a == b && b == c))
        && squeezed(typed) == squeezed(word)
}

/// Whether `typed` is `word` with two neighbouring letters swapped.
pub(super) fn is_swapped(typed: &str, word: &str) -> bool {
    if typed.len() != word.len() || Lexicon::get().knows(typed) {
        return false;
    }
    let differing: Vec<usize> =
        typed.bytes().zip(word.bytes()).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    let [first, second] = differing.as_slice() else { return false };
    let (typed, word) = (typed.as_bytes(), word.as_bytes());
    *second == first + 1 && typed.get(*first) == word.get(*second) && typed.get(*second) == word.get(*first)
}

/// Whether `shorter` is `longer` without one letter.
fn lacks_one(shorter: &str, longer: &str) -> bool {
    if shorter.len() + 1 != longer.len() {
        return false;
    }
    let same_head = shorter.bytes().zip(longer.bytes()).take_while(|(a, b)| a == b).count();
    shorter.bytes().skip(same_head).eq(longer.bytes().skip(same_head + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_words() {
        for slip in ["stpo", "sotp", "stopp", "sstop", "stp", "sto", "tsop", "stooop", "stoppppp"] {
            assert!(is_slip_of(slip, "stop"), "{slip}");
        }
        for other in
            ["stop", "shop", "step", "slop", "top", "stoop", "spot", "stomp", "st", "post", "", "stöp"]
        {
            assert!(!is_slip_of(other, "stop"), "{other}");
        }
        assert!(is_slip_of("unsubscrbe", "unsubscribe"));
        assert!(!is_slip_of("quiet", "quit"));
    }

    #[test]
    fn the_key_beside_is_a_slip_and_any_letter_of_a_long_word() {
        for slip in ["stip", "st0p", "syop", "stol", "dtop"] {
            assert!(is_slip_of(slip, "stop"), "{slip}");
        }
        assert!(is_slip_of("comfirm", "confirm") && is_slip_of("conferm", "confirm"));
        assert!(is_slip_of("usubscrbe", "unsubscribe") && is_slip_of("nsubscrbe", "unsubscribe"));
        assert!(is_slip_of("reschedual", "reschedule") && is_slip_of("ekivocado", "equivocado"));
        for (other, word) in [
            ("subscribe", "unsubscribe"),
            ("rearrange", "reschedule"),
            ("call", "stop"),
            ("sinscrire", "desinscrire"),
            ("scheduled", "reschedule"),
        ] {
            assert!(!is_slip_of(other, word), "{other}");
        }
    }

    #[test]
    fn a_held_letter_is_told_from_a_word() {
        assert_eq!(without_held_letter("ouii"), Some("oui"));
        assert_eq!(without_held_letter("yesss"), Some("yes"));
        assert_eq!(without_held_letter("yes"), None);
        assert_eq!(without_held_letter("11"), None);
    }
}
