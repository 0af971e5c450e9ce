//! Rules applied as an adapter for a database applies them: to a part that is read bit by bit, and whose changes are written.

use crate::ids::CompanyId;
use crate::storage::{
    Applied, CampaignData, CampaignFact, CampaignKey, CompanyData, CompanyFact, CompanyKey, Extent, Fact,
    Key, PacketData, PacketFact, PacketKey, Part, Records,
};

/// Applies a rule to as much as it looks up.
#[expect(
    clippy::panic,
    reason = "this store shows that what is asked for can be added; otherwise it is wrong"
)]
pub(super) fn apply<A: Clone, T>(
    records: &mut Records,
    company: CompanyId,
    args: &A,
    rule: impl Fn(&mut Records, A) -> T,
) -> T {
    let of = if records.companies.contains_key(&company) { Part::of } else { Part::of_nobody };
    let mut part = of(company, records.restore);
    loop {
        match part.apply(|records| rule(records, args.clone())) {
            Ok(Applied::Unread(keys)) => {
                for key in keys {
                    part.add(records.look_up(company, key));
                }
            }
            Ok(Applied::Done { answer, changes }) => {
                for change in changes {
                    records.write(company, change);
                }
                return answer;
            }
            Err(not_added) => panic!("{not_added}"),
        }
    }
}

impl Records {
    fn look_up(&self, company: CompanyId, key: Key) -> Fact {
        let company = self.companies.get(&company);
        match key {
            Key::Packet(id) => Fact::Packet(id, self.packets.get(&id).map(PacketData::head).map(Box::new)),
            Key::OfPacket(id, key) => Fact::OfPacket(id, PacketData::look_up(self.packets.get(&id), key)),
            Key::Attempt(id) => Fact::Attempt(id, self.attempts.get(&id).copied()),
            Key::Campaign(id) => {
                let campaign = company.and_then(|company| company.campaigns.get(&id));
                Fact::Campaign(id, campaign.map(|campaign| campaign.head))
            }
            Key::OfCampaign(id, key) => {
                let campaign = company.and_then(|company| company.campaigns.get(&id));
                Fact::OfCampaign(id, CampaignData::look_up(campaign, key))
            }
            Key::OfCompany(key) => Fact::OfCompany(CompanyData::look_up(company, key)),
        }
    }

    fn write(&mut self, company: CompanyId, change: Fact) {
        match change {
            Fact::Packet(id, head) => match (self.packets.get_mut(&id), head) {
                (Some(found), Some(head)) => found.set_head(*head),
                (_, head) => self.packets.put(id, head.map(|head| PacketData::new(*head, Extent::Whole))),
            },
            Fact::OfPacket(id, change) => {
                if let Some(packet) = self.packets.get_mut(&id) {
                    packet.write(change);
                }
            }
            Fact::Attempt(id, location) => self.attempts.put(id, location),
            of_company => {
                if let Some(company) = self.companies.get_mut(&company) {
                    company.write(of_company);
                }
            }
        }
    }
}

impl PacketData {
    fn look_up(packet: Option<&Self>, key: PacketKey) -> PacketFact {
        match key {
            PacketKey::Message(slot) => {
                let message = packet.and_then(|packet| packet.get(slot)).cloned().map(|mut message| {
                    message.history.clear();
                    Box::new(message)
                });
                PacketFact::Message(slot, message)
            }
            PacketKey::SlotOf(id) => PacketFact::SlotOf(id, packet.and_then(|packet| packet.slot(id))),
            PacketKey::RungAbove(below) => {
                PacketFact::RungAbove(below, packet.and_then(|packet| packet.above(below)))
            }
            PacketKey::DispositionEvents(slot) => {
                let seen = packet.and_then(|packet| packet.disposition_events.get(&slot));
                PacketFact::DispositionEvents(
                    slot,
                    seen.into_iter().flat_map(|seen| seen.iter().cloned()).collect(),
                )
            }
            PacketKey::Asking(nearness) => {
                let asks = packet.is_some_and(|packet| packet.asking.contains_key(&nearness));
                if asks { PacketFact::Asks(nearness) } else { PacketFact::AsksNot(nearness) }
            }
        }
    }

    fn write(&mut self, change: PacketFact) {
        match change {
            PacketFact::Message(slot, Some(mut message)) => {
                if let Some(there) = self.get_mut(slot) {
                    let added = std::mem::take(&mut message.history);
                    message.history = std::mem::take(&mut there.history);
                    message.history.extend(added);
                }
                self.put(slot, *message);
            }
            PacketFact::DispositionEvents(slot, events) => self.disposition_events.put(slot, Some(events)),
            PacketFact::Asks(nearness) => self.asking.put(nearness, Some(())),
            PacketFact::AsksNot(nearness) => self.asking.put(nearness, None),
            PacketFact::Row(row) => self.rows.put(row.number, Some(row)),
            PacketFact::Rejected(row) => self.reject(vec![row]),
            // No message is ever taken away, and the others are never a change.
            PacketFact::Message(_, None) | PacketFact::SlotOf(..) | PacketFact::RungAbove(..) => {}
        }
    }
}

impl CampaignData {
    fn look_up(campaign: Option<&Self>, key: CampaignKey) -> CampaignFact {
        match key {
            CampaignKey::PacketOf(key) => {
                let packet = campaign.and_then(|campaign| campaign.packets_by_key.get(&key)).copied();
                CampaignFact::PacketOf(key, packet)
            }
            CampaignKey::Appointment(key) => {
                let rows = campaign.and_then(|campaign| campaign.appointments.get(&key)).cloned();
                CampaignFact::Appointment(key, rows.unwrap_or_default())
            }
            CampaignKey::NamedIn(key) => {
                let packet = campaign.and_then(|campaign| campaign.named_in.get(&key)).copied();
                CampaignFact::NamedIn(key, packet)
            }
        }
    }

    fn write(&mut self, change: CampaignFact) {
        match change {
            CampaignFact::PacketOf(key, packet) => self.packets_by_key.put(key, packet),
            CampaignFact::Appointment(key, rows) => self.appointments.put(key, Some(rows)),
            CampaignFact::NamedIn(key, packet) => self.named_in.put(key, packet),
        }
    }
}

impl CompanyData {
    fn look_up(company: Option<&Self>, key: CompanyKey) -> CompanyFact {
        match key {
            CompanyKey::NaturalKey(key) => {
                let holder = company.and_then(|company| company.natural_keys.get(&key)).copied();
                CompanyFact::NaturalKey(key, holder)
            }
            CompanyKey::Will(key) => {
                let will = company.and_then(|company| company.wills.get(&key)).copied();
                CompanyFact::Will(key, will)
            }
            CompanyKey::Answer(of) => {
                let answered = company.and_then(|company| company.responses.get(&of)).copied();
                CompanyFact::Answer(of, answered)
            }
            CompanyKey::Question(contact) => {
                let question = company.and_then(|company| company.questions.get(&contact)).cloned();
                CompanyFact::Question(contact, question)
            }
            CompanyKey::IncomingEvent(event) => {
                let incoming = company.and_then(|company| company.incoming_events.get(&event)).copied();
                CompanyFact::IncomingEvent(event, incoming)
            }
            CompanyKey::MessagesTo(contact) => {
                let places = company.and_then(|company| company.messages_to.get(&contact)).cloned();
                CompanyFact::MessagesTo(contact, places.unwrap_or_default())
            }
            CompanyKey::ContactsOf(person) => {
                let contacts = company.and_then(|company| company.contacts_of.get(&person)).cloned();
                CompanyFact::ContactsOf(person, contacts.unwrap_or_default())
            }
            CompanyKey::Days(person) => {
                let days = company.and_then(|company| company.slots.days.get(&person)).cloned();
                CompanyFact::Days(person, days.unwrap_or_default())
            }
            CompanyKey::DaysOf(message) => {
                let days = company.and_then(|company| company.slots.of_message.get(&message)).cloned();
                CompanyFact::DaysOf(message, days.unwrap_or_default())
            }
        }
    }

    fn write(&mut self, change: Fact) {
        match change {
            Fact::Campaign(id, Some(head)) => {
                if let Some(campaign) = self.campaigns.get_mut(&id) {
                    campaign.head = head;
                }
            }
            Fact::OfCampaign(id, change) => {
                if let Some(campaign) = self.campaigns.get_mut(&id) {
                    campaign.write(change);
                }
            }
            Fact::OfCompany(change) => self.write_own(change),
            // Rules make no campaigns, and the others are not of a company.
            Fact::Campaign(_, None) | Fact::Packet(..) | Fact::OfPacket(..) | Fact::Attempt(..) => {}
        }
    }

    fn write_own(&mut self, change: CompanyFact) {
        match change {
            CompanyFact::NaturalKey(key, holder) => self.natural_keys.put(key, holder),
            CompanyFact::Will(key, will) => self.wills.put(key, will),
            CompanyFact::Answer(of, answered) => self.responses.put(of, answered),
            CompanyFact::Question(contact, question) => self.questions.put(contact, question),
            CompanyFact::MessagesTo(contact, added) => {
                self.messages_to.add(contact, |places| places.extend(added));
            }
            CompanyFact::ContactsOf(person, added) => {
                for contact in added {
                    self.add_contact(person.clone(), contact);
                }
            }
            CompanyFact::Days(person, days) => {
                self.slots.days.put(person, (!days.is_empty()).then_some(days));
            }
            CompanyFact::DaysOf(message, days) => {
                self.slots.of_message.put(message, (!days.is_empty()).then_some(days));
            }
            CompanyFact::Unsubscribe(event) => {
                self.unsubscribes.add(event.key.clone(), |events| events.push(event));
            }
            CompanyFact::Incoming(incoming) => self.keep_incoming(*incoming),
            // Never a change: it comes with the message.
            CompanyFact::IncomingEvent(..) => {}
        }
    }
}
