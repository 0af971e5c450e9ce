//! What was tried, and what was found.

use std::collections::BTreeMap;
use std::ops::Range;

/// What was tried, and what was found.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// How many things were tried.
    pub count: u64,
    /// What these are.
    pub unit: &'static str,
    /// The seeds, of a kind that draws.
    pub seeds: Option<Range<u64>>,
    /// How often each fault, or whatever else must happen, did. What never did is a violation: it proved nothing.
    pub fired: BTreeMap<&'static str, u64>,
    /// What must not be.
    pub violations: Vec<Violation>,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: a seed, a trace, a file.
    pub at: String,
    /// What.
    pub what: String,
}

impl Proof {
    /// Adds what another part of the same proof tried and found.
    pub(super) fn absorb(&mut self, part: Self) {
        self.count += part.count;
        for (what, times) in part.fired {
            *self.fired.entry(what).or_default() += times;
        }
        self.violations.extend(part.violations);
    }

    /// Everything that is wrong, with what never happened.
    pub fn wrong(&self) -> Vec<Violation> {
        let never = self.fired.iter().filter(|(_, times)| **times == 0);
        let never = never.map(|(what, _)| Violation {
            at: "the whole run".to_owned(),
            what: format!("{what} never happened, so nothing is shown about it"),
        });
        let nothing = (self.count == 0)
            .then(|| Violation { at: "the whole run".to_owned(), what: "nothing was tried".to_owned() });
        self.violations.iter().cloned().chain(never).chain(nothing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_wrong() {
        let proof = Proof { count: 1, fired: [("crash", 0), ("loss", 2)].into(), ..Proof::default() };
        assert_eq!(proof.wrong().len(), 1);
        assert_eq!(Proof::default().wrong().len(), 1, "and so is an empty run");
    }
}
