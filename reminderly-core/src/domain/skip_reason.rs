//! Why a message is not sent although its row is good.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a message is not sent although its row is good. A closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The row has no contact point for the method.
    NoContactPoint,
    /// The row's contact point for the method cannot be reached: not a phone number, not an e-mail address.
    InvalidContactPoint,
    /// The person refused contact on this contact point, or altogether.
    Unsubscribed,
    /// No instant before the appointment is legal.
    NoLegalInstant,
    /// The planned instant had passed, by more than `max_lateness`, before the message was queued.
    PastDue,
    /// Another message to the same contact point about the same appointment goes on the same day.
    Duplicate,
    /// The person has had as many messages as the campaign allows.
    Cap,
    /// A newer packet says something else about the appointment.
    Superseded,
    /// The text needs more SMS segments than the campaign allows.
    TooManySegments,
    /// The person has answered an earlier message about the appointment.
    Answered,
    /// Another message told of the appointment, together with others of the household.
    Grouped,
}

impl SkipReason {
    /// Every reason, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::NoContactPoint,
        Self::InvalidContactPoint,
        Self::Unsubscribed,
        Self::NoLegalInstant,
        Self::PastDue,
        Self::Duplicate,
        Self::Cap,
        Self::Superseded,
        Self::TooManySegments,
        Self::Answered,
        Self::Grouped,
    ];

    /// The name in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoContactPoint => "no_contact_point",
            Self::InvalidContactPoint => "invalid_contact_point",
            Self::Unsubscribed => "unsubscribed",
            Self::NoLegalInstant => "no_legal_instant",
            Self::PastDue => "past_due",
            Self::Duplicate => "duplicate",
            Self::Cap => "cap",
            Self::Superseded => "superseded",
            Self::TooManySegments => "too_many_segments",
            Self::Answered => "answered",
            Self::Grouped => "grouped",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
