//! Recipients: messages as the rows of a report, and how many there are of each kind.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::attempt::Attempt;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::disposition::AttemptReport;
use crate::domain::language::Language;
use crate::domain::message::MessageRecord;
use crate::domain::message_status::MessageStatus;
use crate::domain::person::PersonKey;
use crate::domain::response::ResponseKind;
use crate::domain::row::RowNumber;
use crate::ids::{MessageId, PacketId};

/// A message as the row of a report: for whom it is, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// The packet.
    pub packet: PacketId,
    /// The message.
    pub message: MessageId,
    /// The row that it was made from, if it is one.
    pub row: Option<RowNumber>,
    /// The person; `None` if nothing in the row could stand for one.
    pub person: Option<PersonKey>,
    /// Where it goes; `None` if the row has no usable contact point for the method.
    pub contact: Option<ContactPoint>,
    /// The language of its text, if that is known.
    pub language: Option<Language>,
    /// When the appointment is; `None` if it is about none.
    pub appointment_at: Option<DateTime<Utc>>,
    /// When it was to go; `None` if it was skipped at planning.
    pub planned_at: Option<DateTime<Utc>>,
    /// When the provider accepted it.
    pub sent_at: Option<DateTime<Utc>>,
    /// How many attempts counted.
    pub attempts: u32,
    /// Of which kind it is.
    pub group: RecipientGroup,
}

/// Of which kind a message is in a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecipientGroup {
    /// The day in the zone of the person on which it was sent, or else on which it goes or was to go; `None` if it was skipped at
    /// planning.
    pub day: Option<NaiveDate>,
    /// The method.
    pub method: ContactMethod,
    /// Where it stands.
    pub status: MessageStatus,
    /// What the provider reported about its latest attempt.
    pub disposition: Option<AttemptReport>,
    /// Why it was skipped, failed or is unknown: a reason of ours, or a provider's code.
    pub reason: Option<String>,
    /// What the person answered.
    pub response: Option<ResponseKind>,
}

impl Recipient {
    /// The row of a message, with its latest attempt.
    pub fn of(record: &MessageRecord, latest: Option<&Attempt>) -> Self {
        let MessageRecord { message, state } = record;
        let instant = state.sent_at.or(state.not_before).or(state.planned_at);
        Self {
            packet: message.packet,
            message: message.id,
            row: message.origin.row(),
            person: message.person.clone(),
            contact: message.contact.clone(),
            language: message.language.clone(),
            appointment_at: message.appointment.map(|appointment| appointment.at),
            planned_at: state.planned_at,
            sent_at: state.sent_at,
            attempts: state.attempts,
            group: RecipientGroup {
                day: instant.map(|at| message.local_day(at)),
                method: message.method,
                status: state.status,
                disposition: latest.and_then(|attempt| attempt.report.clone()),
                reason: state.detail.as_ref().map(ToString::to_string),
                response: state.response.map(|response| response.kind),
            },
        }
    }
}

/// How many messages there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breakdown {
    /// In the order of the groups, each once.
    pub groups: Vec<CountedGroup>,
}

/// Messages of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedGroup {
    /// The kind.
    #[serde(flatten)]
    pub group: RecipientGroup,
    /// How many there are.
    pub messages: u64,
}

impl Breakdown {
    /// The sums by whatever is asked for.
    ///
    /// ```
    /// use reminderly_core::domain::recipient::Breakdown;
    ///
    /// # let breakdown = Breakdown::default();
    /// let by_method_and_status = breakdown.by(|group| (group.method, group.status));
    /// # assert!(by_method_and_status.is_empty());
    /// ```
    pub fn by<K: Ord>(&self, key: impl Fn(&RecipientGroup) -> K) -> BTreeMap<K, u64> {
        let mut sums = BTreeMap::new();
        for counted in &self.groups {
            *sums.entry(key(&counted.group)).or_default() += counted.messages;
        }
        sums
    }

    /// All messages.
    pub fn total(&self) -> u64 {
        self.groups.iter().map(|counted| counted.messages).sum()
    }
}

impl FromIterator<RecipientGroup> for Breakdown {
    fn from_iter<I: IntoIterator<Item = RecipientGroup>>(groups: I) -> Self {
        let mut counts: BTreeMap<RecipientGroup, u64> = BTreeMap::new();
        groups.into_iter().for_each(|group| *counts.entry(group).or_default() += 1);
        counts.into()
    }
}

impl From<BTreeMap<RecipientGroup, u64>> for Breakdown {
    fn from(counts: BTreeMap<RecipientGroup, u64>) -> Self {
        let counted = |(group, messages)| CountedGroup { group, messages };
        Self { groups: counts.into_iter().map(counted).collect() }
    }
}
