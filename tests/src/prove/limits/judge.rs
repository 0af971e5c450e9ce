//! Counts what the provider saw, in every stretch of time.

use std::time::Duration;

use reminderly_core::domain::rate::Rate;

/// A limit must hold in stretches of so many times its length as well.
const MULTIPLES: [u32; 4] = [1, 2, 3, 7];

/// What a limit let through.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// The stretches that had too many: the first of them, and by how much it was exceeded.
    pub(super) exceeded: Option<(Duration, usize)>,
    /// Some stretch had exactly as many as are allowed.
    pub(super) is_used_up: bool,
    /// How often the next one came at the very first instant at which it was allowed.
    pub(super) at_the_boundary: u64,
}

/// Counts every stretch `[t, t + per)` that begins with a request, and of its multiples. `starts` ascend.
pub(super) fn count(starts: &[Duration], allowed: usize, per: Duration) -> Counted {
    let mut counted = Counted::default();
    for multiple in MULTIPLES {
        let (length, most) = (per * multiple, allowed * multiple as usize);
        let mut first = 0;
        for (index, start) in starts.iter().enumerate() {
            while starts[first] + length <= *start {
                first += 1;
            }
            let within = index + 1 - first;
            if within > most && counted.exceeded.is_none() {
                counted.exceeded = Some((starts[first], within - most));
            }
            if multiple == 1 {
                counted.is_used_up |= within == most;
                let is_next = index >= allowed && starts[index - allowed] + per == *start;
                counted.at_the_boundary += u64::from(is_next);
            }
        }
    }
    counted
}

/// How many all workers together may ask for: each gets the whole part of its share, and at least one.
pub(super) fn allowed(rate: Rate, workers: u32) -> usize {
    let share = (rate.messages.get() / workers).max(1);
    (share * workers) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(all: &[u64]) -> Vec<Duration> {
        all.iter().map(|second| Duration::from_secs(*second)).collect()
    }

    #[test]
    fn a_stretch_does_not_contain_its_end() {
        let counted = count(&seconds(&[0, 1, 10, 11, 20]), 2, Duration::from_secs(10));
        assert_eq!(counted, Counted { exceeded: None, is_used_up: true, at_the_boundary: 3 });
    }

    #[test]
    fn one_too_many_is_found_wherever_the_stretch_begins() {
        let counted = count(&seconds(&[0, 8, 11, 17, 30]), 2, Duration::from_secs(10));
        assert_eq!(counted.exceeded, Some((Duration::from_secs(8), 1)));
        let counted = count(&seconds(&[0, 0, 0]), 2, Duration::from_secs(10));
        assert_eq!(counted.exceeded, Some((Duration::ZERO, 1)));
    }
}
