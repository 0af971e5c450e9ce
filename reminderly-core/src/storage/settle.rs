//! What became of attempts.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::evidence::follow_earlier;
use super::packet_data::{PacketData, Slot};
use super::records::{Change, Records};
use super::restore::BEFORE_RESTORE;
use super::told::may_have_arrived;
use crate::batch::Outcomes;
use crate::domain::attempt::{Attempt, AttemptOutcome, ProviderReference};
use crate::domain::contact_point::ContactPoint;
use crate::domain::message::{Detail, MessageState};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, Packet, PacketStage};
use crate::domain::unsubscribe::{Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ids::{CompanyId, MessageId, PacketId};
use crate::ports::store::{SettleOutcome, SettleVerdict, Settlement, StoreError};

/// Settles attempts: see [`MessageStore::settle`](crate::ports::store::MessageStore::settle).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn settle(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    settlements: &[Settlement],
) -> Result<Outcomes<SettleOutcome>, StoreError> {
    records.packet_mut(company, packet)?;
    Ok(settlements.iter().map(|settlement| settle_one(records, packet, settlement)).collect())
}

fn settle_one(records: &mut Records, packet: PacketId, settlement: &Settlement) -> SettleOutcome {
    let found = records.packets.get(&packet).and_then(|found| Some((found, found.slot(settlement.message)?)));
    let Some((found, slot)) = found else { return SettleOutcome::Missing };
    let is_attempt = found.get(slot).is_some_and(|message| message.attempt(settlement.epoch).is_some());
    if matches!(settlement.verdict, SettleVerdict::OptedOut { .. }) && is_attempt {
        refuse(records, packet, slot, settlement.at);
    }
    settle_attempt(records, packet, slot, settlement)
}

fn settle_attempt(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    settlement: &Settlement,
) -> SettleOutcome {
    let Some(found) = records.packets.get(&packet) else { return SettleOutcome::Missing };
    let Some(state) = found.record(slot).map(|record| &record.state) else { return SettleOutcome::Missing };
    let effect = Effect::of(&settlement.verdict);
    if !concerns(state, settlement.epoch, effect.event) {
        let status = state.status;
        keep_acceptance(records, packet, slot, settlement, &effect);
        return SettleOutcome::Stale(status);
    }
    if state.held && !decides(effect.event) {
        return SettleOutcome::Stale(state.status);
    }
    // That a call was accepted is no news once its report has led to the next one.
    let outcome = found.get(slot).and_then(|message| message.attempt(settlement.epoch)?.outcome.as_ref());
    if effect.event == MessageEvent::RedialPermitted && rung_above_went(found, settlement.message) {
        return SettleOutcome::RungAboveWent;
    }
    let is_known =
        outcome == Some(&AttemptOutcome::Redialled) && effect.outcome == Some(AttemptOutcome::Accepted);
    let is_too_late = effect.event == MessageEvent::RedialPermitted && !takes_calls(&found.packet);
    if is_known || is_too_late {
        let status = state.status;
        keep_acceptance(records, packet, slot, settlement, &effect);
        return SettleOutcome::Stale(status);
    }
    if let Some(status) = overrule(records, packet, slot, settlement, &effect) {
        return SettleOutcome::Applied(status);
    }
    let mut apply = |state: &mut MessageState| apply(state, settlement);
    let change =
        Change { event: effect.event, at: settlement.at, reason: effect.reason.clone(), state: &mut apply };
    match records.transit(packet, slot, change) {
        Ok(status) => {
            record(records, packet, slot, settlement, &effect);
            // A call that is permitted again is not made if an attempt before it was accepted.
            let permitted = effect.event == MessageEvent::RedialPermitted;
            let then = permitted.then(|| follow_earlier(records, packet, slot, settlement.at)).flatten();
            let then = then.or_else(|| expire_before_restore(records, packet, slot, settlement));
            SettleOutcome::Applied(then.unwrap_or(status))
        }
        Err(Some(status)) => {
            keep_acceptance(records, packet, slot, settlement, &effect);
            SettleOutcome::Stale(status)
        }
        Err(None) => SettleOutcome::Missing,
    }
}

/// What an earlier attempt has proved while the latest was in work counts for more than what became of that one: the message does
/// not wait, fail or stay unknown, not even for a moment.
fn overrule(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    settlement: &Settlement,
    effect: &Effect,
) -> Option<MessageStatus> {
    let status = records.packets.get(&packet)?.record(slot)?.state.status;
    let in_work = matches!(status, MessageStatus::Sending | MessageStatus::Unknown);
    let is_proof = effect.outcome == Some(AttemptOutcome::Accepted);
    if !in_work || is_proof || status.after(effect.event).is_none() {
        return None;
    }
    let status = follow_earlier(records, packet, slot, settlement.at)?;
    record(records, packet, slot, settlement, effect);
    if effect.event == MessageEvent::Returned
        && let Some(packet) = records.packets.get_mut(&packet)
    {
        packet.amend(slot, |message| uncount(&mut message.record.state));
    }
    Some(status)
}

/// Records what a person has told the provider: nothing more to the contact point of this message.
fn refuse(records: &mut Records, packet: PacketId, slot: Slot, at: DateTime<Utc>) {
    let Some(found) = records.packets.get(&packet) else { return };
    let contact = found.record(slot).and_then(|record| record.message.contact.as_ref());
    let Some(key) = contact.map(ContactPoint::refusal_key) else { return };
    let (change, source) = (UnsubscribeChange::OptedOut, UnsubscribeSource::Provider);
    if let Some(company) = records.companies.get_mut(&found.packet.company) {
        company.record_unsubscribe(&Unsubscribe { key, change, source, at }, at);
    }
}

/// Whether a call of the packet may be made again: a packet that ends would never make it.
fn takes_calls(packet: &Packet) -> bool {
    matches!(packet.stage, PacketStage::Mapped | PacketStage::Queued) && packet.draining == Draining::Off
}

/// Whether a message that goes only when this one has brought nothing may have reached the person.
fn rung_above_went(packet: &PacketData, below: MessageId) -> bool {
    let above = |below: &MessageId| Some(packet.get(packet.above(*below)?)?.record.message.id);
    let mut rungs = std::iter::successors(above(&below), above).filter_map(|rung| packet.find(rung));
    rungs.any(|rung| rung.attempts.iter().any(|attempt| may_have_arrived(attempt.outcome.as_ref())))
}

/// Ends a message that was just queued again by an attempt from before the last restore: a later attempt may have been made
/// that the store no longer knows.
fn expire_before_restore(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    settlement: &Settlement,
) -> Option<MessageStatus> {
    let claimed_at = attempt(records, packet, slot, settlement.epoch)?.claimed_at;
    let status = records.packets.get(&packet)?.record(slot)?.state.status;
    if status != MessageStatus::Queued || !records.restore.is_before(claimed_at) {
        return None;
    }
    let reason = Cow::Borrowed(BEFORE_RESTORE);
    let change = Change {
        event: MessageEvent::Expired,
        at: settlement.at,
        reason,
        state: &mut |state| state.detail = None,
    };
    records.transit(packet, slot, change).ok()
}

/// Whether a verdict on an attempt still matters: it is the latest, or none is in work and it proves that an earlier one was
/// accepted. A message that nobody has claimed has no attempt.
fn concerns(state: &MessageState, epoch: u32, event: MessageEvent) -> bool {
    let proof = matches!(event, MessageEvent::Accepted | MessageEvent::Found);
    let idle = state.status.heeds_earlier_attempts();
    epoch > 0 && (epoch == state.epoch || (epoch < state.epoch && proof && idle))
}

/// Whether the event closes a message that was given up: its packet may have ended, so nothing opens it again.
const fn decides(event: MessageEvent) -> bool {
    matches!(event, MessageEvent::Accepted | MessageEvent::Found | MessageEvent::RefusedForGood)
}

/// What a verdict does to the message and its attempt.
struct Effect {
    event: MessageEvent,
    reason: Cow<'static, str>,
    outcome: Option<AttemptOutcome>,
    reference: Option<ProviderReference>,
}

impl Effect {
    fn of(verdict: &SettleVerdict) -> Self {
        let effect = |event, reason, outcome| Self { event, reason, outcome, reference: None };
        let fixed = |event: MessageEvent, outcome| effect(event, Cow::Borrowed(event.as_str()), outcome);
        match verdict {
            SettleVerdict::Accepted { reference } => Self {
                reference: reference.clone(),
                ..fixed(MessageEvent::Accepted, Some(AttemptOutcome::Accepted))
            },
            SettleVerdict::RefusedForNow { code, .. } => effect(
                MessageEvent::RefusedForNow,
                Cow::Owned(code.clone()),
                Some(AttemptOutcome::Refused { code: code.clone() }),
            ),
            SettleVerdict::RefusedForGood { code } | SettleVerdict::OptedOut { code } => effect(
                MessageEvent::RefusedForGood,
                Cow::Owned(code.clone()),
                Some(AttemptOutcome::Refused { code: code.clone() }),
            ),
            SettleVerdict::Returned { reason, .. } => effect(
                MessageEvent::Returned,
                Cow::Borrowed(reason.as_str()),
                Some(AttemptOutcome::Returned { reason: *reason }),
            ),
            SettleVerdict::Ambiguous { code } => effect(
                MessageEvent::Ambiguous,
                Cow::Owned(code.clone()),
                Some(AttemptOutcome::Unknown { code: code.clone() }),
            ),
            SettleVerdict::Reaped => fixed(
                MessageEvent::Reaped,
                Some(AttemptOutcome::Unknown { code: "no_answer_recorded".to_owned() }),
            ),
            SettleVerdict::Found { reference, .. } => Self {
                reference: Some(reference.clone()),
                ..fixed(MessageEvent::Found, Some(AttemptOutcome::Accepted))
            },
            SettleVerdict::ProvenAbsent => fixed(MessageEvent::ProvenAbsent, Some(AttemptOutcome::Absent)),
            SettleVerdict::ResendPermitted => fixed(MessageEvent::ResendPermitted, None),
            SettleVerdict::RedialPermitted { .. } => {
                fixed(MessageEvent::RedialPermitted, Some(AttemptOutcome::Redialled))
            }
            SettleVerdict::GivenUp => fixed(MessageEvent::GivenUp, None),
        }
    }
}

/// What a verdict changes in the state, beside the status.
fn apply(state: &mut MessageState, settlement: &Settlement) {
    state.copy_until = None;
    state.held = false;
    state.detail = None;
    match &settlement.verdict {
        SettleVerdict::Accepted { .. } => state.sent_at = Some(settlement.at),
        SettleVerdict::Found { accepted_at, .. } => state.sent_at = Some(*accepted_at),
        SettleVerdict::RefusedForNow { not_before, .. } => state.not_before = Some(*not_before),
        SettleVerdict::Returned { not_before, .. } => {
            state.not_before = Some(*not_before);
            uncount(state);
        }
        SettleVerdict::RefusedForGood { code }
        | SettleVerdict::OptedOut { code }
        | SettleVerdict::Ambiguous { code } => {
            state.detail = Some(Detail::Code(code.clone()));
        }
        SettleVerdict::Reaped => state.detail = Some(Detail::Code("no_answer_recorded".to_owned())),
        SettleVerdict::ProvenAbsent | SettleVerdict::ResendPermitted => {
            state.not_before = Some(settlement.at);
        }
        SettleVerdict::RedialPermitted { not_before, legal_until } => {
            state.redialled = true;
            state.not_before = Some(*not_before);
            state.legal_until = Some(*legal_until);
        }
        SettleVerdict::GivenUp => {
            state.held = true;
            state.detail = Some(Detail::Code("held".to_owned()));
        }
    }
}

/// An attempt that was returned does not count.
fn uncount(state: &mut MessageState) {
    state.attempts = state.attempts.saturating_sub(1);
}

fn record(records: &mut Records, packet: PacketId, slot: Slot, settlement: &Settlement, effect: &Effect) {
    let Some(attempt) = attempt(records, packet, slot, settlement.epoch) else { return };
    if let Some(outcome) = &effect.outcome {
        attempt.outcome = Some(outcome.clone());
        attempt.settled_at = Some(settlement.at);
    }
    if effect.reference.is_some() {
        attempt.reference.clone_from(&effect.reference);
    }
}

/// A callback may have moved the message before the worker could say what it knows, or a later attempt is in work. That the provider
/// accepted it counts when that one comes to nothing, and its id is worth keeping.
fn keep_acceptance(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    settlement: &Settlement,
    effect: &Effect,
) {
    let Some(attempt) = attempt(records, packet, slot, settlement.epoch) else { return };
    let known = matches!(attempt.outcome, Some(AttemptOutcome::Accepted | AttemptOutcome::Redialled));
    if effect.outcome == Some(AttemptOutcome::Accepted) && !known {
        attempt.outcome.clone_from(&effect.outcome);
        attempt.settled_at = Some(settlement.at);
    }
    if attempt.reference.is_none() {
        attempt.reference.clone_from(&effect.reference);
    }
}

fn attempt(records: &mut Records, packet: PacketId, slot: Slot, epoch: u32) -> Option<&mut Attempt> {
    let message = records.packets.get_mut(&packet)?.get_mut(slot)?;
    message.attempts.iter_mut().find(|attempt| attempt.epoch == epoch)
}
