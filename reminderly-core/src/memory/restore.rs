use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use crate::batch::Page;
use crate::domain::packet::Packet;
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{FenceLift, Raised, RestoreStore, StoreError};
use crate::storage;

#[async_trait]
impl RestoreStore for MemoryStore {
    async fn restore_across_companies(&self) -> Result<Restore, StoreError> {
        Ok(self.transact(|data| data.records.restore).await)
    }

    async fn raise_restore_epoch_across_companies(
        &self,
        expected: RestoreEpoch,
        at: DateTime<Utc>,
    ) -> Result<Raised, StoreError> {
        Ok(self
            .transact(|data| {
                if data.records.restore.epoch != expected {
                    return Raised::Conflict(data.records.restore);
                }
                let raised_at = data.records.restore.raised_at.max(Some(at));
                data.records.restore = Restore { epoch: expected.next(), raised_at };
                Raised::Raised(data.records.restore)
            })
            .await)
    }

    async fn fenced_packets_across_companies(
        &self,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let all = data
                    .records
                    .packets
                    .rows()
                    .range((start, Bound::Unbounded))
                    .map(|(_, found)| &found.packet);
                let fenced = all
                    .filter(|packet| storage::is_fenced(&data.records, packet) && !packet.stage.is_closed());
                page(fenced.map(|packet| (packet.id, packet.clone())), limit)
            })
            .await)
    }

    async fn expire_before_restore(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.transact(|data| {
            let restore = data.records.restore;
            let old = data.records.packet_mut(company, packet)?.before(&restore, limit);
            data.apply(company, &*old, |records, old| {
                storage::expire_before_restore(records, company, packet, old, at)
            })
        })
        .await
    }

    async fn expire_households_before_restore(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.transact(|data| {
            let restore = data.records.restore;
            let old = data.records.packet_mut(company, packet)?.of_days_before(&restore, limit);
            data.apply(company, &*old, |records, old| {
                storage::expire_households_before_restore(records, company, packet, old, at)
            })
        })
        .await
    }

    async fn lift_fence(
        &self,
        company: CompanyId,
        packet: PacketId,
        from: RestoreEpoch,
        to: RestoreEpoch,
    ) -> Result<FenceLift, StoreError> {
        self.transact(|data| {
            let restore = data.records.restore;
            let old = data.records.packet_mut(company, packet)?.before(&restore, 1);
            data.apply(company, &*old, |records, old| {
                storage::lift_fence(records, company, packet, (from, to), old)
            })
        })
        .await
    }
}
