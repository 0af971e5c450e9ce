//! An attempt: one try to send a message.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::disposition::AttemptReport;
use crate::ids::{AttemptId, CompanyId, MessageId, PacketId};

/// The name of a provider in configuration, attempts and reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderName(pub Arc<str>);

impl From<&str> for ProviderName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A provider's own id of an accepted message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderReference(pub Arc<str>);

impl fmt::Display for ProviderReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One try to send a message. The row is written before the provider is called, in the transaction that claims the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id; travels to the provider and comes back in callbacks.
    pub id: AttemptId,
    /// The message.
    pub message: MessageId,
    /// Its number: 1 is the first. Unique per message, so that no two workers hold the same claim.
    pub epoch: u32,
    /// The provider that is called.
    pub provider: ProviderName,
    /// When the message was claimed.
    pub claimed_at: DateTime<Utc>,
    /// The request starts before this instant or not at all.
    pub start_by: DateTime<Utc>,
    /// The answer comes before this instant or counts as ambiguous.
    pub answer_by: DateTime<Utc>,
    /// What became of it; `None` while nobody has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptOutcome>,
    /// When the outcome was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<DateTime<Utc>>,
    /// The provider's id, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
    /// The join of all dispositions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<AttemptReport>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The provider accepted the message.
    Accepted,
    /// The provider definitely refused it.
    Refused {
        /// The provider's code.
        code: String,
    },
    /// No request was made.
    Returned {
        /// Why.
        reason: ReturnReason,
    },
    /// The request may or may not have been accepted.
    Unknown {
        /// What was seen.
        code: String,
    },
    /// A look-up proved that it was never accepted.
    Absent,
    /// The provider accepted the call, which reached nobody; one more was permitted.
    Redialled,
}

/// Why a claimed message was put back without a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// The request could not start in time.
    TooLate,
    /// The provider asked to wait.
    Throttled,
    /// The provider could not be reached: surely nothing was sent.
    Unreachable,
    /// The worker could not go on before it called the provider.
    Interrupted,
}

impl ReturnReason {
    /// The name in histories.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLate => "too_late_to_start",
            Self::Throttled => "throttled",
            Self::Unreachable => "provider_unreachable",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Where an attempt is stored: what a callback that carries only its id needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptLocation {
    /// The company.
    pub company: CompanyId,
    /// The packet.
    pub packet: PacketId,
    /// The message.
    pub message: MessageId,
}
