//! Messages that wait for another method to bring nothing.

use std::borrow::Cow;
use std::iter::successors;

use chrono::{DateTime, TimeDelta, Utc};

use super::company_data::CompanyData;
use super::messages::MessageData;
use super::packet_data::{PacketData, Slot};
use super::records::Change;
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{Detail, Message, MessageRecord, MessageState};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::response::ResponseKind;
use crate::domain::restore::Restore;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{MessageId, PacketId};

impl PacketData {
    /// Until when a rung below this message may still bring an answer; `None` if none need be waited for. It is the first one down
    /// that has not ended with nothing.
    pub(crate) fn below_may_bring_until(
        &self,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let wait = TimeDelta::from_std(message.ladder?.wait).unwrap_or(TimeDelta::MAX);
        let from = self.rungs_below(message).find_map(|below| {
            let state = &below.record.state;
            match state.status {
                MessageStatus::Planned | MessageStatus::Queued => {
                    Some(state.not_before.map_or(now, |at| at.max(now)))
                }
                MessageStatus::Sending => Some(now),
                // What is unknown may have arrived.
                MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Unknown => {
                    state.sent_at.or(below.attempts.last().map(|attempt| attempt.claimed_at))
                }
                MessageStatus::Undelivered
                | MessageStatus::Skipped
                | MessageStatus::Expired
                | MessageStatus::Cancelled
                | MessageStatus::Failed => None,
            }
        })?;
        let until = from.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
        (until > now).then_some(until)
    }

    /// The rungs below a message, from the next one down.
    pub(crate) fn rungs_below(&self, message: &Message) -> impl Iterator<Item = &MessageData> {
        let below = |rung: &&MessageData| self.find(rung.record.message.ladder?.below);
        let first = message.ladder.and_then(|place| self.find(place.below));
        successors(first, below).take(ContactMethod::ALL.len())
    }

    /// Whether an answer to another rung ends this message: any to one below it, to one above it what releases the appointment.
    ///
    /// It counts whomever the rungs name: without a person's key each names its own contact point. A campaign's own answer is
    /// its message's only.
    pub(crate) fn is_answered_on_ladder(&self, company: &CompanyData, message: &Message) -> bool {
        let upper = self.rungs_above(message.id);
        let mut upper = upper.iter().filter_map(|(_, slot)| self.get(*slot));
        let answered = |rung: &MessageData| {
            rung.record.state.response.is_some() || company.answer_to(&rung.record.message).is_some()
        };
        let released = |rung: &MessageData| {
            company.answer_to(&rung.record.message).is_some_and(ResponseKind::ends_reminders)
        };
        self.rungs_below(message).any(answered) || upper.any(released)
    }

    /// The rungs above a message, from the next one up.
    pub(crate) fn rungs_above(&self, message: MessageId) -> Vec<(PacketId, Slot)> {
        let above = |slot: &Slot| self.above(self.record(*slot)?.message.id);
        let slots = successors(self.above(message), above).take(ContactMethod::ALL.len());
        slots.map(|slot| (self.packet.id, slot)).collect()
    }

    /// Lets the rung above a message that brought nothing jump: due now, or when no rung further below need be waited for, to be
    /// planned again. Those that have brought nothing themselves are passed over. One that was tried already waits for its own
    /// reason: what a provider or a redial rule asked for.
    pub(crate) fn jump(&mut self, slot: Slot, at: DateTime<Utc>) {
        let Some(below) = self.record(slot).filter(|record| brought_nothing(&record.state)) else { return };
        let stands = |slot: &Slot| self.record(*slot).is_some_and(|rung| !brought_nothing(&rung.state));
        let above = self.rungs_above(below.message.id).into_iter().map(|(_, slot)| slot).find(stands);
        let Some((above, rung)) = above.and_then(|above| Some((above, self.record(above)?))) else { return };
        if rung.state.epoch > 0 {
            return;
        }
        let due_at = self.below_may_bring_until(&rung.message, at).unwrap_or(at);
        let mut due = |state: &mut MessageState| {
            state.copy_until = None;
            state.not_before = Some(due_at);
            state.legal_until = Some(due_at);
        };
        let reason = Cow::Borrowed("the rung below brought nothing");
        let change = Change { event: MessageEvent::Snoozed, at, reason, state: &mut due };
        // One that is sent or closed stays as it is.
        self.transit(above, change).ok();
    }

    /// Whether a rung may have jumped before a restore, and gone: one below it was to go before the restore, and whatever the
    /// store knows of that one may be older than its end.
    pub(crate) fn may_have_jumped(&self, slot: Slot, restore: &Restore) -> bool {
        let below = |record: &MessageRecord| Some(&self.find(record.message.ladder?.below)?.record);
        let Some(rung) = self.record(slot).filter(|rung| restore.is_before(rung.message.created_at)) else {
            return false;
        };
        successors(below(rung), |rung| below(rung))
            .any(|rung| rung.state.planned_at.is_some_and(|planned_at| restore.may_have_gone(planned_at)))
    }

    /// Whether a message brought nothing by an attempt from before a restore: the rung above may have jumped before the restore
    /// too, and gone.
    pub(crate) fn is_end_in_doubt(&self, slot: Slot, restore: &Restore) -> bool {
        let Some(below) = self.get(slot).filter(|below| brought_nothing(&below.record.state)) else {
            return false;
        };
        below.attempts.last().is_some_and(|attempt| restore.is_before(attempt.claimed_at))
    }
}

/// Whether a message ended without a chance of an answer.
fn brought_nothing(state: &MessageState) -> bool {
    match state.status {
        // Where there is no room for one rung there is none for the next, but perhaps later.
        MessageStatus::Skipped => {
            !matches!(state.detail, Some(Detail::Skip(SkipReason::Answered | SkipReason::Cap)))
        }
        MessageStatus::Undelivered | MessageStatus::Expired | MessageStatus::Failed => true,
        _ => false,
    }
}
