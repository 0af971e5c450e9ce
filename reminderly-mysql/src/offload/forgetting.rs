//! What is known of the messages of a month outside of its tables.

use async_trait::async_trait;
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::MessageData;
use sqlx::types::Uuid;

use super::dump::ROWS;
use super::leaving::Month;
use crate::digest::Digest;
use crate::message_reads::slots_after;
use crate::reading::{Stored, column};
use crate::reading_packet::messages;
use crate::reads::Question;
use crate::statement::{Bound, Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::{Values as _, count_of};

const NEXT_PACKET: Statement = statement(
    "SELECT packet_number, company_id FROM offloaded_packets JOIN data_packet ON number = packet_number \
     WHERE offloaded_packets.tables_number = ? AND packet_number > ? ORDER BY packet_number LIMIT 1",
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
    /// Forgets by what the messages of a month are found and what they hold: its tables are in files by now.
    pub(super) async fn forget_month(&self, month: Month) -> Result<(), StoreError> {
        let mut after = 0;
        while let Some(row) = self.one(NEXT_PACKET.bind(month.number).bind(after)).await? {
            after = row.value("offloaded_packets", "packet_number")?;
            let company: Uuid = row.value("data_packet", "company_id")?;
            let stored = Stored { number: after, set: month.set, moving_to: None };
            self.forget_packet(company.into(), stored).await?;
        }
        Ok(())
    }

    async fn forget_packet(&self, company: CompanyId, stored: Stored) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let found = self.ask(Found { stored, after }).await?;
            let Some((slot, _)) = found.last() else { break };
            after = Some(*slot);
            let forget = forget(company, found.iter().map(|(_, message)| message));
            self.transact(forget).await?;
        }
        while self.transact(Delete(CONTACTS.bind(stored.number))).await? > 0 {}
        self.transact(vec![ASKING.bind(stored.number), WINDOWS.bind(stored.number)]).await
    }
}

/// Messages of a packet behind a position, each with its own.
struct Found {
    stored: Stored,
    after: Option<u64>,
}

#[async_trait]
impl Question for Found {
    type Answer = Vec<(u64, MessageData)>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let slots = slots_after(reads, self.stored, self.after, count_of(ROWS)).await?;
        let found = messages(reads, self.stored, &slots, Lock::Not).await?;
        Ok(found.into_iter().map(|(slot, written)| (column(slot).into(), written.message)).collect())
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

/// Deletes some rows; how many.
struct Delete(Bound);

#[async_trait]
impl Work for Delete {
    type Done = u64;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, TxError> {
        tx.count(self.0.clone()).await
    }
}
