use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use crate::batch::{Outcomes, Page};
use crate::domain::household::{Candidate, HouseholdKey};
use crate::domain::message::PlannedMessage;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{HouseholdStore, StoreError, WriteOutcome};
use crate::storage;

#[async_trait]
impl HouseholdStore for MemoryStore {
    async fn household_candidates(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: Option<HouseholdKey>,
        limit: usize,
    ) -> Result<Page<Vec<Candidate>, HouseholdKey>, StoreError> {
        let none = || Page { items: Vec::new(), next: None };
        Ok(self
            .transact(|data| match data.records.packet_mut(company, packet) {
                Ok(found) => found.candidates(after, limit.max(1)),
                Err(_) => none(),
            })
            .await)
    }

    async fn plan_households(
        &self,
        company: CompanyId,
        packet: PacketId,
        messages: Vec<PlannedMessage>,
        at: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        self.transact(|data| {
            data.apply(company, messages, |records, messages| {
                storage::plan_households(records, company, packet, messages, at)
            })
        })
        .await
    }
}
