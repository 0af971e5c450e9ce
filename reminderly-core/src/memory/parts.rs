//! Rules applied as an adapter for a database applies them: to a part that is read bit by bit, and whose changes are written.

use crate::ids::{CampaignId, CompanyId};
use crate::rules::{Applied, CompanyData, Fact, Key, PacketData, Part, Records};

/// Applies a rule to as much as it looks up.
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
            Applied::Unread(keys) => {
                for key in keys {
                    part.add(look_up(records, company, key));
                }
            }
            Applied::Done { answer, changes } => {
                for change in changes {
                    records.put(company, change);
                }
                return answer;
            }
        }
    }
}

fn look_up(records: &Records, company: CompanyId, key: Key) -> Fact {
    match key {
        Key::Packet(id) => Fact::Packet(id, records.packets.get(&id).map(PacketData::head)),
        Key::Attempt(id) => Fact::Attempt(id, records.attempts.get(&id).copied()),
        Key::Message(..)
        | Key::SlotOf(..)
        | Key::RungAbove(..)
        | Key::DispositionEvents(..)
        | Key::Asking(..) => look_up_in_packet(records, key),
        of_company => look_up_in_company(records.companies.get(&company), of_company),
    }
}

fn look_up_in_packet(records: &Records, key: Key) -> Fact {
    let packet = |id| records.packets.get(&id);
    match key {
        Key::Message(id, slot) => {
            Fact::Message(id, slot, packet(id).and_then(|found| found.get(slot)).cloned())
        }
        Key::SlotOf(id, message) => {
            Fact::SlotOf(id, message, packet(id).and_then(|found| found.slot(message)))
        }
        Key::RungAbove(id, below) => {
            Fact::RungAbove(id, below, packet(id).and_then(|found| found.above(below)))
        }
        Key::DispositionEvents(id, slot) => {
            let seen = packet(id).and_then(|found| found.disposition_events.get(&slot));
            Fact::DispositionEvents(id, slot, seen.cloned().unwrap_or_default())
        }
        Key::Asking(id, nearness) => {
            let asks = packet(id).is_some_and(|found| found.asking.contains_key(&nearness));
            if asks { Fact::Asks(id, nearness) } else { Fact::AsksNot(id, nearness) }
        }
        other => unreachable!("{other:?} is not of a packet"),
    }
}

fn look_up_in_company(company: Option<&CompanyData>, key: Key) -> Fact {
    let campaign = |id: CampaignId| company.and_then(|company| company.campaigns.get(&id));
    match key {
        Key::Campaign(id) => Fact::Campaign(id, campaign(id).map(|found| found.head)),
        Key::PacketOf(id, key) => {
            let packet = campaign(id).and_then(|found| found.packets_by_key.get(&key)).copied();
            Fact::PacketOf(id, key, packet)
        }
        Key::Appointment(id, key) => {
            let rows = campaign(id).and_then(|found| found.appointments.get(&key)).cloned();
            Fact::Appointment(id, key, rows.unwrap_or_default())
        }
        Key::NamedIn(id, key) => {
            let packet = campaign(id).and_then(|found| found.named_in.get(&key)).copied();
            Fact::NamedIn(id, key, packet)
        }
        Key::NaturalKey(key) => {
            let holder = company.and_then(|found| found.natural_keys.get(&key)).copied();
            Fact::NaturalKey(key, holder)
        }
        Key::Will(key) => {
            let will = company.and_then(|found| found.wills.get(&key)).copied();
            Fact::Will(key, will)
        }
        Key::Answer(of) => {
            let answered = company.and_then(|found| found.responses.get(&of)).copied();
            Fact::Answer(of, answered)
        }
        Key::Question(contact) => {
            let question = company.and_then(|found| found.questions.get(&contact)).cloned();
            Fact::Question(contact, question)
        }
        Key::IncomingEvent(event) => {
            let incoming = company.and_then(|found| found.incoming_events.get(&event)).copied();
            Fact::IncomingEvent(event, incoming)
        }
        Key::MessagesTo(contact) => {
            let places = company.and_then(|found| found.messages_to.get(&contact)).cloned();
            Fact::MessagesTo(contact, places.unwrap_or_default())
        }
        Key::ContactsOf(person) => {
            let contacts = company.and_then(|found| found.contacts_of.get(&person)).cloned();
            Fact::ContactsOf(person, contacts.unwrap_or_default())
        }
        Key::Days(person) => {
            let days = company.and_then(|found| found.slots.days.get(&person)).cloned();
            Fact::Days(person, days.unwrap_or_default())
        }
        Key::DaysOf(message) => {
            let days = company.and_then(|found| found.slots.of_message.get(&message)).cloned();
            Fact::DaysOf(message, days.unwrap_or_default())
        }
        other => unreachable!("{other:?} is not of a company"),
    }
}
