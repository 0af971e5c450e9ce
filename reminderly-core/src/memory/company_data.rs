//! What a company has beside its packets.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::access::Company;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::ProviderName;
use crate::domain::call::CallKey;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::lifecycle::Campaign;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{IncomingRecord, Question};
use crate::domain::message::{Message, NaturalKey};
use crate::domain::packet::{Digest, PacketOrigin};
use crate::domain::person::PersonKey;
use crate::domain::report::IncomingCounts;
use crate::domain::response::{Response, ResponseKind};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange};
use crate::ids::{CampaignId, IncomingId, MessageId, PacketId};
use crate::memory::appointments::HeldRow;
use crate::memory::packet_data::Slot;
use crate::memory::slots::SlotLedger;
use crate::ports::store::NewPacket;

/// Whose appointment, and when: a moved one is another.
pub(super) type AppointmentOf = (AppointmentKey, PersonKey, Option<DateTime<Utc>>);

#[derive(Debug, Clone)]
pub(super) struct CompanyData {
    pub(super) company: Company,
    pub(super) campaigns: BTreeMap<CampaignId, CampaignData>,
    pub(super) natural_keys: HashMap<NaturalKey, MessageId>,
    pub(super) messages_to: HashMap<ContactPoint, Vec<(PacketId, Slot)>>,
    /// In order, each once; without the contact points whose address is the person's key.
    contacts_of: HashMap<PersonKey, Vec<ContactPoint>>,
    pub(super) unsubscribes: HashMap<RefusalKey, Vec<Unsubscribe>>,
    /// The latest will of each key, by the person's time.
    pub(super) wills: HashMap<RefusalKey, (UnsubscribeChange, DateTime<Utc>)>,
    pub(super) incoming: BTreeMap<IncomingId, IncomingRecord>,
    pub(super) incoming_events: HashSet<(ProviderName, Arc<str>)>,
    pub(super) incoming_counts: IncomingCounts,
    pub(super) questions: HashMap<ContactPoint, Question>,
    /// The latest answer of each person about each appointment, by whatever method. A moved appointment is another one.
    responses: HashMap<AppointmentOf, (Response, CampaignId)>,
    pub(super) slots: SlotLedger,
}

#[derive(Debug, Clone)]
pub(super) struct CampaignData {
    pub(super) campaign: Campaign,
    /// Version n stands at n - 1.
    pub(super) versions: Vec<Arc<CampaignDefinition>>,
    pub(super) packets: BTreeSet<PacketId>,
    /// Which rows speak for each appointment.
    pub(super) appointments: HashMap<AppointmentKey, Vec<HeldRow>>,
    /// The latest packet that named an appointment in a row that does not speak for it: it could not be mapped, or an older row
    /// said the same, or a newer one something else.
    pub(super) named_in: HashMap<AppointmentKey, PacketId>,
    /// The latest packet of each natural key; it may have been cancelled since.
    pub(super) packets_by_key: HashMap<PacketNaturalKey, PacketId>,
    /// The newest packet of a file; it may have been cancelled since.
    pub(super) newest_file: Option<PacketId>,
    /// When the last of the files came.
    pub(super) last_file_came_at: Option<DateTime<Utc>>,
}

/// What no two packets of a campaign may share while both count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum PacketNaturalKey {
    /// The content of a file.
    File(Digest),
    /// The caller's name of a call.
    Call(CallKey),
    /// There is one that takes follow-ups of a version of the campaign: what is planned by one version is not judged by
    /// another.
    FollowUp(u32),
}

impl PacketNaturalKey {
    pub(super) fn of(packet: &NewPacket) -> Self {
        match &packet.origin {
            PacketOrigin::File { digest, .. } => Self::File(*digest),
            PacketOrigin::OnDemand { key, .. } => Self::Call(key.clone()),
            PacketOrigin::FollowUp => Self::FollowUp(packet.campaign_version),
        }
    }
}

impl CompanyData {
    pub(super) fn new(company: Company) -> Self {
        Self {
            company,
            campaigns: BTreeMap::new(),
            natural_keys: HashMap::new(),
            messages_to: HashMap::new(),
            contacts_of: HashMap::new(),
            unsubscribes: HashMap::new(),
            wills: HashMap::new(),
            incoming: BTreeMap::new(),
            incoming_events: HashSet::new(),
            incoming_counts: IncomingCounts::default(),
            questions: HashMap::new(),
            responses: HashMap::new(),
            slots: SlotLedger::default(),
        }
    }

    /// The latest answer about a message's appointment.
    pub(super) fn response(&self, message: &Message) -> Option<Response> {
        self.responses.get(&appointment_of(message)?).map(|(response, _)| *response)
    }

    /// Keeps an answer about a message's appointment.
    pub(super) fn respond(&mut self, message: &Message, response: Response) {
        if let Some(appointment) = appointment_of(message) {
            self.responses.insert(appointment, (response, message.campaign));
        }
    }

    /// What the person has told the campaign of a reminder about its appointment.
    pub(super) fn answer_to(&self, message: &Message) -> Option<ResponseKind> {
        if self.responses.is_empty() || !message.origin.is_reminder() {
            return None;
        }
        let (response, campaign) = self.responses.get(&appointment_of(message)?)?;
        (*campaign == message.campaign).then_some(response.kind)
    }

    /// Whether the person has answered in a way that ends this message: it reminds of a released appointment, or is a further
    /// rung about one that has an answer.
    pub(super) fn has_answered(&self, message: &Message) -> bool {
        let stops = |response: &ResponseKind| message.ladder.is_some() || response.ends_reminders();
        self.answer_to(message).is_some_and(|response| stops(&response))
    }

    /// Whether contact under a key is refused.
    pub(super) fn refuses(&self, key: &RefusalKey) -> bool {
        self.wills.get(key).is_some_and(|(change, _)| *change == UnsubscribeChange::OptedOut)
    }

    /// Appends an event at `now`; whether it changed anything. The later will stands, in whatever order they come, and of one
    /// instant the opt-out; so the time of a will is kept even if it changes nothing. An opt-in that lies ahead hides no opt-out.
    pub(super) fn record_unsubscribe(&mut self, event: &Unsubscribe, now: DateTime<Utc>) -> bool {
        let opts_out = event.change == UnsubscribeChange::OptedOut;
        let overtaken =
            |at: DateTime<Utc>| if opts_out { event.at < at && at <= now } else { event.at <= at };
        let known = self.wills.get(&event.key).map(|(_, at)| *at);
        if known.is_some_and(overtaken) {
            return false;
        }
        let changed = self.refuses(&event.key) != opts_out;
        let at = known.map_or(event.at, |known| event.at.max(known));
        self.wills.insert(event.key.clone(), (event.change, at));
        if changed {
            self.unsubscribes.entry(event.key.clone()).or_default().push(event.clone());
        }
        changed
    }

    pub(super) fn free_natural_key(&mut self, key: &NaturalKey, holder: MessageId) {
        if self.natural_keys.get(key) == Some(&holder) {
            self.natural_keys.remove(key);
        }
    }

    /// The contact points to which a person was ever to be contacted, in order.
    pub(super) fn contact_points_of(&self, person: &PersonKey) -> Vec<ContactPoint> {
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

    pub(super) fn index_contact(
        &mut self,
        contact: ContactPoint,
        person: PersonKey,
        place: (PacketId, Slot),
    ) {
        // Most persons have one contact point, and most contact points one message: room for more would be the better part of
        // what a large store takes. A person who is named by the contact point alone needs no entry.
        if person.as_str() != contact.address() {
            let contacts = self.contacts_of.entry(person).or_insert_with(|| Vec::with_capacity(1));
            if let Err(position) = contacts.binary_search(&contact) {
                contacts.insert(position, contact.clone());
            }
        }
        self.messages_to.entry(contact).or_insert_with(|| Vec::with_capacity(1)).push(place);
    }
}

/// What an answer to a message is about.
pub(super) fn appointment_of(message: &Message) -> Option<AppointmentOf> {
    Some((
        message.key.clone(),
        message.person.clone()?,
        message.appointment.map(|appointment| appointment.at),
    ))
}
