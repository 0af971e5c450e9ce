//! Logs of companies, day by day.

use async_trait::async_trait;
use chrono::NaiveDate;
use reminderly_core::domain::log_entry::LogEntry;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::StoreError;
use serde::{Deserialize, Serialize};

use super::dump::Dumped;
use super::{Offload, OffloadError, Offloaded};
use crate::log_tables::LogTable;
use crate::store::MySqlStore;

/// An entry, as it stands in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoggedEntry {
    pub(crate) company: CompanyId,
    #[serde(flatten)]
    pub(crate) entry: LogEntry,
}

/// A table of entries.
struct Log<'s> {
    store: &'s MySqlStore,
    table: LogTable,
}

#[async_trait]
impl Dumped for Log<'_> {
    type Row = LoggedEntry;

    fn name(&self) -> String {
        self.table.to_string()
    }

    async fn rows_after(&self, after: Option<&LoggedEntry>) -> Result<Vec<LoggedEntry>, StoreError> {
        self.store.logged_after(self.table, after).await
    }

    async fn write(&self, rows: &[LoggedEntry]) -> Result<(), StoreError> {
        self.store.write_logged(self.table.day, rows).await
    }
}

impl Offload {
    /// Takes the logs of old days out of the database. What was begun goes on first.
    ///
    /// # Errors
    ///
    /// The first [`OffloadError`]. What could be taken out was; the next call tries the rest again.
    pub async fn offload_logs(&self) -> Result<Offloaded, OffloadError> {
        let (mut offloaded, mut outcome) = (Offloaded::default(), Ok(()));
        for day in self.store.log_days_before(self.first_day_kept()).await? {
            outcome = outcome.and(self.offload_day(day, &mut offloaded).await);
        }
        outcome.map(|()| offloaded)
    }

    async fn offload_day(&self, day: NaiveDate, offloaded: &mut Offloaded) -> Result<(), OffloadError> {
        let Some(table) = self.store.set_log_aside(day).await? else { return Ok(()) };
        let manifest = if self.store.has_log(table).await? {
            self.sink.dump(&Log { store: &self.store, table }).await?
        } else {
            // It was dropped, and that was not written any more.
            self.sink.checked(&table.to_string()).await?
        };
        self.store.drop_log(table).await?;
        offloaded.tables += 1;
        offloaded.rows += manifest.rows;
        Ok(())
    }

    /// Writes the entries of a day back, where `CompanyLog` shows them; how many there were in the files. They are old still: the next
    /// [`offload_logs`](Self::offload_logs) takes them out again.
    ///
    /// # Errors
    ///
    /// [`OffloadError::Missing`] if the day was not taken out, or its file is gone; [`OffloadError::Damaged`], before anything was written;
    /// [`OffloadError::File`], [`OffloadError::Store`].
    pub async fn restore_log(&self, day: NaiveDate) -> Result<u64, OffloadError> {
        let mut rows = 0;
        let tables = self.store.logs_taken_out(day).await?;
        if tables.is_empty() {
            return Err(OffloadError::Missing { file: LogTable::of(day).to_string() });
        }
        for table in tables {
            rows += self.sink.restore(&Log { store: &self.store, table }).await?;
        }
        Ok(rows)
    }
}
