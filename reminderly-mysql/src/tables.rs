//! Tables for packets, made before the transactions that use them.

use async_trait::async_trait;
use chrono::NaiveDate;
use reminderly_core::domain::packet::PacketOrigin;
use reminderly_core::ids::{CampaignId, CompanyId, PacketId};
use reminderly_core::ports::store::{NewPacket, StoreError};

use crate::reads::{Question, Reads};
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::table_set::TableSet;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::Values as _;

const CAMPAIGN_NUMBER: Statement =
    statement("SELECT number FROM company_campaigns WHERE company_id = ? AND id = ?");
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
const TABLES_MADE: Statement =
    statement("UPDATE packet_table_tracking SET state = ? WHERE number = ? AND state = 'making'");

/// For which packet tables are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TablesFor {
    pub(crate) packet: PacketId,
    pub(crate) company: CompanyId,
    campaign: CampaignId,
    day: NaiveDate,
    pub(crate) is_file: bool,
}

/// Tables that a packet may use once they are ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tables {
    /// Of `packet_table_tracking`.
    pub(crate) number: u32,
    pub(crate) set: TableSet,
    is_ready: bool,
}

impl TablesFor {
    pub(crate) fn of(company: CompanyId, new: &NewPacket) -> Self {
        let is_file = matches!(new.origin, PacketOrigin::File { .. });
        Self { packet: new.id, company, campaign: new.campaign, day: new.created_at.date_naive(), is_file }
    }
}

#[async_trait]
impl Question for TablesFor {
    type Answer = Option<Tables>;

    /// Tables that are ready, which is so for all but the first call of a day.
    async fn ask(&self, reads: &mut Connection) -> Result<Option<Tables>, TxError> {
        let campaign = self.campaign_number(reads, Lock::Not).await?;
        Ok(self.find(reads, campaign).await?.filter(|tables| tables.is_ready))
    }
}

#[async_trait]
impl Work for TablesFor {
    type Done = Tables;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Tables, TxError> {
        let Self { day, is_file, .. } = *self;
        let campaign = self.campaign_number(tx, Lock::Alone).await?;
        if let Some(tables) = self.find(tx, campaign).await? {
            return Ok(tables);
        }
        let last = tx.one(LAST_VERSION.bind(campaign).bind(day)).await?;
        let last: u64 = last.map_or(Ok(0), |row| row.value(TRACKING, "version"))?;
        let version = u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1);
        let purpose = if is_file { "file" } else { "shared" };
        tx.write(ADD_TABLES.bind(campaign).bind(day).bind(version).bind(purpose)).await?;
        let row = tx.one(TABLES_NUMBER.bind(campaign).bind(day).bind(version)).await?;
        let number = row.ok_or(StoreError::Missing { what: "tables" })?.value(TRACKING, "number")?;
        Ok(Tables { number, set: TableSet::Packets { campaign, day, version }, is_ready: false })
    }
}

impl TablesFor {
    async fn campaign_number(&self, reads: &mut dyn Reads, lock: Lock) -> Result<u32, TxError> {
        let select = CAMPAIGN_NUMBER.bind(self.company.as_uuid()).bind(self.campaign.as_uuid());
        let row = reads.one(select.locking(lock)).await?;
        Ok(row.ok_or(StoreError::Missing { what: "campaign" })?.value("company_campaigns", "number")?)
    }

    async fn find(&self, reads: &mut dyn Reads, campaign: u32) -> Result<Option<Tables>, TxError> {
        let find = if self.is_file { FREE_TABLES } else { SHARED_TABLES };
        let Some(row) = reads.one(find.bind(campaign).bind(self.day)).await? else { return Ok(None) };
        let (version, state): (u32, String) =
            (row.value(TRACKING, "version")?, row.value(TRACKING, "state")?);
        let set = TableSet::Packets { campaign, day: self.day, version };
        Ok(Some(Tables { number: row.value(TRACKING, "number")?, set, is_ready: state == "ready" }))
    }
}

pub(crate) const TRACKING: &str = "packet_table_tracking";
const TABLES_NUMBER: Statement = statement(
    "SELECT number FROM packet_table_tracking WHERE campaign_number = ? AND day = ? AND version = ?",
);

/// Whether there is nothing in tables. What stands in those that were just made stood there before: a backup was loaded that does not know
/// of them, and their numbers are given out again.
pub(crate) struct IsClean(pub(crate) TableSet);

#[async_trait]
impl Question for IsClean {
    type Answer = bool;

    async fn ask(&self, reads: &mut Connection) -> Result<bool, TxError> {
        for any in [ANY_ROW, ANY_MESSAGE, ANY_TRANSITION, ANY_DISPOSITION, ANY_DUE] {
            if reads.one(any.on(self.0)).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

const ANY_ROW: Statement = statement("SELECT 1 FROM {set}_data LIMIT 1");
const ANY_MESSAGE: Statement = statement("SELECT 1 FROM {set}_messages LIMIT 1");
const ANY_TRANSITION: Statement = statement("SELECT 1 FROM {set}_transitions LIMIT 1");
const ANY_DISPOSITION: Statement = statement("SELECT 1 FROM {set}_dispositions LIMIT 1");
const ANY_DUE: Statement = statement("SELECT 1 FROM {set}_due LIMIT 1");

struct TablesMade {
    number: u32,
    is_clean: bool,
}

#[async_trait]
impl Work for TablesMade {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        let state = if self.is_clean { "ready" } else { "left" };
        tx.write(TABLES_MADE.bind(state).bind(self.number)).await
    }
}

impl MySqlStore {
    /// Makes the tables of a set that are not there.
    pub(crate) async fn make(&self, set: TableSet) -> Result<(), StoreError> {
        for definition in set.definitions() {
            self.define(&definition).await?;
        }
        Ok(())
    }

    /// Tables for a packet, ready for use.
    pub(crate) async fn tables(&self, wanted: TablesFor) -> Result<Tables, StoreError> {
        if let Some(ready) = self.ask(wanted).await? {
            return Ok(ready);
        }
        loop {
            let taken = self.transact(wanted).await?;
            if taken.is_ready {
                return Ok(taken);
            }
            self.make(taken.set).await?;
            let is_clean = self.ask(IsClean(taken.set)).await?;
            self.transact(TablesMade { number: taken.number, is_clean }).await?;
            if is_clean {
                return Ok(taken);
            }
        }
    }
}
