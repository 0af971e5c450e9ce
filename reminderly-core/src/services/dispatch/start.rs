//! Until when what was claimed may start.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Monotonic;

/// A request starts within this time of its claim or not at all: what bounds P4.
pub(super) const START_WITHIN: Duration = Duration::from_secs(1);

/// When a claim was made, on both scales.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) wall: DateTime<Utc>,
    pub(super) monotonic: Monotonic,
}

impl Start {
    /// The earliest deadline of messages that are legal until these instants: a second after the claim, and before the first of
    /// their windows closes.
    pub(super) fn start_by(self, legal_until: impl Iterator<Item = DateTime<Utc>>) -> Monotonic {
        let window = legal_until.map(|until| until - self.wall).min().unwrap_or(TimeDelta::zero());
        self.monotonic.plus(window.to_std().unwrap_or_default().min(START_WITHIN))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::within_a_second(&[90_000], 1_000)]
    #[case::before_the_window_closes(&[300], 300)]
    #[case::before_the_first_of_them_closes(&[90_000, 300, 700], 300)]
    #[case::not_when_it_has_closed(&[90_000, -1], 0)]
    #[case::nothing(&[], 0)]
    fn a_request_starts(#[case] open_millis: &[i64], #[case] expected_millis: u64) {
        let start = Start { wall: DateTime::UNIX_EPOCH, monotonic: Monotonic::new(Duration::from_secs(40)) };
        let legal_until = open_millis.iter().map(|millis| start.wall + TimeDelta::milliseconds(*millis));
        let latest = start.start_by(legal_until).since(start.monotonic);
        assert_eq!(latest, Duration::from_millis(expected_millis));
    }
}
