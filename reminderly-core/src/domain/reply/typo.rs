//! Slips of the finger.

use super::lexicon::Lexicon;

/// Whether `typed` is `word` with one letter left out, added or held down, or two neighbours swapped. A replaced letter does
/// not count ("shop", "step", "slop"), nor does a word that means something itself, nor a word too short to be sure of.
pub(super) fn is_slip_of(typed: &str, word: &str) -> bool {
    if typed == word || word.len() < 4 || Lexicon::get().knows(typed) {
        return false;
    }
    is_swapped(typed, word) || lacks_one(typed, word) || lacks_one(word, typed) || is_stretched(typed, word)
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
}
