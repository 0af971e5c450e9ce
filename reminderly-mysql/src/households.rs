use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::{Outcomes, Page};
use reminderly_core::domain::household::{Candidate, HOUSEHOLD_MAX, HouseholdKey};
use reminderly_core::domain::message::{MessageRecord, PlannedMessage};
use reminderly_core::domain::row::{Row, RowNumber};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{HouseholdStore, StoreError, WriteOutcome};
use reminderly_core::storage::{self, Records, Slot};
use sqlx::mysql::MySqlRow;
use sqlx::types::Json;

use crate::digest::Digest;
use crate::message_reads::place_of;
use crate::reading::{Locks, Stored, slot};
use crate::reading_packet::messages;
use crate::reads::{Question, Reads as _};
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Connection, TxError};
use crate::values::{Values as _, one_more, undecodable};

/// Contact points with more than one message of the packet.
const CONTACTS: Statement = statement(
    "SELECT digest FROM contact_messages WHERE packet_number = ? AND digest >= ? \
     GROUP BY digest HAVING COUNT(*) > 1 ORDER BY digest LIMIT ?",
);
const MESSAGES_TO: Statement = statement(
    "SELECT digest, slot FROM contact_messages WHERE packet_number = ? AND digest IN ({rows}) ORDER BY digest, slot",
);
const ROWS: Statement = statement(
    "SELECT fields FROM {set}_data WHERE packet_number = ? AND row_number_in_packet IN ({rows}) AND fields IS NOT NULL",
);

#[async_trait]
impl HouseholdStore for MySqlStore {
    async fn household_candidates(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: Option<HouseholdKey>,
        limit: usize,
    ) -> Result<Page<Vec<Candidate>, HouseholdKey>, StoreError> {
        self.ask(Households { company, packet, after, limit: limit.max(1) }).await
    }

    async fn plan_households(
        &self,
        company: CompanyId,
        packet: PacketId,
        messages: Vec<PlannedMessage>,
        at: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        let rule = |records: &mut Records, messages| {
            storage::plan_households(records, company, packet, messages, at)
        };
        self.apply(company, Locks::of_packet(packet), messages, rule).await?
    }
}

/// Messages of a packet that have a key in common: in the order of the digests of their contact points, then of their keys.
struct Households {
    company: CompanyId,
    packet: PacketId,
    after: Option<HouseholdKey>,
    limit: usize,
}

/// In which order households are found.
type Order = (Digest, HouseholdKey);

fn order_of(key: &HouseholdKey) -> Order {
    (Digest::of_contact(&key.contact), key.clone())
}

#[async_trait]
impl Question for Households {
    type Answer = Page<Vec<Candidate>, HouseholdKey>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let mut found: Vec<(Order, Vec<MessageRecord>)> = Vec::new();
        let Some(stored) = place_of(reads, self.company, self.packet).await? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let after = self.after.as_ref().map(order_of);
        let mut digests = self.digests(reads, stored, after.as_ref().map(|(digest, _)| *digest)).await?;
        while let Some(last) = digests.last().copied() {
            let of_digests = self.households(reads, stored, &digests).await?;
            found.extend(of_digests.into_iter().filter(|(order, _)| Some(order) > after.as_ref()));
            if found.len() > self.limit {
                break;
            }
            digests = self.digests(reads, stored, Some(last)).await?;
            digests.retain(|digest| *digest != last);
        }
        let next =
            (found.len() > self.limit).then(|| found.get(self.limit - 1).map(|((_, key), _)| key.clone()));
        found.truncate(self.limit);
        let rows = rows_of(reads, stored, found.iter().flat_map(|(_, records)| records)).await?;
        let candidate = |record: MessageRecord| {
            let row = rows.get(&record.message.origin.row()?)?.clone();
            Some(Candidate { record, row })
        };
        let items = found.into_iter().map(|(_, records)| records.into_iter().filter_map(candidate).collect());
        Ok(Page { items: items.collect(), next: next.flatten() })
    }
}

impl Households {
    /// Contact points from one on, as many as households are asked for.
    async fn digests(
        &self,
        reads: &mut Connection,
        stored: Stored,
        from: Option<Digest>,
    ) -> Result<Vec<Digest>, TxError> {
        let from = from.unwrap_or_default();
        let limit = one_more(self.limit).saturating_add(1);
        let rows = reads.all(CONTACTS.bind(stored.number).bind(from).bind(limit)).await?;
        let digest = |row: &MySqlRow| {
            let bytes: Vec<u8> = row.value("contact_messages", "digest")?;
            Digest::of_stored(&bytes).ok_or_else(|| undecodable(row, "contact_messages", "digest"))
        };
        Ok(rows.iter().map(digest).collect::<Result<_, _>>()?)
    }

    async fn households(
        &self,
        reads: &mut Connection,
        stored: Stored,
        digests: &[Digest],
    ) -> Result<BTreeMap<Order, Vec<MessageRecord>>, TxError> {
        let select = MESSAGES_TO.bind(stored.number).each(digests.iter().map(|digest| [(*digest).into()]));
        let rows = reads.each(select).await?;
        let slots: Vec<Slot> =
            rows.iter().map(|row| slot(row, "contact_messages")).collect::<Result<_, _>>()?;
        let mut households: BTreeMap<Order, Vec<MessageRecord>> = BTreeMap::new();
        for written in messages(reads, stored, &slots, Lock::Not).await?.into_values() {
            let record = written.message.record;
            if let Some(key) = HouseholdKey::of(&record) {
                households.entry(order_of(&key)).or_default().push(record);
            }
        }
        households.retain(|_, records| (2..=HOUSEHOLD_MAX).contains(&records.len()));
        for records in households.values_mut() {
            records.sort_by_key(|record| record.message.appointment.map(|appointment| appointment.at));
        }
        Ok(households)
    }
}

/// The rows from which messages were made.
async fn rows_of(
    reads: &mut Connection,
    stored: Stored,
    records: impl Iterator<Item = &MessageRecord> + Send,
) -> Result<BTreeMap<RowNumber, Row>, TxError> {
    let numbers = records.filter_map(|record| Some([record.message.origin.row()?.0.into()]));
    let select = ROWS.on(stored.set).bind(stored.number).each(numbers);
    let mut rows = BTreeMap::new();
    for row in reads.each(select).await? {
        let Json(row): Json<Row> = row.value("data", "fields")?;
        rows.insert(row.number, row);
    }
    Ok(rows)
}
