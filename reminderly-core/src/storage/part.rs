//! Records of which only a part is there.

use std::collections::BTreeSet;

use super::campaign_data::CampaignData;
use super::company_data::CompanyData;
use super::facts::{CampaignFact, CampaignKey, CompanyFact, CompanyKey, Fact, Key, PacketFact, PacketKey};
use super::messages::MessageData;
use super::packet_data::{PacketData, Slot};
use super::records::Records;
use super::table::{Extent, Map as _};
use crate::domain::restore::Restore;
use crate::ids::{CampaignId, CompanyId, PacketId};

/// A part of what a store holds, for one call of one rule about one company: what was read so far.
#[derive(Debug, Clone)]
pub struct Part {
    read: Records,
    company: CompanyId,
    asked: BTreeSet<Key>,
}

/// What a rule made of a part.
#[must_use]
#[derive(Debug)]
pub enum Applied<T> {
    /// It looked up what had not been read: this is to be [added](Part::add), and the rule applied again. Nothing of what it did
    /// counts. Packets and campaigns come before what is of them.
    Unread(Vec<Key>),
    /// It is done.
    Done {
        /// What the rule answers.
        answer: T,
        /// What is to be written, all or nothing, whatever the answer is: one that refuses a message may have kept evidence about it.
        /// Packets come before their messages, and these before what refers to them.
        changes: Vec<Fact>,
    },
}

/// What was asked for was not added: the rule would look it up for ever.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} was asked for, and nothing was added for it")]
pub struct NotAdded(Key);

impl Part {
    /// Of a company that there is, nothing but the last restore; both are to be read in the transaction of the call.
    pub fn of(company: CompanyId, restore: Restore) -> Self {
        let mut part = Self::of_nobody(company, restore);
        part.read.companies.put(company, Some(CompanyData::new(Extent::Part)));
        part
    }

    /// Of a company that there is not.
    pub fn of_nobody(company: CompanyId, restore: Restore) -> Self {
        let mut read = Records::new(Extent::Part);
        read.restore = restore;
        read.companies.put(company, None);
        Self { read, company, asked: BTreeSet::new() }
    }

    /// Adds what was read; what was added for the same key before is forgotten. What is of a packet or a campaign comes after it, and
    /// what is never looked up is not added.
    pub fn add(&mut self, fact: Fact) {
        self.read.add(self.company, fact);
    }

    /// A message as it was read: what a change of it is compared with, for its counters and [places](super::Place).
    pub fn message(&self, packet: PacketId, slot: Slot) -> Option<&MessageData> {
        self.read.packets.rows().get(&packet)?.messages.rows().get(&slot)
    }

    /// Applies a rule to what was read, which stays as it is. Once it is done and its changes are written, the part is of the past.
    ///
    /// # Errors
    ///
    /// [`NotAdded`] if something was asked for before: a fault of the adapter.
    pub fn apply<T>(&mut self, rule: impl FnOnce(&mut Records) -> T) -> Result<Applied<T>, NotAdded> {
        let mut records = self.read.clone();
        let answer = rule(&mut records);
        let unread = records.take_unread(self.company);
        if unread.is_empty() {
            return Ok(Applied::Done { answer, changes: records.changes_since(&self.read, self.company) });
        }
        match unread.iter().find(|key| !self.asked.insert((*key).clone())) {
            Some(key) => Err(NotAdded(key.clone())),
            None => Ok(Applied::Unread(unread)),
        }
    }
}

impl Records {
    fn add(&mut self, company: CompanyId, fact: Fact) {
        match fact {
            Fact::Packet(packet, head) => {
                self.packets.put(packet, head.map(|head| PacketData::new(*head, Extent::Part)));
            }
            Fact::Attempt(attempt, location) => self.attempts.put(attempt, location),
            Fact::OfPacket(packet, fact) => {
                if let Some(found) = self.packets.there_mut(&packet) {
                    found.add(fact);
                }
            }
            Fact::Campaign(campaign, head) => {
                if let Some(found) = self.companies.there_mut(&company) {
                    found.campaigns.put(campaign, head.map(|head| CampaignData::new(head, Extent::Part)));
                }
            }
            Fact::OfCampaign(campaign, fact) => {
                let company = self.companies.there_mut(&company);
                if let Some(found) = company.and_then(|company| company.campaigns.there_mut(&campaign)) {
                    found.add(fact);
                }
            }
            Fact::OfCompany(fact) => {
                if let Some(found) = self.companies.there_mut(&company) {
                    found.add(fact);
                }
            }
        }
    }

    fn take_unread(&self, company: CompanyId) -> Vec<Key> {
        let Self { companies, packets, attempts, restore: _ } = self;
        debug_assert_eq!(companies.take_unread().next(), None, "a part is of one company");
        let mut unread: Vec<Key> = packets.take_unread().map(Key::Packet).collect();
        if let Some(company) = companies.rows().get(&company) {
            company.take_unread(&mut unread);
        }
        for (id, packet) in packets.rows() {
            unread.extend(packet.take_unread().into_iter().map(|key| Key::OfPacket(*id, key)));
        }
        unread.extend(attempts.take_unread().map(Key::Attempt));
        unread
    }

    fn changes_since(&self, before: &Self, company: CompanyId) -> Vec<Fact> {
        let Self { companies, packets, attempts, restore: _ } = self;
        let mut changes = Vec::new();
        for (id, packet) in packets.rows() {
            let before = before.packets.rows().get(id);
            let head = packet.head();
            if before.map(PacketData::head).as_ref() != Some(&head) {
                changes.push(Fact::Packet(*id, Some(Box::new(head))));
            }
            changes.extend(packet.changes_since(before).into_iter().map(|fact| Fact::OfPacket(*id, fact)));
        }
        let attempts = attempts.changed_since(Some(&before.attempts));
        changes.extend(attempts.map(|(attempt, location)| Fact::Attempt(attempt, location.copied())));
        if let (Some(now), Some(before)) =
            (companies.rows().get(&company), before.companies.rows().get(&company))
        {
            now.changes_since(before, &mut changes);
        }
        changes
    }
}

impl PacketData {
    fn add(&mut self, fact: PacketFact) {
        match fact {
            PacketFact::Message(slot, Some(message)) => {
                let id = message.record.message.id;
                self.messages.put(slot, Some(*message));
                self.slots.put(id, Some(slot));
            }
            PacketFact::Message(slot, None) => self.messages.put(slot, None),
            PacketFact::SlotOf(message, slot) => self.slots.put(message, slot),
            PacketFact::RungAbove(below, slot) => self.above.put(below, slot),
            PacketFact::DispositionEvents(slot, events) => {
                self.disposition_events.put(slot, (!events.is_empty()).then_some(events));
            }
            PacketFact::Asks(nearness) => self.asking.put(nearness, Some(())),
            PacketFact::AsksNot(nearness) => self.asking.put(nearness, None),
            PacketFact::Row(_) | PacketFact::Rejected(_) => debug_assert!(false, "never looked up"),
        }
    }

    fn take_unread(&self) -> Vec<PacketKey> {
        let Self { messages, slots, above, disposition_events, asking, rows, rejected, .. } = self;
        debug_assert!(rows.take_unread().next().is_none() && rejected.take_unread().next().is_none());
        let mut unread: Vec<PacketKey> = slots.take_unread().map(PacketKey::SlotOf).collect();
        unread.extend(messages.take_unread().map(PacketKey::Message));
        unread.extend(above.take_unread().map(PacketKey::RungAbove));
        unread.extend(disposition_events.take_unread().map(PacketKey::DispositionEvents));
        unread.extend(asking.take_unread().map(PacketKey::Asking));
        unread
    }

    fn changes_since(&self, before: Option<&Self>) -> Vec<PacketFact> {
        let Self { messages, slots: _, above: _, disposition_events, asking, rows, rejected, .. } = self;
        let mut changes = Vec::new();
        changes.extend(rows.rows().values().cloned().map(PacketFact::Row));
        changes.extend(rejected.rows().values().cloned().map(PacketFact::Rejected));
        let messages = messages.changed_since(before.map(|before| &before.messages));
        changes.extend(
            messages.map(|(slot, message)| PacketFact::Message(slot, message.cloned().map(Box::new))),
        );
        let events = disposition_events.changed_since(before.map(|before| &before.disposition_events));
        changes.extend(
            events.map(|(slot, events)| {
                PacketFact::DispositionEvents(slot, events.cloned().unwrap_or_default())
            }),
        );
        let asking = asking.changed_since(before.map(|before| &before.asking));
        changes.extend(asking.map(|(nearness, asks)| match asks {
            Some(()) => PacketFact::Asks(nearness),
            None => PacketFact::AsksNot(nearness),
        }));
        changes
    }
}

impl CampaignData {
    fn add(&mut self, fact: CampaignFact) {
        match fact {
            CampaignFact::PacketOf(key, packet) => self.packets_by_key.put(key, packet),
            CampaignFact::Appointment(key, rows) => {
                self.appointments.put(key, (!rows.is_empty()).then_some(rows));
            }
            CampaignFact::NamedIn(key, packet) => self.named_in.put(key, packet),
        }
    }

    fn take_unread(&self) -> Vec<CampaignKey> {
        let Self { head: _, appointments, named_in, packets_by_key } = self;
        let mut unread: Vec<CampaignKey> = packets_by_key.take_unread().map(CampaignKey::PacketOf).collect();
        unread.extend(appointments.take_unread().map(CampaignKey::Appointment));
        unread.extend(named_in.take_unread().map(CampaignKey::NamedIn));
        unread
    }

    fn changes_since(&self, id: CampaignId, before: &Self, changes: &mut Vec<Fact>) {
        let Self { head, appointments, named_in, packets_by_key } = self;
        if *head != before.head {
            changes.push(Fact::Campaign(id, Some(*head)));
        }
        let packets = packets_by_key.changed_since(Some(&before.packets_by_key));
        let packets = packets.map(|(key, packet)| CampaignFact::PacketOf(key, packet.copied()));
        changes.extend(packets.map(|fact| Fact::OfCampaign(id, fact)));
        let rows = appointments.changed_since(Some(&before.appointments));
        let rows = rows.map(|(key, rows)| CampaignFact::Appointment(key, rows.cloned().unwrap_or_default()));
        changes.extend(rows.map(|fact| Fact::OfCampaign(id, fact)));
        let named = named_in.changed_since(Some(&before.named_in));
        let named = named.map(|(key, packet)| CampaignFact::NamedIn(key, packet.copied()));
        changes.extend(named.map(|fact| Fact::OfCampaign(id, fact)));
    }
}

impl CompanyData {
    fn add(&mut self, fact: CompanyFact) {
        match fact {
            CompanyFact::NaturalKey(key, holder) => self.natural_keys.put(key, holder),
            CompanyFact::Will(key, will) => self.wills.put(key, will),
            CompanyFact::Answer(appointment, answered) => self.responses.put(appointment, answered),
            CompanyFact::Question(contact, question) => self.questions.put(contact, question),
            CompanyFact::IncomingEvent(event, incoming) => self.incoming_events.put(event, incoming),
            CompanyFact::MessagesTo(contact, places) => {
                self.messages_to.put(contact, (!places.is_empty()).then_some(places));
            }
            CompanyFact::ContactsOf(person, mut contacts) => {
                contacts.sort_unstable();
                self.contacts_of.put(person, (!contacts.is_empty()).then_some(contacts));
            }
            CompanyFact::Days(person, days) => {
                self.slots.days.put(person, (!days.is_empty()).then_some(days));
            }
            CompanyFact::DaysOf(message, days) => {
                self.slots.of_message.put(message, (!days.is_empty()).then_some(days));
            }
            CompanyFact::Unsubscribe(_) | CompanyFact::Incoming(_) => debug_assert!(false, "never looked up"),
        }
    }

    fn take_unread(&self, unread: &mut Vec<Key>) {
        let Self { campaigns, natural_keys, messages_to, contacts_of, unsubscribes, wills, .. } = self;
        let Self { incoming, incoming_events, incoming_counts: _, questions, responses, slots, .. } = self;
        debug_assert!(unsubscribes.take_unread().next().is_none() && incoming.take_unread().next().is_none());
        unread.extend(campaigns.take_unread().map(Key::Campaign));
        for (id, campaign) in campaigns.rows() {
            unread.extend(campaign.take_unread().into_iter().map(|key| Key::OfCampaign(*id, key)));
        }
        let mut own: Vec<CompanyKey> = natural_keys.take_unread().map(CompanyKey::NaturalKey).collect();
        own.extend(wills.take_unread().map(CompanyKey::Will));
        own.extend(responses.take_unread().map(CompanyKey::Answer));
        own.extend(questions.take_unread().map(CompanyKey::Question));
        own.extend(incoming_events.take_unread().map(CompanyKey::IncomingEvent));
        own.extend(messages_to.take_unread().map(CompanyKey::MessagesTo));
        own.extend(contacts_of.take_unread().map(CompanyKey::ContactsOf));
        own.extend(slots.days.take_unread().map(CompanyKey::Days));
        own.extend(slots.of_message.take_unread().map(CompanyKey::DaysOf));
        unread.extend(own.into_iter().map(Key::OfCompany));
    }

    fn changes_since(&self, before: &Self, changes: &mut Vec<Fact>) {
        for (id, campaign) in self.campaigns.rows() {
            if let Some(before) = before.campaigns.rows().get(id) {
                campaign.changes_since(*id, before, changes);
            }
        }
        changes.extend(self.own_changes_since(before).into_iter().map(Fact::OfCompany));
    }

    fn own_changes_since(&self, before: &Self) -> Vec<CompanyFact> {
        let Self { campaigns: _, natural_keys, messages_to, contacts_of, unsubscribes, wills, .. } = self;
        let Self { incoming, incoming_events: _, incoming_counts: _, questions, responses, slots, .. } = self;
        let mut changes = Vec::new();
        let keys = natural_keys.changed_since(Some(&before.natural_keys));
        changes.extend(keys.map(|(key, holder)| CompanyFact::NaturalKey(key, holder.copied())));
        let all = wills.changed_since(Some(&before.wills));
        changes.extend(all.map(|(key, will)| CompanyFact::Will(key, will.copied())));
        let answers = responses.changed_since(Some(&before.responses));
        changes.extend(answers.map(|(of, answered)| CompanyFact::Answer(of, answered.copied())));
        let asked = questions.changed_since(Some(&before.questions));
        changes.extend(asked.map(|(contact, question)| CompanyFact::Question(contact, question.cloned())));
        let places = messages_to.changed_since(Some(&before.messages_to));
        changes.extend(places.map(|(contact, now)| {
            let known = before.messages_to.rows().get(&contact).map_or(0, Vec::len);
            CompanyFact::MessagesTo(contact, now.into_iter().flatten().skip(known).copied().collect())
        }));
        let contacts = contacts_of.changed_since(Some(&before.contacts_of));
        changes.extend(contacts.map(|(person, now)| {
            let known = before.contacts_of.rows().get(&person);
            let is_new = |contact: &&_| known.is_none_or(|known| !known.contains(contact));
            CompanyFact::ContactsOf(person, now.into_iter().flatten().filter(is_new).cloned().collect())
        }));
        let days = slots.days.changed_since(Some(&before.slots.days));
        changes
            .extend(days.map(|(person, days)| CompanyFact::Days(person, days.cloned().unwrap_or_default())));
        let days = slots.of_message.changed_since(Some(&before.slots.of_message));
        changes.extend(days.map(|(of, days)| CompanyFact::DaysOf(of, days.cloned().unwrap_or_default())));
        changes.extend(unsubscribes.rows().values().flatten().cloned().map(CompanyFact::Unsubscribe));
        let added = incoming.rows().values().cloned().map(Box::new);
        changes.extend(added.map(CompanyFact::Incoming));
        changes
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::contact_point::{ContactPoint, EmailAddress};
    use crate::domain::person::PersonKey;

    fn company() -> CompanyId {
        CompanyId::from(Uuid::from_u128(1))
    }

    fn part() -> Part {
        Part::of(company(), Restore::default())
    }

    fn contact(name: &str) -> ContactPoint {
        ContactPoint::Email(EmailAddress::parse(&format!("{name}@example.org")).expect("an address"))
    }

    fn place(slot: usize) -> (PacketId, usize) {
        (PacketId::from(Uuid::from_u128(2)), slot)
    }

    /// What a rule has changed that looks up nothing.
    fn changes(part: &mut Part, rule: impl FnOnce(&mut CompanyData)) -> Vec<Fact> {
        let applied =
            part.apply(|records| rule(records.companies.there_mut(&company()).expect("it is there")));
        match applied {
            Ok(Applied::Done { changes, .. }) => changes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_not_read_is_asked_for_once() {
        let mut part = part();
        let id = PacketId::from(Uuid::from_u128(2));
        let rule = |records: &mut Records| records.packet(company(), id).is_some();
        let Ok(Applied::Unread(keys)) = part.apply(rule) else { panic!("it was not read") };
        assert_eq!(keys, [Key::Packet(id)]);
        let error = part.apply(rule).expect_err("it was not added");
        assert!(error.to_string().contains(&id.to_string()), "{error}");
        part.add(Fact::Packet(id, None));
        let Ok(Applied::Done { answer, changes }) = part.apply(rule) else { panic!("it was added") };
        assert_eq!((answer, changes), (false, vec![]));
    }

    #[test]
    fn what_is_added_twice_is_there_once_and_is_no_change() {
        let mut part = part();
        for _ in 0..2 {
            part.add(Fact::OfCompany(CompanyFact::MessagesTo(contact("ann"), vec![place(1)])));
        }
        assert_eq!(changes(&mut part, |_| {}), []);
        let added = changes(&mut part, |company| {
            assert_eq!(company.messages_to.get(&contact("ann")).map(Vec::len), Some(1));
            company.messages_to.add(contact("ann"), |places| places.push(place(2)));
        });
        assert_eq!(added, [Fact::OfCompany(CompanyFact::MessagesTo(contact("ann"), vec![place(2)]))]);
    }

    #[test]
    fn contacts_that_a_person_has_are_not_told_again() {
        let (mut part, person) = (part(), PersonKey::new("P1").expect("a key"));
        part.add(Fact::OfCompany(CompanyFact::ContactsOf(
            person.clone(),
            vec![contact("bob"), contact("ann")],
        )));
        let added = changes(&mut part, |company| {
            for name in ["ann", "cat"] {
                company.add_contact(person.clone(), contact(name));
            }
        });
        assert_eq!(added, [Fact::OfCompany(CompanyFact::ContactsOf(person, vec![contact("cat")]))]);
    }

    #[test]
    fn what_is_taken_away_is_told_as_nothing() {
        let (mut part, from) = (part(), contact("ann"));
        let days = [("2026-03-04".parse().expect("a day"), 1)].into();
        let person = PersonKey::new("P1").expect("a key");
        part.add(Fact::OfCompany(CompanyFact::Days(person.clone(), days)));
        part.add(Fact::OfCompany(CompanyFact::Question(from.clone(), None)));
        let gone = changes(&mut part, |company| {
            company.slots.days.remove(&person);
            company.questions.remove(&from);
        });
        assert_eq!(gone, [Fact::OfCompany(CompanyFact::Days(person, [].into()))]);
    }
}
