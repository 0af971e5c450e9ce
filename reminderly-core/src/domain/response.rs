//! Responses: what a person answered about an appointment.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::IncomingId;

/// What a person answered about an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Response {
    /// The answer.
    pub kind: ResponseKind,
    /// The message that said so.
    pub incoming: IncomingId,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// An answer about an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseKind {
    /// The person will come.
    Confirmed,
    /// The person will not come.
    Cancelled,
    /// The person wants another time.
    RescheduleWanted,
}

impl ResponseKind {
    /// Every answer, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Cancelled, Self::RescheduleWanted];

    /// The name in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::RescheduleWanted => "reschedule_wanted",
        }
    }

    /// Whether an appointment that has the answer `earlier` (if any) can still be given this one.
    ///
    /// Who confirmed may still cancel or ask for another time; who cancelled or asked has released the appointment, and the
    /// office speaks next.
    pub const fn may_follow(self, earlier: Option<Self>) -> bool {
        match earlier {
            None => true,
            Some(Self::Confirmed) => !matches!(self, Self::Confirmed),
            Some(Self::Cancelled | Self::RescheduleWanted) => false,
        }
    }

    /// Whether further reminders of the appointment would be wrong.
    pub const fn ends_reminders(self) -> bool {
        matches!(self, Self::Cancelled | Self::RescheduleWanted)
    }
}

impl fmt::Display for ResponseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
