//! The steps by which a month leaves the database, and comes back.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use reminderly_core::ports::store::StoreError;

use crate::reads::{Question, Reads};
use crate::statement::{Bound, Lock, Statement, statement};
use crate::table_set::TableSet;
use crate::tables::TRACKING;
use crate::transaction::{Connection, Tx, TxError, Work};
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
    pub(super) campaign: u32,
    pub(super) last_day: NaiveDate,
    pub(super) step: Step,
    /// The number of its last way into files: whoever was held up on an earlier one changes nothing.
    pub(super) offload: u32,
}

impl Month {
    pub(super) const fn set(self) -> TableSet {
        TableSet::Month { campaign: self.campaign, last_day: self.last_day }
    }
}

const AT_STEP: Statement = statement(
    "SELECT number, campaign_number, day, offloads FROM packet_table_tracking \
     WHERE state = ? AND purpose = 'month' AND day >= ? AND day <= ? AND number > ? ORDER BY number LIMIT 1",
);
const IS_AT: Statement =
    statement("SELECT 1 FROM packet_table_tracking WHERE number = ? AND state = ? AND offloads = ?");
const IS_MOVED_INTO: Statement = statement("SELECT 1 FROM table_moves WHERE month_number = ? LIMIT 1");
const GOES_ON: Statement =
    statement("SELECT 1 FROM data_packet WHERE tables_number = ? AND has_ended = 0 LIMIT 1");
const ANY_DUE: Statement = statement("SELECT 1 FROM {set}_due LIMIT 1");
const COUNT: Statement = statement("SELECT COUNT(*) AS count FROM data_packet WHERE tables_number = ?");
const SET: Statement = statement(
    "UPDATE packet_table_tracking SET state = ?, offloads = ? WHERE number = ? AND state = ? AND offloads = ?",
);
/// The columns of [`TableSet::NOWHERE`].
const ADD_NOWHERE: Statement = statement(
    "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
     VALUES (?, ?, ?, 'nowhere', 'kept', '') ON DUPLICATE KEY UPDATE number = number",
);
const NOWHERE: Statement = statement(
    "SELECT number FROM packet_table_tracking WHERE campaign_number = ? AND day = ? AND version = ?",
);
const PACKETS: Statement =
    statement("SELECT number, has_ended FROM data_packet WHERE tables_number = ? LIMIT ?");
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
        Ok(Some(Month {
            number: row.value(TRACKING, "number")?,
            campaign: row.value(TRACKING, "campaign_number")?,
            last_day: row.value(TRACKING, "day")?,
            step: self.step,
            offload: row.value(TRACKING, "offloads")?,
        }))
    }
}

/// Whether something of a month goes on: a packet, a message that waits, or a move into it.
pub(super) struct GoesOn(pub(super) Month);

#[async_trait]
impl Question for GoesOn {
    type Answer = bool;

    async fn ask(&self, reads: &mut Connection) -> Result<bool, TxError> {
        goes_on(reads, self.0).await
    }
}

async fn goes_on(reads: &mut dyn Reads, month: Month) -> Result<bool, TxError> {
    for waits in [IS_MOVED_INTO.bind(month.number), GOES_ON.bind(month.number), ANY_DUE.on(month.set())] {
        if reads.one(waits).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Begins the way of a month into files, unless something of it goes on; what it is then.
pub(super) struct Begin {
    pub(super) month: Month,
    /// Its number is to be higher than this one.
    pub(super) above: u32,
    /// So many packets were looked at.
    pub(super) packets: usize,
}

#[async_trait]
impl Work for Begin {
    type Done = Option<Month>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Month>, TxError> {
        let month = self.month;
        // Whoever begins to move something into it has this row, too.
        if !is_at(tx, month, Lock::Alone).await? {
            return Ok(None);
        }
        if goes_on(tx, month).await? {
            return Ok(None);
        }
        let row = tx.one(COUNT.bind(month.number)).await?;
        let packets: i64 = row.map_or(Ok(0), |row| row.value("data_packet", "count"))?;
        if usize::try_from(packets) != Ok(self.packets) {
            return Ok(None);
        }
        let offload = month.offload.max(self.above).saturating_add(1);
        let to = Month { step: Step::Leaving, offload, ..month };
        set(tx, month, to).await?;
        Ok(Some(to))
    }
}

/// Goes from a step to another one; `None` if somebody else was first.
pub(super) struct GoOn {
    pub(super) month: Month,
    pub(super) to: Step,
}

#[async_trait]
impl Work for GoOn {
    type Done = Option<Month>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Month>, TxError> {
        if !is_at(tx, self.month, Lock::Alone).await? {
            return Ok(None);
        }
        let to = Month { step: self.to, ..self.month };
        set(tx, self.month, to).await?;
        Ok(Some(to))
    }
}

async fn set(tx: &mut Tx<'_>, from: Month, to: Month) -> Result<(), TxError> {
    let set = SET.bind(to.step.as_str()).bind(to.offload).bind(from.number);
    tx.change(set.bind(from.step.as_str()).bind(from.offload)).await
}

/// Leads some packets of a month to where nothing is.
pub(super) struct LeadAway {
    pub(super) month: Month,
    pub(super) at: DateTime<Utc>,
}

/// What was led away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LedAway {
    Some,
    /// None is left.
    All,
    /// A packet goes on again, or a message waits: the month cannot leave.
    GoesOn,
    /// Somebody else has gone on.
    Overtaken,
}

#[async_trait]
impl Work for LeadAway {
    type Done = LedAway;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<LedAway, TxError> {
        if !is_at(tx, self.month, Lock::Shared).await? {
            return Ok(LedAway::Overtaken);
        }
        let select = PACKETS.bind(self.month.number).bind(PACKETS_PER_STEP);
        let mut numbers: Vec<u32> = Vec::new();
        for row in tx.all(select.locking(Lock::Alone)).await? {
            let has_ended: bool = row.value("data_packet", "has_ended")?;
            if !has_ended {
                return Ok(LedAway::GoesOn);
            }
            numbers.push(row.value("data_packet", "number")?);
        }
        if numbers.is_empty() {
            let waits = tx.one(ANY_DUE.on(self.month.set())).await?.is_some();
            return Ok(if waits { LedAway::GoesOn } else { LedAway::All });
        }
        let nowhere = add_nowhere(tx).await?;
        let pairs = numbers.iter().map(|number| [(*number).into(), self.month.number.into()]);
        tx.write_each(REMEMBER.each(pairs)).await?;
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let lead = named(LEAD_AWAY.bind(nowhere), TableSet::NOWHERE).bind(at);
        tx.write_each(lead.each(numbers.iter().map(|number| [(*number).into()]))).await?;
        Ok(LedAway::Some)
    }
}

/// Leads some packets back to their month; whether there may be others.
pub(super) struct LeadBack(pub(super) Month);

#[async_trait]
impl Work for LeadBack {
    type Done = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, TxError> {
        let month = self.0;
        if !is_at(tx, month, Lock::Shared).await? {
            return Ok(false);
        }
        let select = OFFLOADED.bind(month.number).bind(PACKETS_PER_STEP);
        let mut numbers: Vec<u32> = Vec::new();
        for row in tx.all(select.locking(Lock::Alone)).await? {
            numbers.push(row.value("offloaded_packets", "packet_number")?);
        }
        let rows = || numbers.iter().map(|number| [(*number).into()]);
        tx.write_each(named(LEAD_BACK.bind(month.number), month.set()).each(rows())).await?;
        tx.write_each(FORGET.each(rows())).await?;
        Ok(!numbers.is_empty())
    }
}

/// Statements that are done while a month is where it was.
pub(super) struct While {
    pub(super) month: Month,
    pub(super) statements: Vec<Bound>,
}

#[async_trait]
impl Work for While {
    type Done = Option<u64>;

    /// How many rows they changed; `None` if somebody else has gone on.
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<u64>, TxError> {
        if !is_at(tx, self.month, Lock::Shared).await? {
            return Ok(None);
        }
        let mut rows = 0;
        for statement in &self.statements {
            rows += tx.count(statement.clone()).await?;
        }
        Ok(Some(rows))
    }
}

/// Whether a month is where it was; if it is locked, it stays there for the transaction.
pub(super) async fn is_at(reads: &mut dyn Reads, month: Month, lock: Lock) -> Result<bool, TxError> {
    let select = IS_AT.bind(month.number).bind(month.step.as_str()).bind(month.offload);
    Ok(reads.one(select.locking(lock)).await?.is_some())
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
fn named(statement: Bound, set: TableSet) -> Bound {
    let (campaign, day, version) = set.columns();
    statement.bind(campaign).bind(day).bind(version)
}
