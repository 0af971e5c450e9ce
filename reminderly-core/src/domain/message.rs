//! A message: one intended contact.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::held_appointment::RowPlace;
use crate::domain::household::{Members, Membership};
use crate::domain::language::Language;
use crate::domain::local_time::reading;
use crate::domain::message_status::MessageStatus;
use crate::domain::person::PersonKey;
use crate::domain::plan::PlanTrace;
use crate::domain::response::Response;
use crate::domain::row::RowNumber;
use crate::domain::skip_reason::SkipReason;
use crate::domain::window::LegalInterval;
use crate::ids::{CampaignId, IncomingId, MessageId, PacketId};

/// One intended contact: what was decided when it was made, which never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The packet that it belongs to.
    pub packet: PacketId,
    /// The campaign of the packet.
    pub campaign: CampaignId,
    /// Why it exists.
    pub origin: Origin,
    /// The appointment that it is about.
    pub key: AppointmentKey,
    /// The person it is for; `None` if there is no contact point that could stand for one.
    pub person: Option<PersonKey>,
    /// By which method it goes.
    pub method: ContactMethod,
    /// Where it goes; `None` if the row has no usable contact point for the method.
    pub contact: Option<ContactPoint>,
    /// The appointment; `None` if it is about none, as what is sent on demand may be.
    pub appointment: Option<Appointment>,
    /// The zone of the person.
    pub contact_zone: Tz,
    /// The language of the text; `None` if it is not known, as of a text that no campaign wrote.
    pub language: Option<Language>,
    /// The text; `None` if it was skipped before there was one.
    pub content: Option<Content>,
    /// The rung below, if it goes only when another method has brought nothing.
    pub ladder: Option<LadderPlace>,
    /// How it was planned; `None` for a message that answers the person.
    pub trace: Option<PlanTrace>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// How long after it was sent a message that is about no appointment can be answered: a later word is about something else.
const ANSWERABLE_FOR: TimeDelta = TimeDelta::hours(72);

impl Message {
    /// Until when a reply may be about this message, which was sent at `sent_at`: its appointment, or 72 hours later if it has
    /// none.
    pub fn answerable_until(&self, sent_at: DateTime<Utc>) -> DateTime<Utc> {
        let without = || sent_at.checked_add_signed(ANSWERABLE_FOR).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.appointment.map_or_else(without, |appointment| appointment.at)
    }

    /// What no two messages of a company may share: the same thing said to the same contact point on the same local day.
    /// Follow-ups and corrections have none.
    pub fn natural_key(&self, planned_at: DateTime<Utc>) -> Option<NaturalKey> {
        if !matches!(self.origin, Origin::Row { .. }) {
            return None;
        }
        let contact = self.contact.clone()?;
        let local_day = self.local_day(planned_at);
        Some(NaturalKey { key: self.key.clone(), contact, local_day })
    }

    /// The day of an instant in the zone of the person.
    pub fn local_day(&self, at: DateTime<Utc>) -> NaiveDate {
        reading(at, self.contact_zone).date()
    }

    /// Whether it counts against the [caps](crate::domain::caps::Caps) of its campaign: reminders do, follow-ups and corrections
    /// do not.
    pub const fn takes_a_slot(&self) -> bool {
        matches!(self.origin, Origin::Row { .. } | Origin::Household { .. })
    }

    /// The persons it is for, each once: one, but for a household's.
    pub fn persons(&self) -> impl Iterator<Item = &PersonKey> {
        let members = match &self.origin {
            Origin::Household { members, .. } => &**members,
            Origin::Row { .. } | Origin::Correction { .. } | Origin::Reply { .. } => &[],
        };
        let own = self.person.as_ref().filter(|_| members.is_empty());
        let is_first = move |position: usize, person: &PersonKey| {
            members.iter().take(position).all(|earlier| earlier.person != *person)
        };
        let named =
            members.iter().enumerate().filter(move |(position, member)| is_first(*position, &member.person));
        own.into_iter().chain(named.map(|(_, member)| &member.person))
    }
}

/// The place of a message on a ladder: it goes once the rung below has failed, or was sent and stayed unanswered for the wait.
/// An answer of the person stops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderPlace {
    /// The message by another method, of the same packet, row and entry.
    pub below: MessageId,
    /// How long that one may stay unanswered.
    pub wait: Duration,
}

/// Why a message exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A row of the packet and an entry of the campaign's `schedule.send`.
    Row {
        /// The row.
        row: RowNumber,
        /// The position of the entry in `schedule.send`.
        entry: u16,
    },
    /// A row of the packet that names another time than the person was told. It goes at once, by the method and to the contact
    /// point that were used, beside the messages of the schedule.
    Correction {
        /// The row.
        row: RowNumber,
        /// The row that spoke for the appointment before.
        of: RowPlace,
    },
    /// Several rows of the packet whose appointments are on one day, and an entry of the campaign's `schedule.send`. It goes instead
    /// of their own messages; its key, person and appointment are the first one's.
    Household {
        /// The position of the entry in `schedule.send`.
        entry: u16,
        /// The messages that it stands for.
        members: Members,
    },
    /// A message from the person, which it answers.
    Reply {
        /// The message from the person.
        incoming: IncomingId,
    },
}

impl Origin {
    /// The row, of a message that has one. A household's has several, and is not about a single one.
    pub const fn row(&self) -> Option<RowNumber> {
        match self {
            Self::Row { row, .. } | Self::Correction { row, .. } => Some(*row),
            Self::Household { .. } | Self::Reply { .. } => None,
        }
    }

    /// Whether it is about the appointment of one row, and not an answer.
    pub const fn is_reminder(&self) -> bool {
        self.row().is_some()
    }
}

/// What no two messages of a company may share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NaturalKey {
    /// The appointment.
    pub key: AppointmentKey,
    /// Method and address.
    pub contact: ContactPoint,
    /// The day in the person's zone.
    pub local_day: NaiveDate,
}

/// What planning made of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedMessage {
    /// The message.
    pub message: Message,
    /// Whether and when it goes.
    pub verdict: PlanVerdict,
}

/// Whether and when a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanVerdict {
    /// It goes at this instant, and may go late while the interval lasts.
    Send {
        /// The planned instant.
        at: DateTime<Utc>,
        /// The legal interval around it.
        legal: LegalInterval,
    },
    /// It does not go.
    Skip(SkipReason),
}

/// A message and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRecord {
    /// What was decided when it was made.
    pub message: Message,
    /// Where it stands.
    pub state: MessageState,
}

/// Where a message stands. Changes only by the transition table of [`MessageStatus`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageState {
    /// The status.
    pub status: MessageStatus,
    /// Why it was skipped, failed or is unknown; one of [`Detail`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The instant it was first planned for; `None` if it was skipped at planning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<DateTime<Utc>>,
    /// It is not sent before this instant: the planned one, or a later one after a snooze or a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// It is not sent at or after this instant without being planned again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_until: Option<DateTime<Utc>>,
    /// When the copy that the queue holds is presumed lost; `None` if no copy is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_until: Option<DateTime<Utc>>,
    /// How often it was claimed; the number of the latest attempt.
    pub epoch: u32,
    /// How many attempts counted: claims that were not returned unsent.
    pub attempts: u32,
    /// When the provider accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
    /// What the person answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// A call about it was made, reached nobody, and was permitted once more. If that call is not made, the message is what the
    /// first one made it: undelivered, never skipped, expired, cancelled or failed.
    pub redialled: bool,
    /// The status was given up as undecidable: `unknown`, and closed.
    pub held: bool,
    /// The household's message that goes instead of this one, or was to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub household: Option<Membership>,
}

impl MessageState {
    /// The state of a message that planning has just judged.
    pub fn planned(verdict: PlanVerdict) -> Self {
        let (status, detail, at, until) = match verdict {
            PlanVerdict::Send { at, legal } => (MessageStatus::Planned, None, Some(at), Some(legal.until)),
            PlanVerdict::Skip(reason) => (MessageStatus::Skipped, Some(Detail::Skip(reason)), None, None),
        };
        Self {
            status,
            detail,
            planned_at: at,
            not_before: at,
            legal_until: until,
            copy_until: None,
            epoch: 0,
            attempts: 0,
            sent_at: None,
            response: None,
            redialled: false,
            held: false,
            household: None,
        }
    }

    /// Whether it waits for its household's message to go instead.
    pub const fn waits_with_household(&self) -> bool {
        matches!((self.status, self.household), (MessageStatus::Planned, Some(Membership::In(_))))
    }

    /// Whether anything is still to be done: the packet cannot complete before.
    pub const fn is_open(&self) -> bool {
        match self.status {
            MessageStatus::Unknown => !self.held,
            status => status.is_open(),
        }
    }
}

/// Why a message has its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Why it was skipped.
    Skip(SkipReason),
    /// The provider's or our code of a failure, refusal or ambiguity; never personal data.
    Code(String),
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip(reason) => f.write_str(reason.as_str()),
            Self::Code(code) => f.write_str(code),
        }
    }
}
