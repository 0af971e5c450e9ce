//! What a rule looks up, read under its locks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use reminderly_core::domain::attempt::{Attempt, AttemptLocation, ProviderName};
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::ids::{AttemptId, CampaignId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{
    CampaignFact, CampaignHead, CampaignKey, CompanyKey, Fact, HeldRow, Key, MessageData, Nearness,
    PacketFact, PacketHead, PacketKey, Slot,
};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};
use sqlx::{Decode, MySql, Type};

use crate::campaigns;
use crate::digest::Digest;
use crate::statement::{Bound, Statement, statement};
use crate::table_set::TableSet;
use crate::transaction::{Tx, TxError};
use crate::values::{Values as _, undecodable};

/// How a row is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Others may look at it too.
    Shared,
    /// Nobody else has it.
    Alone,
}

/// Where a packet is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    /// What stands for its id in its tables.
    pub(crate) number: u32,
    pub(crate) set: TableSet,
}

/// Reads for one call of one rule.
pub(crate) struct Reader {
    pub(crate) company: CompanyId,
    /// How the packets that it looks up are locked.
    pub(crate) packets_are: Lock,
    /// How what the company knows beside its packets is locked.
    pub(crate) company_is: Lock,
    pub(crate) stored: BTreeMap<PacketId, Stored>,
    /// The number of the last write to each message that was read; 0 of one that nothing was done to.
    pub(crate) writes: BTreeMap<(PacketId, Slot), u32>,
}

const CAMPAIGNS: Statement = statement(
    "SELECT id, state, newest_file, last_file_came_at FROM company_campaigns \
     WHERE company_id = ? AND id IN ({1}) ORDER BY id LOCK IN SHARE MODE",
);
const PACKETS_SHARED: Statement = statement(
    "SELECT id, number, tables_number, packet, caps, message_count FROM data_packet \
     WHERE id IN ({1}) ORDER BY id LOCK IN SHARE MODE",
);
const PACKETS_ALONE: Statement = statement(
    "SELECT id, number, tables_number, packet, caps, message_count FROM data_packet \
     WHERE id IN ({1}) ORDER BY id FOR UPDATE",
);
/// Apart from the packets, and without a lock: packets that share their tables have nothing else to do with each other.
const TABLES: Statement = statement(
    "SELECT number AS tables_number, campaign_number, day, version FROM packet_table_tracking WHERE number IN ({1})",
);
const ATTEMPTS: Statement =
    statement("SELECT id, company_id, packet_id, message_id FROM attempts WHERE id IN ({1})");
const MESSAGES: Statement = statement(
    "SELECT slot, id, message, state FROM {set}_messages \
     WHERE packet_number = ? AND slot IN ({1}) ORDER BY slot FOR UPDATE",
);
const TRANSITIONS: Statement = statement(
    "SELECT slot, number, state, attempts FROM {set}_transitions \
     WHERE packet_number = ? AND slot IN ({1}) ORDER BY slot, number",
);
const SLOTS: Statement =
    statement("SELECT id, slot FROM {set}_messages WHERE packet_number = ? AND id IN ({1})");
const RUNGS: Statement =
    statement("SELECT below, slot FROM {set}_messages WHERE packet_number = ? AND below IN ({1})");
const DISPOSITIONS: Statement = statement(
    "SELECT slot, provider, event FROM {set}_dispositions WHERE packet_number = ? AND slot IN ({1})",
);
const ASKING: Statement = statement(
    "SELECT ahead, at, slot FROM packet_asking WHERE packet_number = ? AND (ahead, at, slot) IN ({3})",
);
const PACKETS_OF: Statement =
    statement("SELECT digest, packet_id FROM packet_keys WHERE campaign_id = ? AND digest IN ({1})");
const APPOINTMENTS: Statement =
    statement("SELECT digest, held FROM appointments WHERE campaign_id = ? AND digest IN ({1})");
const NAMED_IN: Statement =
    statement("SELECT digest, packet_id FROM appointments_named WHERE campaign_id = ? AND digest IN ({1})");

/// Keys by what they are of.
#[derive(Default)]
struct Wanted {
    campaigns: BTreeSet<CampaignId>,
    packets: BTreeSet<PacketId>,
    attempts: Vec<AttemptId>,
    of_packets: BTreeMap<PacketId, Vec<PacketKey>>,
    of_campaigns: BTreeMap<CampaignId, Vec<CampaignKey>>,
    of_company: Vec<CompanyKey>,
}

impl Wanted {
    fn of(keys: Vec<Key>) -> Self {
        let mut wanted = Self::default();
        for key in keys {
            match key {
                Key::Campaign(id) => drop(wanted.campaigns.insert(id)),
                Key::Packet(id) => drop(wanted.packets.insert(id)),
                Key::Attempt(id) => wanted.attempts.push(id),
                Key::OfCampaign(id, key) => wanted.of_campaigns.entry(id).or_default().push(key),
                Key::OfPacket(id, key) => wanted.of_packets.entry(id).or_default().push(key),
                Key::OfCompany(key) => wanted.of_company.push(key),
            }
        }
        wanted
    }
}

impl Reader {
    /// Reads what was looked up, in the order of locks.
    pub(crate) async fn read(&mut self, tx: &mut Tx<'_>, keys: Vec<Key>) -> Result<Vec<Fact>, TxError> {
        let wanted = Wanted::of(keys);
        let mut facts = self.read_campaigns(tx, wanted.campaigns).await?;
        facts.extend(self.read_packets(tx, wanted.packets).await?);
        for (id, keys) in wanted.of_packets {
            facts.extend(self.read_of_packet(tx, id, keys).await?);
        }
        facts.extend(self.read_of_company(tx, wanted.of_company, &wanted.of_campaigns).await?);
        for (id, keys) in wanted.of_campaigns {
            facts.extend(read_of_campaign(tx, id, keys).await?);
        }
        facts.extend(read_attempts(tx, wanted.attempts).await?);
        Ok(facts)
    }

    async fn read_campaigns(&self, tx: &mut Tx<'_>, ids: BTreeSet<CampaignId>) -> Result<Vec<Fact>, TxError> {
        let select = CAMPAIGNS.of_rows(ids.len()).bind(self.company.as_uuid());
        let select = ids.iter().fold(select, |select, id| select.bind(id.as_uuid()));
        let mut found: BTreeMap<CampaignId, CampaignHead> = BTreeMap::new();
        for row in tx.all(select).await? {
            let id: Uuid = row.value("company_campaigns", "id")?;
            let newest: Option<Uuid> = row.value("company_campaigns", "newest_file")?;
            let head = CampaignHead {
                state: campaigns::state(&row)?,
                newest_file: newest.map(PacketId::from),
                last_file_came_at: row.value("company_campaigns", "last_file_came_at")?,
            };
            found.insert(id.into(), head);
        }
        Ok(ids.into_iter().map(|id| Fact::Campaign(id, found.get(&id).copied())).collect())
    }

    async fn read_packets(&mut self, tx: &mut Tx<'_>, ids: BTreeSet<PacketId>) -> Result<Vec<Fact>, TxError> {
        let select = match self.packets_are {
            Lock::Shared => PACKETS_SHARED,
            Lock::Alone => PACKETS_ALONE,
        };
        let select = ids.iter().fold(select.of_rows(ids.len()), |select, id| select.bind(id.as_uuid()));
        let rows = tx.all(select).await?;
        let mut tables: BTreeMap<u32, TableSet> = BTreeMap::new();
        let numbers = rows.iter().map(|row| row.value("data_packet", "tables_number"));
        let numbers = numbers.collect::<Result<BTreeSet<u32>, _>>()?;
        let select =
            numbers.iter().fold(TABLES.of_rows(numbers.len()), |select, number| select.bind(*number));
        for row in tx.all(select).await? {
            tables.insert(row.value("packet_table_tracking", "tables_number")?, table_set(&row)?);
        }
        let mut found: BTreeMap<PacketId, PacketHead> = BTreeMap::new();
        for row in rows {
            let id: Uuid = row.value("data_packet", "id")?;
            let Json(packet) = row.value("data_packet", "packet")?;
            let Json(caps) = row.value("data_packet", "caps")?;
            let count: u32 = row.value("data_packet", "message_count")?;
            let message_count = usize::try_from(count).unwrap_or(usize::MAX);
            found.insert(id.into(), PacketHead { packet, caps, message_count });
            let set = tables.get(&row.value("data_packet", "tables_number")?).copied();
            let set = set.ok_or_else(|| undecodable(&row, "data_packet", "tables_number"))?;
            self.stored.insert(id.into(), Stored { number: row.value("data_packet", "number")?, set });
        }
        Ok(ids.into_iter().map(|id| Fact::Packet(id, found.remove(&id).map(Box::new))).collect())
    }

    async fn read_of_packet(
        &mut self,
        tx: &mut Tx<'_>,
        id: PacketId,
        keys: Vec<PacketKey>,
    ) -> Result<Vec<Fact>, TxError> {
        // What is of no packet is not there: a rule does not look it up.
        let Some(stored) = self.stored.get(&id).copied() else { return Ok(Vec::new()) };
        let (mut slots, mut ids, mut below, mut events, mut asking) =
            (vec![], vec![], vec![], vec![], vec![]);
        for key in keys {
            match key {
                PacketKey::Message(slot) => slots.push(slot),
                PacketKey::SlotOf(message) => ids.push(message),
                PacketKey::RungAbove(message) => below.push(message),
                PacketKey::DispositionEvents(slot) => events.push(slot),
                PacketKey::Asking(nearness) => asking.push(nearness),
            }
        }
        let mut facts = Vec::new();
        let found = slots_by(tx, SLOTS.on_rows(stored.set, ids.len()), stored, &ids, "id").await?;
        facts.extend(ids.into_iter().map(|id| PacketFact::SlotOf(id, found.get(&id).copied())));
        let found = slots_by(tx, RUNGS.on_rows(stored.set, below.len()), stored, &below, "below").await?;
        facts.extend(below.into_iter().map(|id| PacketFact::RungAbove(id, found.get(&id).copied())));
        facts.extend(self.read_messages(tx, id, stored, slots).await?);
        facts.extend(read_dispositions(tx, stored, events).await?);
        facts.extend(read_asking(tx, stored, asking).await?);
        Ok(facts.into_iter().map(|fact| Fact::OfPacket(id, fact)).collect())
    }
}

impl Reader {
    async fn read_messages(
        &mut self,
        tx: &mut Tx<'_>,
        packet: PacketId,
        stored: Stored,
        slots: Vec<Slot>,
    ) -> Result<Vec<PacketFact>, TxError> {
        let select = bind_slots(MESSAGES.on_rows(stored.set, slots.len()).bind(stored.number), &slots);
        let mut found: BTreeMap<Slot, MessageData> = BTreeMap::new();
        for row in tx.all(select).await? {
            let Json(message) = row.value("messages", "message")?;
            let Json(state) = row.value("messages", "state")?;
            let record = MessageRecord { message, state };
            let message = MessageData { record, attempts: Vec::new(), history: Vec::new() };
            found.insert(slot(&row, "messages")?, message);
        }
        let select = bind_slots(TRANSITIONS.on_rows(stored.set, slots.len()).bind(stored.number), &slots);
        for row in tx.all(select).await? {
            let slot = slot(&row, "transitions")?;
            let Some(message) = found.get_mut(&slot) else { continue };
            let Json(state) = row.value("transitions", "state")?;
            let attempts: Option<Json<Vec<Attempt>>> = row.value("transitions", "attempts")?;
            message.record.state = state;
            for attempt in attempts.into_iter().flat_map(|Json(attempts)| attempts) {
                match message.attempts.iter_mut().find(|known| known.epoch == attempt.epoch) {
                    Some(known) => *known = attempt,
                    None => message.attempts.push(attempt),
                }
            }
            self.writes.insert((packet, slot), row.value("transitions", "number")?);
        }
        for slot in &slots {
            self.writes.entry((packet, *slot)).or_insert(0);
        }
        let fact = |slot| PacketFact::Message(slot, found.remove(&slot).map(Box::new));
        Ok(slots.into_iter().map(fact).collect())
    }
}

async fn slots_by(
    tx: &mut Tx<'_>,
    select: Bound<'_>,
    stored: Stored,
    ids: &[MessageId],
    column: &'static str,
) -> Result<BTreeMap<MessageId, Slot>, TxError> {
    let select = ids.iter().fold(select.bind(stored.number), |select, id| select.bind(id.as_uuid()));
    let mut found = BTreeMap::new();
    for row in tx.all(select).await? {
        let id: Uuid = row.value("messages", column)?;
        found.insert(id.into(), slot(&row, "messages")?);
    }
    Ok(found)
}

async fn read_dispositions(
    tx: &mut Tx<'_>,
    stored: Stored,
    slots: Vec<Slot>,
) -> Result<Vec<PacketFact>, TxError> {
    let select = bind_slots(DISPOSITIONS.on_rows(stored.set, slots.len()).bind(stored.number), &slots);
    let mut found: BTreeMap<Slot, Vec<(ProviderName, Arc<str>)>> = BTreeMap::new();
    for row in tx.all(select).await? {
        let (provider, event): (String, String) =
            (row.value("dispositions", "provider")?, row.value("dispositions", "event")?);
        let seen = (ProviderName(provider.into()), event.into());
        found.entry(slot(&row, "dispositions")?).or_default().push(seen);
    }
    let mut events = |slot| found.remove(&slot).unwrap_or_default().into_iter().collect();
    Ok(slots.into_iter().map(|slot| PacketFact::DispositionEvents(slot, events(slot))).collect())
}

async fn read_asking(
    tx: &mut Tx<'_>,
    stored: Stored,
    asking: Vec<Nearness>,
) -> Result<Vec<PacketFact>, TxError> {
    let select = ASKING.of_rows(asking.len()).bind(stored.number);
    let select = asking.iter().fold(select, |select, (ahead, at, slot)| {
        select.bind(ahead.num_microseconds().unwrap_or(i64::MAX)).bind(*at).bind(column(*slot))
    });
    let mut found: BTreeSet<Nearness> = BTreeSet::new();
    for row in tx.all(select).await? {
        let ahead: i64 = row.value("packet_asking", "ahead")?;
        let at = row.value("packet_asking", "at")?;
        found.insert((TimeDelta::microseconds(ahead), at, slot(&row, "packet_asking")?));
    }
    let fact = |asks| if found.contains(&asks) { PacketFact::Asks(asks) } else { PacketFact::AsksNot(asks) };
    Ok(asking.into_iter().map(fact).collect())
}

async fn read_of_campaign(
    tx: &mut Tx<'_>,
    id: CampaignId,
    keys: Vec<CampaignKey>,
) -> Result<Vec<Fact>, TxError> {
    let (mut packets, mut appointments, mut named) = (vec![], vec![], vec![]);
    for key in keys {
        match key {
            CampaignKey::PacketOf(key) => packets.push((Digest::of_packet_key(&key), key)),
            CampaignKey::Appointment(key) => appointments.push((Digest::of_appointment(&key), key)),
            CampaignKey::NamedIn(key) => named.push((Digest::of_appointment(&key), key)),
        }
    }
    let mut facts = Vec::new();
    let found: BTreeMap<Vec<u8>, Uuid> =
        by_digest(tx, PACKETS_OF, id.as_uuid(), &packets, "packet_id").await?;
    facts.extend(packets.into_iter().map(|(digest, key)| {
        CampaignFact::PacketOf(key, found.get(digest.as_bytes()).copied().map(PacketId::from))
    }));
    let mut found: BTreeMap<Vec<u8>, Json<Vec<HeldRow>>> =
        by_digest(tx, APPOINTMENTS, id.as_uuid(), &appointments, "held").await?;
    facts.extend(appointments.into_iter().map(|(digest, key)| {
        let held = found.remove(digest.as_bytes()).map(|Json(held)| held);
        CampaignFact::Appointment(key, held.unwrap_or_default())
    }));
    let found: BTreeMap<Vec<u8>, Uuid> = by_digest(tx, NAMED_IN, id.as_uuid(), &named, "packet_id").await?;
    facts.extend(named.into_iter().map(|(digest, key)| {
        CampaignFact::NamedIn(key, found.get(digest.as_bytes()).copied().map(PacketId::from))
    }));
    Ok(facts.into_iter().map(|fact| Fact::OfCampaign(id, fact)).collect())
}

async fn read_attempts(tx: &mut Tx<'_>, ids: Vec<AttemptId>) -> Result<Vec<Fact>, TxError> {
    let select = ids.iter().fold(ATTEMPTS.of_rows(ids.len()), |select, id| select.bind(id.as_uuid()));
    let mut found: BTreeMap<AttemptId, AttemptLocation> = BTreeMap::new();
    for row in tx.all(select).await? {
        let id = |column| row.value::<Uuid>("attempts", column);
        let location = AttemptLocation {
            company: id("company_id")?.into(),
            packet: id("packet_id")?.into(),
            message: id("message_id")?.into(),
        };
        found.insert(id("id")?.into(), location);
    }
    Ok(ids.into_iter().map(|id| Fact::Attempt(id, found.get(&id).copied())).collect())
}

/// What stands under each digest in a column.
async fn by_digest<K, T>(
    tx: &mut Tx<'_>,
    select: Statement,
    of: Uuid,
    keys: &[(Digest, K)],
    column: &'static str,
) -> Result<BTreeMap<Vec<u8>, T>, TxError>
where
    T: for<'r> Decode<'r, MySql> + Type<MySql>,
{
    let select = select.of_rows(keys.len()).bind(of);
    let select = keys.iter().fold(select, |select, (digest, _)| select.bind(digest.as_bytes()));
    let mut found = BTreeMap::new();
    for row in tx.all(select).await? {
        found.insert(row.value("a ledger", "digest")?, row.value("a ledger", column)?);
    }
    Ok(found)
}

pub(crate) fn stored(row: &MySqlRow) -> Result<Stored, StoreError> {
    Ok(Stored { number: row.value("data_packet", "number")?, set: table_set(row)? })
}

fn table_set(row: &MySqlRow) -> Result<TableSet, StoreError> {
    Ok(TableSet {
        campaign: row.value("packet_table_tracking", "campaign_number")?,
        day: row.value("packet_table_tracking", "day")?,
        version: row.value("packet_table_tracking", "version")?,
    })
}

fn bind_slots<'q>(select: Bound<'q>, slots: &[Slot]) -> Bound<'q> {
    slots.iter().fold(select, |select, slot| select.bind(column(*slot)))
}

/// A slot as a column has it.
pub(crate) fn column(slot: Slot) -> u32 {
    u32::try_from(slot).unwrap_or(u32::MAX)
}

fn slot(row: &MySqlRow, table: &'static str) -> Result<Slot, StoreError> {
    let slot: u32 = row.value(table, "slot")?;
    Ok(usize::try_from(slot).unwrap_or(usize::MAX))
}
