//! How long a process has known of attempts, by its monotonic clock.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Monotonic;
use crate::ids::AttemptId;

/// Since when a process has known of attempts.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<HashMap<AttemptId, Monotonic>>);

impl Watch {
    /// A look at all of them.
    pub(super) fn round(&self) -> Round<'_> {
        Round { watch: self, seen: HashSet::new() }
    }

    /// For how long an attempt is known; nothing for one that is not.
    pub(super) fn watched(&self, attempt: AttemptId, now: Monotonic) -> Duration {
        self.lock().get(&attempt).map_or(Duration::ZERO, |since| now.since(*since))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, Monotonic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look at all attempts of which nobody knows what became of them.
#[derive(Debug)]
pub(super) struct Round<'a> {
    watch: &'a Watch,
    seen: HashSet<AttemptId>,
}

impl Round<'_> {
    /// It is one of them, by a look that ended at `now`.
    pub(super) fn see(&mut self, attempt: AttemptId, now: Monotonic) {
        self.watch.lock().entry(attempt).or_insert(now);
        self.seen.insert(attempt);
    }

    /// Those that were not seen are decided.
    pub(super) fn forget_others(self) {
        self.watch.lock().retain(|attempt, _| self.seen.contains(attempt));
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ids::{IdSourceExt as _, SeededIds};

    #[test]
    fn an_attempt_is_known_from_the_first_look_until_it_is_decided() {
        let ids = SeededIds::new(1);
        let [one, other]: [AttemptId; 2] = [(); 2].map(|()| ids.next(DateTime::UNIX_EPOCH));
        let watch = Watch::default();
        let at = |seconds| Monotonic::new(Duration::from_secs(seconds));
        for (second, attempts) in [(10, vec![one]), (30, vec![one, other]), (50, vec![other])] {
            let mut round = watch.round();
            for attempt in attempts {
                round.see(attempt, at(second));
            }
            round.forget_others();
        }
        let watched = |attempt| watch.watched(attempt, at(60)).as_secs();
        assert_eq!((watched(one), watched(other)), (0, 30));
    }
}
