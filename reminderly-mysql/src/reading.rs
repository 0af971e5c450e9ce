//! What a rule looks up, read under its locks.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use chrono::NaiveDate;
use reminderly_core::domain::attempt::AttemptLocation;
use reminderly_core::ids::{AttemptId, CampaignId, CompanyId, PacketId};
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{
    CampaignFact, CampaignHead, CampaignKey, CompanyKey, Fact, HeldRow, Key, PacketHead, PacketKey, Slot,
};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};
use sqlx::{Decode, MySql, Type};

use crate::campaigns;
use crate::digest::Digest;
use crate::reads::Reads;
use crate::statement::{Lock, Statement, statement};
use crate::table_set::TableSet;
use crate::transaction::TxError;
use crate::values::Values as _;

/// How a call locks what it looks up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locks {
    pub(crate) campaigns: Lock,
    pub(crate) packets: Lock,
    /// The packet that it changes, which it has alone.
    pub(crate) changed: Option<PacketId>,
    /// What the company knows of refusals, answers and appointments.
    pub(crate) guards: Lock,
    /// Messages, and whatever else the company knows.
    pub(crate) others: Lock,
}

impl Locks {
    /// Of a call that changes nothing.
    pub(crate) const NONE: Self = Self {
        campaigns: Lock::Not,
        packets: Lock::Not,
        changed: None,
        guards: Lock::Not,
        others: Lock::Not,
    };
    /// Of a call that changes messages of packets which stay as they are.
    pub(crate) const OF_MESSAGES: Self = Self {
        campaigns: Lock::Shared,
        packets: Lock::Shared,
        changed: None,
        guards: Lock::Alone,
        others: Lock::Alone,
    };
    /// Of a claim, which only looks at its guards: claims do not wait for each other's.
    pub(crate) const OF_CLAIM: Self = Self { guards: Lock::Shared, ..Self::OF_MESSAGES };

    /// Of a call that changes a packet. Others that it looks at go on meanwhile.
    pub(crate) const fn of_packet(packet: PacketId) -> Self {
        Self { changed: Some(packet), ..Self::OF_MESSAGES }
    }
}

/// Where a packet is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    /// What stands for its id in its tables.
    pub(crate) number: u32,
    pub(crate) set: TableSet,
    /// Where it is being moved to: what is added to it is added there, too.
    pub(crate) moving_to: Option<TableSet>,
}

impl Stored {
    /// All sets of tables to which something is to be added.
    pub(crate) fn sets(&self) -> impl Iterator<Item = TableSet> + use<> {
        iter::once(self.set).chain(self.moving_to)
    }
}

/// Reads for one call of one rule.
pub(crate) struct Reader {
    pub(crate) company: CompanyId,
    pub(crate) locks: Locks,
    pub(crate) stored: BTreeMap<PacketId, Stored>,
    /// The number of the last write to each message that was read; 0 of one that nothing was done to.
    pub(crate) writes: BTreeMap<(PacketId, Slot), u32>,
}

const CAMPAIGNS: Statement = statement(
    "SELECT id, state, newest_file, last_file_came_at FROM company_campaigns \
     WHERE company_id = ? AND id IN ({rows}) ORDER BY id",
);
const PACKETS: Statement = statement(
    "SELECT id, number, campaign_number, day, version, moving_to, packet, caps, message_count FROM data_packet \
     WHERE id IN ({rows}) ORDER BY id",
);
const ATTEMPTS: Statement =
    statement("SELECT id, company_id, packet_id, message_id FROM attempts WHERE id IN ({rows})");
const PACKETS_OF: Statement =
    statement("SELECT digest, packet_id FROM packet_keys WHERE campaign_id = ? AND digest IN ({rows})");
const APPOINTMENTS: Statement =
    statement("SELECT digest, held FROM appointments WHERE campaign_id = ? AND digest IN ({rows})");
const NAMED_IN: Statement = statement(
    "SELECT digest, packet_id FROM appointments_named WHERE campaign_id = ? AND digest IN ({rows})",
);

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
    pub(crate) const fn new(company: CompanyId, locks: Locks) -> Self {
        Self { company, locks, stored: BTreeMap::new(), writes: BTreeMap::new() }
    }

    /// Reads what was looked up, in the order of locks.
    pub(crate) async fn read(&mut self, reads: &mut dyn Reads, keys: Vec<Key>) -> Result<Vec<Fact>, TxError> {
        let wanted = Wanted::of(keys);
        let mut facts = self.read_campaigns(reads, wanted.campaigns).await?;
        facts.extend(self.read_packets(reads, wanted.packets).await?);
        for (id, keys) in wanted.of_packets {
            facts.extend(self.read_of_packet(reads, id, keys).await?);
        }
        facts.extend(self.read_of_company(reads, wanted.of_company, &wanted.of_campaigns).await?);
        for (id, keys) in wanted.of_campaigns {
            facts.extend(read_of_campaign(reads, id, keys).await?);
        }
        facts.extend(read_attempts(reads, wanted.attempts).await?);
        Ok(facts)
    }

    async fn read_campaigns(
        &self,
        reads: &mut dyn Reads,
        ids: BTreeSet<CampaignId>,
    ) -> Result<Vec<Fact>, TxError> {
        let select = CAMPAIGNS.bind(self.company.as_uuid()).locking(self.locks.campaigns);
        let mut found: BTreeMap<CampaignId, CampaignHead> = BTreeMap::new();
        for row in reads.each(select.each(ids.iter().map(|id| [id.as_uuid().into()]))).await? {
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

    async fn read_packets(
        &mut self,
        reads: &mut dyn Reads,
        ids: BTreeSet<PacketId>,
    ) -> Result<Vec<Fact>, TxError> {
        let (alone, others): (Vec<PacketId>, Vec<PacketId>) =
            ids.iter().partition(|id| self.locks.changed == Some(**id));
        let select = |ids: Vec<PacketId>, lock| {
            PACKETS.locking(lock).each(ids.into_iter().map(|id| [id.as_uuid().into()]))
        };
        let mut rows = reads.each(select(alone, Lock::Alone)).await?;
        rows.extend(reads.each(select(others, self.locks.packets)).await?);
        let mut found: BTreeMap<PacketId, PacketHead> = BTreeMap::new();
        for row in rows {
            let id: Uuid = row.value("data_packet", "id")?;
            let Json(packet) = row.value("data_packet", "packet")?;
            let Json(caps) = row.value("data_packet", "caps")?;
            let count: u32 = row.value("data_packet", "message_count")?;
            let message_count = usize::try_from(count).unwrap_or(usize::MAX);
            found.insert(id.into(), PacketHead { packet, caps, message_count });
            self.stored.insert(id.into(), stored(&row)?);
        }
        Ok(ids.into_iter().map(|id| Fact::Packet(id, found.remove(&id).map(Box::new))).collect())
    }
}

async fn read_of_campaign(
    reads: &mut dyn Reads,
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
        by_digest(reads, PACKETS_OF, id.as_uuid(), &packets, ("packet_keys", "packet_id")).await?;
    facts.extend(packets.into_iter().map(|(digest, key)| {
        CampaignFact::PacketOf(key, found.get(digest.as_bytes()).copied().map(PacketId::from))
    }));
    let mut found: BTreeMap<Vec<u8>, Json<Vec<HeldRow>>> =
        by_digest(reads, APPOINTMENTS, id.as_uuid(), &appointments, ("appointments", "held")).await?;
    facts.extend(appointments.into_iter().map(|(digest, key)| {
        let held = found.remove(digest.as_bytes()).map(|Json(held)| held);
        CampaignFact::Appointment(key, held.unwrap_or_default())
    }));
    let found: BTreeMap<Vec<u8>, Uuid> =
        by_digest(reads, NAMED_IN, id.as_uuid(), &named, ("appointments_named", "packet_id")).await?;
    facts.extend(named.into_iter().map(|(digest, key)| {
        CampaignFact::NamedIn(key, found.get(digest.as_bytes()).copied().map(PacketId::from))
    }));
    Ok(facts.into_iter().map(|fact| Fact::OfCampaign(id, fact)).collect())
}

async fn read_attempts(reads: &mut dyn Reads, ids: Vec<AttemptId>) -> Result<Vec<Fact>, TxError> {
    let found = attempt_locations(reads, &ids).await?;
    Ok(ids.into_iter().map(|id| Fact::Attempt(id, found.get(&id).copied())).collect())
}

/// Where attempts are stored.
pub(crate) async fn attempt_locations(
    reads: &mut dyn Reads,
    ids: &[AttemptId],
) -> Result<BTreeMap<AttemptId, AttemptLocation>, TxError> {
    let mut found: BTreeMap<AttemptId, AttemptLocation> = BTreeMap::new();
    for row in reads.each(ATTEMPTS.each(ids.iter().map(|id| [id.as_uuid().into()]))).await? {
        let id = |column| row.value::<Uuid>("attempts", column);
        let location = AttemptLocation {
            company: id("company_id")?.into(),
            packet: id("packet_id")?.into(),
            message: id("message_id")?.into(),
        };
        found.insert(id("id")?.into(), location);
    }
    Ok(found)
}

/// What stands under each digest in a column.
async fn by_digest<K, T>(
    reads: &mut dyn Reads,
    select: Statement,
    of: Uuid,
    keys: &[(Digest, K)],
    (table, column): (&'static str, &'static str),
) -> Result<BTreeMap<Vec<u8>, T>, TxError>
where
    T: for<'r> Decode<'r, MySql> + Type<MySql>,
{
    let mut found = BTreeMap::new();
    for row in reads.each(select.bind(of).each(keys.iter().map(|(digest, _)| [(*digest).into()]))).await? {
        found.insert(row.value(table, "digest")?, row.value(table, column)?);
    }
    Ok(found)
}

/// Where the packet of a row is stored.
pub(crate) fn stored(row: &MySqlRow) -> Result<Stored, StoreError> {
    let campaign = row.value("data_packet", "campaign_number")?;
    let set = TableSet::of_columns(
        campaign,
        row.value("data_packet", "day")?,
        row.value("data_packet", "version")?,
    );
    let moving_to: Option<NaiveDate> = row.value("data_packet", "moving_to")?;
    let moving_to = moving_to.map(|last_day| TableSet::Month { campaign, last_day });
    Ok(Stored { number: row.value("data_packet", "number")?, set, moving_to })
}

/// A slot as a column has it.
pub(crate) fn column(slot: Slot) -> u32 {
    u32::try_from(slot).unwrap_or(u32::MAX)
}

pub(crate) fn slot(row: &MySqlRow, table: &'static str) -> Result<Slot, StoreError> {
    let slot: u32 = row.value(table, "slot")?;
    Ok(usize::try_from(slot).unwrap_or(usize::MAX))
}
