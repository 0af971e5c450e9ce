//! Restores: what a store that was brought back from a backup may not know.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How far the clocks of the workers that ran before a restore may have been ahead of the one that tells its instant.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(5);

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
/// can only have been due before [`gone_until`](Self::gone_until), so whatever was never goes again.
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
/// assert!(restore.may_have_gone(DateTime::UNIX_EPOCH + TimeDelta::seconds(4)));
/// assert!(!restore.may_have_gone(DateTime::UNIX_EPOCH + TimeDelta::seconds(5)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restore {
    /// Its number.
    pub epoch: RestoreEpoch,
    /// When the host said that the store was restored; `None` if it never was.
    pub raised_at: Option<DateTime<Utc>>,
}

impl Restore {
    /// Whether `instant`, at which something came or was made, lies before the restore: what followed from it then, the store may not
    /// know.
    pub fn is_before(&self, instant: DateTime<Utc>) -> bool {
        self.raised_at.is_some_and(|raised_at| instant < raised_at)
    }

    /// Whether what was due at `instant` may have gone without the store's knowledge.
    pub fn may_have_gone(&self, instant: DateTime<Utc>) -> bool {
        self.gone_until().is_some_and(|until| instant < until)
    }

    /// What was due before this instant may have gone without the store's knowledge: that of the restore, and as much later as the
    /// clock of a worker may have been ahead. `None` if there was none.
    pub fn gone_until(&self) -> Option<DateTime<Utc>> {
        self.raised_at.map(|raised_at| raised_at.checked_add_signed(CLOCKS_APART).unwrap_or(raised_at))
    }
}
