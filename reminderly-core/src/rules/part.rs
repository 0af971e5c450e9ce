//! Records of which only a part is there.

use super::campaign_data::CampaignData;
use super::company_data::CompanyData;
use super::facts::{Fact, Key};
use super::packet_data::PacketData;
use super::records::Records;
use super::table::{Map, Table};
use crate::domain::restore::Restore;
use crate::ids::{CampaignId, CompanyId, PacketId};

/// A part of what a store holds, for one call about one company: what was read so far.
#[derive(Debug, Clone)]
pub struct Part {
    read: Records,
    company: CompanyId,
}

/// What a rule made of a part.
#[must_use]
#[derive(Debug)]
pub enum Applied<T> {
    /// It looked up what had not been read: this is to be read, and the rule applied again. Nothing of what it did counts.
    Unread(Vec<Key>),
    /// This is its answer, and what has changed. An answer that refuses leaves changes out, or has the adapter drop them.
    Done {
        /// What the rule answers.
        answer: T,
        /// What is to be written, all or nothing: packets before their messages.
        changes: Vec<Fact>,
    },
}

impl Part {
    /// Of a company that there is, nothing but the last restore.
    pub fn of(company: CompanyId, restore: Restore) -> Self {
        let mut read = Records::part(restore);
        read.companies.insert(company, CompanyData::part());
        Self { read, company }
    }

    /// Of a company that there is not.
    pub fn of_nobody(company: CompanyId, restore: Restore) -> Self {
        let mut read = Records::part(restore);
        read.companies.put(company, None);
        Self { read, company }
    }

    /// Adds what was read.
    pub fn add(&mut self, fact: Fact) {
        self.read.put(self.company, fact);
    }

    /// Applies a rule to what was read, which stays as it is.
    ///
    /// A rule that was not given all that it looks up may answer anything and change anything: so it only counts once it was.
    pub fn apply<T>(&self, rule: impl FnOnce(&mut Records) -> T) -> Applied<T> {
        let mut records = self.read.clone();
        let answer = rule(&mut records);
        let unread = records.take_unread(self.company);
        if !unread.is_empty() {
            return Applied::Unread(unread);
        }
        Applied::Done { answer, changes: records.changes_since(&self.read, self.company) }
    }
}

impl Records {
    fn part(restore: Restore) -> Self {
        Self { companies: Table::part(), packets: Table::part(), attempts: Table::part(), restore }
    }

    /// Writes what was read, or has changed.
    pub(crate) fn put(&mut self, company: CompanyId, fact: Fact) {
        match fact {
            Fact::Packet(packet, head) => match (self.packets.there_mut(&packet), head) {
                (Some(found), Some(head)) => found.set_head(head),
                (None, Some(head)) => {
                    let new = if self.packets.is_part() { PacketData::part } else { PacketData::whole_of };
                    self.packets.insert(packet, new(head));
                }
                (_, None) => self.packets.put(packet, None),
            },
            Fact::Attempt(attempt, location) => self.attempts.put(attempt, location),
            Fact::Message(packet, ..)
            | Fact::SlotOf(packet, ..)
            | Fact::RungAbove(packet, ..)
            | Fact::DispositionEvents(packet, ..)
            | Fact::Asks(packet, _)
            | Fact::AsksNot(packet, _)
            | Fact::Row(packet, _)
            | Fact::Rejected(packet, _) => {
                if let Some(found) = self.packets.there_mut(&packet) {
                    found.put_fact(fact);
                }
            }
            of_company => {
                if let Some(found) = self.companies.there_mut(&company) {
                    found.put_fact(of_company);
                }
            }
        }
    }

    fn take_unread(&self, company: CompanyId) -> Vec<Key> {
        let mut unread: Vec<Key> = self.packets.take_unread().map(Key::Packet).collect();
        unread.extend(self.attempts.take_unread().map(Key::Attempt));
        for (id, packet) in self.packets.rows() {
            packet.take_unread(*id, &mut unread);
        }
        if let Some(company) = self.companies.get(&company) {
            company.take_unread(&mut unread);
        }
        unread
    }

    fn changes_since(&self, before: &Self, company: CompanyId) -> Vec<Fact> {
        let mut changes = Vec::new();
        if let (Some(now), Some(before)) = (self.companies.get(&company), before.companies.get(&company)) {
            now.changes_since(before, &mut changes);
        }
        for (id, packet) in self.packets.rows() {
            packet.changes_since(*id, before.packets.rows().get(id), &mut changes);
        }
        let attempts = self.attempts.changed_since(Some(&before.attempts));
        changes.extend(attempts.map(|(attempt, location)| Fact::Attempt(attempt, location.copied())));
        changes
    }
}

impl PacketData {
    fn put_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Message(_, slot, Some(message)) => self.put(slot, message),
            Fact::Message(_, slot, None) => self.messages.put(slot, None),
            Fact::SlotOf(_, message, slot) => self.slots.put(message, slot),
            Fact::RungAbove(_, below, slot) => self.above.put(below, slot),
            Fact::DispositionEvents(_, slot, events) => {
                self.disposition_events.put(slot, (!events.is_empty()).then_some(events));
            }
            Fact::Asks(_, nearness) => self.asking.insert(nearness, ()),
            Fact::AsksNot(_, nearness) => self.asking.put(nearness, None),
            Fact::Row(_, row) => self.rows.insert(row.number, row),
            Fact::Rejected(_, row) => self.reject(vec![row]),
            _ => {}
        }
    }

    fn take_unread(&self, id: PacketId, unread: &mut Vec<Key>) {
        unread.extend(self.messages.take_unread().map(|slot| Key::Message(id, slot)));
        unread.extend(self.slots.take_unread().map(|message| Key::SlotOf(id, message)));
        unread.extend(self.above.take_unread().map(|below| Key::RungAbove(id, below)));
        unread.extend(self.disposition_events.take_unread().map(|slot| Key::DispositionEvents(id, slot)));
        unread.extend(self.asking.take_unread().map(|nearness| Key::Asking(id, nearness)));
    }

    fn changes_since(&self, id: PacketId, before: Option<&Self>, changes: &mut Vec<Fact>) {
        let head = self.head();
        if before.map(Self::head).as_ref() != Some(&head) {
            changes.push(Fact::Packet(id, Some(head)));
        }
        let messages = self.messages.changed_since(before.map(|before| &before.messages));
        changes.extend(messages.map(|(slot, message)| Fact::Message(id, slot, message.cloned())));
        let events = self.disposition_events.changed_since(before.map(|before| &before.disposition_events));
        let events = events.map(|(slot, events)| (slot, events.cloned().unwrap_or_default()));
        changes.extend(events.map(|(slot, events)| Fact::DispositionEvents(id, slot, events)));
        let asking = self.asking.changed_since(before.map(|before| &before.asking));
        changes.extend(asking.map(|(nearness, asks)| match asks {
            Some(()) => Fact::Asks(id, nearness),
            None => Fact::AsksNot(id, nearness),
        }));
        let rows = self.rows.rows().values().cloned();
        changes.extend(rows.map(|row| Fact::Row(id, row)));
        let rejected = self.rejected.rows().values().cloned();
        changes.extend(rejected.map(|row| Fact::Rejected(id, row)));
    }
}

impl CompanyData {
    fn put_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Campaign(campaign, head) => match (self.campaigns.there_mut(&campaign), head) {
                (Some(found), Some(head)) => found.head = head,
                (_, head) => self.campaigns.put(campaign, head.map(CampaignData::part)),
            },
            Fact::PacketOf(campaign, key, packet) => {
                self.with(campaign, |campaign| campaign.packets_by_key.put(key, packet));
            }
            Fact::Appointment(campaign, key, rows) => {
                let rows = (!rows.is_empty()).then_some(rows);
                self.with(campaign, |campaign| campaign.appointments.put(key, rows));
            }
            Fact::NamedIn(campaign, key, packet) => {
                self.with(campaign, |campaign| campaign.named_in.put(key, packet));
            }
            Fact::NaturalKey(key, holder) => self.natural_keys.put(key, holder),
            Fact::Will(key, will) => self.wills.put(key, will),
            Fact::Answer(appointment, answered) => self.responses.put(appointment, answered),
            Fact::Question(contact, question) => self.questions.put(contact, question),
            Fact::IncomingEvent(event, incoming) => self.incoming_events.put(event, incoming),
            Fact::MessagesTo(contact, places) => add_all(&mut self.messages_to, contact, places),
            Fact::ContactsOf(person, contacts) => {
                self.contacts_of.know(&person);
                for contact in contacts {
                    self.add_contact(person.clone(), contact);
                }
            }
            Fact::Days(person, days) => {
                self.slots.days.put(person, (!days.is_empty()).then_some(days));
            }
            Fact::DaysOf(message, days) => {
                self.slots.of_message.put(message, (!days.is_empty()).then_some(days));
            }
            Fact::Unsubscribe(event) => {
                self.unsubscribes.add(event.key.clone(), |events| events.push(event));
            }
            Fact::Incoming(incoming) => self.keep_incoming(incoming),
            _ => {}
        }
    }

    fn with(&mut self, campaign: CampaignId, put: impl FnOnce(&mut CampaignData)) {
        if let Some(campaign) = self.campaigns.there_mut(&campaign) {
            put(campaign);
        }
    }

    fn take_unread(&self, unread: &mut Vec<Key>) {
        unread.extend(self.campaigns.take_unread().map(Key::Campaign));
        for (id, campaign) in self.campaigns.rows() {
            unread.extend(campaign.packets_by_key.take_unread().map(|key| Key::PacketOf(*id, key)));
            unread.extend(campaign.appointments.take_unread().map(|key| Key::Appointment(*id, key)));
            unread.extend(campaign.named_in.take_unread().map(|key| Key::NamedIn(*id, key)));
        }
        unread.extend(self.natural_keys.take_unread().map(Key::NaturalKey));
        unread.extend(self.wills.take_unread().map(Key::Will));
        unread.extend(self.responses.take_unread().map(Key::Answer));
        unread.extend(self.questions.take_unread().map(Key::Question));
        unread.extend(self.incoming_events.take_unread().map(Key::IncomingEvent));
        unread.extend(self.messages_to.take_unread().map(Key::MessagesTo));
        unread.extend(self.contacts_of.take_unread().map(Key::ContactsOf));
        unread.extend(self.slots.days.take_unread().map(Key::Days));
        unread.extend(self.slots.of_message.take_unread().map(Key::DaysOf));
    }

    fn changes_since(&self, before: &Self, changes: &mut Vec<Fact>) {
        for (id, campaign) in self.campaigns.rows() {
            if let Some(before) = before.campaigns.rows().get(id) {
                campaign.changes_since(*id, before, changes);
            }
        }
        let keys = self.natural_keys.changed_since(Some(&before.natural_keys));
        changes.extend(keys.map(|(key, holder)| Fact::NaturalKey(key, holder.copied())));
        let wills = self.wills.changed_since(Some(&before.wills));
        changes.extend(wills.map(|(key, will)| Fact::Will(key, will.copied())));
        let answers = self.responses.changed_since(Some(&before.responses));
        changes.extend(answers.map(|(of, answered)| Fact::Answer(of, answered.copied())));
        let questions = self.questions.changed_since(Some(&before.questions));
        changes.extend(questions.map(|(contact, question)| Fact::Question(contact, question.cloned())));
        let places = self.messages_to.changed_since(Some(&before.messages_to));
        changes.extend(places.map(|(contact, now)| {
            let known = before.messages_to.rows().get(&contact).map_or(0, Vec::len);
            Fact::MessagesTo(contact, now.into_iter().flatten().skip(known).copied().collect())
        }));
        let contacts = self.contacts_of.changed_since(Some(&before.contacts_of));
        changes.extend(contacts.map(|(person, now)| {
            let known = before.contacts_of.rows().get(&person);
            let is_new = |contact: &&_| known.is_none_or(|known| !known.contains(contact));
            Fact::ContactsOf(person, now.into_iter().flatten().filter(is_new).cloned().collect())
        }));
        let days = self.slots.days.changed_since(Some(&before.slots.days));
        changes.extend(days.map(|(person, days)| Fact::Days(person, days.cloned().unwrap_or_default())));
        let days = self.slots.of_message.changed_since(Some(&before.slots.of_message));
        changes.extend(days.map(|(message, days)| Fact::DaysOf(message, days.cloned().unwrap_or_default())));
        let events = self.unsubscribes.rows().values().flatten();
        changes.extend(events.cloned().map(Fact::Unsubscribe));
        changes.extend(self.incoming.rows().values().cloned().map(Fact::Incoming));
    }
}

impl CampaignData {
    fn changes_since(&self, id: CampaignId, before: &Self, changes: &mut Vec<Fact>) {
        if self.head != before.head {
            changes.push(Fact::Campaign(id, Some(self.head)));
        }
        let packets = self.packets_by_key.changed_since(Some(&before.packets_by_key));
        changes.extend(packets.map(|(key, packet)| Fact::PacketOf(id, key, packet.copied())));
        let rows = self.appointments.changed_since(Some(&before.appointments));
        changes.extend(rows.map(|(key, rows)| Fact::Appointment(id, key, rows.cloned().unwrap_or_default())));
        let named = self.named_in.changed_since(Some(&before.named_in));
        changes.extend(named.map(|(key, packet)| Fact::NamedIn(id, key, packet.copied())));
    }
}

/// Adds to what there is, which is known from then on if it is of a part.
fn add_all<M: Map<Row = Vec<T>>, T>(table: &mut Table<M>, key: M::Key, items: Vec<T>) {
    table.know(&key);
    if !items.is_empty() {
        table.add(key, |there| there.extend(items));
    }
}
