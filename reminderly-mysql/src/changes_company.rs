//! What a rule has changed in what a company knows beside its packets, written.

use std::collections::BTreeMap;
use std::sync::Arc;

use reminderly_core::domain::incoming::IncomingRecord;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::{CampaignId, CompanyId, PacketId};
use reminderly_core::storage::{CampaignFact, CompanyFact};

use crate::changes::SHARDS;
use crate::digest::Digest;
use crate::parameter::Parameter;
use crate::reading::{Stored, column};
use crate::statement::{Statement, statement};
use crate::transaction::{Tx, TxError};

const SET_PACKET_OF: Statement = statement(
    "INSERT INTO packet_keys (campaign_id, digest, packet_id) VALUES {rows} \
     ON DUPLICATE KEY UPDATE packet_id = VALUES(packet_id)",
);
const SET_APPOINTMENT: Statement = statement(
    "INSERT INTO appointments (campaign_id, digest, held) VALUES {rows} ON DUPLICATE KEY UPDATE held = VALUES(held)",
);
const SET_NAMED_IN: Statement = statement(
    "INSERT INTO appointments_named (campaign_id, digest, packet_id) VALUES {rows} \
     ON DUPLICATE KEY UPDATE packet_id = VALUES(packet_id)",
);
const SET_NATURAL_KEY: Statement = statement(
    "INSERT INTO natural_keys (company_id, digest, message_id) VALUES {rows} \
     ON DUPLICATE KEY UPDATE message_id = VALUES(message_id)",
);
const TAKE_NATURAL_KEY: Statement =
    statement("DELETE FROM natural_keys WHERE company_id = ? AND digest IN ({rows})");
const SET_REFUSAL: Statement = statement(
    "INSERT INTO refusals (company_id, digest, opted_out, at) VALUES {rows} \
     ON DUPLICATE KEY UPDATE opted_out = VALUES(opted_out), at = VALUES(at)",
);
const ADD_UNSUBSCRIBE: Statement = statement(
    "INSERT INTO unsubscribe_events (company_id, digest, kind, opted_out, at, event) VALUES {rows}",
);
const SET_ANSWER: Statement = statement(
    "INSERT INTO answers (company_id, digest, campaign_id, response) VALUES {rows} \
     ON DUPLICATE KEY UPDATE campaign_id = VALUES(campaign_id), response = VALUES(response)",
);
const SET_QUESTION: Statement = statement(
    "INSERT INTO questions (company_id, digest, question) VALUES {rows} ON DUPLICATE KEY UPDATE question = VALUES(question)",
);
const TAKE_QUESTION: Statement =
    statement("DELETE FROM questions WHERE company_id = ? AND digest IN ({rows})");
const ADD_INCOMING: Statement = statement(
    "INSERT INTO incoming (id, company_id, event_digest, kind, needs_review, record) VALUES {rows}",
);
const COUNT_INCOMING: Statement = statement(
    "INSERT INTO incoming_counts (company_id, kind, needs_review, shard, count) VALUES {rows} \
     ON DUPLICATE KEY UPDATE count = count + VALUES(count)",
);
const ADD_MESSAGES_TO: Statement =
    statement("INSERT INTO contact_messages (company_id, digest, packet_number, slot) VALUES {rows}");
const ADD_CONTACTS_OF: Statement = statement(
    "INSERT INTO person_contacts (company_id, digest, contact_digest, method, address) VALUES {rows} \
     ON DUPLICATE KEY UPDATE method = VALUES(method)",
);
const SET_DAYS: Statement = statement(
    "INSERT INTO person_days (company_id, digest, day, messages) VALUES {rows} ON DUPLICATE KEY UPDATE messages = VALUES(messages)",
);
const TAKE_DAYS: Statement = statement("DELETE FROM person_days WHERE company_id = ? AND digest IN ({rows})");
const ADD_DAYS_OF: Statement = statement("INSERT INTO message_days (message_id, day) VALUES {rows}");
const TAKE_DAYS_OF: Statement = statement("DELETE FROM message_days WHERE message_id IN ({rows})");

/// What changes in what a company knows, as rows: each kind is written at once.
#[derive(Default)]
pub(crate) struct CompanyWrites {
    packet_keys: Vec<[Parameter; 3]>,
    appointments: Vec<[Parameter; 3]>,
    appointments_named: Vec<[Parameter; 3]>,
    natural_keys: Vec<[Parameter; 3]>,
    natural_keys_no_more: Vec<[Parameter; 1]>,
    refusals: Vec<[Parameter; 4]>,
    unsubscribes: Vec<[Parameter; 6]>,
    answers: Vec<[Parameter; 4]>,
    questions: Vec<[Parameter; 3]>,
    questions_no_more: Vec<[Parameter; 1]>,
    incoming: Vec<[Parameter; 6]>,
    incoming_counts: Vec<[Parameter; 5]>,
    messages_to: Vec<[Parameter; 4]>,
    contacts_of: Vec<[Parameter; 5]>,
    persons: Vec<[Parameter; 1]>,
    days: Vec<[Parameter; 4]>,
    messages: Vec<[Parameter; 1]>,
    days_of: Vec<[Parameter; 2]>,
}

impl CompanyWrites {
    pub(crate) fn add_of_campaign(&mut self, id: CampaignId, fact: &CampaignFact) {
        let id = Parameter::from(id.as_uuid());
        match fact {
            CampaignFact::PacketOf(key, Some(packet)) => {
                self.packet_keys.push([id, Digest::of_packet_key(key).into(), packet.as_uuid().into()]);
            }
            CampaignFact::Appointment(key, held) => {
                self.appointments.push([id, Digest::of_appointment(key).into(), Parameter::json(held)]);
            }
            CampaignFact::NamedIn(key, Some(packet)) => {
                let digest = Digest::of_appointment(key).into();
                self.appointments_named.push([id, digest, packet.as_uuid().into()]);
            }
            // Rules forget none of them.
            CampaignFact::PacketOf(_, None) | CampaignFact::NamedIn(_, None) => {}
        }
    }

    /// Adds what a company knows. `stored` says where the packets are whose messages it names.
    pub(crate) fn add(
        &mut self,
        company: CompanyId,
        fact: &CompanyFact,
        stored: &BTreeMap<PacketId, Stored>,
    ) {
        let id = Parameter::from(company.as_uuid());
        match fact {
            CompanyFact::NaturalKey(key, holder) => {
                let digest = Digest::of_natural_key(key).into();
                match holder {
                    Some(holder) => self.natural_keys.push([id, digest, holder.as_uuid().into()]),
                    None => self.natural_keys_no_more.push([digest]),
                }
            }
            CompanyFact::Will(key, Some(will)) => {
                let opted_out = will.change == UnsubscribeChange::OptedOut;
                self.refusals.push([id, Digest::of_refusal(key).into(), opted_out.into(), will.at.into()]);
            }
            CompanyFact::Unsubscribe(event) => {
                let (digest, kind) = (Digest::of_refusal(&event.key).into(), event.key.kind().into());
                let opted_out = event.change == UnsubscribeChange::OptedOut;
                let row = [id, digest, kind, opted_out.into(), event.at.into(), Parameter::json(event)];
                self.unsubscribes.push(row);
            }
            CompanyFact::Answer(of, Some(answered)) => {
                let (digest, campaign) = (Digest::of_answer(of).into(), answered.campaign.as_uuid().into());
                self.answers.push([id, digest, campaign, Parameter::json(&answered.response)]);
            }
            CompanyFact::Question(contact, question) => {
                let digest = Digest::of_contact(contact).into();
                match question {
                    Some(question) => self.questions.push([id, digest, Parameter::json(question)]),
                    None => self.questions_no_more.push([digest]),
                }
            }
            CompanyFact::Incoming(record) => self.add_incoming(id, record),
            CompanyFact::MessagesTo(contact, added) => {
                let digest = Digest::of_contact(contact);
                self.messages_to.extend(added.iter().filter_map(|(packet, slot)| {
                    let number = stored.get(packet)?.number;
                    Some([id.clone(), digest.into(), number.into(), column(*slot).into()])
                }));
            }
            CompanyFact::ContactsOf(person, added) => {
                let digest = Digest::of_person(person);
                self.contacts_of.extend(added.iter().map(|contact| {
                    let (method, address) = (contact.method().as_str(), contact.address());
                    let of_contact = Digest::of_contact(contact).into();
                    [id.clone(), digest.into(), of_contact, method.into(), address.into()]
                }));
            }
            CompanyFact::Days(person, days) => {
                let digest = Digest::of_person(person);
                self.persons.push([digest.into()]);
                self.days.extend(
                    days.iter().map(|(day, messages)| {
                        [id.clone(), digest.into(), (*day).into(), (*messages).into()]
                    }),
                );
            }
            CompanyFact::DaysOf(message, days) => {
                let message = Parameter::from(message.as_uuid());
                self.messages.push([message.clone()]);
                self.days_of.extend(days.iter().map(|day| [message.clone(), (*day).into()]));
            }
            // Rules forget neither, and an event comes with its message.
            CompanyFact::Will(_, None) | CompanyFact::Answer(_, None) | CompanyFact::IncomingEvent(..) => {}
        }
    }

    fn add_incoming(&mut self, company: Parameter, record: &IncomingRecord) {
        let event = (record.incoming.provider.clone(), Arc::clone(&record.incoming.event));
        let (kind, needs_review) = (record.classification.kind.as_str(), record.effect.needs_review);
        self.incoming.push([
            record.id.as_uuid().into(),
            company.clone(),
            Digest::of_event(&event).into(),
            kind.into(),
            needs_review.into(),
            Parameter::json(record),
        ]);
        let shard = rand::random_range(0..SHARDS);
        self.incoming_counts.push([company, kind.into(), needs_review.into(), shard.into(), 1_u8.into()]);
    }

    /// Writes all; what is taken away comes before what is added.
    pub(crate) async fn write(self, tx: &mut Tx<'_>, company: CompanyId) -> Result<(), TxError> {
        let of_company = |take: Statement| take.bind(company.as_uuid());
        tx.write_each(SET_PACKET_OF.each(self.packet_keys)).await?;
        tx.write_each(SET_APPOINTMENT.each(self.appointments)).await?;
        tx.write_each(SET_NAMED_IN.each(self.appointments_named)).await?;
        tx.write_each(of_company(TAKE_NATURAL_KEY).each(self.natural_keys_no_more)).await?;
        tx.write_each(SET_NATURAL_KEY.each(self.natural_keys)).await?;
        tx.write_each(SET_REFUSAL.each(self.refusals)).await?;
        tx.write_each(ADD_UNSUBSCRIBE.each(self.unsubscribes)).await?;
        tx.write_each(SET_ANSWER.each(self.answers)).await?;
        tx.write_each(of_company(TAKE_QUESTION).each(self.questions_no_more)).await?;
        tx.write_each(SET_QUESTION.each(self.questions)).await?;
        tx.write_each(ADD_INCOMING.each(self.incoming)).await?;
        tx.write_each(COUNT_INCOMING.each(self.incoming_counts)).await?;
        tx.write_each(ADD_MESSAGES_TO.each(self.messages_to)).await?;
        tx.write_each(ADD_CONTACTS_OF.each(self.contacts_of)).await?;
        tx.write_each(of_company(TAKE_DAYS).each(self.persons)).await?;
        tx.write_each(SET_DAYS.each(self.days)).await?;
        tx.write_each(TAKE_DAYS_OF.each(self.messages)).await?;
        tx.write_each(ADD_DAYS_OF.each(self.days_of)).await
    }
}
