//! The lifecycle of a message: its statuses, the events that move it, and the one transition table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It has an instant and waits for it. Open.
    Planned,
    /// It was handed to the packet's queue at least once. Open.
    Queued,
    /// One worker has claimed it and may be calling the provider. Open.
    Sending,
    /// The provider accepted it. Closed, but evidence may still move it.
    Sent,
    /// The provider reports that it arrived.
    Delivered,
    /// The provider reports that it did not arrive.
    Undelivered,
    /// It is not sent, for one of the closed set of reasons.
    Skipped,
    /// Its window or its appointment was missed for good.
    Expired,
    /// Its packet or campaign was cancelled before it was sent, or its appointment vanished from the next file.
    Cancelled,
    /// Every permitted attempt was definitely refused.
    Failed,
    /// Nobody knows whether the latest attempt was accepted. Open until resolved or held.
    Unknown,
}

/// What happens to a message. Each is caused by one party, named in `docs/lifecycles.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageEvent {
    /// A slice that names it was recorded as handed to the queue.
    HandedOver,
    /// A worker claimed it.
    Claimed,
    /// It was put back without an attempt: paused, throttled, outside its window.
    Snoozed,
    /// The worker that claimed it surely made no request.
    Returned,
    /// The provider accepted it.
    Accepted,
    /// The provider definitely refused it and another try is permitted.
    RefusedForNow,
    /// The provider definitely refused it and no other try is permitted.
    RefusedForGood,
    /// The request may or may not have been accepted.
    Ambiguous,
    /// Its claim ran out without an answer.
    Reaped,
    /// Evidence (callback or look-up) shows that the attempt was accepted.
    Found,
    /// A look-up proved that the attempt was never accepted.
    ProvenAbsent,
    /// The campaign's recorded policy permits one more attempt although nothing was proven.
    ResendPermitted,
    /// A call reached nobody, and the campaign's rule permits one more.
    RedialPermitted,
    /// That call is not made.
    RedialDropped,
    /// Nothing will decide it any more: held as unknown.
    GivenUp,
    /// A report that it arrived.
    Delivered,
    /// A report that it did not arrive.
    Undelivered,
    /// A skip reason holds.
    Skipped,
    /// It came too late.
    Expired,
    /// Its packet or campaign was cancelled, or its appointment vanished.
    Cancelled,
}

impl MessageStatus {
    /// Every status, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Skipped,
        Self::Expired,
        Self::Cancelled,
        Self::Failed,
        Self::Unknown,
    ];

    /// The status after `event`; `None` if the event cannot happen to a message in this status.
    ///
    /// ```
    /// use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};
    ///
    /// assert_eq!(MessageStatus::Sending.after(MessageEvent::Reaped), Some(MessageStatus::Unknown));
    /// assert_eq!(MessageStatus::Unknown.after(MessageEvent::Claimed), None, "an unknown message is never claimed");
    /// ```
    pub const fn after(self, event: MessageEvent) -> Option<Self> {
        use MessageEvent as E;
        use MessageStatus as S;
        Some(match (self, event) {
            (S::Planned | S::Queued, E::HandedOver)
            | (S::Queued, E::Snoozed)
            | (S::Sending | S::Unknown, E::Returned | E::RefusedForNow)
            | (S::Unknown, E::ProvenAbsent | E::ResendPermitted)
            | (S::Undelivered, E::RedialPermitted) => S::Queued,
            (S::Planned, E::Snoozed) => S::Planned,
            (S::Queued, E::Claimed) => S::Sending,
            (S::Sending | S::Unknown, E::RefusedForGood) => S::Failed,
            (S::Sending, E::Ambiguous | E::Reaped) | (S::Unknown, E::Ambiguous | E::GivenUp) => S::Unknown,
            (S::Planned | S::Queued, E::Skipped) => S::Skipped,
            (S::Queued, E::Expired) => S::Expired,
            (S::Planned | S::Queued, E::Cancelled) => S::Cancelled,
            // Evidence about the latest attempt moves everything that has one; a second send would be worse than a late truth.
            (
                S::Queued | S::Sending | S::Unknown | S::Skipped | S::Expired | S::Cancelled | S::Failed,
                E::Accepted | E::Found,
            ) => S::Sent,
            (S::Planned | S::Delivered, _) => return None,
            (_, E::Delivered) => S::Delivered,
            (S::Undelivered, _) => return None,
            (_, E::Undelivered) | (S::Queued | S::Sending | S::Unknown, E::RedialDropped) => S::Undelivered,
            _ => return None,
        })
    }

    /// Whether work remains. `Unknown` is open until it is held, which its record knows.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Queued | Self::Sending | Self::Unknown)
    }

    /// Whether it ended without being sent, as far as anybody knows: its natural key is free again.
    pub const fn is_unsent(self) -> bool {
        matches!(self, Self::Skipped | Self::Expired | Self::Cancelled | Self::Failed)
    }

    /// Whether evidence about an attempt before the latest moves it: none is in work, and none is known to be accepted.
    pub const fn heeds_earlier_attempts(self) -> bool {
        matches!(self, Self::Queued | Self::Unknown) || self.is_unsent()
    }

    /// The name in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Skipped => "skipped",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl MessageEvent {
    /// Every event.
    pub const ALL: [Self; 20] = [
        Self::HandedOver,
        Self::Claimed,
        Self::Snoozed,
        Self::Returned,
        Self::Accepted,
        Self::RefusedForNow,
        Self::RefusedForGood,
        Self::Ambiguous,
        Self::Reaped,
        Self::Found,
        Self::ProvenAbsent,
        Self::ResendPermitted,
        Self::RedialPermitted,
        Self::RedialDropped,
        Self::GivenUp,
        Self::Delivered,
        Self::Undelivered,
        Self::Skipped,
        Self::Expired,
        Self::Cancelled,
    ];

    /// What the event is for a message in this status of which a call was made already: it does not end unsent any more. An event
    /// that cannot happen in the status stays one that cannot: what is in work is neither skipped nor dropped.
    ///
    /// ```
    /// use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};
    ///
    /// assert_eq!(MessageEvent::Skipped.after_a_call(MessageStatus::Queued), MessageEvent::RedialDropped);
    /// assert_eq!(MessageEvent::Skipped.after_a_call(MessageStatus::Sending), MessageEvent::Skipped);
    /// ```
    #[must_use]
    pub const fn after_a_call(self, status: MessageStatus) -> Self {
        match self {
            Self::Skipped | Self::Expired | Self::Cancelled | Self::RefusedForGood
                if status.after(self).is_some() =>
            {
                Self::RedialDropped
            }
            other => other,
        }
    }

    /// The name in histories and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HandedOver => "handed_over",
            Self::Claimed => "claimed",
            Self::Snoozed => "snoozed",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::RefusedForNow => "refused_for_now",
            Self::RefusedForGood => "refused_for_good",
            Self::Ambiguous => "ambiguous",
            Self::Reaped => "reaped",
            Self::Found => "found",
            Self::ProvenAbsent => "proven_absent",
            Self::ResendPermitted => "resend_permitted",
            Self::RedialPermitted => "redial_permitted",
            Self::RedialDropped => "redial_dropped",
            Self::GivenUp => "given_up",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Skipped => "skipped",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for MessageEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry of a message's history: one transition, append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at: chrono::DateTime<chrono::Utc>,
    /// What happened.
    pub event: MessageEvent,
    /// The status before.
    pub from: MessageStatus,
    /// The status after.
    pub to: MessageStatus,
    /// The attempt that it concerns; 0 if none.
    pub epoch: u32,
    /// Why: the rule, reason or code, never personal data.
    pub reason: std::borrow::Cow<'static, str>,
}
