use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use crate::batch::Page;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{Answerable, IncomingRecord, Question};
use crate::domain::person::PersonKey;
use crate::ids::{CompanyId, IncomingId, MessageId, PacketId};
use crate::ports::store::{IncomingOutcome, IncomingStore, StoreError};
use crate::storage;

#[async_trait]
impl IncomingStore for MemoryStore {
    async fn record_incoming(
        &self,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        self.transact(|data| {
            data.apply(company, record, |records, record| storage::record_incoming(records, company, record))
        })
        .await
    }

    async fn answerable(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Vec<Answerable>, StoreError> {
        Ok(self
            .transact(|data| {
                data.apply(company, from, |records, from| storage::answerable(records, company, from, now))
            })
            .await)
    }

    async fn open_question(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Option<Question>, StoreError> {
        Ok(self.transact(|data| storage::open_question(&data.records, company, from, now)).await)
    }

    async fn persons_of(
        &self,
        company: CompanyId,
        contact: &ContactPoint,
    ) -> Result<Vec<PersonKey>, StoreError> {
        Ok(self.transact(|data| storage::persons_of(&data.records, company, contact)).await)
    }

    async fn follow_ups_since(
        &self,
        company: CompanyId,
        to: &ContactPoint,
        since: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        Ok(self.transact(|data| storage::follow_ups_since(&data.records, company, to, since)).await)
    }

    async fn latest_attempted(
        &self,
        company: CompanyId,
        to: &ContactPoint,
    ) -> Result<Option<(PacketId, MessageId)>, StoreError> {
        Ok(self.transact(|data| storage::latest_attempted(&data.records, company, to)).await)
    }

    async fn contact_points_of(
        &self,
        company: CompanyId,
        person: &PersonKey,
    ) -> Result<Vec<ContactPoint>, StoreError> {
        Ok(self.transact(|data| storage::contact_points_of(&data.records, company, person)).await)
    }

    async fn incoming(
        &self,
        company: CompanyId,
        after: Option<IncomingId>,
        limit: usize,
    ) -> Result<Page<IncomingRecord, IncomingId>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let all = data.records.companies.get(&company).map(|found| found.incoming.rows());
                let range = all.into_iter().flat_map(|all| all.range((start, Bound::Unbounded)));
                page(range.map(|(id, record)| (*id, record.clone())), limit)
            })
            .await)
    }
}
