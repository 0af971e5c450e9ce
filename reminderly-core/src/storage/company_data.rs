//! What the rules know of a company beside its packets.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::campaign_data::CampaignData;
use super::packet_data::Slot;
use super::slots::SlotLedger;
use super::table::{Extent, Table};
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::ProviderName;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{IncomingRecord, Question};
use crate::domain::message::{Message, NaturalKey};
use crate::domain::person::PersonKey;
use crate::domain::report::IncomingCounts;
use crate::domain::response::{Response, ResponseKind};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange};
use crate::ids::{CampaignId, IncomingId, MessageId, PacketId};

/// Whose appointment, and when: a moved one is another.
pub type AppointmentOf = (AppointmentKey, PersonKey, Option<DateTime<Utc>>);

/// The position of a message of a packet.
pub type MessagePlace = (PacketId, Slot);

#[derive(Debug, Clone)]
pub(crate) struct CompanyData {
    pub(crate) campaigns: Table<BTreeMap<CampaignId, CampaignData>>,
    pub(crate) natural_keys: Table<HashMap<NaturalKey, MessageId>>,
    /// The messages to each contact point, in the order of their making.
    pub(crate) messages_to: Table<HashMap<ContactPoint, Vec<MessagePlace>>>,
    /// In order, each once; without the contact points whose address is the person's key.
    pub(crate) contacts_of: Table<HashMap<PersonKey, Vec<ContactPoint>>>,
    pub(crate) unsubscribes: Table<HashMap<RefusalKey, Vec<Unsubscribe>>>,
    /// The latest will of each key, by the person's time.
    pub(crate) wills: Table<HashMap<RefusalKey, Will>>,
    pub(crate) incoming: Table<BTreeMap<IncomingId, IncomingRecord>>,
    pub(crate) incoming_events: Table<HashMap<IncomingEvent, IncomingId>>,
    pub(crate) incoming_counts: IncomingCounts,
    pub(crate) questions: Table<HashMap<ContactPoint, Question>>,
    /// The latest answer of each person about each appointment, by whatever method. A moved appointment is another one.
    pub(crate) responses: Table<HashMap<AppointmentOf, AnsweredTo>>,
    pub(crate) slots: SlotLedger,
}

/// What somebody wants, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will {
    /// What they want.
    pub change: UnsubscribeChange,
    /// When they said so.
    pub at: DateTime<Utc>,
}

/// What was answered, and to which campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweredTo {
    /// The answer.
    pub response: Response,
    /// The campaign of the message that was answered.
    pub campaign: CampaignId,
}

/// A provider's name of an incoming message.
pub type IncomingEvent = (ProviderName, Arc<str>);

impl CompanyData {
    pub(crate) fn new(extent: Extent) -> Self {
        Self {
            campaigns: Table::new(extent),
            natural_keys: Table::new(extent),
            messages_to: Table::new(extent),
            contacts_of: Table::new(extent),
            unsubscribes: Table::new(extent),
            wills: Table::new(extent),
            incoming: Table::new(extent),
            incoming_events: Table::new(extent),
            incoming_counts: IncomingCounts::default(),
            questions: Table::new(extent),
            responses: Table::new(extent),
            slots: SlotLedger::new(extent),
        }
    }

    /// The latest answer about a message's appointment.
    pub(crate) fn response(&self, message: &Message) -> Option<Response> {
        self.responses.get(&appointment_of(message)?).map(|answered| answered.response)
    }

    /// Keeps an answer about a message's appointment.
    pub(crate) fn respond(&mut self, message: &Message, response: Response) {
        if let Some(appointment) = appointment_of(message) {
            self.responses.insert(appointment, AnsweredTo { response, campaign: message.campaign });
        }
    }

    /// What the person has told the campaign of a reminder about its appointment.
    pub(crate) fn answer_to(&self, message: &Message) -> Option<ResponseKind> {
        if self.responses.is_surely_empty() || !message.origin.is_reminder() {
            return None;
        }
        let answered = self.responses.get(&appointment_of(message)?)?;
        (answered.campaign == message.campaign).then_some(answered.response.kind)
    }

    /// Whether the person has answered in a way that ends this message: it reminds of a released appointment, or is a further
    /// rung about one that has an answer.
    pub(crate) fn has_answered(&self, message: &Message) -> bool {
        let stops = |response: &ResponseKind| message.ladder.is_some() || response.ends_reminders();
        self.answer_to(message).is_some_and(|response| stops(&response))
    }

    /// Whether contact under a key is refused.
    pub(crate) fn refuses(&self, key: &RefusalKey) -> bool {
        self.wills.get(key).is_some_and(|will| will.change == UnsubscribeChange::OptedOut)
    }

    /// Appends an event at `now`; whether it changed anything. The later will stands, in whatever order they come, and of one
    /// instant the opt-out; so the time of a will is kept even if it changes nothing. An opt-in that lies ahead hides no opt-out.
    pub(crate) fn record_unsubscribe(&mut self, event: &Unsubscribe, now: DateTime<Utc>) -> bool {
        let opts_out = event.change == UnsubscribeChange::OptedOut;
        let overtaken =
            |at: DateTime<Utc>| if opts_out { event.at < at && at <= now } else { event.at <= at };
        let known = self.wills.get(&event.key).map(|will| will.at);
        if known.is_some_and(overtaken) {
            return false;
        }
        let changed = self.refuses(&event.key) != opts_out;
        let at = known.map_or(event.at, |known| event.at.max(known));
        self.wills.insert(event.key.clone(), Will { change: event.change, at });
        if changed {
            self.unsubscribes.add(event.key.clone(), |events| events.push(event.clone()));
        }
        changed
    }

    pub(crate) fn free_natural_key(&mut self, key: &NaturalKey, holder: MessageId) {
        if self.natural_keys.get(key) == Some(&holder) {
            self.natural_keys.remove(key);
        }
    }

    /// Keeps an incoming message.
    pub(crate) fn keep_incoming(&mut self, record: IncomingRecord) {
        let event = (record.incoming.provider.clone(), Arc::clone(&record.incoming.event));
        self.incoming_events.insert(event, record.id);
        self.incoming_counts.count(record.classification.kind, record.effect.needs_review);
        self.incoming.insert(record.id, record);
    }

    /// The contact points to which a person was ever to be contacted, in order.
    pub(crate) fn contact_points_of(&self, person: &PersonKey) -> Vec<ContactPoint> {
        let named = ContactMethod::ALL
            .into_iter()
            .filter_map(|method| ContactPoint::parse_stored(method, person.as_str()).ok());
        let mut contacts: Vec<ContactPoint> =
            named.filter(|contact| self.messages_to.contains_key(contact)).collect();
        contacts.extend(self.contacts_of.get(person).into_iter().flatten().cloned());
        contacts.sort_unstable();
        contacts.dedup();
        contacts
    }

    pub(crate) fn index_contact(&mut self, contact: ContactPoint, person: PersonKey, place: MessagePlace) {
        // Most persons have one contact point, and most contact points one message: room for more would be the better part of
        // what a large store takes. A person who is named by the contact point alone needs no entry.
        if person.as_str() != contact.address() {
            self.add_contact(person, contact.clone());
        }
        self.messages_to.add(contact, |places| {
            places.reserve_exact(usize::from(places.is_empty()));
            places.push(place);
        });
    }

    /// Keeps that a person was to be contacted there.
    pub(crate) fn add_contact(&mut self, person: PersonKey, contact: ContactPoint) {
        self.contacts_of.add(person, |contacts| {
            if let Err(position) = contacts.binary_search(&contact) {
                contacts.reserve_exact(usize::from(contacts.is_empty()));
                contacts.insert(position, contact);
            }
        });
    }
}

/// What an answer to a message is about.
pub(crate) fn appointment_of(message: &Message) -> Option<AppointmentOf> {
    Some((
        message.key.clone(),
        message.person.clone()?,
        message.appointment.map(|appointment| appointment.at),
    ))
}
