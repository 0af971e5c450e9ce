//! What messages and packets leave of a row: what people may have been told, who holds natural keys, and whether it still counts.

use super::packet_data::Slot;
use super::records::Records;
use crate::domain::attempt::AttemptOutcome;
use crate::domain::message::{Detail, MessageState};
use crate::domain::message_status::MessageStatus;
use crate::domain::skip_reason::SkipReason;
use crate::ids::PacketId;

/// Whether an attempt may have been accepted: anything but a proof that it was not.
pub(crate) fn may_have_arrived(outcome: Option<&AttemptOutcome>) -> bool {
    match outcome {
        None | Some(AttemptOutcome::Accepted | AttemptOutcome::Unknown { .. }) => true,
        // A call that reached nobody told nobody anything.
        Some(
            AttemptOutcome::Refused { .. }
            | AttemptOutcome::Returned { .. }
            | AttemptOutcome::Absent
            | AttemptOutcome::Redialled,
        ) => false,
    }
}

/// Whether a message holds its natural key, and may still go: what is in flight, a call that waits to be made again, or one of
/// which that may yet be decided.
pub(crate) fn may_hold_its_key(state: &MessageState) -> bool {
    match state.status {
        MessageStatus::Sending | MessageStatus::Unknown | MessageStatus::Undelivered => true,
        MessageStatus::Queued => state.redialled,
        _ => false,
    }
}

/// Whether a message may be queued again: it is in flight, or a call of which it may yet be reported that it reached nobody.
pub(crate) fn may_come_back(state: &MessageState) -> bool {
    may_hold_its_key(state) || state.status == MessageStatus::Sent
}

/// Lets go of the natural key of a call that was not made again: if no attempt may have told the person anything, the messages
/// that take its place must not be duplicates of it.
pub(crate) fn free_key_if_nobody_was_told(records: &mut Records, packet: PacketId, slot: Slot) {
    let Some(found) = records.packets.get(&packet) else { return };
    let Some(message) = found.get(slot) else { return };
    if message.attempts.iter().any(|attempt| may_have_arrived(attempt.outcome.as_ref())) {
        return;
    }
    let record = &message.record;
    let key = record.state.planned_at.and_then(|planned_at| record.message.natural_key(planned_at));
    if let (Some(key), Some(company)) = (key, records.companies.get_mut(&found.packet.company)) {
        company.free_natural_key(&key, record.message.id);
    }
}

/// Whether a packet says nothing any more.
pub(crate) fn is_cancelled(records: &Records, packet: PacketId) -> bool {
    records.packets.get(&packet).is_none_or(|found| found.packet.is_given_up())
}

/// Whether it ended unsent for a reason that may have passed since.
pub(crate) fn is_lapsed(state: &MessageState) -> bool {
    match (state.status, &state.detail) {
        (MessageStatus::Failed | MessageStatus::Cancelled, _) => true,
        (MessageStatus::Skipped, Some(Detail::Skip(reason))) => {
            matches!(reason, SkipReason::Unsubscribed | SkipReason::Cap)
        }
        _ => false,
    }
}
