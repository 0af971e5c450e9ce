//! What the messages of a month leave outside of its tables.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{MessageData, Slot};

use super::dump::ROWS;
use super::leaving::{Month, While};
use super::packets::{MonthPacket, MonthPackets};
use crate::digest::Digest;
use crate::message_reads::slots_after;
use crate::reading::{Stored, column};
use crate::reading_packet::{Written, messages};
use crate::reads::Question;
use crate::statement::{Bound, Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Connection, TxError};
use crate::values::count_of;

const ADD_PERSONS: Statement = statement(
    "INSERT INTO contact_persons (company_id, digest, person_digest, person) VALUES {rows} \
     ON DUPLICATE KEY UPDATE person = VALUES(person)",
);
const ATTEMPTS: Statement = statement("DELETE FROM attempts WHERE id IN ({rows})");
const UNKNOWN: Statement = statement("DELETE FROM unknown_attempts WHERE attempt_id IN ({rows})");
const DAYS: Statement = statement("DELETE FROM message_days WHERE message_id IN ({rows})");
const KEYS: Statement =
    statement("DELETE FROM natural_keys WHERE company_id = ? AND {any digest = ? AND message_id = ?}");
const CONTACTS: Statement = statement("DELETE FROM contact_messages WHERE packet_number = ? LIMIT 2000");
const ASKING: Statement = statement("DELETE FROM packet_asking WHERE packet_number = ?");
const WINDOWS: Statement = statement("DELETE FROM packet_windows WHERE packet_number = ?");

impl MySqlStore {
    /// Remembers who was written to where, for refusals that cover persons; whether all appointments are over by then.
    pub(super) async fn remember_persons(
        &self,
        month: Month,
        packets: &MonthPackets,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        for packet in packets.iter() {
            let mut pages = Pages::of(month, packet);
            while let Some(found) = pages.next(self).await? {
                let messages = || found.iter().map(|found| &found.record.message);
                if messages()
                    .filter_map(|message| message.appointment)
                    .any(|appointment| appointment.at >= now)
                {
                    return Ok(false);
                }
                let persons = messages().filter_map(|message| {
                    let (contact, person) = (message.contact.as_ref()?, message.person.as_ref()?);
                    let digests = [Digest::of_contact(contact), Digest::of_person(person)];
                    let [contact, of_person] = digests.map(Into::into);
                    Some([packet.company.as_uuid().into(), contact, of_person, person.as_str().into()])
                });
                self.transact(ADD_PERSONS.each(persons)).await?;
            }
        }
        Ok(true)
    }

    /// Forgets by what the messages of a month are found and what they hold, as long as it is where it was: its tables are in files by then.
    pub(super) async fn forget_month(&self, month: Month, packets: &MonthPackets) -> Result<(), StoreError> {
        for packet in packets.iter() {
            let mut pages = Pages::of(month, packet);
            while let Some(found) = pages.next(self).await? {
                let statements = forget(packet.company, found.iter());
                if self.transact(While { month, statements }).await?.is_none() {
                    return Ok(());
                }
            }
            let contacts = || While { month, statements: vec![CONTACTS.bind(packet.number)] };
            while self.transact(contacts()).await?.is_some_and(|rows| rows > 0) {}
            let statements = vec![ASKING.bind(packet.number), WINDOWS.bind(packet.number)];
            self.transact(While { month, statements }).await?;
        }
        Ok(())
    }
}

/// The messages of a packet, page by page.
struct Pages {
    stored: Stored,
    after: Option<u64>,
}

impl Pages {
    const fn of(month: Month, packet: MonthPacket) -> Self {
        Self { stored: Stored { number: packet.number, set: month.set(), moving_to: None }, after: None }
    }

    /// The next page; `None` behind the last one.
    async fn next(&mut self, store: &MySqlStore) -> Result<Option<Vec<MessageData>>, StoreError> {
        let found = store.ask(Behind { stored: self.stored, after: self.after }).await?;
        let Some((last, _)) = found.last_key_value() else { return Ok(None) };
        self.after = Some(column(*last).into());
        Ok(Some(found.into_values().map(|written| written.message).collect()))
    }
}

/// Messages of a packet behind a position.
struct Behind {
    stored: Stored,
    after: Option<u64>,
}

#[async_trait]
impl Question for Behind {
    type Answer = BTreeMap<Slot, Written>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let slots = slots_after(reads, self.stored, self.after, count_of(ROWS)).await?;
        messages(reads, self.stored, &slots, Lock::Not).await
    }
}

/// What forgets messages.
fn forget<'a>(company: CompanyId, messages: impl Iterator<Item = &'a MessageData> + Clone) -> Vec<Bound> {
    let attempts = messages.clone().flat_map(|message| &message.attempts);
    let attempts = attempts.map(|attempt| [attempt.id.as_uuid().into()]);
    let days = messages.clone().map(|found| [found.record.message.id.as_uuid().into()]);
    let keys = messages.filter_map(|found| {
        let MessageRecord { message, state } = &found.record;
        let key = message.natural_key(state.planned_at?)?;
        Some([Digest::of_natural_key(&key).into(), message.id.as_uuid().into()])
    });
    let mut forget = ATTEMPTS.each(attempts.clone());
    forget.extend(UNKNOWN.each(attempts));
    forget.extend(DAYS.each(days));
    forget.extend(KEYS.bind(company.as_uuid()).each(keys));
    forget
}
