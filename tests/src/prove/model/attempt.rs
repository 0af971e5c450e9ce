//! What a store keeps of an attempt, as the model has it.

use reminderly_core::domain::message_status::MessageEvent;

/// An attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::prove) struct Try {
    pub(in crate::prove) outcome: Outcome,
    pub(in crate::prove) report: Report,
}

/// What is recorded of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::prove) enum Outcome {
    #[default]
    Open,
    Accepted,
    Refused,
    Returned,
    Unknown,
    Absent,
    Redialled,
}

impl Outcome {
    pub(super) const ALL: [Self; 7] = [
        Self::Open,
        Self::Accepted,
        Self::Refused,
        Self::Returned,
        Self::Unknown,
        Self::Absent,
        Self::Redialled,
    ];
}

/// The join of the reports about an attempt, by what they mean for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::prove) enum Report {
    #[default]
    Nothing,
    Accepted,
    Undelivered,
    Delivered,
}

impl Report {
    pub(super) const ALL: [Self; 4] = [Self::Nothing, Self::Accepted, Self::Undelivered, Self::Delivered];

    pub(super) const fn event(self) -> MessageEvent {
        match self {
            Self::Nothing | Self::Accepted => MessageEvent::Found,
            Self::Undelivered => MessageEvent::Undelivered,
            Self::Delivered => MessageEvent::Delivered,
        }
    }
}
