//! Households: the appointments of one day that one contact point is told of at once.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_point::ContactPoint;
use crate::domain::language::Language;
use crate::domain::message::{MessageRecord, Origin};
use crate::domain::message_status::MessageStatus;
use crate::domain::person::PersonKey;
use crate::domain::row::{Row, RowNumber};
use crate::ids::MessageId;

/// The most appointments of one message: as many as a question about them can offer. A contact point with more on one day is an
/// institution's, and is told of each.
pub const HOUSEHOLD_MAX: usize = 9;

/// An appointment that a household's message names, and the message that waits while that one may go. `Debug` shows keys and
/// persons as they show themselves: not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The message about this appointment alone, of the same packet.
    pub message: MessageId,
    /// Its row.
    pub row: RowNumber,
    /// The appointment.
    pub key: AppointmentKey,
    /// The person it is for.
    pub person: PersonKey,
    /// When it is.
    pub appointment: Appointment,
}

/// How a message stands to a household's message that names its appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// That message goes instead, or went.
    In(MessageId),
    /// That message was not sent: this one goes by itself.
    Left(MessageId),
}

impl Membership {
    /// The household's message.
    pub const fn message(self) -> MessageId {
        match self {
            Self::In(message) | Self::Left(message) => message,
        }
    }
}

/// What the messages of a packet have in common that one message may stand for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HouseholdKey {
    /// Method and address.
    pub contact: ContactPoint,
    /// The day of the appointments, where they are.
    pub appointment_day: NaiveDate,
    /// The day of the planned instants, where the person is.
    pub local_day: NaiveDate,
    /// The position of the entry in `schedule.send`.
    pub entry: u16,
    /// The language of the texts.
    pub language: Option<Language>,
    /// The name of the person's zone.
    pub contact_zone: &'static str,
}

impl HouseholdKey {
    /// The key of a message that may be one of several; `None` if it goes by itself: it is no planned reminder of an appointment,
    /// is a rung, or has been a member before.
    pub fn of(record: &MessageRecord) -> Option<Self> {
        let (message, state) = (&record.message, &record.state);
        let Origin::Row { entry, .. } = message.origin else { return None };
        let waits = state.status == MessageStatus::Planned && state.household.is_none();
        if !waits || message.ladder.is_some() || message.content.is_none() || message.person.is_none() {
            return None;
        }
        Some(Self {
            contact: message.contact.clone()?,
            appointment_day: message.appointment?.local.date(),
            local_day: message.local_day(state.planned_at?),
            entry,
            language: message.language.clone(),
            contact_zone: message.contact_zone.name(),
        })
    }
}

/// A message that one for its household may stand for, and the row that it was made from.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The message.
    pub record: MessageRecord,
    /// The row.
    pub row: Row,
}

impl Candidate {
    /// The message as a member.
    pub fn member(&self) -> Option<Member> {
        let message = &self.record.message;
        Some(Member {
            message: message.id,
            row: message.origin.row()?,
            key: message.key.clone(),
            person: message.person.clone()?,
            appointment: message.appointment?,
        })
    }
}

/// The members of a household's message, in the order of their appointments.
pub type Members = Arc<[Member]>;
