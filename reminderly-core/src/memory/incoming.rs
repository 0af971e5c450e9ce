use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use crate::batch::Page;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{Answerable, IncomingRecord, Question};
use crate::domain::message::Origin;
use crate::domain::person::PersonKey;
use crate::ids::{CompanyId, IncomingId, MessageId, PacketId};
use crate::ports::store::{IncomingOutcome, IncomingStore, StoreError};
use crate::storage::{self, MessageData, messages_to};

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
        Ok(self
            .transact(|data| {
                let question = data.records.companies.get(&company)?.questions.get(from)?;
                (now < question.expires_at).then(|| question.clone())
            })
            .await)
    }

    async fn persons_of(
        &self,
        company: CompanyId,
        contact: &ContactPoint,
    ) -> Result<Vec<PersonKey>, StoreError> {
        Ok(self
            .transact(|data| {
                let covered = contact.refusal_key().contact_points();
                let persons = covered
                    .iter()
                    .flat_map(|contact| messages_to(&data.records, company, contact))
                    .filter_map(|found| found.record.message.person.clone());
                persons.collect::<BTreeSet<_>>().into_iter().collect()
            })
            .await)
    }

    async fn follow_ups_since(
        &self,
        company: CompanyId,
        to: &ContactPoint,
        since: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        Ok(self
            .transact(|data| {
                let follow_up = |found: &&MessageData| {
                    let message = &found.record.message;
                    matches!(message.origin, Origin::Reply { .. }) && message.created_at >= since
                };
                messages_to(&data.records, company, to).filter(follow_up).count()
            })
            .await)
    }

    async fn latest_attempted(
        &self,
        company: CompanyId,
        to: &ContactPoint,
    ) -> Result<Option<(PacketId, MessageId)>, StoreError> {
        Ok(self
            .transact(|data| {
                let claimed = messages_to(&data.records, company, to).filter_map(|found| {
                    let claimed_at = found.attempts.last()?.claimed_at;
                    Some((claimed_at, found.record.message.packet, found.record.message.id))
                });
                claimed.max().map(|(_, packet, message)| (packet, message))
            })
            .await)
    }

    async fn contact_points_of(
        &self,
        company: CompanyId,
        person: &PersonKey,
    ) -> Result<Vec<ContactPoint>, StoreError> {
        Ok(self
            .transact(|data| {
                let found = data.records.companies.get(&company);
                found.map(|found| found.contact_points_of(person)).unwrap_or_default()
            })
            .await)
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
