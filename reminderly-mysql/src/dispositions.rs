use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::attempt::AttemptLocation;
use reminderly_core::ids::{AttemptId, CompanyId};
use reminderly_core::ports::store::{DispositionOutcome, DispositionStore, LocatedDisposition, StoreError};
use reminderly_core::storage::{self, Records};
use sqlx::types::Uuid;

use crate::reading::Lock;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::values::Values as _;

const LOCATIONS: Statement =
    statement("SELECT id, company_id, packet_id, message_id FROM attempts WHERE id IN ({1})");

#[async_trait]
impl DispositionStore for MySqlStore {
    async fn locate_attempts_across_companies(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<Option<AttemptLocation>>, StoreError> {
        let select = LOCATIONS.of_rows(attempts.len());
        let select = attempts.iter().fold(select, |select, id| select.bind(id.as_uuid()));
        let mut found: BTreeMap<AttemptId, AttemptLocation> = BTreeMap::new();
        for row in self.all(select).await? {
            let id = |column| row.value::<Uuid>("attempts", column);
            let (company, packet) = (id("company_id")?.into(), id("packet_id")?.into());
            let location = AttemptLocation { company, packet, message: id("message_id")?.into() };
            found.insert(id("id")?.into(), location);
        }
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
        self.apply(company, Lock::Shared, (), rule).await
    }
}
