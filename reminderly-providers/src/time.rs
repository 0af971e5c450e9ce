//! Instants and durations together, without the panics of `+`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The instant `duration` after `instant`, at most the last that can be written.
pub(crate) fn later(instant: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(duration)
        .ok()
        .and_then(|delta| instant.checked_add_signed(delta))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
