//! How a file came to its campaign.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a file came to its campaign: what decides whether content that the campaign has had counts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileArrival {
    /// Somebody handed it in, and means it, whatever came before.
    #[default]
    HandedIn,
    /// A look through an inbox found it, and may find it again.
    Found {
        /// When it last changed, where the source knows.
        modified: Option<DateTime<Utc>>,
    },
}

impl FileArrival {
    /// When the file came of which a packet was made at `created_at`.
    pub fn at(self, created_at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Found { modified: Some(modified) } => modified,
            Self::HandedIn | Self::Found { modified: None } => created_at,
        }
    }

    /// Whether the file is known to have come after all that came by `latest`, and is not one of these once more.
    ///
    /// ```
    /// use chrono::{DateTime, TimeDelta};
    /// use reminderly_core::domain::file_arrival::FileArrival;
    ///
    /// let latest = DateTime::UNIX_EPOCH;
    /// let found = |modified| FileArrival::Found { modified };
    /// assert!(FileArrival::HandedIn.is_after(latest));
    /// assert!(found(Some(latest + TimeDelta::seconds(1))).is_after(latest));
    /// assert!(!found(Some(latest)).is_after(latest));
    /// assert!(!found(None).is_after(latest));
    /// ```
    pub fn is_after(self, latest: DateTime<Utc>) -> bool {
        match self {
            Self::HandedIn => true,
            Self::Found { modified } => modified.is_some_and(|modified| modified > latest),
        }
    }
}
