//! The tables of logs: one for each day, and those that are being taken out.

use std::fmt;
use std::str::FromStr;
use std::sync::PoisonError;

use async_trait::async_trait;
use chrono::NaiveDate;
use reminderly_core::ports::store::StoreError;

use crate::reads::{Question, Reads as _};
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::table_set;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::Values as _;

/// A table of a day's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogTable {
    pub(crate) day: NaiveDate,
    /// 0 of the one that entries are written to; those that were retired are counted from 1.
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

impl LogTable {
    /// Whether nobody writes to it any more.
    pub(crate) const fn is_retired(self) -> bool {
        self.number > 0
    }
}

/// `company_log_07022020`, `company_log_07022020_1`
impl fmt::Display for LogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "company_log_{}", table_set::day(self.day))?;
        if self.number > 0 { write!(f, "_{}", self.number) } else { Ok(()) }
    }
}

/// It is the name of no such table.
#[derive(Debug)]
pub(crate) struct OtherName;

impl FromStr for LogTable {
    type Err = OtherName;

    fn from_str(name: &str) -> Result<Self, OtherName> {
        let rest = name.strip_prefix("company_log_").ok_or(OtherName)?;
        let (day, number) = rest.split_once('_').unwrap_or((rest, "0"));
        let table = Self {
            day: NaiveDate::parse_from_str(day, "%m%d%Y").map_err(|_| OtherName)?,
            number: number.parse().map_err(|_| OtherName)?,
        };
        // Whoever wrote it otherwise means something else.
        if table.to_string() == name { Ok(table) } else { Err(OtherName) }
    }
}

/// Entries are of today, and sometimes of the days before.
const DAYS_KNOWN: usize = 8;

const TABLES: Statement = statement(
    "SELECT CONVERT(table_name USING utf8mb4) AS name FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name LIKE 'company!_log!_%' ESCAPE '!'",
);
const GIVE_NUMBER: Statement = statement(
    "INSERT INTO log_tables (day, numbers) VALUES (?, ?) ON DUPLICATE KEY UPDATE numbers = GREATEST(numbers + 1, VALUES(numbers))",
);
const NUMBER: Statement = statement("SELECT numbers FROM log_tables WHERE day = ?");

impl MySqlStore {
    /// Makes the table of a day, unless it is known to be there.
    async fn make_log(&self, day: NaiveDate) -> Result<(), StoreError> {
        let known = || self.log_days.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&day) {
            return Ok(());
        }
        self.define(&LogTable::of(day).definition()).await?;
        let mut known = known();
        while known.len() >= DAYS_KNOWN {
            known.pop_first();
        }
        known.insert(day);
        Ok(())
    }

    /// Writes to the table of a day, which is made if need be.
    pub(crate) async fn write_log<W: Work>(
        &self,
        day: NaiveDate,
        work: impl Fn() -> W + Send + Sync,
    ) -> Result<W::Done, StoreError> {
        self.make_log(day).await?;
        match self.transact(work()).await {
            // It was retired, or the server is another one than it was, or restored: one that has no such table yet.
            Err(StoreError::Unavailable { .. }) => {
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

    /// All tables of logs that there are, day by day.
    pub(crate) async fn log_tables(&self) -> Result<Vec<LogTable>, StoreError> {
        self.ask(LogTables).await
    }

    /// Gives the table of a day, if there is one, a name that no table ever had, with a number that is higher than this one: whatever comes late, a
    /// statement of somebody who is gone, too, does something to that table or to none. `None` if it has not got the name by now.
    pub(crate) async fn retire_log(
        &self,
        day: NaiveDate,
        above: u32,
    ) -> Result<Option<LogTable>, StoreError> {
        let number = self.transact(GiveNumber { day, above }).await?;
        let (open, retired) = (LogTable::of(day), LogTable { day, number });
        self.define_at_most_once(&format!("RENAME TABLE {open} TO {retired}")).await?;
        Ok(self.log_tables().await?.into_iter().find(|table| *table == retired))
    }

    /// Drops a table that was retired, and is in a file.
    pub(crate) async fn drop_log(&self, table: LogTable) -> Result<(), StoreError> {
        self.define(&format!("DROP TABLE IF EXISTS {table}")).await
    }
}

/// The tables of logs.
pub(crate) struct LogTables;

#[async_trait]
impl Question for LogTables {
    type Answer = Vec<LogTable>;

    async fn ask(&self, reads: &mut Connection) -> Result<Vec<LogTable>, TxError> {
        let mut tables: Vec<LogTable> = Vec::new();
        for row in reads.all(TABLES.bound()).await? {
            let name: String = row.value("information_schema.tables", "name")?;
            tables.extend(name.parse::<LogTable>());
        }
        tables.sort_unstable_by_key(|table| (table.day, table.number));
        Ok(tables)
    }
}

/// Gives out a number for a table of a day.
struct GiveNumber {
    day: NaiveDate,
    above: u32,
}

#[async_trait]
impl Work for GiveNumber {
    type Done = u32;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<u32, TxError> {
        tx.write(GIVE_NUMBER.bind(self.day).bind(self.above.saturating_add(1))).await?;
        let row = tx.one(NUMBER.bind(self.day)).await?;
        Ok(row.ok_or(StoreError::Missing { what: "number of a table" })?.value("log_tables", "numbers")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let day = NaiveDate::from_ymd_opt(2020, 7, 2).expect("a day");
        for (number, name) in [(0, "company_log_07022020"), (12, "company_log_07022020_12")] {
            let table = LogTable { day, number };
            assert_eq!(table.to_string(), name);
            assert_eq!(name.parse::<LogTable>().expect(name), table);
        }
        for name in [
            "company_log",
            "company_log_0702202",
            "company_log_07022020_0",
            "company_log_07022020_01",
            "company_log_13022020",
        ] {
            name.parse::<LogTable>().expect_err(name);
        }
    }
}
