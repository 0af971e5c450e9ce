use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::batch::Page;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{Answerable, IncomingRecord, Question};
use crate::domain::person::PersonKey;
use crate::ids::{CompanyId, IncomingId, MessageId, PacketId};

/// What became of an incoming message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncomingOutcome {
    /// Stored with all its effects.
    Recorded,
    /// The same event was stored before; nothing changed.
    Duplicate,
    /// The packet of the follow-up does not take messages any more; nothing changed. Make another and try again.
    FollowUpPacketClosed,
    /// The message that it was tied to has got another answer meanwhile; nothing changed. Read again and decide anew.
    Stale,
}

/// Messages from people and what follows from them.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait IncomingStore: Debug + Send + Sync + 'static {
    /// Stores an incoming message with its whole [effect](crate::domain::incoming::IncomingEffect) as one fact. Natural key:
    /// provider and event. A response that ends reminders also skips (`answered`) the open messages of the same campaign,
    /// person and appointment, by whatever contact point, and holds for every later claim and plan; what is claimed, sent or a
    /// follow-up stays, and so does what is about the same key at another time. Every other response about the appointment does
    /// so with messages that have a rung below them, and a campaign's own with the rungs above its message. Callers give a
    /// follow-up without contact point as skipped. A message that is answered was sent: `unknown` becomes `sent`.
    ///
    /// An answer about the appointment must be able to follow the appointment's; it becomes the appointment's and the message's.
    /// A [campaign's own](crate::domain::response::ResponseKind::Answer) must be able to follow the message's, and becomes that
    /// only. Otherwise the outcome is [`IncomingOutcome::Stale`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if the company or the packet of the follow-up does not exist; [`StoreError::Unavailable`],
    /// [`StoreError::CommitUnknown`].
    async fn record_incoming(
        &self,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError>;

    /// The messages that an incoming message from this contact point may answer, one per appointment and person: of those that
    /// can be answered after `now` ([`answerable_until`](crate::domain::message::Message::answerable_until)) the latest that
    /// is sent or delivered, and only where none is the latest that is unknown: else an answer to what went would count as a
    /// proof that the other went too. In the order of that instant.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn answerable(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Vec<Answerable>, StoreError>;

    /// The question that is open for this contact point at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn open_question(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Option<Question>, StoreError>;

    /// Every person of the company who was ever to be contacted at a contact point with the
    /// [refusal key](ContactPoint::refusal_key) of this one, in order: who is called at a number is also who texts from it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn persons_of(
        &self,
        company: CompanyId,
        contact: &ContactPoint,
    ) -> Result<Vec<PersonKey>, StoreError>;

    /// How many follow-ups to this contact point were made at or after `since`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn follow_ups_since(
        &self,
        company: CompanyId,
        to: &ContactPoint,
        since: DateTime<Utc>,
    ) -> Result<usize, StoreError>;

    /// The message to this contact point that was claimed last, whatever became of it: what the person may be speaking of
    /// when nothing is answerable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn latest_attempted(
        &self,
        company: CompanyId,
        to: &ContactPoint,
    ) -> Result<Option<(PacketId, MessageId)>, StoreError>;

    /// Every contact point to which a person of the company was ever to be contacted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn contact_points_of(
        &self,
        company: CompanyId,
        person: &PersonKey,
    ) -> Result<Vec<ContactPoint>, StoreError>;

    /// Incoming messages of a company in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn incoming(
        &self,
        company: CompanyId,
        after: Option<IncomingId>,
        limit: usize,
    ) -> Result<Page<IncomingRecord, IncomingId>, StoreError>;
}
