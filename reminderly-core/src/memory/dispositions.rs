use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::data::Data;
use crate::batch::Outcomes;
use crate::domain::attempt::AttemptLocation;
use crate::ids::{AttemptId, CompanyId};
use crate::ports::store::{DispositionOutcome, DispositionStore, LocatedDisposition, StoreError};
use crate::storage;

#[async_trait]
impl DispositionStore for MemoryStore {
    async fn locate_attempts_across_companies(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<Option<AttemptLocation>>, StoreError> {
        Ok(self
            .transact(|data| attempts.iter().map(|id| data.records.attempts.get(id).copied()).collect())
            .await)
    }

    async fn record_dispositions(
        &self,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        let record = |data: &mut Data| {
            data.apply(company, dispositions, |records, dispositions| {
                storage::record_dispositions(records, company, dispositions, at)
            })
        };
        Ok(self.transact(record).await)
    }
}
