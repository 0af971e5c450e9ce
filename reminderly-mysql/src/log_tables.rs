//! The tables of logs: one for each day, and those that are being taken out.

use std::fmt;
use std::sync::PoisonError;

use async_trait::async_trait;
use chrono::NaiveDate;
use reminderly_core::ports::store::StoreError;

use crate::reads::{Question, Reads as _};
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::table_set;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::Values as _;

/// A table of a day's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogTable {
    pub(crate) day: NaiveDate,
    /// 0 of the one that entries are written to; those that were set aside are counted from 1.
    pub(crate) number: u32,
}

impl LogTable {
    /// The one that entries of a day are written to.
    pub(crate) const fn of(day: NaiveDate) -> Self {
        Self { day, number: 0 }
    }

    /// What makes it; made again it stays as it is.
    fn definition(self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {self} (
                company_id BINARY(16) NOT NULL,
                at DATETIME(6) NOT NULL,
                id BINARY(16) NOT NULL,
                actor VARCHAR(16) NOT NULL COMMENT 'user, worker, gateway or operator',
                user_id BINARY(16) NULL,
                deed VARCHAR(32) NOT NULL,
                campaign_id BINARY(16) NULL COMMENT 'to which it was done, unless it was to a packet',
                packet_id BINARY(16) NULL,
                PRIMARY KEY (company_id, at, id)
            ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        )
    }
}

/// `company_log_07022020`, `company_log_07022020_1`
impl fmt::Display for LogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "company_log_{}", table_set::day(self.day))?;
        if self.number > 0 { write!(f, "_{}", self.number) } else { Ok(()) }
    }
}

/// Entries are of today, and sometimes of the days before.
const DAYS_KNOWN: usize = 8;

const TRACKING: &str = "log_tables";
const ADD: Statement =
    statement("INSERT INTO log_tables (day) VALUES (?) ON DUPLICATE KEY UPDATE day = VALUES(day)");
const FIND: Statement = statement("SELECT aside, taken_out FROM log_tables WHERE day = ?");
const SET_ASIDE: Statement = statement("UPDATE log_tables SET aside = ? WHERE day = ? AND aside IS NULL");
const TAKEN_OUT: Statement =
    statement("UPDATE log_tables SET taken_out = aside, aside = NULL WHERE day = ? AND aside = ?");
const IS_THERE: Statement =
    statement("SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?");
const BEFORE: Statement = statement(
    "SELECT day FROM log_tables WHERE day < ? AND (aside IS NOT NULL OR EXISTS (SELECT 1 FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name = CONCAT('company_log_', DATE_FORMAT(day, '%m%d%Y')))) ORDER BY day",
);

impl MySqlStore {
    /// Makes the table of a day, unless it is known to be there; whether it was.
    async fn make_log(&self, day: NaiveDate) -> Result<bool, StoreError> {
        let known = || self.log_days.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&day) {
            return Ok(true);
        }
        self.define(&LogTable::of(day).definition()).await?;
        self.transact(vec![ADD.bind(day)]).await?;
        let mut known = known();
        known.insert(day);
        while known.len() > DAYS_KNOWN {
            known.pop_first();
        }
        Ok(false)
    }

    /// Writes to the table of a day, which is made if need be.
    pub(crate) async fn write_log<W: Work>(
        &self,
        day: NaiveDate,
        work: impl Fn() -> W + Send + Sync,
    ) -> Result<W::Done, StoreError> {
        let was_known = self.make_log(day).await?;
        match self.transact(work()).await {
            // It was set aside, or the server is another one than it was, or restored: one that has no such table yet.
            Err(StoreError::Unavailable { .. }) if was_known => {
                self.forget_log(day);
                self.make_log(day).await?;
                self.transact(work()).await
            }
            outcome => outcome,
        }
    }

    fn forget_log(&self, day: NaiveDate) {
        self.log_days.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }

    /// Days before this one that have a table.
    pub(crate) async fn log_days_before(&self, day: NaiveDate) -> Result<Vec<NaiveDate>, StoreError> {
        let rows = self.all(BEFORE.bind(day)).await?;
        rows.iter().map(|row| row.value(TRACKING, "day")).collect()
    }

    /// Gives the table of a day a name that nobody writes to; `None` if there is none.
    pub(crate) async fn set_log_aside(&self, day: NaiveDate) -> Result<Option<LogTable>, StoreError> {
        let open = LogTable::of(day);
        let is_open = self.ask(IsThere(open)).await?;
        let Some(number) = self.transact(SetAside { day, is_open }).await? else { return Ok(None) };
        let aside = LogTable { day, number };
        if is_open && !self.ask(IsThere(aside)).await? {
            self.define(&format!("RENAME TABLE {open} TO {aside}")).await?;
        }
        Ok(Some(aside))
    }

    /// Whether a table is there.
    pub(crate) async fn has_log(&self, table: LogTable) -> Result<bool, StoreError> {
        self.ask(IsThere(table)).await
    }

    /// Drops a table that was set aside, and is in a file.
    pub(crate) async fn drop_log(&self, table: LogTable) -> Result<(), StoreError> {
        self.define(&format!("DROP TABLE IF EXISTS {table}")).await?;
        self.transact(vec![TAKEN_OUT.bind(table.day).bind(table.number)]).await
    }

    /// The tables of a day that are in files.
    pub(crate) async fn logs_taken_out(&self, day: NaiveDate) -> Result<Vec<LogTable>, StoreError> {
        let Some(row) = self.one(FIND.bind(day)).await? else { return Ok(Vec::new()) };
        let taken_out: u32 = row.value(TRACKING, "taken_out")?;
        Ok((1..=taken_out).map(|number| LogTable { day, number }).collect())
    }
}

struct IsThere(LogTable);

#[async_trait]
impl Question for IsThere {
    type Answer = bool;

    async fn ask(&self, reads: &mut Connection) -> Result<bool, TxError> {
        Ok(reads.one(IS_THERE.bind(self.0.to_string().as_str())).await?.is_some())
    }
}

/// Remembers that the table of a day is set aside, under which number; what was begun goes on.
struct SetAside {
    day: NaiveDate,
    is_open: bool,
}

#[async_trait]
impl Work for SetAside {
    type Done = Option<u32>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<u32>, TxError> {
        let Some(row) = tx.one(FIND.bind(self.day).locking(Lock::Alone)).await? else { return Ok(None) };
        let (aside, taken_out): (Option<u32>, u32) =
            (row.value(TRACKING, "aside")?, row.value(TRACKING, "taken_out")?);
        if aside.is_some() || !self.is_open {
            return Ok(aside);
        }
        let number = taken_out.saturating_add(1);
        tx.change(SET_ASIDE.bind(number).bind(self.day)).await?;
        Ok(Some(number))
    }
}
