use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::attempt::AttemptLocation;
use reminderly_core::ids::{AttemptId, CompanyId};
use reminderly_core::ports::store::{DispositionOutcome, DispositionStore, LocatedDisposition, StoreError};
use reminderly_core::storage::{self, Records};

use crate::reading::{Locks, attempt_locations};
use crate::reads::Question;
use crate::store::MySqlStore;
use crate::transaction::{Connection, TxError};

#[async_trait]
impl DispositionStore for MySqlStore {
    async fn locate_attempts_across_companies(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<Option<AttemptLocation>>, StoreError> {
        let found = self.locate(attempts).await?;
        Ok(attempts.iter().map(|id| found.get(id).copied()).collect())
    }

    async fn record_dispositions(
        &self,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        let rule =
            |records: &mut Records, ()| storage::record_dispositions(records, company, dispositions, at);
        self.apply(company, Locks::OF_MESSAGES, (), rule).await
    }
}

impl MySqlStore {
    /// Where attempts are stored.
    pub(crate) async fn locate(
        &self,
        attempts: &[AttemptId],
    ) -> Result<BTreeMap<AttemptId, AttemptLocation>, StoreError> {
        self.ask(Locations(attempts)).await
    }
}

struct Locations<'a>(&'a [AttemptId]);

#[async_trait]
impl Question for Locations<'_> {
    type Answer = BTreeMap<AttemptId, AttemptLocation>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        attempt_locations(reads, self.0).await
    }
}
