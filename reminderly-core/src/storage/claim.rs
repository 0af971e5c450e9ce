//! Claims and their guards.

use std::borrow::Cow;

use super::appointments::is_superseded;
use super::packet_data::{PacketData, Slot};
use super::records::{Change, Records};
use super::restore::is_fenced;
use super::slots::hold_slot;
use crate::batch::Outcomes;
use crate::domain::attempt::{Attempt, AttemptLocation};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::message::MessageState;
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::unsubscribe::keys_of;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed};

/// Claims messages: see [`MessageStore::claim`](crate::ports::store::MessageStore::claim).
pub fn claim(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    requests: &[ClaimRequest],
    terms: &ClaimTerms,
) -> Outcomes<ClaimOutcome> {
    requests.iter().map(|request| claim_one(records, company, packet, *request, terms)).collect()
}

fn claim_one(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    request: ClaimRequest,
    terms: &ClaimTerms,
) -> ClaimOutcome {
    let place = records.packet(company, packet).and_then(|found| Some((found, found.slot(request.message)?)));
    let Some((found, slot)) = place else { return ClaimOutcome::Refused(ClaimRefusal::Missing) };
    if let Some(again) = claimed_before(found, slot, request) {
        return ClaimOutcome::Claimed(Box::new(again));
    }
    if let Some(refusal) = refusal(records, found, slot, terms) {
        return ClaimOutcome::Refused(refusal);
    }
    // An attempt is of one message and one claim: its id is what callbacks are located by.
    if let (true, Some(record)) = (records.attempts.contains_key(&request.attempt), found.record(slot)) {
        return ClaimOutcome::Refused(ClaimRefusal::NotQueued(record.state.status));
    }
    if hold_slot(records, packet, slot, terms.now).is_err() {
        return ClaimOutcome::Refused(ClaimRefusal::NoSlot);
    }
    let location = AttemptLocation { company, packet, message: request.message };
    records.attempts.insert(request.attempt, location);
    if let Some(message) = records.packets.get_mut(&packet).and_then(|found| found.get_mut(slot)) {
        // The place of a queued message does not depend on its attempts.
        let epoch = message.record.state.epoch + 1;
        let legal_until = message.record.state.legal_until.unwrap_or(terms.start_by);
        // Nearly every message has one.
        message.attempts.reserve_exact(1);
        message.attempts.push(Attempt {
            id: request.attempt,
            message: request.message,
            epoch,
            provider: terms.provider.clone(),
            claimed_at: terms.now,
            start_by: terms.start_by.min(legal_until),
            answer_by: terms.answer_by,
            outcome: None,
            settled_at: None,
            reference: None,
            report: None,
        });
    }
    let mut begin = |state: &mut MessageState| {
        state.epoch += 1;
        state.attempts += 1;
        state.copy_until = None;
        state.detail = None;
    };
    let reason = Cow::Borrowed("claimed");
    let change = Change { event: MessageEvent::Claimed, at: terms.now, reason, state: &mut begin };
    if records.transit(packet, slot, change).is_err() {
        return ClaimOutcome::Refused(ClaimRefusal::Missing);
    }
    match records.packet(company, packet).and_then(|found| claimed_before(found, slot, request)) {
        Some(claimed) => ClaimOutcome::Claimed(Box::new(claimed)),
        None => ClaimOutcome::Refused(ClaimRefusal::Missing),
    }
}

/// The guards, in the order that [`ClaimRefusal`] states, but for the last.
fn refusal(records: &Records, packet: &PacketData, slot: Slot, terms: &ClaimTerms) -> Option<ClaimRefusal> {
    let record = packet.record(slot)?;
    let (message, state) = (&record.message, &record.state);
    if state.status != MessageStatus::Queued || message.method != terms.method {
        return Some(ClaimRefusal::NotQueued(state.status));
    }
    if is_fenced(records, &packet.packet) {
        return Some(ClaimRefusal::Fenced);
    }
    if packet.packet.stage != PacketStage::Queued || packet.packet.draining != Draining::Off {
        return Some(ClaimRefusal::PacketClosed);
    }
    if !is_active(records, packet) {
        return Some(ClaimRefusal::CampaignNotActive);
    }
    let (Some(contact), Some(_), Some(_)) = (&message.contact, &message.person, &message.content) else {
        return Some(ClaimRefusal::Missing);
    };
    let company = records.companies.get(&packet.packet.company)?;
    let refuses = |person| keys_of(contact, person).iter().any(|key| company.refuses(key));
    if !company.wills.is_surely_empty() && message.persons().any(refuses) {
        return Some(ClaimRefusal::Unsubscribed);
    }
    let mut reminders = packet.reminders(slot, message);
    if reminders.any(|(_, reminder)| company.has_answered(reminder))
        || packet.is_answered_on_ladder(company, message)
    {
        return Some(ClaimRefusal::Answered);
    }
    let mut reminders = packet.reminders(slot, message);
    if reminders.any(|(slot, reminder)| is_superseded(records, packet, slot, reminder)) {
        return Some(ClaimRefusal::Superseded);
    }
    if let Some(until) = packet.below_may_bring_until(message, terms.now) {
        return Some(ClaimRefusal::RungBelow(until));
    }
    if state.not_before.is_some_and(|at| terms.now < at) {
        return Some(ClaimRefusal::NotYet);
    }
    state.legal_until.is_none_or(|until| until <= terms.now).then_some(ClaimRefusal::OutsideWindow)
}

/// The claim that this attempt id holds, while it is unsettled.
fn claimed_before(packet: &PacketData, slot: Slot, request: ClaimRequest) -> Option<Claimed> {
    let found = packet.get(slot)?;
    let attempt = found.attempts.last().filter(|attempt| attempt.id == request.attempt)?;
    let (message, state) = (&found.record.message, &found.record.state);
    if state.status != MessageStatus::Sending {
        return None;
    }
    Some(Claimed {
        message: message.id,
        attempt: attempt.id,
        epoch: attempt.epoch,
        attempts: state.attempts.saturating_sub(1),
        contact: message.contact.clone()?,
        content: message.content.clone()?,
        legal_until: state.legal_until?,
        appointment: message.appointment,
        contact_zone: message.contact_zone,
    })
}

/// Whether the campaign and the packet let messages out.
pub(crate) fn may_send(records: &Records, packet: &PacketData) -> bool {
    packet.packet.stage == PacketStage::Queued
        && packet.packet.draining == Draining::Off
        && !is_fenced(records, &packet.packet)
        && is_active(records, packet)
}

fn is_active(records: &Records, packet: &PacketData) -> bool {
    records
        .companies
        .get(&packet.packet.company)
        .and_then(|company| company.campaigns.get(&packet.packet.campaign))
        .is_some_and(|campaign| campaign.head.state == CampaignState::Active)
}
