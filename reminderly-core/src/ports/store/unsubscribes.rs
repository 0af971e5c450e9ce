use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{StoreError, WriteOutcome};
use crate::batch::Outcomes;
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe};
use crate::ids::CompanyId;

/// The unsubscribe register of each company: append-only events. Of a key the event with the latest `at` counts, in whatever
/// order they come; at the same instant the refusal. An opt-in that lies in the future of whoever records a refusal does not hide
/// it: somebody's clock was ahead. From then on only what lies after that opt-in lifts the refusal.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait UnsubscribeStore: Debug + Send + Sync + 'static {
    /// Appends events at `now`. From the moment this returns, no claim passes for a key that is refused. An event that changes
    /// nothing is [`WriteOutcome::Stale`] and not stored.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if the company does not exist; [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn record_unsubscribes(
        &self,
        company: CompanyId,
        events: &[Unsubscribe],
        now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError>;

    /// Whether each key is refused now, by position.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn refused(&self, company: CompanyId, keys: &[RefusalKey]) -> Result<Vec<bool>, StoreError>;

    /// The events of a key, first to last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn unsubscribe_events(
        &self,
        company: CompanyId,
        key: &RefusalKey,
    ) -> Result<Vec<Unsubscribe>, StoreError>;
}
