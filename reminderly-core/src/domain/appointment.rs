//! An appointment: what a reminder is about.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::local_time::{LocalTimeNote, resolve};

/// The time of an appointment: as it is written, and the instant that this means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Appointment {
    /// The local date and time, as the row writes them.
    pub local: NaiveDateTime,
    /// The zone in which they are written.
    pub zone: Tz,
    /// The instant.
    pub at: DateTime<Utc>,
    /// What the zone's clock does at that time.
    pub note: LocalTimeNote,
}

impl Appointment {
    /// The appointment that a row writes as `local` in `zone`.
    pub fn new(local: NaiveDateTime, zone: Tz) -> Self {
        let resolved = resolve(local, zone);
        Self { local, zone, at: resolved.at, note: resolved.note }
    }
}
