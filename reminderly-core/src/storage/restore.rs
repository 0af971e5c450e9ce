//! The restore fence.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::packet_data::{PacketData, Slot};
use super::records::{Change, Records};
use crate::domain::household::HouseholdKey;
use crate::domain::message::{Detail, MessageState, Origin};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::Packet;
use crate::domain::plan::day_begins;
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{FenceLift, StoreError};

/// Why a message ends that was to go before a restore.
pub(crate) const BEFORE_RESTORE: &str = "may have gone before the store was restored";

/// Those of the messages at these positions that wait, and were to go before the restore or may have jumped before it: what
/// [`expire_before_restore`] closes.
pub fn before_restore(records: &Records, packet: PacketId, slots: &[Slot]) -> Vec<Slot> {
    let found = records.packets.get(&packet);
    let is_old = |slot: &Slot| found.is_some_and(|found| found.is_before(*slot, &records.restore));
    slots.iter().copied().filter(is_old).collect()
}

/// Those of the messages at these positions that one for their household may stand for, of days that had begun before the restore:
/// what [`expire_households_before_restore`] closes.
pub fn of_days_before_restore(records: &Records, packet: PacketId, slots: &[Slot]) -> Vec<Slot> {
    let found = records.packets.get(&packet);
    let is_old = |slot: &Slot| found.is_some_and(|found| found.is_of_day_before(*slot, &records.restore));
    slots.iter().copied().filter(is_old).collect()
}

/// Closes messages that were found to have been due before the restore: see
/// [`RestoreStore::expire_before_restore`](crate::ports::store::RestoreStore::expire_before_restore).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn expire_before_restore(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    old: &[Slot],
    at: DateTime<Utc>,
) -> Result<usize, StoreError> {
    records.packet_mut(company, packet)?;
    let old = before_restore(records, packet, old);
    // The rungs above go first: none of them is to jump.
    let ended = old.into_iter().map(|slot| {
        let above = end_rungs_above(records, packet, slot, at);
        above + usize::from(end(records, packet, slot, at) || is_of_household(records, packet, slot))
    });
    Ok(ended.sum())
}

/// Closes messages that were found to be candidates of days before the restore: see
/// [`RestoreStore::expire_households_before_restore`](crate::ports::store::RestoreStore::expire_households_before_restore).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn expire_households_before_restore(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    old: &[Slot],
    at: DateTime<Utc>,
) -> Result<usize, StoreError> {
    records.packet_mut(company, packet)?;
    let old = of_days_before_restore(records, packet, old);
    Ok(old.into_iter().filter(|slot| end(records, packet, *slot, at)).count())
}

/// Lifts the fence of a packet of which `old` messages still wait: see
/// [`RestoreStore::lift_fence`](crate::ports::store::RestoreStore::lift_fence).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn lift_fence(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    (from, to): (RestoreEpoch, RestoreEpoch),
    old: &[Slot],
) -> Result<FenceLift, StoreError> {
    let restore = records.restore;
    let found = records.packet_mut(company, packet)?;
    if found.packet.reconciled != from || restore.epoch != to || from >= to {
        return Ok(FenceLift::Stale);
    }
    if old.iter().any(|slot| found.is_before(*slot, &restore)) {
        return Ok(FenceLift::NotExpired);
    }
    found.packet.reconciled = to;
    Ok(FenceLift::Lifted)
}

impl PacketData {
    /// Whether a message waits that was to go before the restore, or may have jumped before it.
    pub(crate) fn is_before(&self, slot: Slot, restore: &Restore) -> bool {
        let Some(state) = self.record(slot).map(|record| &record.state) else { return false };
        let waits = matches!(state.status, MessageStatus::Planned | MessageStatus::Queued);
        let was_to_go = || state.not_before.is_none_or(|not_before| restore.may_have_gone(not_before));
        waits && !self.flies_with_household(slot) && (was_to_go() || self.may_have_jumped(slot, restore))
    }

    /// Whether one message for a household may stand for this one, whose day had begun before the restore.
    pub(crate) fn is_of_day_before(&self, slot: Slot, restore: &Restore) -> bool {
        let candidate = self.record(slot).filter(|record| HouseholdKey::of(record).is_some());
        candidate.is_some_and(|record| {
            let begins = |at| day_begins(at, record.message.contact_zone);
            record.state.planned_at.is_some_and(|at| restore.may_have_gone(begins(at)))
        })
    }
}

/// Whether a message may have ended with another one of its household, and so before its turn.
fn is_of_household(records: &Records, packet: PacketId, slot: Slot) -> bool {
    let record = records.packets.get(&packet).and_then(|found| found.record(slot));
    record.is_some_and(|record| {
        record.state.household.is_some() || matches!(record.message.origin, Origin::Household { .. })
    })
}

/// Ends the rungs above a message of which nobody knows what became before the restore: they may have jumped then, and gone.
/// The highest first, so that none jumps now. Answers how many.
pub(crate) fn end_rungs_above(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    at: DateTime<Utc>,
) -> usize {
    let Some(found) = records.packets.get(&packet) else { return 0 };
    let above = |slot: Slot| found.above(found.record(slot)?.message.id);
    let rungs: Vec<Slot> = std::iter::successors(above(slot), |rung| above(*rung)).collect();
    rungs.into_iter().rev().filter(|rung| end(records, packet, *rung, at)).count()
}

/// Ends a message that waits to be sent; `false` if it does not.
pub(crate) fn end(records: &mut Records, packet: PacketId, slot: Slot, at: DateTime<Utc>) -> bool {
    let record = records.packets.get(&packet).and_then(|found| found.record(slot));
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
    records.transit(packet, slot, Change { event, at, reason, state: &mut ended }).is_ok()
}

/// Whether the store was restored since the packet was reconciled.
pub(crate) fn is_fenced(records: &Records, packet: &Packet) -> bool {
    packet.reconciled < records.restore.epoch
}
