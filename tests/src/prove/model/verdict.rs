//! What is settled about an attempt.

use reminderly_core::domain::message_status::MessageEvent;

use super::attempt::Outcome;

/// What is settled about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::prove) enum Verdict {
    Accepted,
    RefusedForNow,
    RefusedForGood,
    Returned,
    Ambiguous,
    Reaped,
    Found,
    ProvenAbsent,
    ResendPermitted,
    RedialPermitted,
    GivenUp,
}

impl Verdict {
    pub(in crate::prove) const ALL: [Self; 11] = [
        Self::Accepted,
        Self::RefusedForNow,
        Self::RefusedForGood,
        Self::Returned,
        Self::Ambiguous,
        Self::Reaped,
        Self::Found,
        Self::ProvenAbsent,
        Self::ResendPermitted,
        Self::RedialPermitted,
        Self::GivenUp,
    ];

    pub(super) const fn event(self) -> MessageEvent {
        match self {
            Self::Accepted => MessageEvent::Accepted,
            Self::RefusedForNow => MessageEvent::RefusedForNow,
            Self::RefusedForGood => MessageEvent::RefusedForGood,
            Self::Returned => MessageEvent::Returned,
            Self::Ambiguous => MessageEvent::Ambiguous,
            Self::Reaped => MessageEvent::Reaped,
            Self::Found => MessageEvent::Found,
            Self::ProvenAbsent => MessageEvent::ProvenAbsent,
            Self::ResendPermitted => MessageEvent::ResendPermitted,
            Self::RedialPermitted => MessageEvent::RedialPermitted,
            Self::GivenUp => MessageEvent::GivenUp,
        }
    }

    /// What is recorded of the attempt, if anything.
    pub(super) const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Accepted | Self::Found => Some(Outcome::Accepted),
            Self::RefusedForNow | Self::RefusedForGood => Some(Outcome::Refused),
            Self::Returned => Some(Outcome::Returned),
            Self::Ambiguous | Self::Reaped => Some(Outcome::Unknown),
            Self::ProvenAbsent => Some(Outcome::Absent),
            Self::RedialPermitted => Some(Outcome::Redialled),
            Self::ResendPermitted | Self::GivenUp => None,
        }
    }

    pub(super) const fn is_proof(self) -> bool {
        matches!(self, Self::Accepted | Self::Found)
    }
}
