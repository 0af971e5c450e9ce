//! Stores that lose or multiply what comes in.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::incoming::{Incoming, IncomingRecord};
use reminderly_core::domain::unsubscribe::{Unsubscribe, UnsubscribeChange};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{IncomingOutcome, RowBatch, Store, StoreError, WriteOutcome};
use reminderly_core::testing::StoreHooks;

/// What people write is acknowledged, and every other time nothing comes of it.
#[derive(Debug)]
pub(super) struct RepliesAreDropped;

#[async_trait]
impl StoreHooks for RepliesAreDropped {
    async fn record_incoming(
        &self,
        store: &dyn Store,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        if record.id.as_uuid().as_u128().is_multiple_of(2) {
            return Ok(IncomingOutcome::Recorded);
        }
        store.record_incoming(company, record).await
    }
}

/// What people write is theirs as often as it comes.
#[derive(Debug, Default)]
pub(super) struct RepliesWithoutKey(Mutex<HashSet<Arc<str>>>);

#[async_trait]
impl StoreHooks for RepliesWithoutKey {
    async fn record_incoming(
        &self,
        store: &dyn Store,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        let is_first =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&record.incoming.event));
        let event = if is_first {
            Arc::clone(&record.incoming.event)
        } else {
            format!("{}-{}", record.incoming.event, record.id).into()
        };
        let incoming = Incoming { event, ..record.incoming };
        store.record_incoming(company, IncomingRecord { incoming, ..record }).await
    }
}

/// The last good row of a batch is read and nowhere.
#[derive(Debug)]
pub(super) struct RowsAreDropped;

#[async_trait]
impl StoreHooks for RowsAreDropped {
    async fn append_rows(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        mut batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError> {
        batch.rows.pop();
        store.append_rows(company, packet, batch).await
    }
}

/// Who has opted in once has done so for ever.
#[derive(Debug)]
pub(super) struct PermissionIsForEver;

#[async_trait]
impl StoreHooks for PermissionIsForEver {
    async fn record_unsubscribes(
        &self,
        store: &dyn Store,
        company: CompanyId,
        events: &[Unsubscribe],
        now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            let before = store.unsubscribe_events(company, &event.key).await?;
            if before.iter().any(|earlier| earlier.change == UnsubscribeChange::OptedIn) {
                outcomes.push(WriteOutcome::Applied);
            } else {
                outcomes.extend(store.record_unsubscribes(company, std::slice::from_ref(event), now).await?);
            }
        }
        Ok(outcomes.into())
    }
}
