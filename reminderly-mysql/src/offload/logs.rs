//! Logs of companies, day by day.

use async_trait::async_trait;
use chrono::NaiveDate;
use reminderly_core::ports::store::StoreError;

use super::dump::Dumped;
use super::{Offload, OffloadError, Offloaded, is_of_files};
use crate::company_log::LoggedEntry;
use crate::log_tables::LogTable;
use crate::store::MySqlStore;

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

    async fn count(&self) -> Result<u64, StoreError> {
        self.store.count_logged(self.table).await
    }

    async fn rows_after(&self, after: Option<&LoggedEntry>) -> Result<Vec<LoggedEntry>, StoreError> {
        self.store.logged_after(self.table, after).await
    }

    async fn write(&self, rows: &[LoggedEntry]) -> Result<(), StoreError> {
        self.store.write_logged(self.table.day, rows).await
    }
}

impl Offload {
    /// Takes the logs of old days out of the database. What was begun goes on first, and nothing else is begun while files cannot be
    /// written. Entries of a day that is being taken out are not shown until somebody brings it back.
    ///
    /// # Errors
    ///
    /// The first [`OffloadError`]. What could be taken out was; the next call tries the rest again.
    pub async fn offload_logs(&self) -> Result<Offloaded, OffloadError> {
        let (mut offloaded, mut outcome, mut begins) = (Offloaded::default(), Ok(()), true);
        let (retired, open): (Vec<LogTable>, Vec<LogTable>) =
            self.store.log_tables().await?.into_iter().partition(|table| table.is_retired());
        for table in retired {
            let done = self.offload_log(table, &mut offloaded).await;
            // One that differs from its file stays until somebody looks: it keeps no other one from leaving.
            begins &= !matches!(done, Err(OffloadError::File { .. }));
            outcome = outcome.and(done);
        }
        let mut files = None;
        for LogTable { day, .. } in open.into_iter().filter(|table| table.day < self.first_day_kept()) {
            if !begins {
                break;
            }
            let files = match &files {
                Some(files) => files,
                None => files.insert(self.logs_in_files().await?),
            };
            let done = self.offload_day(day, files, &mut offloaded).await;
            // No file had its name before: so it is the place that does not keep what it is given.
            begins = !is_of_files(&done);
            outcome = outcome.and(done);
        }
        outcome.map(|()| offloaded)
    }

    async fn offload_day(
        &self,
        day: NaiveDate,
        files: &[LogTable],
        offloaded: &mut Offloaded,
    ) -> Result<(), OffloadError> {
        // After a backup was loaded, the database may not know of all of them.
        let numbers = files.iter().filter(|table| table.day == day).map(|table| table.number);
        match self.store.retire_log(day, numbers.max().unwrap_or_default()).await? {
            Some(table) => self.offload_log(table, offloaded).await,
            None => Ok(()),
        }
    }

    async fn offload_log(&self, table: LogTable, offloaded: &mut Offloaded) -> Result<(), OffloadError> {
        let rows = self.sink.dump(&Log { store: &self.store, table }).await?;
        self.store.drop_log(table).await?;
        offloaded.tables += 1;
        offloaded.rows += rows;
        Ok(())
    }

    /// Writes the entries of a day back, where `CompanyLog` shows them; how many there were in the files. They are old still: the next
    /// [`offload_logs`](Self::offload_logs) takes them out again.
    ///
    /// The files alone say what there is, so it may be another database than the one that they are from.
    ///
    /// # Errors
    ///
    /// [`OffloadError::Missing`] if there is no file of that day; [`OffloadError::Damaged`], before anything was written;
    /// [`OffloadError::File`], [`OffloadError::Store`].
    pub async fn reload_log(&self, day: NaiveDate) -> Result<u64, OffloadError> {
        let mut checked = Vec::new();
        for table in self.logs_in_files().await?.into_iter().filter(|table| table.day == day) {
            let log = Log { store: &self.store, table };
            let manifest = self.sink.checked(&log).await?;
            checked.push((log, manifest));
        }
        if checked.is_empty() {
            return Err(OffloadError::Missing { file: format!("{}_*", LogTable::of(day)) });
        }
        let mut rows = 0;
        for (log, manifest) in &checked {
            rows += self.sink.load(log, manifest).await?;
        }
        Ok(rows)
    }

    async fn logs_in_files(&self) -> Result<Vec<LogTable>, OffloadError> {
        let names = self.sink.tables().await?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in files that are kept for years.
    const LINES: [&str; 4] = [
        r#"{"company":"019ac000-0000-7000-8000-000000000001","id":"019ac000-0000-7000-8000-000000000002","at":"2020-07-02T07:30:00.000001Z","actor":{"user":"019ac000-0000-7000-8000-000000000003"},"deed":{"campaign":["019ac000-0000-7000-8000-000000000004","create"]}}"#,
        r#"{"company":"019ac000-0000-7000-8000-000000000001","id":"019ac000-0000-7000-8000-000000000002","at":"2020-07-02T07:30:00Z","actor":"worker","deed":{"packet":["019ac000-0000-7000-8000-000000000005","take_in_file"]}}"#,
        r#"{"company":"019ac000-0000-7000-8000-000000000001","id":"019ac000-0000-7000-8000-000000000002","at":"2020-07-02T07:30:00Z","actor":"gateway","deed":{"packet":["019ac000-0000-7000-8000-000000000005","take_in_call"]}}"#,
        r#"{"company":"019ac000-0000-7000-8000-000000000001","id":"019ac000-0000-7000-8000-000000000002","at":"2020-07-02T07:30:00Z","actor":"operator","deed":{"campaign":["019ac000-0000-7000-8000-000000000004","remove"]}}"#,
    ];

    #[test]
    fn what_was_written_is_read_for_ever() {
        for line in LINES {
            let entry: LoggedEntry = serde_json::from_str(line).expect(line);
            assert_eq!(serde_json::to_string(&entry).expect("a line"), line);
        }
    }
}
