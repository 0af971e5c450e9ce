//! The steps by which a month leaves the database, and comes back.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use reminderly_core::ports::store::StoreError;

use crate::reads::{Question, Reads as _};
use crate::statement::{Bound, Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::table_set::TableSet;
use crate::tables::TRACKING;
use crate::transaction::{Cause, Connection, Tx, TxError, Work};
use crate::values::Values as _;

/// How far a month is out of the database, as `packet_table_tracking` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is there.
    Closed,
    /// Its packets are led away from it, and it is written to files.
    Leaving,
    /// It is in files. What is known of its messages elsewhere is forgotten.
    Forgetting,
    /// Nothing is left to do but to drop its tables.
    Dropping,
    /// It is in files only.
    Gone,
    /// It is read from its files.
    Loading,
    /// It is there, and its packets are led back to it.
    Returning,
}

impl Step {
    pub(super) const ALL: [Self; 7] = [
        Self::Closed,
        Self::Leaving,
        Self::Forgetting,
        Self::Dropping,
        Self::Gone,
        Self::Loading,
        Self::Returning,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Leaving => "leaving",
            Self::Forgetting => "forgetting",
            Self::Dropping => "dropping",
            Self::Gone => "gone",
            Self::Loading => "loading",
            Self::Returning => "returning",
        }
    }
}

/// A month of a campaign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Month {
    /// Of `packet_table_tracking`.
    pub(super) number: u32,
    pub(super) set: TableSet,
    pub(super) step: Step,
}

const AT_STEP: Statement = statement(
    "SELECT number, campaign_number, day FROM packet_table_tracking \
     WHERE state = ? AND purpose = 'month' AND day >= ? AND day <= ? AND number > ? ORDER BY number LIMIT 1",
);
const STATE: Statement = statement("SELECT state FROM packet_table_tracking WHERE number = ?");
const IS_MOVED_INTO: Statement = statement("SELECT 1 FROM table_moves WHERE month_number = ? LIMIT 1");
const SET_STATE: Statement =
    statement("UPDATE packet_table_tracking SET state = ? WHERE number = ? AND state = ?");
/// The columns of [`TableSet::NOWHERE`].
const ADD_NOWHERE: Statement = statement(
    "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
     VALUES (?, ?, ?, 'nowhere', 'kept', '') ON DUPLICATE KEY UPDATE number = number",
);
const NOWHERE: Statement = statement(
    "SELECT number FROM packet_table_tracking WHERE campaign_number = ? AND day = ? AND version = ?",
);
const PACKETS: Statement = statement("SELECT number FROM data_packet WHERE tables_number = ? LIMIT ?");
const REMEMBER: Statement = statement(
    "INSERT INTO offloaded_packets (packet_number, tables_number) VALUES {rows} \
     ON DUPLICATE KEY UPDATE tables_number = VALUES(tables_number)",
);
const LEAD_AWAY: Statement = statement(
    "UPDATE data_packet SET tables_number = ?, campaign_number = ?, day = ?, version = ?, \
     packet = JSON_SET(packet, '$.offloaded_at', ?) WHERE number IN ({rows})",
);
const OFFLOADED: Statement =
    statement("SELECT packet_number FROM offloaded_packets WHERE tables_number = ? LIMIT ?");
const LEAD_BACK: Statement = statement(
    "UPDATE data_packet SET tables_number = ?, campaign_number = ?, day = ?, version = ?, \
     packet = JSON_REMOVE(packet, '$.offloaded_at') WHERE number IN ({rows})",
);
const FORGET: Statement = statement("DELETE FROM offloaded_packets WHERE packet_number IN ({rows})");

/// So many packets are led away or back together.
const PACKETS_PER_STEP: u64 = 200;

/// The next month at a step, of those that end on certain days.
pub(super) struct AtStep {
    pub(super) step: Step,
    /// The first and the last of the days on which it may end.
    pub(super) ends: (NaiveDate, NaiveDate),
    /// Of `packet_table_tracking`.
    pub(super) after: u32,
}

#[async_trait]
impl Question for AtStep {
    type Answer = Option<Month>;

    async fn ask(&self, reads: &mut Connection) -> Result<Option<Month>, TxError> {
        let (from, to) = self.ends;
        let select = AT_STEP.bind(self.step.as_str()).bind(from).bind(to).bind(self.after);
        let Some(row) = reads.one(select).await? else { return Ok(None) };
        let (campaign, last_day) = (row.value(TRACKING, "campaign_number")?, row.value(TRACKING, "day")?);
        let set = TableSet::Month { campaign, last_day };
        Ok(Some(Month { number: row.value(TRACKING, "number")?, set, step: self.step }))
    }
}

/// Goes from a step to the next one; whether it did, and nobody else has.
pub(super) struct GoOn {
    pub(super) month: Month,
    pub(super) to: Step,
}

#[async_trait]
impl Work for GoOn {
    type Done = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, TxError> {
        let Month { number, step, .. } = self.month;
        // What is being moved into it comes first.
        if self.to == Step::Leaving && tx.one(IS_MOVED_INTO.bind(number)).await?.is_some() {
            return Ok(false);
        }
        let set = SET_STATE.bind(self.to.as_str()).bind(number).bind(step.as_str());
        Ok(tx.count(set).await? == 1)
    }
}

/// Leads some packets of a month to where nothing is; how many.
pub(super) struct LeadAway {
    pub(super) month: Month,
    pub(super) at: DateTime<Utc>,
}

#[async_trait]
impl Work for LeadAway {
    type Done = usize;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, TxError> {
        if !is_at(tx, self.month).await? {
            return Ok(0);
        }
        let nowhere = add_nowhere(tx).await?;
        let select = PACKETS.bind(self.month.number).bind(PACKETS_PER_STEP);
        let numbers = numbers(tx, select, ("data_packet", "number")).await?;
        let pairs = numbers.iter().map(|number| [(*number).into(), self.month.number.into()]);
        tx.write_each(REMEMBER.each(pairs)).await?;
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let lead = into(LEAD_AWAY.bind(nowhere), TableSet::NOWHERE).bind(at);
        tx.write_each(lead.each(numbers.iter().map(|number| [(*number).into()]))).await?;
        Ok(numbers.len())
    }
}

/// Leads some packets back to their month; how many.
pub(super) struct LeadBack(pub(super) Month);

#[async_trait]
impl Work for LeadBack {
    type Done = usize;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, TxError> {
        let month = self.0;
        if !is_at(tx, month).await? {
            return Ok(0);
        }
        let select = OFFLOADED.bind(month.number).bind(PACKETS_PER_STEP);
        let numbers = numbers(tx, select, ("offloaded_packets", "packet_number")).await?;
        let rows = || numbers.iter().map(|number| [(*number).into()]);
        tx.write_each(into(LEAD_BACK.bind(month.number), month.set).each(rows())).await?;
        tx.write_each(FORGET.each(rows())).await?;
        Ok(numbers.len())
    }
}

/// Whether a month is where it was, and stays there for the transaction.
async fn is_at(tx: &mut Tx<'_>, month: Month) -> Result<bool, TxError> {
    let row = tx.one(STATE.bind(month.number).locking(Lock::Shared)).await?;
    let state: Option<String> = row.map(|row| row.value(TRACKING, "state")).transpose()?;
    Ok(state.as_deref() == Some(month.step.as_str()))
}

async fn add_nowhere(tx: &mut Tx<'_>) -> Result<u32, TxError> {
    let find = || {
        let (campaign, day, version) = TableSet::NOWHERE.columns();
        NOWHERE.bind(campaign).bind(day).bind(version)
    };
    let mut found = tx.one(find()).await?;
    if found.is_none() {
        let (campaign, day, version) = TableSet::NOWHERE.columns();
        tx.write(ADD_NOWHERE.bind(campaign).bind(day).bind(version)).await?;
        found = tx.one(find()).await?;
    }
    Ok(found.ok_or(StoreError::Missing { what: "tables in which nothing is" })?.value(TRACKING, "number")?)
}

/// With the columns that name a set.
fn into(statement: Bound, set: TableSet) -> Bound {
    let (campaign, day, version) = set.columns();
    statement.bind(campaign).bind(day).bind(version)
}

async fn numbers(
    tx: &mut Tx<'_>,
    select: Bound,
    (table, column): (&'static str, &'static str),
) -> Result<Vec<u32>, TxError> {
    let mut numbers = Vec::new();
    for row in tx.all(select.locking(Lock::Alone)).await? {
        numbers.push(row.value(table, column)?);
    }
    Ok(numbers)
}

/// One at a time, of this database: names of locks are the server's.
const LOCK: Statement =
    statement("SELECT GET_LOCK(CONCAT('reminderly.drop.', LEFT(SHA2(DATABASE(), 256), 40)), 30) AS locked");

impl MySqlStore {
    /// Drops the tables of a month that is at [`Step::Dropping`]; it is gone then. Whoever is held up while he drops them would drop what was
    /// brought back meanwhile: so nobody goes on before.
    pub(super) async fn drop_month(&self, month: Month) -> Result<(), StoreError> {
        self.try_to_drop(month).await.map_err(|error| self.give_up(error))
    }

    async fn try_to_drop(&self, month: Month) -> Result<(), TxError> {
        let mut connection = self.connection().await?;
        // The lock ends with it, and that not before the server has ended what it does.
        connection.end_after_use();
        let row = connection.one(LOCK.bound()).await?;
        let locked: Option<i64> = row.map_or(Ok(None), |row| row.value("GET_LOCK", "locked"))?;
        if locked != Some(1) {
            return Err(TxError::Again(
                Cause::Others,
                "somebody else drops tables, and does not come to an end".into(),
            ));
        }
        let row = connection.one(STATE.bind(month.number)).await?;
        let state: Option<String> = row.map(|row| row.value(TRACKING, "state")).transpose()?;
        if state.as_deref() != Some(Step::Dropping.as_str()) {
            return Ok(());
        }
        connection.define(&month.set.drop()).await?;
        let month = Month { step: Step::Dropping, ..month };
        connection.transact(&GoOn { month, to: Step::Gone }).await.map(drop)
    }
}
