use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::packet::Packet;
use reminderly_core::domain::restore::{Restore, RestoreEpoch};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{FenceLift, Raised, RestoreStore, StoreError};
use reminderly_core::storage::{self, Records, Slot};
use sqlx::types::Uuid;

use crate::apply::restore;
use crate::finding::{FindWaiting, Waiting};
use crate::packets::packets;
use crate::reads::Question;
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::one_more;

const RAISE: Statement =
    statement("UPDATE restores SET epoch = ?, raised_at = ? WHERE number = 1 AND epoch = ?");
const FENCED: Statement = statement(
    "SELECT id, packet FROM data_packet JOIN restores ON restores.number = 1 \
     WHERE has_ended = 0 AND reconciled < epoch AND id > ? ORDER BY id LIMIT ?",
);

#[async_trait]
impl RestoreStore for MySqlStore {
    async fn restore_across_companies(&self) -> Result<Restore, StoreError> {
        self.ask(LastRestore).await
    }

    async fn raise_restore_epoch_across_companies(
        &self,
        expected: RestoreEpoch,
        at: DateTime<Utc>,
    ) -> Result<Raised, StoreError> {
        self.transact(Raise { expected, at }).await
    }

    async fn fenced_packets_across_companies(
        &self,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError> {
        let after = after.map_or(Uuid::nil(), PacketId::as_uuid);
        packets(&self.all(FENCED.bind(after).bind(one_more(limit))).await?, limit)
    }

    async fn expire_before_restore(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let find = FindWaiting { company, packet, limit, which: Waiting::BeforeRestore };
        let rule = |records: &mut Records, old: Vec<Slot>| {
            storage::expire_before_restore(records, company, packet, &old, at)
        };
        self.apply_to_found(company, packet, find, rule).await?
    }

    async fn expire_households_before_restore(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let find = FindWaiting { company, packet, limit, which: Waiting::OfDaysBeforeRestore };
        let rule = |records: &mut Records, old: Vec<Slot>| {
            storage::expire_households_before_restore(records, company, packet, &old, at)
        };
        self.apply_to_found(company, packet, find, rule).await?
    }

    async fn lift_fence(
        &self,
        company: CompanyId,
        packet: PacketId,
        from: RestoreEpoch,
        to: RestoreEpoch,
    ) -> Result<FenceLift, StoreError> {
        let find = FindWaiting { company, packet, limit: 1, which: Waiting::BeforeRestore };
        let rule = |records: &mut Records, old: Vec<Slot>| {
            storage::lift_fence(records, company, packet, (from, to), &old)
        };
        self.apply_to_found(company, packet, find, rule).await?
    }
}

struct LastRestore;

#[async_trait]
impl Question for LastRestore {
    type Answer = Restore;

    async fn ask(&self, reads: &mut Connection) -> Result<Restore, TxError> {
        restore(reads, Lock::Not).await
    }
}

struct Raise {
    expected: RestoreEpoch,
    at: DateTime<Utc>,
}

#[async_trait]
impl Work for Raise {
    type Done = Raised;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Raised, TxError> {
        let last = restore(tx, Lock::Alone).await?;
        if last.epoch != self.expected {
            return Ok(Raised::Conflict(last));
        }
        let raised = Restore { epoch: last.epoch.next(), raised_at: last.raised_at.max(Some(self.at)) };
        tx.change(RAISE.bind(raised.epoch.0).bind(raised.raised_at).bind(last.epoch.0)).await?;
        Ok(Raised::Raised(raised))
    }
}
