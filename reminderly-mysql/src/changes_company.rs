//! What a rule has changed in what a company knows beside its packets, written.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use reminderly_core::domain::incoming::IncomingRecord;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::unsubscribe::{Unsubscribe, UnsubscribeChange};
use reminderly_core::ids::{CampaignId, CompanyId, MessageId, PacketId};
use reminderly_core::storage::{CampaignFact, CompanyFact};
use sqlx::types::Uuid;

use crate::changes::SHARDS;
use crate::digest::Digest;
use crate::parameter::Parameter;
use crate::reading::{Stored, column};
use crate::statement::{Statement, statement};
use crate::transaction::{Tx, TxError};

const SET_PACKET_OF: Statement = statement(
    "INSERT INTO packet_keys (campaign_id, digest, packet_id) VALUES (?, ?, ?) \
     ON DUPLICATE KEY UPDATE packet_id = VALUES(packet_id)",
);
const SET_APPOINTMENT: Statement = statement(
    "INSERT INTO appointments (campaign_id, digest, held) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE held = VALUES(held)",
);
const SET_NAMED_IN: Statement = statement(
    "INSERT INTO appointments_named (campaign_id, digest, packet_id) VALUES (?, ?, ?) \
     ON DUPLICATE KEY UPDATE packet_id = VALUES(packet_id)",
);
const SET_NATURAL_KEY: Statement = statement(
    "INSERT INTO natural_keys (company_id, digest, message_id) VALUES (?, ?, ?) \
     ON DUPLICATE KEY UPDATE message_id = VALUES(message_id)",
);
const TAKE_NATURAL_KEY: Statement = statement("DELETE FROM natural_keys WHERE company_id = ? AND digest = ?");
const SET_REFUSAL: Statement = statement(
    "INSERT INTO refusals (company_id, digest, opted_out, at) VALUES (?, ?, ?, ?) \
     ON DUPLICATE KEY UPDATE opted_out = VALUES(opted_out), at = VALUES(at)",
);
const ADD_UNSUBSCRIBE: Statement = statement(
    "INSERT INTO unsubscribe_events (company_id, digest, kind, opted_out, at, event) VALUES (?, ?, ?, ?, ?, ?)",
);
const SET_ANSWER: Statement = statement(
    "INSERT INTO answers (company_id, digest, campaign_id, response) VALUES (?, ?, ?, ?) \
     ON DUPLICATE KEY UPDATE campaign_id = VALUES(campaign_id), response = VALUES(response)",
);
const SET_QUESTION: Statement = statement(
    "INSERT INTO questions (company_id, digest, question) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE question = VALUES(question)",
);
const TAKE_QUESTION: Statement = statement("DELETE FROM questions WHERE company_id = ? AND digest = ?");
const ADD_INCOMING: Statement = statement(
    "INSERT INTO incoming (id, company_id, event_digest, kind, needs_review, record) VALUES (?, ?, ?, ?, ?, ?)",
);
const COUNT_INCOMING: Statement = statement(
    "INSERT INTO incoming_counts (company_id, kind, needs_review, shard, count) VALUES (?, ?, ?, ?, 1) \
     ON DUPLICATE KEY UPDATE count = count + 1",
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
const TAKE_DAYS: Statement = statement("DELETE FROM person_days WHERE company_id = ? AND digest = ?");
const ADD_DAYS_OF: Statement = statement("INSERT INTO message_days (message_id, day) VALUES {rows}");
const TAKE_DAYS_OF: Statement = statement("DELETE FROM message_days WHERE message_id = ?");

pub(crate) async fn write_of_campaign(
    tx: &mut Tx<'_>,
    id: CampaignId,
    fact: CampaignFact,
) -> Result<(), TxError> {
    let id = id.as_uuid();
    let (set, digest) = match &fact {
        CampaignFact::PacketOf(key, _) => (SET_PACKET_OF, Digest::of_packet_key(key)),
        CampaignFact::Appointment(key, _) => (SET_APPOINTMENT, Digest::of_appointment(key)),
        CampaignFact::NamedIn(key, _) => (SET_NAMED_IN, Digest::of_appointment(key)),
    };
    let set = set.bind(id).bind(digest);
    match &fact {
        CampaignFact::PacketOf(_, Some(packet)) | CampaignFact::NamedIn(_, Some(packet)) => {
            tx.write(set.bind(packet.as_uuid())).await
        }
        CampaignFact::Appointment(_, held) => tx.write(set.bind(Parameter::json(held))).await,
        // Rules forget none of them.
        CampaignFact::PacketOf(_, None) | CampaignFact::NamedIn(_, None) => Ok(()),
    }
}

/// Writes what a company knows. `stored` says where the packets are whose messages it names.
pub(crate) async fn write_of_company(
    tx: &mut Tx<'_>,
    company: CompanyId,
    fact: CompanyFact,
    stored: &BTreeMap<PacketId, Stored>,
) -> Result<(), TxError> {
    let id = company.as_uuid();
    match fact {
        CompanyFact::NaturalKey(key, holder) => {
            let digest = Digest::of_natural_key(&key);
            match holder {
                Some(holder) => tx.write(SET_NATURAL_KEY.bind(id).bind(digest).bind(holder.as_uuid())).await,
                None => tx.write(TAKE_NATURAL_KEY.bind(id).bind(digest)).await,
            }
        }
        CompanyFact::Will(key, Some(will)) => {
            let opted_out = will.change == UnsubscribeChange::OptedOut;
            let set = SET_REFUSAL.bind(id).bind(Digest::of_refusal(&key));
            tx.write(set.bind(opted_out).bind(will.at)).await
        }
        CompanyFact::Unsubscribe(event) => add_unsubscribe(tx, id, &event).await,
        CompanyFact::Answer(of, Some(answered)) => {
            let set = SET_ANSWER.bind(id).bind(Digest::of_answer(&of));
            tx.write(set.bind(answered.campaign.as_uuid()).bind(Parameter::json(&answered.response))).await
        }
        CompanyFact::Question(contact, question) => {
            let digest = Digest::of_contact(&contact);
            match question {
                Some(question) => {
                    tx.write(SET_QUESTION.bind(id).bind(digest).bind(Parameter::json(&question))).await
                }
                None => tx.write(TAKE_QUESTION.bind(id).bind(digest)).await,
            }
        }
        CompanyFact::Incoming(record) => add_incoming(tx, id, &record).await,
        CompanyFact::MessagesTo(contact, added) => {
            let digest = Digest::of_contact(&contact);
            let places = added.iter().filter_map(|(packet, slot)| {
                let number = stored.get(packet)?.number;
                Some([id.into(), digest.into(), number.into(), column(*slot).into()])
            });
            tx.write_each(ADD_MESSAGES_TO.each(places)).await
        }
        CompanyFact::ContactsOf(person, added) => {
            let digest = Digest::of_person(&person);
            let contacts = added.iter().map(|contact| {
                let (method, address) = (contact.method().as_str(), contact.address());
                let of_contact = Digest::of_contact(contact);
                [id.into(), digest.into(), of_contact.into(), method.into(), address.into()]
            });
            tx.write_each(ADD_CONTACTS_OF.each(contacts)).await
        }
        CompanyFact::Days(person, days) => set_days(tx, id, &person, &days).await,
        CompanyFact::DaysOf(message, days) => set_days_of(tx, message, &days).await,
        // Rules forget neither, and an event comes with its message.
        CompanyFact::Will(_, None) | CompanyFact::Answer(_, None) | CompanyFact::IncomingEvent(..) => Ok(()),
    }
}

async fn add_unsubscribe(tx: &mut Tx<'_>, company: Uuid, event: &Unsubscribe) -> Result<(), TxError> {
    let digest = Digest::of_refusal(&event.key);
    let add = ADD_UNSUBSCRIBE.bind(company).bind(digest).bind(event.key.kind());
    let opted_out = event.change == UnsubscribeChange::OptedOut;
    tx.write(add.bind(opted_out).bind(event.at).bind(Parameter::json(event))).await
}

async fn add_incoming(tx: &mut Tx<'_>, company: Uuid, record: &IncomingRecord) -> Result<(), TxError> {
    let event = (record.incoming.provider.clone(), Arc::clone(&record.incoming.event));
    let digest = Digest::of_event(&event);
    let add = ADD_INCOMING.bind(record.id.as_uuid()).bind(company).bind(digest);
    let add = add.bind(record.classification.kind.as_str()).bind(record.effect.needs_review);
    tx.write(add.bind(Parameter::json(record))).await?;
    let shard = rand::random_range(0..SHARDS);
    let (kind, needs_review) = (record.classification.kind.as_str(), record.effect.needs_review);
    tx.write(COUNT_INCOMING.bind(company).bind(kind).bind(needs_review).bind(shard)).await
}

async fn set_days(
    tx: &mut Tx<'_>,
    company: Uuid,
    person: &PersonKey,
    days: &BTreeMap<NaiveDate, u32>,
) -> Result<(), TxError> {
    let digest = Digest::of_person(person);
    tx.write(TAKE_DAYS.bind(company).bind(digest)).await?;
    let days =
        days.iter().map(|(day, messages)| [company.into(), digest.into(), (*day).into(), (*messages).into()]);
    tx.write_each(SET_DAYS.each(days)).await
}

async fn set_days_of(tx: &mut Tx<'_>, message: MessageId, days: &[NaiveDate]) -> Result<(), TxError> {
    tx.write(TAKE_DAYS_OF.bind(message.as_uuid())).await?;
    let days = days.iter().map(|day| [message.as_uuid().into(), (*day).into()]);
    tx.write_each(ADD_DAYS_OF.each(days)).await
}
