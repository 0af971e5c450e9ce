//! Incoming: messages from people.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::ProviderName;
use crate::domain::contact_point::ContactPoint;
use crate::domain::message::PlannedMessage;
use crate::domain::message_status::MessageStatus;
use crate::domain::person::PersonKey;
use crate::domain::reply::Classification;
use crate::domain::response::{Response, ResponseKind};
use crate::domain::unsubscribe::Unsubscribe;
use crate::ids::{CampaignId, IncomingId, MessageId, PacketId};

/// A message from a person. `Debug` shows neither sender nor text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// The provider that delivered it.
    pub provider: ProviderName,
    /// The account or number of ours that it was sent to; tells the company.
    pub account: Arc<str>,
    /// The provider's id of it: the same id is the same message.
    pub event: Arc<str>,
    /// Who sent it, and by which method.
    pub from: ContactPoint,
    /// What it says.
    pub text: Arc<str>,
    /// When it was sent, by the provider's clock.
    pub at: DateTime<Utc>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("provider", &self.provider)
            .field("event", &self.event)
            .field("method", &self.from.method())
            .finish_non_exhaustive()
    }
}

/// A message to a person that an incoming message may answer: sent, delivered or unknown, its appointment (or, without one,
/// the end of the time to answer) ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerable {
    /// The message.
    pub message: MessageId,
    /// Its packet.
    pub packet: PacketId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Of a household's message, the one that it went instead of: which appointment of several is meant.
    pub member: Option<MessageId>,
    /// The appointment that it is about.
    pub key: AppointmentKey,
    /// The person it is for.
    pub person: PersonKey,
    /// The appointment; `None` if the message is about none.
    pub appointment: Option<Appointment>,
    /// Until when it can be answered.
    pub until: DateTime<Utc>,
    /// Sent, delivered or unknown.
    pub status: MessageStatus,
    /// When it was sent, or claimed if nobody knows.
    pub sent_at: DateTime<Utc>,
    /// The latest answer about the appointment.
    pub response: Option<ResponseKind>,
    /// The latest answer to this message, about the appointment or of the campaign's own.
    pub answer: Option<ResponseKind>,
}

impl Answerable {
    /// The answer that one of this kind must be able to [follow](ResponseKind::may_follow): the appointment's, or for a
    /// campaign's own answer the message's.
    pub const fn earlier(&self, kind: ResponseKind) -> Option<ResponseKind> {
        if kind.is_about_appointment() { self.response } else { self.answer }
    }
}

/// A numbered question that was put to a person whose answer fits several appointments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The message from the person that led to it.
    pub incoming: IncomingId,
    /// What the person answered.
    pub kind: ResponseKind,
    /// What to choose from: the answer `1` means the first.
    pub options: Vec<QuestionOption>,
    /// The packet of the message that asks.
    pub packet: PacketId,
    /// The message that asks: nobody answers a question that was not put.
    pub message: MessageId,
    /// After this instant a number is no answer to it any more.
    pub expires_at: DateTime<Utc>,
}

/// What a number of a question means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionOption {
    /// One appointment of a person.
    One {
        /// The appointment.
        key: AppointmentKey,
        /// The person.
        person: PersonKey,
    },
    /// All those that the question names.
    All,
}

/// An incoming message with everything that follows from it: stored as one fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncomingRecord {
    /// Its id.
    pub id: IncomingId,
    /// The message.
    pub incoming: Incoming,
    /// What it means.
    pub classification: Classification,
    /// What follows.
    pub effect: IncomingEffect,
    /// When it was processed.
    pub recorded_at: DateTime<Utc>,
}

/// What follows from an incoming message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IncomingEffect {
    /// The answers, each with the message that it is tied to: several if all of a household's appointments are meant.
    pub responses: Vec<TiedResponse>,
    /// Refusals and their lifting.
    pub unsubscribes: Vec<Unsubscribe>,
    /// A question that is now open for the sender, instead of any earlier one.
    pub question: Option<Question>,
    /// The message that answers the person.
    pub follow_up: Option<PlannedMessage>,
    /// A human should look at it.
    pub needs_review: bool,
}

/// Whether an answer proves that the message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// The answer can mean no other message that surely went: this one is there, if it was claimed before the answer was written, and
    /// nothing else that went to the contact point is unknown.
    Proven,
    /// The person may know of the appointment by another message, or by our question.
    Open,
}

/// An answer and the message that it is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TiedResponse {
    /// The packet of the message.
    pub packet: PacketId,
    /// The message.
    pub message: MessageId,
    /// Of a household's message, the one that it went instead of, if the answer is about its appointment.
    pub member: Option<MessageId>,
    /// The answer. If it ends reminders, open messages about the appointment become skipped (`answered`).
    pub response: Response,
    /// What it says about the message itself: one that is unknown becomes sent if its arrival is proven.
    pub arrival: Arrival,
}
