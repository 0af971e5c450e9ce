use std::ops::Bound::{Excluded, Unbounded};
use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::MemoryStore;
use crate::batch::Page;
use crate::domain::log_entry::{LogEntry, LogPlace};
use crate::ids::CompanyId;
use crate::ports::store::{LogStore, StoreError};

#[async_trait]
impl LogStore for MemoryStore {
    async fn append_to_log(&self, company: CompanyId, entry: LogEntry) -> Result<(), StoreError> {
        self.transact(|data| {
            if !data.companies.contains_key(&company) {
                return Err(StoreError::Missing { what: "company" });
            }
            data.logs.entry(company).or_default().entry(entry.place()).or_insert(entry);
            Ok(())
        })
        .await
    }

    async fn log(
        &self,
        company: CompanyId,
        during: Range<DateTime<Utc>>,
        after: Option<LogPlace>,
        limit: usize,
    ) -> Result<Page<LogEntry, LogPlace>, StoreError> {
        Ok(self
            .transact(|data| {
                let first = LogPlace { at: during.start, id: Uuid::nil().into() };
                let after = after.map_or(first, |after| after.max(first));
                let log = data.logs.get(&company);
                let found = log.into_iter().flat_map(|log| log.range((Excluded(after), Unbounded)));
                let mut found = found.take_while(|(place, _)| place.at < during.end).map(|(_, entry)| *entry);
                let items: Vec<LogEntry> = found.by_ref().take(limit).collect();
                let next = items.last().map(LogEntry::place).filter(|_| found.next().is_some());
                Page { items, next }
            })
            .await)
    }
}
