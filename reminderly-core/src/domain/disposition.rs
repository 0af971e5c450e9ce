//! Dispositions: what providers report about attempts, and the lattice that joins them.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::attempt::{ProviderName, ProviderReference};
use crate::domain::message_status::MessageEvent;
use crate::ids::AttemptId;

/// One report of a provider about one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Who reports.
    pub provider: ProviderName,
    /// The provider's id of this report, or what makes it unique: the same id is the same report.
    pub event: Arc<str>,
    /// The attempt.
    pub attempt: AttemptId,
    /// The provider's id of the message.
    pub reference: Option<ProviderReference>,
    /// What it says.
    pub report: AttemptReport,
    /// When it happened, by the provider's clock.
    pub at: DateTime<Utc>,
}

/// What became of an attempt, by the provider's reports.
///
/// The declaration order is the order of the lattice: [`join`](Self::join) is the greater of two, so duplicates, late and
/// out-of-order reports give one result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptReport {
    /// The provider has it.
    Accepted,
    /// It left the provider.
    Sent,
    /// It did not arrive. Above `Sent`, below `Delivered`: a late or contradicting failure never takes back a delivery.
    Undelivered {
        /// The provider's code; of several the greatest stays, so that the order of reports does not matter.
        code: Arc<str>,
    },
    /// The line of a call was busy: it did not ring.
    Busy,
    /// A call rang, and nobody answered.
    NoAnswer,
    /// A machine answered a call, and nothing was left on it.
    Machine,
    /// A machine answered a call, and the message was left on it.
    Voicemail,
    /// It arrived; of a call: a person answered.
    Delivered,
    /// The person complained about it, so it arrived.
    Complained,
}

impl AttemptReport {
    /// The join of two reports: commutative, associative, idempotent.
    ///
    /// ```
    /// use reminderly_core::domain::disposition::AttemptReport;
    ///
    /// let failed = AttemptReport::Undelivered { code: "30003".into() };
    /// assert_eq!(failed.clone().join(AttemptReport::Delivered), AttemptReport::Delivered);
    /// assert_eq!(AttemptReport::Delivered.join(failed), AttemptReport::Delivered);
    /// ```
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Ord::max(self, other)
    }

    /// What the report means for the message.
    pub const fn event(&self) -> MessageEvent {
        match self {
            Self::Accepted | Self::Sent => MessageEvent::Found,
            Self::Undelivered { .. } | Self::Busy | Self::NoAnswer | Self::Machine => {
                MessageEvent::Undelivered
            }
            Self::Voicemail | Self::Delivered | Self::Complained => MessageEvent::Delivered,
        }
    }

    /// Whether the person has surely noticed: the message arrived, or the phone rang. Such an attempt counts as contact, whatever
    /// becomes of the message.
    ///
    /// ```
    /// use reminderly_core::domain::disposition::AttemptReport;
    ///
    /// assert!(AttemptReport::NoAnswer.is_contact());
    /// assert!(!AttemptReport::Busy.is_contact(), "a busy line does not ring");
    /// ```
    pub const fn is_contact(&self) -> bool {
        match self {
            Self::Accepted | Self::Sent | Self::Undelivered { .. } | Self::Busy => false,
            Self::NoAnswer | Self::Machine | Self::Voicemail | Self::Delivered | Self::Complained => true,
        }
    }

    /// The name in reports and storage, without the code.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Undelivered { .. } => "undelivered",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Machine => "machine",
            Self::Voicemail => "voicemail",
            Self::Delivered => "delivered",
            Self::Complained => "complained",
        }
    }
}

impl fmt::Display for AttemptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undelivered { code } => write!(f, "undelivered:{code}"),
            other => f.write_str(other.as_str()),
        }
    }
}
