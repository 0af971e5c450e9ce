//! What rules look up and what they change, one by one: how an adapter reads and writes.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::campaign_data::{CampaignHead, PacketNaturalKey};
use super::company_data::{AnsweredTo, AppointmentOf, IncomingEvent, MessagePlace, Will};
use super::disposition_events::DispositionEvents;
use super::held_row::HeldRow;
use super::messages::MessageData;
use super::packet_data::{PacketHead, Slot};
use super::slots::Nearness;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::AttemptLocation;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{IncomingRecord, Question};
use crate::domain::message::NaturalKey;
use crate::domain::person::PersonKey;
use crate::domain::row::{RejectedRow, Row};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe};
use crate::ids::{AttemptId, CampaignId, IncomingId, MessageId, PacketId};

/// What a rule looks up. All of it belongs to the company of the call, but for packets and attempts, whose ids are unique in the
/// installation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Key {
    /// A campaign.
    Campaign(CampaignId),
    /// The latest packet of a campaign with this natural key.
    PacketOf(CampaignId, PacketNaturalKey),
    /// The rows that speak for an appointment.
    Appointment(CampaignId, AppointmentKey),
    /// The latest packet that named an appointment in a row that does not speak for it.
    NamedIn(CampaignId, AppointmentKey),
    /// A packet.
    Packet(PacketId),
    /// The message of a packet at this position, with its attempts.
    Message(PacketId, Slot),
    /// The position of a message.
    SlotOf(PacketId, MessageId),
    /// The position of the message that goes when this one has brought nothing.
    RungAbove(PacketId, MessageId),
    /// The reports about a message at this position that were seen.
    DispositionEvents(PacketId, Slot),
    /// Whether a message asks for its slots in this place.
    Asking(PacketId, Nearness),
    /// Where an attempt is stored.
    Attempt(AttemptId),
    /// The message that holds a natural key.
    NaturalKey(NaturalKey),
    /// What somebody wants.
    Will(RefusalKey),
    /// What was answered about an appointment.
    Answer(AppointmentOf),
    /// The question that a contact point was asked last.
    Question(ContactPoint),
    /// An incoming message, by its provider's name.
    IncomingEvent(IncomingEvent),
    /// The messages to a contact point.
    MessagesTo(ContactPoint),
    /// The contact points of a person.
    ContactsOf(PersonKey),
    /// How many messages have each day of a person.
    Days(PersonKey),
    /// The days of a message.
    DaysOf(MessageId),
}

/// What there is, or is now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fact {
    /// A campaign.
    Campaign(CampaignId, Option<CampaignHead>),
    /// The latest packet of a campaign with this natural key.
    PacketOf(CampaignId, PacketNaturalKey, Option<PacketId>),
    /// The rows that speak for an appointment; mostly one.
    Appointment(CampaignId, AppointmentKey, Vec<HeldRow>),
    /// The latest packet that named an appointment in a row that does not speak for it.
    NamedIn(CampaignId, AppointmentKey, Option<PacketId>),
    /// A packet. Of another company it may be told, or left out.
    Packet(PacketId, Option<PacketHead>),
    /// The message of a packet at this position, with its attempts. A change tells its new transitions only, if those before were
    /// not read.
    Message(PacketId, Slot, Option<MessageData>),
    /// The position of a message. Never a change: it comes with the message.
    SlotOf(PacketId, MessageId, Option<Slot>),
    /// The position of the message that goes when this one has brought nothing. Never a change: it comes with that message.
    RungAbove(PacketId, MessageId, Option<Slot>),
    /// The reports about a message at this position that were seen.
    DispositionEvents(PacketId, Slot, DispositionEvents),
    /// A message asks for its slots in this place.
    Asks(PacketId, Nearness),
    /// No message asks for its slots in this place.
    AsksNot(PacketId, Nearness),
    /// Where an attempt is stored.
    Attempt(AttemptId, Option<AttemptLocation>),
    /// The message that holds a natural key.
    NaturalKey(NaturalKey, Option<MessageId>),
    /// What somebody wants.
    Will(RefusalKey, Option<Will>),
    /// What was answered about an appointment.
    Answer(AppointmentOf, Option<AnsweredTo>),
    /// The question that a contact point was asked last.
    Question(ContactPoint, Option<Question>),
    /// An incoming message, by its provider's name. Never a change: it comes with the message.
    IncomingEvent(IncomingEvent, Option<IncomingId>),
    /// The messages to a contact point, in the order of their making. A change tells those that are added.
    MessagesTo(ContactPoint, Vec<MessagePlace>),
    /// The contact points of a person, without those whose address is the person's key. A change tells those that are to be there;
    /// they may be there already.
    ContactsOf(PersonKey, Vec<ContactPoint>),
    /// How many messages have each day of a person; without the days on which none has.
    Days(PersonKey, BTreeMap<NaiveDate, u32>),
    /// The days of a message, each once.
    DaysOf(MessageId, Vec<NaiveDate>),
    /// A row that is added. Never looked up.
    Row(PacketId, Row),
    /// A rejected row that is added. Never looked up.
    Rejected(PacketId, RejectedRow),
    /// An event of the register that is added. Never looked up.
    Unsubscribe(Unsubscribe),
    /// An incoming message that is added. Never looked up.
    Incoming(IncomingRecord),
}
