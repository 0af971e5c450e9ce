use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::batch::Outcomes;
use crate::domain::attempt::AttemptLocation;
use crate::domain::disposition::Disposition;
use crate::domain::message_status::MessageStatus;
use crate::ids::{AttemptId, CompanyId, MessageId, PacketId};

/// A disposition whose attempt was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedDisposition {
    /// The packet of the message.
    pub packet: PacketId,
    /// The message.
    pub message: MessageId,
    /// The disposition.
    pub disposition: Disposition,
}

/// What became of a disposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispositionOutcome {
    /// Stored; this is the message's status now.
    Recorded(MessageStatus),
    /// The same event was stored before; nothing changed.
    Duplicate(MessageStatus),
    /// There is no such attempt of this provider.
    Missing,
}

/// Dispositions: append-only, joined per attempt.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait DispositionStore: Debug + Send + Sync + 'static {
    /// Where attempts are stored, by position; `None` for an attempt that nobody made.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn locate_attempts_across_companies(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<Option<AttemptLocation>>, StoreError>;

    /// Stores dispositions, joins each into the report of its attempt and moves the message by the transition table, if that is
    /// its latest attempt or none is in work (it is queued, unknown, or ended unsent): one fact each. While one is in work, the report
    /// is kept, and counts when that one is [settled](super::MessageStore::settle). Natural key: message, provider and event.
    ///
    /// After a call that was [`Redialled`](crate::domain::attempt::AttemptOutcome::Redialled), a report moves the message only if
    /// the joined report has grown, or, once another call was claimed and is not in work, only if it says that the call arrived. A
    /// report that moves it withdraws the next call: the attempt counts as accepted again. Otherwise it stays redialled.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn record_dispositions(
        &self,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError>;
}
