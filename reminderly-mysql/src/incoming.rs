use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::incoming::{Answerable, IncomingRecord, Question};
use reminderly_core::domain::person::PersonKey;
use reminderly_core::ids::{CompanyId, IncomingId, MessageId, PacketId};
use reminderly_core::ports::store::{IncomingOutcome, IncomingStore, StoreError};
use reminderly_core::storage::{self, Records};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::digest::Digest;
use crate::reading::Locks;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::values::{Values as _, one_more, page};

const INCOMING: Statement =
    statement("SELECT id, record FROM incoming WHERE company_id = ? AND id > ? ORDER BY id LIMIT ?");

/// Whom messages were to that are in files.
const PERSONS: Statement =
    statement("SELECT person FROM contact_persons WHERE company_id = ? AND digest IN ({rows})");

#[async_trait]
impl IncomingStore for MySqlStore {
    async fn record_incoming(
        &self,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        // A follow-up makes its packet longer.
        let changed = record.effect.follow_up.as_ref().map(|follow_up| follow_up.message.packet);
        let locks = Locks { changed, ..Locks::OF_MESSAGES };
        let rule = |records: &mut Records, record| storage::record_incoming(records, company, record);
        self.apply(company, locks, record, rule).await?
    }

    async fn answerable(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Vec<Answerable>, StoreError> {
        self.look(company, |records| storage::answerable(records, company, from, now)).await
    }

    async fn open_question(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Option<Question>, StoreError> {
        self.look(company, |records| storage::open_question(records, company, from, now)).await
    }

    async fn persons_of(
        &self,
        company: CompanyId,
        contact: &ContactPoint,
    ) -> Result<Vec<PersonKey>, StoreError> {
        let persons = self.look(company, |records| storage::persons_of(records, company, contact)).await?;
        let covered = contact.refusal_key().contact_points();
        let digests = covered.iter().map(|contact| [Digest::of_contact(contact).into()]);
        let mut persons: BTreeSet<PersonKey> = persons.into_iter().collect();
        for row in self.each(PERSONS.bind(company.as_uuid()).each(digests)).await? {
            let person: String = row.value("contact_persons", "person")?;
            persons.extend(PersonKey::new(&person));
        }
        Ok(persons.into_iter().collect())
    }

    async fn follow_ups_since(
        &self,
        company: CompanyId,
        to: &ContactPoint,
        since: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        self.look(company, |records| storage::follow_ups_since(records, company, to, since)).await
    }

    async fn latest_attempted(
        &self,
        company: CompanyId,
        to: &ContactPoint,
    ) -> Result<Option<(PacketId, MessageId)>, StoreError> {
        self.look(company, |records| storage::latest_attempted(records, company, to)).await
    }

    async fn contact_points_of(
        &self,
        company: CompanyId,
        person: &PersonKey,
    ) -> Result<Vec<ContactPoint>, StoreError> {
        self.look(company, |records| storage::contact_points_of(records, company, person)).await
    }

    async fn incoming(
        &self,
        company: CompanyId,
        after: Option<IncomingId>,
        limit: usize,
    ) -> Result<Page<IncomingRecord, IncomingId>, StoreError> {
        let after = after.map_or(Uuid::nil(), IncomingId::as_uuid);
        let rows = self.all(INCOMING.bind(company.as_uuid()).bind(after).bind(one_more(limit))).await?;
        let record = |row: &MySqlRow| {
            let Json(record) = row.value("incoming", "record")?;
            Ok(record)
        };
        let records: Vec<IncomingRecord> = rows.iter().map(record).collect::<Result<_, StoreError>>()?;
        Ok(page(records, limit, |record| record.id))
    }
}
