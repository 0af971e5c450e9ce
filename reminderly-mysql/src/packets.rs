use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::packet::{Draining, IngestProgress, Packet};
use reminderly_core::domain::row::{RejectedRow, Row, RowNumber};
use reminderly_core::ids::{CampaignId, CompanyId, PacketId};
use reminderly_core::ports::store::{
    NewPacket, PacketCreation, PacketStore, RowBatch, StageChange, StoreError, WriteOutcome,
};
use reminderly_core::storage::{self, PacketNaturalKey, Records};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::apply::{Apply, Find, Made, STORED};
use crate::digest::Digest;
use crate::message_reads::place_of;
use crate::reading::{Locks, Stored, stored};
use crate::reads::{Question, Reads as _};
use crate::statement::{Bound, Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::tables::TablesFor;
use crate::transaction::{Connection, TRIES, Tx, TxError};
use crate::values::{Values as _, one_more, page};

pub(crate) const PACKET: Statement =
    statement("SELECT id, packet FROM data_packet WHERE company_id = ? AND id = ?");
const PACKETS: Statement = statement(
    "SELECT id, packet FROM data_packet WHERE campaign_id = ? AND id > ? AND company_id = ? ORDER BY id LIMIT ?",
);
const PACKET_OF_KEY: Statement = statement(
    "SELECT id, packet FROM packet_keys JOIN data_packet ON id = packet_id \
     WHERE packet_keys.campaign_id = ? AND digest = ? AND company_id = ? AND stage <> 'cancelled'",
);
const OPEN: Statement =
    statement("SELECT id, packet FROM data_packet WHERE is_open = 1 AND id > ? ORDER BY id LIMIT ?");
const ENDED: Statement = statement("SELECT id FROM data_packet WHERE has_ended = 1 AND id IN ({rows})");
const OPEN_COUNT: Statement = statement(
    "SELECT CAST(COALESCE(SUM(count), 0) AS SIGNED) AS count FROM packet_counts WHERE packet_number = ? AND counter = 'open'",
);
const ROWS: Statement = statement(
    "SELECT fields FROM {set}_data WHERE packet_number = ? AND row_number_in_packet > ? AND fields IS NOT NULL \
     ORDER BY row_number_in_packet LIMIT ?",
);
const ROW: Statement = statement(
    "SELECT fields FROM {set}_data WHERE packet_number = ? AND row_number_in_packet = ? AND fields IS NOT NULL",
);
const REJECTED: Statement = statement(
    "SELECT rejected FROM {set}_data WHERE packet_number = ? AND row_number_in_packet > ? AND rejected IS NOT NULL \
     ORDER BY row_number_in_packet LIMIT ?",
);
#[async_trait]
impl PacketStore for MySqlStore {
    async fn create_packet(&self, company: CompanyId, new: NewPacket) -> Result<PacketCreation, StoreError> {
        let tables = TablesFor::of(company, &new);
        self.create(tables, new, |records, new| storage::create_packet(records, company, new)).await
    }

    async fn create_loaded_packet(
        &self,
        company: CompanyId,
        new: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        let tables = TablesFor::of(company, &new);
        let rule =
            |records: &mut Records, (new, rows)| storage::create_loaded_packet(records, company, new, rows);
        self.create(tables, (new, rows), rule).await
    }

    async fn packet_of_call(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        key: &CallKey,
    ) -> Result<Option<Packet>, StoreError> {
        let digest = Digest::of_packet_key(&PacketNaturalKey::Call(key.clone()));
        let select = PACKET_OF_KEY.bind(campaign.as_uuid()).bind(digest);
        self.one(select.bind(company.as_uuid())).await?.map(|row| packet(&row)).transpose()
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Option<Packet>, StoreError> {
        let row = self.one(PACKET.bind(company.as_uuid()).bind(id.as_uuid())).await?;
        row.map(|row| packet(&row)).transpose()
    }

    async fn packets(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError> {
        let after = after.map_or(Uuid::nil(), PacketId::as_uuid);
        let select = PACKETS.bind(campaign.as_uuid()).bind(after).bind(company.as_uuid());
        packets(&self.all(select.bind(one_more(limit))).await?, limit)
    }

    async fn change_stage(
        &self,
        company: CompanyId,
        change: StageChange,
    ) -> Result<WriteOutcome, StoreError> {
        let rule = |records: &mut Records, OpenCount(open)| {
            storage::change_stage(records, company, change.clone(), open)
        };
        self.apply_to_found(company, change.packet, FindOpenCount, rule).await?
    }

    async fn set_draining(
        &self,
        company: CompanyId,
        packet: PacketId,
        drain: Draining,
    ) -> Result<WriteOutcome, StoreError> {
        let rule = |records: &mut Records, drain| storage::set_draining(records, company, packet, drain);
        self.apply(company, Locks::of_packet(packet), drain, rule).await?
    }

    async fn open_ingest(
        &self,
        company: CompanyId,
        packet: PacketId,
        progress: IngestProgress,
        at: DateTime<Utc>,
    ) -> Result<WriteOutcome, StoreError> {
        let rule =
            |records: &mut Records, progress| storage::open_ingest(records, company, packet, progress, at);
        self.apply(company, Locks::of_packet(packet), progress, rule).await?
    }

    async fn append_rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError> {
        let rule = |records: &mut Records, batch| storage::append_rows(records, company, packet, batch);
        self.apply(company, Locks::of_packet(packet), batch, rule).await?
    }

    async fn rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<Row, RowNumber>, StoreError> {
        let values = [after.0, one_more(limit)];
        let rows = self.ask(InPacket { company, packet, select: ROWS, values }).await?;
        let rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        Ok(page(rows, limit, |row| row.number))
    }

    async fn row(
        &self,
        company: CompanyId,
        packet: PacketId,
        number: RowNumber,
    ) -> Result<Option<Row>, StoreError> {
        let found = self.ask(InPacket { company, packet, select: ROW, values: [number.0] }).await?;
        found.first().map(row).transpose()
    }

    async fn rejected(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<RejectedRow, RowNumber>, StoreError> {
        let values = [after.0, one_more(limit)];
        let rows = self.ask(InPacket { company, packet, select: REJECTED, values }).await?;
        let rejected = |row: &MySqlRow| {
            let Json(rejected) = row.value("data", "rejected")?;
            Ok(rejected)
        };
        let rows: Vec<RejectedRow> = rows.iter().map(rejected).collect::<Result<_, StoreError>>()?;
        Ok(page(rows, limit, |row| row.row))
    }

    async fn open_packets_across_companies(
        &self,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError> {
        let after = after.map_or(Uuid::nil(), PacketId::as_uuid);
        packets(&self.all(OPEN.bind(after).bind(one_more(limit))).await?, limit)
    }

    async fn ended_across_companies(&self, ids: &[PacketId]) -> Result<Vec<bool>, StoreError> {
        let mut ended = BTreeSet::new();
        for row in self.each(ENDED.each(ids.iter().map(|id| [id.as_uuid().into()]))).await? {
            ended.insert(PacketId::from(row.value::<Uuid>("data_packet", "id")?));
        }
        Ok(ids.iter().map(|id| ended.contains(id)).collect())
    }
}

impl MySqlStore {
    /// Makes a packet by a rule. Its tables are made only if it is new, and before the transaction that makes it.
    async fn create<A: Clone + Send + Sync>(
        &self,
        tables: TablesFor,
        args: A,
        rule: impl Fn(&mut Records, A) -> Result<PacketCreation, StoreError> + Send + Sync,
    ) -> Result<PacketCreation, StoreError> {
        let company = tables.company;
        // A file becomes the newest of its campaign.
        let campaigns = if tables.is_file { Lock::Alone } else { Lock::Shared };
        let locks = Locks { campaigns, ..Locks::of_packet(tables.packet) };
        let mut apply = Apply { company, locks, tables: None, args, rule };
        for _ in 0..TRIES {
            if let Made::Done(creation) = self.transact(&apply).await? {
                return creation;
            }
            // Others may have taken them when it comes to use them.
            apply.tables = Some(self.tables(tables).await?);
        }
        Err(StoreError::Unavailable { source: "others took the tables of the packet each time".into() })
    }

    /// Where a packet of a company is stored.
    pub(crate) async fn stored(
        &self,
        company: CompanyId,
        id: PacketId,
    ) -> Result<Option<Stored>, StoreError> {
        let row = self.one(STORED.bind(company.as_uuid()).bind(id.as_uuid())).await?;
        row.map(|row| stored(&row)).transpose()
    }
}

/// What is in the tables of a packet; nothing if there is no such packet.
struct InPacket<const VALUES: usize> {
    company: CompanyId,
    packet: PacketId,
    select: Statement,
    /// After the number of the packet.
    values: [u64; VALUES],
}

#[async_trait]
impl<const VALUES: usize> Question for InPacket<VALUES> {
    type Answer = Vec<MySqlRow>;

    async fn ask(&self, reads: &mut Connection) -> Result<Vec<MySqlRow>, TxError> {
        let Some(stored) = place_of(reads, self.company, self.packet).await? else { return Ok(Vec::new()) };
        let select = self.select.on(stored.set).bind(stored.number);
        reads.all(self.values.into_iter().fold(select, Bound::bind)).await
    }
}

/// How many messages of a packet are open.
#[derive(Debug, Clone, Copy, Default)]
struct OpenCount(u64);

struct FindOpenCount;

#[async_trait]
impl Find for FindOpenCount {
    type Found = OpenCount;

    async fn find(&self, tx: &mut Tx<'_>, packet: Stored) -> Result<OpenCount, TxError> {
        let row = tx.one(OPEN_COUNT.bind(packet.number)).await?;
        let open = row.as_ref().map_or(Ok(0), |row| row.value::<i64>("packet_counts", "count"))?;
        // A counter that has lost something must not end the packet.
        Ok(OpenCount(u64::try_from(open).unwrap_or(u64::MAX)))
    }
}

fn packet(row: &MySqlRow) -> Result<Packet, StoreError> {
    let Json(packet) = row.value("data_packet", "packet")?;
    Ok(packet)
}

pub(crate) fn packets(rows: &[MySqlRow], limit: usize) -> Result<Page<Packet, PacketId>, StoreError> {
    let packets = rows.iter().map(packet).collect::<Result<Vec<_>, _>>()?;
    Ok(page(packets, limit, |packet| packet.id))
}

fn row(row: &MySqlRow) -> Result<Row, StoreError> {
    let Json(fields) = row.value("data", "fields")?;
    Ok(fields)
}
