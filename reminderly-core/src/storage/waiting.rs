//! What becomes of messages that wait to be sent.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::claim::may_send;
use super::packet_data::Slot;
use super::records::{Change, Records};
use super::restore::is_fenced;
use crate::batch::Outcomes;
use crate::domain::message::{Detail, MessageState};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::ids::{CompanyId, MessageId, PacketId};
use crate::ports::store::{
    Close, CloseVerdict, DueMessage, HandOver, HandedOver, Snooze, SnoozeUntil, StoreError, WriteOutcome,
};

/// Messages that were found to be due, in the order in which they go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Their positions in the packet.
    pub slots: Vec<Slot>,
    /// Others were passed over, because their method has as many copies as it may have.
    pub held_back: bool,
}

/// Hands due messages over: see [`MessageStore::hand_over`](crate::ports::store::MessageStore::hand_over). What is not due any more
/// is passed over.
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn hand_over(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    due: &Due,
    terms: &HandOver,
) -> Result<HandedOver, StoreError> {
    if !may_send(records, records.packet(company, packet).ok_or(StoreError::Missing { what: "packet" })?) {
        return Ok(HandedOver::default());
    }
    let mut handed = HandedOver { held_back: due.held_back, ..HandedOver::default() };
    for slot in due.slots.iter().copied() {
        let record = records.packet(company, packet).and_then(|found| found.record(slot));
        let Some(record) = record.filter(|record| is_due(&record.state, terms.now)) else { continue };
        let (id, method) = (record.message.id, record.message.method);
        let closes_at = record.state.legal_until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        if record.state.legal_until.is_some_and(|until| until <= terms.now) {
            handed.late.push(id);
            continue;
        }
        let mut copied = |state: &mut MessageState| state.copy_until = Some(terms.copy_until);
        let reason = Cow::Borrowed("due");
        let change = Change { event: MessageEvent::HandedOver, at: terms.now, reason, state: &mut copied };
        if records.transit(packet, slot, change).is_ok() {
            handed.due.push(DueMessage { id, method, closes_at });
        }
    }
    Ok(handed)
}

/// Whether a message waits, and its instant has come, or its copy is presumed lost.
fn is_due(state: &MessageState, now: DateTime<Utc>) -> bool {
    let waits = matches!(state.status, MessageStatus::Planned | MessageStatus::Queued);
    let has_come = match state.copy_until {
        Some(until) => until <= now,
        None => state.not_before.is_none_or(|at| at <= now),
    };
    waits && has_come && !state.waits_with_household()
}

/// Puts messages back: see [`MessageStore::snooze`](crate::ports::store::MessageStore::snooze).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn snooze(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    snoozes: &[Snooze],
) -> Result<Outcomes<WriteOutcome>, StoreError> {
    records.packet_mut(company, packet)?;
    Ok(snoozes.iter().map(|snooze| put_back(records, packet, snooze)).collect())
}

fn put_back(records: &mut Records, packet: PacketId, snooze: &Snooze) -> WriteOutcome {
    let fenced = records.packets.get(&packet).is_some_and(|found| is_fenced(records, &found.packet));
    if fenced && matches!(snooze.until, SnoozeUntil::Planned { .. }) {
        return WriteOutcome::Stale;
    }
    let mut later = |state: &mut MessageState| {
        state.copy_until = None;
        match snooze.until {
            SnoozeUntil::Unchanged => {}
            // By the instant that the backup holds is told what may have gone before the restore.
            SnoozeUntil::NotBefore(_) if fenced => {}
            SnoozeUntil::NotBefore(at) => state.not_before = state.not_before.max(Some(at)),
            SnoozeUntil::Planned { not_before, legal_until } => {
                state.not_before = Some(not_before);
                state.legal_until = Some(legal_until);
            }
        }
    };
    let reason = snooze.reason.clone();
    let change = Change { event: MessageEvent::Snoozed, at: snooze.at, reason, state: &mut later };
    write(records, packet, snooze.message, change)
}

/// Closes messages: see [`MessageStore::close`](crate::ports::store::MessageStore::close).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn close(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    closes: &[Close],
) -> Result<Outcomes<WriteOutcome>, StoreError> {
    records.packet_mut(company, packet)?;
    Ok(closes.iter().map(|close| end(records, packet, close)).collect())
}

fn end(records: &mut Records, packet: PacketId, close: &Close) -> WriteOutcome {
    let (event, detail, reason) = match close.verdict {
        CloseVerdict::Skipped(reason) => (MessageEvent::Skipped, Some(Detail::Skip(reason)), reason.as_str()),
        CloseVerdict::Expired => (MessageEvent::Expired, None, "came too late"),
    };
    let mut ended = |state: &mut MessageState| {
        state.copy_until = None;
        state.detail.clone_from(&detail);
    };
    let change = Change { event, at: close.at, reason: Cow::Borrowed(reason), state: &mut ended };
    write(records, packet, close.message, change)
}

/// Those of the messages at these positions that are planned or queued, but for those whose household's message is in flight: what
/// [`cancel_open`] cancels.
pub fn waiting(records: &Records, packet: PacketId, slots: &[Slot]) -> Vec<Slot> {
    let Some(found) = records.packets.get(&packet) else { return Vec::new() };
    let waits = |slot: &Slot| {
        let status = found.record(*slot).map(|record| record.state.status);
        let waits = matches!(status, Some(MessageStatus::Planned | MessageStatus::Queued));
        waits && !found.flies_with_household(*slot)
    };
    slots.iter().copied().filter(waits).collect()
}

/// Cancels messages that were found to wait: see [`MessageStore::cancel_open`](crate::ports::store::MessageStore::cancel_open).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn cancel_open(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    waiting: &[Slot],
    at: DateTime<Utc>,
) -> Result<usize, StoreError> {
    records.packet_mut(company, packet)?;
    for slot in waiting {
        let reason = Cow::Borrowed("cancelled with its packet");
        let change = Change { event: MessageEvent::Cancelled, at, reason, state: &mut drop_copy };
        // Planned and queued messages may always be cancelled.
        records.transit(packet, *slot, change).ok();
    }
    Ok(waiting.len())
}

fn write(records: &mut Records, packet: PacketId, message: MessageId, change: Change<'_>) -> WriteOutcome {
    let slot = records.packets.get(&packet).and_then(|found| found.slot(message));
    match slot.map(|slot| records.transit(packet, slot, change)) {
        Some(Ok(_)) => WriteOutcome::Applied,
        Some(Err(_)) | None => WriteOutcome::Stale,
    }
}

pub(crate) fn drop_copy(state: &mut MessageState) {
    state.copy_until = None;
}
