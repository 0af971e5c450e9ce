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

/// What a rule looks up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A campaign of the company of the call.
    Campaign(CampaignId),
    /// A packet, of whatever company.
    Packet(PacketId),
    /// Where an attempt is stored, of whatever company.
    Attempt(AttemptId),
    /// Something of a campaign that was read before.
    OfCampaign(CampaignId, CampaignKey),
    /// Something of a packet that was read before.
    OfPacket(PacketId, PacketKey),
    /// Something of the company of the call.
    OfCompany(CompanyKey),
}

/// What a rule looks up of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CampaignKey {
    /// The latest packet with this natural key.
    PacketOf(PacketNaturalKey),
    /// The rows that speak for an appointment.
    Appointment(AppointmentKey),
    /// The latest packet that named an appointment in a row that does not speak for it.
    NamedIn(AppointmentKey),
}

/// What a rule looks up of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PacketKey {
    /// The message at this position, with its attempts.
    Message(Slot),
    /// The position of a message.
    SlotOf(MessageId),
    /// The position of the message that goes when this one has brought nothing. There is one at most.
    RungAbove(MessageId),
    /// The reports about the message at this position that were seen.
    DispositionEvents(Slot),
    /// Whether a message asks for its slots in this place.
    Asking(Nearness),
}

/// What a rule looks up of a company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompanyKey {
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

/// What there is, or is now. In a change, what is `None` or empty is to be deleted, and the rest is to be written in the place of what
/// there was, if there was anything; where it says *adds*, beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A campaign of the company of the call.
    Campaign(CampaignId, Option<CampaignHead>),
    /// A packet. One of another company is told too: its id is taken.
    Packet(PacketId, Option<Box<PacketHead>>),
    /// Where an attempt is stored.
    Attempt(AttemptId, Option<AttemptLocation>),
    /// Something of a campaign.
    OfCampaign(CampaignId, CampaignFact),
    /// Something of a packet.
    OfPacket(PacketId, PacketFact),
    /// Something of the company of the call.
    OfCompany(CompanyFact),
}

/// Something of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub enum CampaignFact {
    /// The latest packet with this natural key.
    PacketOf(PacketNaturalKey, Option<PacketId>),
    /// All rows that speak for an appointment; mostly one.
    Appointment(AppointmentKey, Vec<HeldRow>),
    /// The latest packet that named an appointment in a row that does not speak for it.
    NamedIn(AppointmentKey, Option<PacketId>),
}

/// Something of a packet.
#[derive(Debug, Clone, PartialEq)]
pub enum PacketFact {
    /// The message at this position, with all of its attempts. Transitions are left out when it is read, and a change *adds* those that it
    /// has; it may have none, for answers, reports and what became of attempts change a message too.
    Message(Slot, Option<Box<MessageData>>),
    /// The position of a message. Never a change: it comes with the message.
    SlotOf(MessageId, Option<Slot>),
    /// The position of the message that goes when this one has brought nothing. Never a change: it comes with that message.
    RungAbove(MessageId, Option<Slot>),
    /// All reports about the message at this position that were seen.
    DispositionEvents(Slot, DispositionEvents),
    /// A message asks for its slots in this place; it may have asked before.
    Asks(Nearness),
    /// No message asks for its slots in this place.
    AsksNot(Nearness),
    /// *Adds* a row. Never looked up.
    Row(Row),
    /// *Adds* a rejected row. Never looked up.
    Rejected(RejectedRow),
}

/// Something of a company.
#[derive(Debug, Clone, PartialEq)]
pub enum CompanyFact {
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
    /// The messages to a contact point, in the order of their making. A change *adds*.
    MessagesTo(ContactPoint, Vec<MessagePlace>),
    /// The contact points of a person, without those whose address is the person's key. A change *adds* those that are not there.
    ContactsOf(PersonKey, Vec<ContactPoint>),
    /// How many messages have each day of a person; without the days on which none has.
    Days(PersonKey, BTreeMap<NaiveDate, u32>),
    /// The days of a message, each once.
    DaysOf(MessageId, Vec<NaiveDate>),
    /// *Adds* an event to the register. Never looked up.
    Unsubscribe(Unsubscribe),
    /// *Adds* an incoming message. Never looked up.
    Incoming(Box<IncomingRecord>),
}
