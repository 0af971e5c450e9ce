use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::unsubscribe::{RefusalKey, Unsubscribe};
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::{StoreError, UnsubscribeStore, WriteOutcome};
use reminderly_core::storage::{self, Records};
use sqlx::types::Json;

use crate::digest::Digest;
use crate::reading::Locks;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::values::Values as _;

const REFUSED: Statement =
    statement("SELECT digest FROM refusals WHERE opted_out = 1 AND company_id = ? AND digest IN ({rows})");
const EVENTS: Statement =
    statement("SELECT event FROM unsubscribe_events WHERE company_id = ? AND digest = ? ORDER BY number");

#[async_trait]
impl UnsubscribeStore for MySqlStore {
    async fn record_unsubscribes(
        &self,
        company: CompanyId,
        events: &[Unsubscribe],
        now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        let rule = |records: &mut Records, ()| storage::record_unsubscribes(records, company, events, now);
        self.apply(company, Locks::OF_MESSAGES, (), rule).await?
    }

    async fn refused(&self, company: CompanyId, keys: &[RefusalKey]) -> Result<Vec<bool>, StoreError> {
        let digests: Vec<Digest> = keys.iter().map(Digest::of_refusal).collect();
        let select = REFUSED.bind(company.as_uuid());
        let mut refused: BTreeSet<Vec<u8>> = BTreeSet::new();
        for row in self.each(select.each(digests.iter().map(|digest| [(*digest).into()]))).await? {
            refused.insert(row.value("refusals", "digest")?);
        }
        Ok(digests.iter().map(|digest| refused.contains(digest.as_bytes())).collect())
    }

    async fn unsubscribe_events(
        &self,
        company: CompanyId,
        key: &RefusalKey,
    ) -> Result<Vec<Unsubscribe>, StoreError> {
        let digest = Digest::of_refusal(key);
        let rows = self.all(EVENTS.bind(company.as_uuid()).bind(digest)).await?;
        let event = |row: &sqlx::mysql::MySqlRow| {
            let Json(event) = row.value("unsubscribe_events", "event")?;
            Ok(event)
        };
        rows.iter().map(event).collect()
    }
}
