//! Restores: what a store that was brought back from a backup may not know.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The number of a restore of the store: 0 until the first one, then one more with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RestoreEpoch(pub u32);

impl RestoreEpoch {
    /// The epoch of the next restore.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RestoreEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The last restore of the store.
///
/// A backup knows nothing of what happened after it was taken: what was sent between then and the restore looks unsent. It
/// can only have been sent before [`raised_at`](Self::raised_at), so whatever was to go before that instant never goes again.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use reminderly_core::domain::restore::{Restore, RestoreEpoch};
///
/// let never = Restore::default();
/// assert!(!never.is_before(DateTime::UNIX_EPOCH));
///
/// let restore = Restore { epoch: never.epoch.next(), raised_at: Some(DateTime::UNIX_EPOCH) };
/// assert!(restore.is_before(DateTime::UNIX_EPOCH - TimeDelta::seconds(1)));
/// assert!(!restore.is_before(DateTime::UNIX_EPOCH));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restore {
    /// Its number.
    pub epoch: RestoreEpoch,
    /// When the host said that the store was restored, and as much later as clocks may have been apart; `None` if it never was.
    pub raised_at: Option<DateTime<Utc>>,
}

impl Restore {
    /// Whether `instant` lies before the restore: what was to happen then may have happened without the store's knowledge.
    pub fn is_before(&self, instant: DateTime<Utc>) -> bool {
        self.raised_at.is_some_and(|raised_at| instant < raised_at)
    }
}
