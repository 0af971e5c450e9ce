//! By what a message is found, and in what it counts.

use chrono::{DateTime, TimeDelta, Utc};

use super::messages::MessageData;
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{Detail, MessageState};
use crate::domain::message_status::MessageStatus;
use crate::domain::response::ResponseKind;
use crate::domain::skip_reason::SkipReason;
use crate::ids::AttemptId;

/// By what a message is found. An adapter keeps these as rows that are added and taken away; what a rule changes about a message
/// moves it from one to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It waits without a copy, and is due at this instant.
    Due(DateTime<Utc>),
    /// A copy of it waits in the queue, and is presumed lost at this instant.
    Copied(DateTime<Utc>),
    /// It waits for its household's message.
    Parked,
    /// It is claimed, and is overdue at this instant.
    Sending(DateTime<Utc>),
    /// Nobody knows what became of this attempt, and somebody is to find out.
    Unknown(AttemptId),
    /// Nothing is to be done.
    Closed,
}

impl Place {
    /// Where a message is found.
    pub fn of(message: &MessageData) -> Self {
        let state = &message.record.state;
        let attempt = message.attempts.last();
        if state.waits_with_household() {
            return Self::Parked;
        }
        match (state.status, state.copy_until, attempt) {
            (MessageStatus::Planned | MessageStatus::Queued, Some(until), _) => Self::Copied(until),
            (MessageStatus::Planned | MessageStatus::Queued, None, _) => {
                Self::Due(state.not_before.unwrap_or(message.record.message.created_at))
            }
            (MessageStatus::Sending, _, Some(attempt)) => Self::Sending(attempt.answer_by),
            (MessageStatus::Unknown, _, Some(attempt)) if !state.held => Self::Unknown(attempt.id),
            _ => Self::Closed,
        }
    }
}

/// In which minutes a message waits that is planned or queued: what a forecast is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The first minute from the end of its legal interval on.
    pub closes_at: DateTime<Utc>,
    /// The minute in which it may go.
    pub opens_at: DateTime<Utc>,
    /// How it goes.
    pub method: ContactMethod,
}

impl Window {
    /// The window of a message; `None` if it waits for nothing, or with its household.
    pub fn of(message: &MessageData) -> Option<Self> {
        let state = &message.record.state;
        let waits = matches!(state.status, MessageStatus::Planned | MessageStatus::Queued);
        if !waits || state.waits_with_household() {
            return None;
        }
        let closes_at = minute(state.legal_until? + TimeDelta::microseconds(59_999_999));
        let opens_at = minute(state.not_before?);
        Some(Self { closes_at, opens_at, method: message.record.message.method })
    }
}

/// The minute in which an instant lies.
fn minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = instant.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(60), 0).unwrap_or(instant)
}

/// A counter of a packet's messages, as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// In this status.
    Status(MessageStatus),
    /// Skipped for this reason.
    Skipped(SkipReason),
    /// Something is still to be done.
    Open,
    /// Answered so.
    Response(ResponseKind),
}

impl Counter {
    /// The counters in which a message counts.
    pub fn of(state: &MessageState) -> impl Iterator<Item = Self> {
        let skipped = match (state.status, &state.detail) {
            (MessageStatus::Skipped, Some(Detail::Skip(reason))) => Some(Self::Skipped(*reason)),
            _ => None,
        };
        let open = state.is_open().then_some(Self::Open);
        let response = state.response.map(|response| Self::Response(response.kind));
        [Some(Self::Status(state.status)), skipped, open, response].into_iter().flatten()
    }
}
