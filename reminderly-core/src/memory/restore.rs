//! The restore fence.

use std::borrow::Cow;
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use super::data::{Change, Data};
use super::packet_data::Slot;
use crate::batch::Page;
use crate::domain::message::{Detail, MessageState, Origin};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::Packet;
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{FenceLift, Raised, RestoreStore, StoreError};

/// Why a message ends that was to go before a restore.
pub(super) const BEFORE_RESTORE: &str = "may have gone before the store was restored";

#[async_trait]
impl RestoreStore for MemoryStore {
    async fn restore_across_companies(&self) -> Result<Restore, StoreError> {
        Ok(self.transact(|data| data.restore).await)
    }

    async fn raise_restore_epoch_across_companies(
        &self,
        expected: RestoreEpoch,
        at: DateTime<Utc>,
    ) -> Result<Raised, StoreError> {
        Ok(self
            .transact(|data| {
                if data.restore.epoch != expected {
                    return Raised::Conflict(data.restore);
                }
                let raised_at = data.restore.raised_at.max(Some(at));
                data.restore = Restore { epoch: expected.next(), raised_at };
                Raised::Raised(data.restore)
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
                let all = data.packets.range((start, Bound::Unbounded)).map(|(_, found)| &found.packet);
                let fenced = all.filter(|packet| is_fenced(data, packet) && !packet.stage.is_closed());
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
            let restore = data.restore;
            let slots = data.packet_mut(company, packet)?.before(&restore, limit);
            // The rungs above go first: none of them is to jump.
            let ended = slots.into_iter().map(|slot| {
                let above = end_rungs_above(data, packet, slot, at);
                above + usize::from(end(data, packet, slot, at) || is_of_household(data, packet, slot))
            });
            Ok(ended.sum())
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
            let restore = data.restore;
            let slots = data.packet_mut(company, packet)?.of_days_before(&restore, limit);
            Ok(slots.into_iter().filter(|slot| end(data, packet, *slot, at)).count())
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
            let restore = data.restore;
            let found = data.packet_mut(company, packet)?;
            if found.packet.reconciled != from || restore.epoch != to || from >= to {
                return Ok(FenceLift::Stale);
            }
            if !found.before(&restore, 1).is_empty() {
                return Ok(FenceLift::NotExpired);
            }
            found.packet.reconciled = to;
            Ok(FenceLift::Lifted)
        })
        .await
    }
}

/// Whether a message may have ended with another one of its household, and so before its turn.
fn is_of_household(data: &Data, packet: PacketId, slot: Slot) -> bool {
    let record = data.packets.get(&packet).and_then(|found| found.record(slot));
    record.is_some_and(|record| {
        record.state.household.is_some() || matches!(record.message.origin, Origin::Household { .. })
    })
}

/// Ends the rungs above a message of which nobody knows what became before the restore: they may have jumped then, and gone.
/// The highest first, so that none jumps now. Answers how many.
pub(super) fn end_rungs_above(data: &mut Data, packet: PacketId, slot: Slot, at: DateTime<Utc>) -> usize {
    let Some(found) = data.packets.get(&packet) else { return 0 };
    let above = |slot: Slot| found.above(found.record(slot)?.message.id);
    let rungs: Vec<Slot> = std::iter::successors(above(slot), |rung| above(*rung)).collect();
    rungs.into_iter().rev().filter(|rung| end(data, packet, *rung, at)).count()
}

/// Ends a message that waits to be sent; `false` if it does not.
pub(super) fn end(data: &mut Data, packet: PacketId, slot: Slot, at: DateTime<Utc>) -> bool {
    let record = data.packets.get(&packet).and_then(|found| found.record(slot));
    let (event, detail) = match record.map(|record| record.state.status) {
        Some(MessageStatus::Planned) => (MessageEvent::Skipped, Some(Detail::Skip(SkipReason::PastDue))),
        Some(MessageStatus::Queued) => (MessageEvent::Expired, None),
        _ => return false,
    };
    let mut ended = |state: &mut MessageState| {
        state.copy_until = None;
        state.detail.clone_from(&detail);
    };
    let reason = Cow::Borrowed(BEFORE_RESTORE);
    data.transit(packet, slot, Change { event, at, reason, state: &mut ended }).is_ok()
}

/// Whether the store was restored since the packet was reconciled.
pub(super) fn is_fenced(data: &Data, packet: &Packet) -> bool {
    packet.reconciled < data.restore.epoch
}
