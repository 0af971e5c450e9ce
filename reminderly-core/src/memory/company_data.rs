//! What a company has beside its packets.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::access::Company;
use crate::domain::attempt::ProviderName;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::lifecycle::Campaign;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{IncomingRecord, Question};
use crate::domain::message::NaturalKey;
use crate::domain::person::PersonKey;
use crate::domain::report::IncomingCounts;
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange};
use crate::ids::{CampaignId, IncomingId, MessageId, PacketId};
use crate::memory::packet_data::Slot;

#[derive(Debug)]
pub(super) struct CompanyData {
    pub(super) company: Company,
    pub(super) campaigns: BTreeMap<CampaignId, CampaignData>,
    pub(super) natural_keys: HashMap<NaturalKey, MessageId>,
    pub(super) messages_to: HashMap<ContactPoint, Vec<(PacketId, Slot)>>,
    /// In order, each once.
    pub(super) contacts_of: HashMap<PersonKey, Vec<ContactPoint>>,
    pub(super) unsubscribes: HashMap<RefusalKey, Vec<Unsubscribe>>,
    /// The latest will of each key, by the person's time.
    pub(super) wills: HashMap<RefusalKey, (UnsubscribeChange, DateTime<Utc>)>,
    pub(super) incoming: BTreeMap<IncomingId, IncomingRecord>,
    pub(super) incoming_events: HashSet<(ProviderName, Arc<str>)>,
    pub(super) incoming_counts: IncomingCounts,
    pub(super) questions: HashMap<ContactPoint, Question>,
}

#[derive(Debug)]
pub(super) struct CampaignData {
    pub(super) campaign: Campaign,
    /// Version n stands at n - 1.
    pub(super) versions: Vec<Arc<CampaignDefinition>>,
    pub(super) packets: BTreeSet<PacketId>,
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
        }
    }

    /// Whether contact under a key is refused.
    pub(super) fn refuses(&self, key: &RefusalKey) -> bool {
        self.wills.get(key).is_some_and(|(change, _)| *change == UnsubscribeChange::OptedOut)
    }

    /// Appends an event; whether it changed anything. The later will stands, in whatever order they come, and of one instant
    /// the opt-out; so the time of a will is kept even if it changes nothing.
    pub(super) fn record_unsubscribe(&mut self, event: &Unsubscribe) -> bool {
        let opts_out = event.change == UnsubscribeChange::OptedOut;
        let overtaken = |at: &DateTime<Utc>| if opts_out { event.at < *at } else { event.at <= *at };
        if self.wills.get(&event.key).is_some_and(|(_, at)| overtaken(at)) {
            return false;
        }
        let changed = self.refuses(&event.key) != opts_out;
        self.wills.insert(event.key.clone(), (event.change, event.at));
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

    pub(super) fn index_contact(
        &mut self,
        contact: ContactPoint,
        person: PersonKey,
        place: (PacketId, Slot),
    ) {
        // Most persons have one contact point, and most contact points one message: room for more would be the better part of
        // what a large store takes.
        let contacts = self.contacts_of.entry(person).or_insert_with(|| Vec::with_capacity(1));
        if let Err(position) = contacts.binary_search(&contact) {
            contacts.insert(position, contact.clone());
        }
        self.messages_to.entry(contact).or_insert_with(|| Vec::with_capacity(1)).push(place);
    }
}
