use chrono::{DateTime, Timelike as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::contact_method::ContactMethod;
use crate::domain::local_time::reading;
use crate::domain::person::PersonKey;
use crate::domain::response::ResponseKind;

/// What is to be reached by a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The person answers, whatever.
    Answer,
    /// The person answers positively: [`is_positive`].
    PositiveAnswer,
}

impl Goal {
    /// Every goal.
    pub const ALL: [Self; 2] = [Self::Answer, Self::PositiveAnswer];

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::PositiveAnswer => "positive_answer",
        }
    }
}

/// Whether an answer is what the campaign hopes for. The one place that decides it.
pub const fn is_positive(kind: ResponseKind) -> bool {
    matches!(kind, ResponseKind::Confirmed)
}

/// A message that reached a person, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactOutcome {
    /// Who was contacted.
    pub person: PersonKey,
    /// How.
    pub method: ContactMethod,
    /// When the provider accepted it.
    pub sent_at: DateTime<Utc>,
    /// The zone of the person.
    pub contact_zone: Tz,
    /// What the person answered to this message.
    pub response: Option<ResponseKind>,
}

impl ContactOutcome {
    /// The hour on the person's clock, 0 to 23.
    pub fn hour(&self) -> u8 {
        u8::try_from(reading(self.sent_at, self.contact_zone).hour()).unwrap_or(0)
    }

    /// Whether the contact has reached its goal.
    pub fn reaches(&self, goal: Goal) -> bool {
        match goal {
            Goal::Answer => self.response.is_some(),
            Goal::PositiveAnswer => self.response.is_some_and(is_positive),
        }
    }
}
