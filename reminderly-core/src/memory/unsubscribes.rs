use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use crate::batch::Outcomes;
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe};
use crate::ids::CompanyId;
use crate::ports::store::{StoreError, UnsubscribeStore, WriteOutcome};
use crate::storage;

#[async_trait]
impl UnsubscribeStore for MemoryStore {
    async fn record_unsubscribes(
        &self,
        company: CompanyId,
        events: &[Unsubscribe],
        now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        self.transact(|data| {
            data.apply(company, events, |records, events| {
                storage::record_unsubscribes(records, company, events, now)
            })
        })
        .await
    }

    async fn refused(&self, company: CompanyId, keys: &[RefusalKey]) -> Result<Vec<bool>, StoreError> {
        Ok(self
            .transact(|data| {
                let found = data.records.companies.get(&company);
                keys.iter().map(|key| found.is_some_and(|found| found.refuses(key))).collect()
            })
            .await)
    }

    async fn unsubscribe_events(
        &self,
        company: CompanyId,
        key: &RefusalKey,
    ) -> Result<Vec<Unsubscribe>, StoreError> {
        let found =
            self.transact(|data| data.records.companies.get(&company)?.unsubscribes.get(key).cloned()).await;
        Ok(found.unwrap_or_default())
    }
}
