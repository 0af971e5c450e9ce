//! Queues: how slices of packets, dispositions and incoming messages travel.

use std::fmt;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::batch::{Outcomes, Page};
use crate::domain::envelope::{Envelope, Undecodable};
use crate::ids::PacketId;
use crate::ports::BoxError;

/// The longest delay that a send or a release may ask for: 15 minutes, the limit of Amazon SQS.
/// Waiting for a contact window is not done with the queue.
pub const MAX_DELAY: Duration = Duration::from_mins(15);

/// The longest visibility time-out: 12 hours from the receipt, the limit of Amazon SQS.
pub const MAX_VISIBILITY: Duration = Duration::from_hours(12);

/// The longest wait of one receive: 20 seconds, the limit of Amazon SQS.
pub const MAX_WAIT: Duration = Duration::from_secs(20);

/// The longest body of one item in bytes: 1 MiB, the limit of Amazon SQS since January 2026.
pub const MAX_ENVELOPE_BYTES: usize = 1 << 20;

/// The name of a queue: 1 to 80 characters of `[A-Za-z0-9_-]`, the common denominator of queue services.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(String);

impl QueueName {
    /// How the names of packets' queues begin.
    pub const PACKET_PREFIX: &str = "reminderly-packet-";

    /// Checks a configured name.
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`] if it is empty, longer than 80 characters or has a character outside `[A-Za-z0-9_-]`.
    ///
    /// ```
    /// use reminderly_core::ports::queue::QueueName;
    ///
    /// assert!(QueueName::new("reminderly-dispositions").is_ok());
    /// assert!(QueueName::new("Dr. Smith").is_err());
    /// ```
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidQueueName> {
        let name = name.into();
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=80).contains(&name.len()) && name.chars().all(legal) {
            Ok(Self(name))
        } else {
            Err(InvalidQueueName)
        }
    }

    /// The outbound queue of a packet. Made of ids only, so that it tells nothing and always fits.
    pub fn of_packet(packet: PacketId) -> Self {
        Self(format!("{}{}", Self::PACKET_PREFIX, packet.as_uuid().simple()))
    }

    /// The packet whose outbound queue has this name; `None` if it is the name of none.
    ///
    /// ```
    /// use reminderly_core::ids::{IdSourceExt as _, PacketId, SeededIds};
    /// use reminderly_core::ports::queue::QueueName;
    ///
    /// let packet: PacketId = SeededIds::new(7).next(chrono::DateTime::UNIX_EPOCH);
    /// assert_eq!(QueueName::of_packet(packet).packet(), Some(packet));
    /// assert_eq!(QueueName::new("reminderly-dispositions")?.packet(), None);
    /// # Ok::<(), reminderly_core::ports::queue::InvalidQueueName>(())
    /// ```
    pub fn packet(&self) -> Option<PacketId> {
        let id = self.0.strip_prefix(Self::PACKET_PREFIX)?;
        let packet = PacketId::from(Uuid::try_parse(id).ok()?);
        (Self::of_packet(packet) == *self).then_some(packet)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for QueueName {
    type Error = InvalidQueueName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<QueueName> for String {
    fn from(name: QueueName) -> Self {
        name.0
    }
}

/// The text is no queue name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a queue name: expected 1 to 80 characters of A-Z, a-z, 0-9, '-' and '_'")]
pub struct InvalidQueueName;

/// What to send, and when it may be received at the earliest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The envelope.
    pub envelope: Envelope,
    /// How long it stays invisible; longer than [`MAX_DELAY`] is refused as [`SendOutcome::Refused`].
    pub delay: Duration,
}

impl From<Envelope> for Outgoing {
    fn from(envelope: Envelope) -> Self {
        Self { envelope, delay: Duration::ZERO }
    }
}

/// What became of one item of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOutcome {
    /// The queue holds it durably.
    Sent,
    /// The queue did not take it; sending it again later may work.
    Failed,
    /// The queue will never take it: longer than [`MAX_ENVELOPE_BYTES`], or the delay is longer than [`MAX_DELAY`].
    Refused,
}

/// The right to settle one received copy. Opaque; ends when the visibility time-out does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseToken(pub String);

/// A received copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The envelope, or why the body is none: a poison never fails its neighbours.
    pub envelope: Result<Envelope, Undecodable>,
    /// Names this receipt in [`MessageQueue::ack`] and its siblings.
    pub token: LeaseToken,
    /// How often this item was received, this time included.
    pub receives: u32,
    /// When the copy becomes visible again: never later than it really does.
    pub expires_at: DateTime<Utc>,
}

/// What became of settling one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// Done.
    Done,
    /// The lease had ended, was settled before, or never was. Harmless: the copy may come again.
    ///
    /// A service that does not tell (SQS acks an old receipt handle without a word) MAY answer [`Done`](Self::Done) to the
    /// ack of such a lease; a newer lease of the copy is untouched all the same.
    Stale,
    /// The queue could not do it now; the copy may come again.
    Failed,
}

/// How many items a queue holds. Exact in memory, approximate on SQS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Can be received now.
    pub ready: u64,
    /// Received and not settled, or released and waiting for the delay of the release. What the in-flight limit counts.
    pub leased: u64,
    /// Wait for the delay of their send.
    pub delayed: u64,
}

impl Depth {
    /// All items.
    pub const fn total(self) -> u64 {
        self.ready + self.leased + self.delayed
    }
}

/// How to make a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: QueueName,
    /// Where items go that were dead-lettered, or received more often than `max_receives`. Made too if it is missing.
    pub dead_letters: QueueName,
    /// Only a guard against consumers that crash: business attempts are counted in the store. At least 1.
    pub max_receives: u32,
}

/// Failures of a queue service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The queue does not exist (any more). Ensure it, or stop polling.
    #[error("queue {0} does not exist")]
    NoSuchQueue(QueueName),
    /// A queue of this name was deleted less than a minute ago; its name is free again after `retry_after`.
    #[error("queue {queue} was deleted moments ago")]
    DeletedRecently {
        /// The queue.
        queue: QueueName,
        /// How long the name stays blocked.
        retry_after: Duration,
    },
    /// Too many items of the queue are received and not settled.
    #[error("queue {0} has too many items in flight")]
    OverLimit(QueueName),
    /// The service could not be reached or answered with a fault of its own. Whether it acted is unknown.
    #[error("queue service unavailable")]
    Unavailable {
        /// What the service or the network said.
        #[source]
        source: BoxError,
    },
    /// The service refused the call: credentials, permissions or settings.
    #[error("queue service refused the call")]
    Refused {
        /// What the service said.
        #[source]
        source: BoxError,
    },
}

impl QueueError {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::DeletedRecently { .. } | Self::OverLimit(_) | Self::Unavailable { .. })
    }

    /// How long to wait before the same call, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::DeletedRecently { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Sends and receives envelopes, at least once and in any order.
///
/// # Contract
///
/// - An implementation MUST hold every item that it reported as [`SendOutcome::Sent`] until it is acked, dead-lettered or
///   older than the queue's retention; it MAY deliver it more than once and in any order.
/// - A received copy MUST stay invisible until its lease ends, and MUST become visible again then unless it was settled.
/// - Batches of any size are legal; the implementation cuts them to its own limits. Empty in, empty out, no call.
/// - Item failures are outcomes by position; `Err` means that no outcome is known.
/// - Dropping a future leaves open whether the call took effect. That is harmless by design: a doubled copy loses its claim,
///   a lost one is swept, an unsettled one comes again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait MessageQueue: Debug + Send + Sync + 'static {
    /// Puts items on the queue.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoSuchQueue`] if there is no such queue; [`QueueError::Unavailable`] and [`QueueError::Refused`] if the
    /// service could not or would not act.
    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<Outcomes<SendOutcome>, QueueError>;

    /// Receives up to `max` items and hides each for `visibility`.
    ///
    /// An item that was received `max_receives` times already moves to the dead letters instead, unless they are gone.
    /// Waits up to `wait` for the first one; nothing in time is an empty vector. Longer times than [`MAX_WAIT`] and
    /// [`MAX_VISIBILITY`] are cut. With the in-flight limit reached, a call without wait fails with
    /// [`QueueError::OverLimit`] and one with wait returns nothing, as SQS does.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`QueueError::OverLimit`].
    async fn receive(
        &self,
        queue: &QueueName,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Lease>, QueueError>;

    /// Removes received items for good.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    async fn ack(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
    ) -> Result<Outcomes<LeaseOutcome>, QueueError>;

    /// Ends leases early; the items become visible after `delay` (cut to [`MAX_DELAY`]).
    ///
    /// Until then they count as in flight. The receive is not taken back: the next one answers `receives` plus one.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    async fn release(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        delay: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError>;

    /// Makes leases last for `visibility` from now, at most [`MAX_VISIBILITY`] from the receipt; more is cut, not refused.
    /// The tokens stay the same. Zero makes the items visible at once and ends their leases.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    async fn extend(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        visibility: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError>;

    /// Moves a received item to the queue's dead letters, with the reason beside it. The reason holds no personal data.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send). [`QueueError::NoSuchQueue`] names the dead-letter queue if that is the one that is gone, and
    /// [`QueueError::Refused`] says that the queue has none; either way the lease lives on.
    async fn dead_letter(
        &self,
        queue: &QueueName,
        lease: &LeaseToken,
        reason: &str,
    ) -> Result<LeaseOutcome, QueueError>;
}

/// Where a listing of queues goes on: the queue service's own token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueCursor(pub String);

/// Makes, measures and removes queues.
///
/// # Contract
///
/// Every method is idempotent, so that a caller who lost the answer calls again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait QueueAdmin: Debug + Send + Sync + 'static {
    /// Makes the queue and its dead-letter queue unless they exist. What exists stays as it is, content and settings.
    ///
    /// # Errors
    ///
    /// [`QueueError::DeletedRecently`] within a minute of a delete; [`QueueError::Unavailable`] and [`QueueError::Refused`].
    async fn ensure(&self, spec: &QueueSpec) -> Result<(), QueueError>;

    /// Removes the queue and all that it holds. A queue that does not exist is no error.
    ///
    /// # Errors
    ///
    /// [`QueueError::Unavailable`] and [`QueueError::Refused`].
    async fn delete(&self, queue: &QueueName) -> Result<(), QueueError>;

    /// How many items the queue holds; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`QueueError::Unavailable`] and [`QueueError::Refused`].
    async fn depth(&self, queue: &QueueName) -> Result<Option<Depth>, QueueError>;

    /// A page of the queues whose names begin with `prefix`, `after` the page before. One that is made or deleted meanwhile may
    /// be there or not. How many make a page is the adapter's own affair.
    ///
    /// # Errors
    ///
    /// [`QueueError::Unavailable`] and [`QueueError::Refused`].
    async fn list(
        &self,
        prefix: &str,
        after: Option<QueueCursor>,
    ) -> Result<Page<QueueName, QueueCursor>, QueueError>;

    /// Moves up to `limit` dead letters back to the queues that they came from, oldest first; answers how many it moved.
    /// A letter whose queue is gone, or whose body is no envelope, stays and does not count. What moved starts anew: its
    /// next receive is its first.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoSuchQueue`] if there is no such dead-letter queue; [`QueueError::Unavailable`] and
    /// [`QueueError::Refused`].
    async fn redrive(&self, dead_letters: &QueueName, limit: usize) -> Result<u64, QueueError>;
}
