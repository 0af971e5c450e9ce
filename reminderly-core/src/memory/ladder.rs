//! Messages that wait for another method to bring nothing.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};

use super::data::Change;
use super::packet_data::{PacketData, Slot};
use crate::domain::message::{Detail, Message, MessageRecord, MessageState};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::restore::Restore;
use crate::domain::skip_reason::SkipReason;

impl PacketData {
    /// Until when the rung below this message may still bring an answer; `None` if it need not be waited for.
    pub(super) fn below_may_bring_until(
        &self,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let place = message.ladder?;
        let below = self.find(place.below)?;
        let state = &below.record.state;
        let from = match state.status {
            MessageStatus::Planned | MessageStatus::Queued => state.not_before.map_or(now, |at| at.max(now)),
            MessageStatus::Sending => now,
            // What is unknown may have arrived.
            MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Unknown => {
                state.sent_at.or(below.attempts.last().map(|attempt| attempt.claimed_at))?
            }
            MessageStatus::Undelivered
            | MessageStatus::Skipped
            | MessageStatus::Expired
            | MessageStatus::Cancelled
            | MessageStatus::Failed => return None,
        };
        let wait = TimeDelta::from_std(place.wait).unwrap_or(TimeDelta::MAX);
        let until = from.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
        (until > now).then_some(until)
    }

    /// Lets the rung above a message that brought nothing jump: due now, to be planned again.
    pub(super) fn jump(&mut self, slot: Slot, at: DateTime<Utc>) {
        let Some(below) = self.record(slot).filter(|record| brought_nothing(&record.state)) else { return };
        let Some(above) = self.above(below.message.id) else { return };
        let mut due = |state: &mut MessageState| {
            state.copy_until = None;
            state.not_before = Some(at);
            state.legal_until = Some(at);
        };
        let reason = Cow::Borrowed("the rung below brought nothing");
        let change = Change { event: MessageEvent::Snoozed, at, reason, state: &mut due };
        // One that is sent or closed stays as it is.
        self.transit(above, change).ok();
    }

    /// Whether a rung may have jumped before a restore, and gone: one below it was to go before the restore, and whatever the
    /// store knows of that one may be older than its end.
    pub(super) fn may_have_jumped(&self, slot: Slot, restore: &Restore) -> bool {
        let below = |record: &MessageRecord| Some(&self.find(record.message.ladder?.below)?.record);
        let Some(rung) = self.record(slot).filter(|rung| restore.is_before(rung.message.created_at)) else {
            return false;
        };
        std::iter::successors(below(rung), |rung| below(rung))
            .any(|rung| rung.state.planned_at.is_some_and(|planned_at| restore.is_before(planned_at)))
    }

    /// Whether a message brought nothing by an attempt from before a restore: the rung above may have jumped before the restore
    /// too, and gone.
    pub(super) fn is_end_in_doubt(&self, slot: Slot, restore: &Restore) -> bool {
        let Some(below) = self.get(slot).filter(|below| brought_nothing(&below.record.state)) else {
            return false;
        };
        below.attempts.last().is_some_and(|attempt| restore.is_before(attempt.claimed_at))
    }
}

/// Whether a message ended without a chance of an answer.
fn brought_nothing(state: &MessageState) -> bool {
    match state.status {
        MessageStatus::Skipped => state.detail != Some(Detail::Skip(SkipReason::Answered)),
        MessageStatus::Undelivered | MessageStatus::Expired | MessageStatus::Failed => true,
        _ => false,
    }
}
