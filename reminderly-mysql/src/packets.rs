use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::packet::{Draining, IngestProgress, Packet, PacketOrigin};
use reminderly_core::domain::row::{RejectedRow, Row, RowNumber};
use reminderly_core::ids::{CampaignId, CompanyId, PacketId};
use reminderly_core::ports::store::{
    NewPacket, PacketCreation, PacketStore, RowBatch, StageChange, StoreError, WriteOutcome,
};
use reminderly_core::storage::{self, PacketNaturalKey, Records};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::apply::{Apply, Made};
use crate::digest::Digest;
use crate::reading::{Lock, Stored, stored};
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::table_set::TableSet;
use crate::transaction::{TRIES, Tx, TxError, Work};
use crate::values::{Values as _, one_more, page};

const PACKET: Statement = statement("SELECT id, packet FROM data_packet WHERE company_id = ? AND id = ?");
const PACKETS: Statement = statement(
    "SELECT id, packet FROM data_packet WHERE campaign_id = ? AND id > ? AND company_id = ? ORDER BY id LIMIT ?",
);
const PACKET_OF_KEY: Statement = statement(
    "SELECT id, packet FROM packet_keys JOIN data_packet ON id = packet_id \
     WHERE packet_keys.campaign_id = ? AND digest = ? AND company_id = ? AND stage <> 'cancelled'",
);
const OPEN: Statement =
    statement("SELECT id, packet FROM data_packet WHERE is_open = 1 AND id > ? ORDER BY id LIMIT ?");
const ENDED: Statement = statement("SELECT id FROM data_packet WHERE has_ended = 1 AND id IN ({1})");
const STORED: Statement = statement(
    "SELECT data_packet.number, campaign_number, day, version FROM data_packet \
     JOIN packet_table_tracking ON packet_table_tracking.number = tables_number WHERE company_id = ? AND id = ?",
);
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
const CAMPAIGN_NUMBER: Statement =
    statement("SELECT number FROM company_campaigns WHERE company_id = ? AND id = ? FOR UPDATE");
const SHARED_TABLES: Statement = statement(
    "SELECT number, version, state FROM packet_table_tracking \
     WHERE campaign_number = ? AND day = ? AND purpose = 'shared' AND state IN ('making', 'ready') ORDER BY version LIMIT 1",
);
/// Made for a packet that then was not; one that is used is `taken`.
const FREE_TABLES: Statement = statement(
    "SELECT number, version, state FROM packet_table_tracking \
     WHERE campaign_number = ? AND day = ? AND purpose = 'file' AND state IN ('making', 'ready') ORDER BY version LIMIT 1",
);
const LAST_VERSION: Statement = statement(
    "SELECT CAST(COALESCE(MAX(version), 0) AS UNSIGNED) AS version FROM packet_table_tracking \
     WHERE campaign_number = ? AND day = ?",
);
const ADD_TABLES: Statement = statement(
    "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
     VALUES (?, ?, ?, ?, 'making', '')",
);
const TABLES_READY: Statement =
    statement("UPDATE packet_table_tracking SET state = 'ready' WHERE number = ? AND state = 'making'");

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
        let select = PACKET_OF_KEY.bind(campaign.as_uuid()).bind(digest.as_bytes());
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
        self.transact(ChangeStage { company, change }).await?
    }

    async fn set_draining(
        &self,
        company: CompanyId,
        packet: PacketId,
        drain: Draining,
    ) -> Result<WriteOutcome, StoreError> {
        let rule = |records: &mut Records, drain| storage::set_draining(records, company, packet, drain);
        self.apply(company, Lock::Alone, drain, rule).await?
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
        self.apply(company, Lock::Alone, progress, rule).await?
    }

    async fn append_rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError> {
        let rule = |records: &mut Records, batch| storage::append_rows(records, company, packet, batch);
        self.apply(company, Lock::Alone, batch, rule).await?
    }

    async fn rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<Row, RowNumber>, StoreError> {
        let Some(Stored { number, set }) = self.stored(company, packet).await? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let select = ROWS.on(set).bind(number).bind(after.0).bind(one_more(limit));
        let rows = self.all(select).await?.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        Ok(page(rows, limit, |row| row.number))
    }

    async fn row(
        &self,
        company: CompanyId,
        packet: PacketId,
        number: RowNumber,
    ) -> Result<Option<Row>, StoreError> {
        let Some(stored) = self.stored(company, packet).await? else { return Ok(None) };
        let select = ROW.on(stored.set).bind(stored.number).bind(number.0);
        self.one(select).await?.map(|found| row(&found)).transpose()
    }

    async fn rejected(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<RejectedRow, RowNumber>, StoreError> {
        let Some(Stored { number, set }) = self.stored(company, packet).await? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let select = REJECTED.on(set).bind(number).bind(after.0).bind(one_more(limit));
        let rejected = |row: &MySqlRow| {
            let Json(rejected) = row.value("data", "rejected")?;
            Ok(rejected)
        };
        let rows: Vec<RejectedRow> =
            self.all(select).await?.iter().map(rejected).collect::<Result<_, StoreError>>()?;
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
        let select = ids.iter().fold(ENDED.of_rows(ids.len()), |select, id| select.bind(id.as_uuid()));
        let mut ended = Vec::new();
        for row in self.all(select).await? {
            ended.push(PacketId::from(row.value::<Uuid>("data_packet", "id")?));
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
        let mut apply =
            Apply { company, packets_are: Lock::Alone, company_is: Lock::Alone, tables: None, args, rule };
        for _ in 0..TRIES {
            if let Made::Done(creation) = self.transact(&apply).await? {
                return creation;
            }
            // Others may have taken them when it comes to use them.
            apply.tables = Some(self.tables(tables).await?);
        }
        Err(StoreError::Unavailable { source: "others took the tables of the packet each time".into() })
    }

    /// Tables for a packet, ready for use: the number of the set.
    async fn tables(&self, wanted: TablesFor) -> Result<u32, StoreError> {
        let taken = self.transact(wanted).await?;
        if !taken.is_ready {
            for definition in taken.set.definitions() {
                self.define(definition).await?;
            }
            self.transact(TablesReady(taken.number)).await?;
        }
        Ok(taken.number)
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

    /// Applies a rule that makes no packet.
    pub(crate) async fn apply<A: Clone + Send + Sync, T: Send>(
        &self,
        company: CompanyId,
        packets_are: Lock,
        args: A,
        rule: impl Fn(&mut Records, A) -> T + Send + Sync,
    ) -> Result<T, StoreError> {
        let apply = Apply { company, packets_are, company_is: Lock::Alone, tables: None, args, rule };
        match self.transact(&apply).await? {
            Made::Done(answer) => Ok(answer),
            Made::NeedsTables => Err(StoreError::Missing { what: "packet" }),
        }
    }
}

/// For which packet tables are wanted.
#[derive(Debug, Clone, Copy)]
struct TablesFor {
    company: CompanyId,
    campaign: CampaignId,
    day: NaiveDate,
    is_file: bool,
}

struct Tables {
    number: u32,
    set: TableSet,
    is_ready: bool,
}

impl TablesFor {
    fn of(company: CompanyId, new: &NewPacket) -> Self {
        let is_file = matches!(new.origin, PacketOrigin::File { .. });
        Self { company, campaign: new.campaign, day: new.created_at.date_naive(), is_file }
    }
}

#[async_trait]
impl Work for TablesFor {
    type Done = Tables;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Tables, TxError> {
        let Self { company, campaign, day, is_file } = *self;
        let row = tx.one(CAMPAIGN_NUMBER.bind(company.as_uuid()).bind(campaign.as_uuid())).await?;
        let campaign: u32 =
            row.ok_or(StoreError::Missing { what: "campaign" })?.value("company_campaigns", "number")?;
        let find = if is_file { FREE_TABLES } else { SHARED_TABLES };
        if let Some(row) = tx.one(find.bind(campaign).bind(day)).await? {
            let (version, state): (u32, String) =
                (row.value(TRACKING, "version")?, row.value(TRACKING, "state")?);
            let set = TableSet { campaign, day, version };
            return Ok(Tables { number: row.value(TRACKING, "number")?, set, is_ready: state == "ready" });
        }
        let last = tx.one(LAST_VERSION.bind(campaign).bind(day)).await?;
        let last: u64 = last.map_or(Ok(0), |row| row.value(TRACKING, "version"))?;
        let version = u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1);
        let purpose = if is_file { "file" } else { "shared" };
        tx.write(ADD_TABLES.bind(campaign).bind(day).bind(version).bind(purpose)).await?;
        let row = tx.one(TABLES_NUMBER.bind(campaign).bind(day).bind(version)).await?;
        let number = row.ok_or(StoreError::Missing { what: "tables" })?.value(TRACKING, "number")?;
        Ok(Tables { number, set: TableSet { campaign, day, version }, is_ready: false })
    }
}

const TRACKING: &str = "packet_table_tracking";
const TABLES_NUMBER: Statement = statement(
    "SELECT number FROM packet_table_tracking WHERE campaign_number = ? AND day = ? AND version = ?",
);

struct TablesReady(u32);

#[async_trait]
impl Work for TablesReady {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        tx.write(TABLES_READY.bind(self.0)).await
    }
}

/// A change of stage, which depends on how many messages are open.
struct ChangeStage {
    company: CompanyId,
    change: StageChange,
}

#[async_trait]
impl Work for ChangeStage {
    type Done = Result<WriteOutcome, StoreError>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Done, TxError> {
        let (company, id) = (self.company, self.change.packet);
        let open = match tx.one(LOCK_STORED.bind(company.as_uuid()).bind(id.as_uuid())).await? {
            Some(row) => {
                let number: u32 = row.value("data_packet", "number")?;
                let row = tx.one(OPEN_COUNT.bind(number)).await?;
                let open = row.as_ref().map_or(Ok(0), |row| row.value::<i64>("packet_counts", "count"))?;
                // A counter that has lost something must not end the packet.
                u64::try_from(open).unwrap_or(u64::MAX)
            }
            None => 0,
        };
        let rule = |records: &mut Records, change| storage::change_stage(records, company, change, open);
        let (packets_are, company_is) = (Lock::Alone, Lock::Alone);
        let change = self.change.clone();
        let apply = Apply { company, packets_are, company_is, tables: None, args: change, rule };
        match (&apply).run(tx).await? {
            Made::Done(outcome) => Ok(outcome),
            Made::NeedsTables => Ok(Err(StoreError::Missing { what: "packet" })),
        }
    }
}

const LOCK_STORED: Statement =
    statement("SELECT number FROM data_packet WHERE company_id = ? AND id = ? FOR UPDATE");

fn packet(row: &MySqlRow) -> Result<Packet, StoreError> {
    let Json(packet) = row.value("data_packet", "packet")?;
    Ok(packet)
}

fn packets(rows: &[MySqlRow], limit: usize) -> Result<Page<Packet, PacketId>, StoreError> {
    let packets = rows.iter().map(packet).collect::<Result<Vec<_>, _>>()?;
    Ok(page(packets, limit, |packet| packet.id))
}

fn row(row: &MySqlRow) -> Result<Row, StoreError> {
    let Json(fields) = row.value("data", "fields")?;
    Ok(fields)
}
