//! What people write back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::company_data::{IncomingEvent, appointment_of};
use super::messages::MessageData;
use super::packet_data::{PacketData, Slot};
use super::records::{Change, Records};
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::AttemptOutcome;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{Answerable, Arrival, IncomingRecord, TiedResponse};
use crate::domain::message::{Detail, Message, MessageState, Origin};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::person::PersonKey;
use crate::domain::response::{Response, ResponseKind};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{IncomingOutcome, StoreError};

/// Stores an incoming message with what follows from it: see
/// [`IncomingStore::record_incoming`](crate::ports::store::IncomingStore::record_incoming).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn record_incoming(
    records: &mut Records,
    company: CompanyId,
    record: IncomingRecord,
) -> Result<IncomingOutcome, StoreError> {
    let event: IncomingEvent = (record.incoming.provider.clone(), Arc::clone(&record.incoming.event));
    if records.company_mut(company)?.incoming_events.contains_key(&event) {
        return Ok(IncomingOutcome::Duplicate);
    }
    let effect = &record.effect;
    if let Some(follow_up) = &effect.follow_up {
        let packet = &records.packet_mut(company, follow_up.message.packet)?.packet;
        if packet.draining != Draining::Off
            || !matches!(packet.stage, PacketStage::Mapped | PacketStage::Queued)
        {
            return Ok(IncomingOutcome::FollowUpPacketClosed);
        }
    }
    if !effect.responses.iter().all(|tied| may_respond(records, company, *tied)) {
        return Ok(IncomingOutcome::Stale);
    }
    for tied in &effect.responses {
        respond(records, company, *tied);
    }
    if let Some(follow_up) = effect.follow_up.clone() {
        records.insert_message(follow_up.message.packet, follow_up);
    }
    let found = records.company_mut(company)?;
    for unsubscribe in &effect.unsubscribes {
        found.record_unsubscribe(unsubscribe, record.recorded_at);
    }
    match effect.question.clone() {
        Some(question) => found.questions.insert(record.incoming.from.clone(), question),
        None => drop(found.questions.remove(&record.incoming.from)),
    }
    found.keep_incoming(record);
    Ok(IncomingOutcome::Recorded)
}

/// Whether an answer can be tied: the appointment, or the message for a campaign's own answer, has none that this one may not
/// follow.
fn may_respond(records: &Records, company: CompanyId, tied: TiedResponse) -> bool {
    let Some((packet, slot)) = answered(records, company, tied) else { return false };
    let Some(record) = packet.record(slot) else { return false };
    let earlier = if tied.response.kind.is_about_appointment() {
        records.companies.get(&company).and_then(|found| found.response(&record.message))
    } else {
        record.state.response
    };
    tied.response.kind.may_follow(earlier.map(|response| response.kind))
}

/// The message about the appointment that an answer is about, or the one that it answers.
fn answered(records: &Records, company: CompanyId, tied: TiedResponse) -> Option<(&PacketData, Slot)> {
    let packet = records.packet(company, tied.packet)?;
    let slot = packet.slot(tied.message)?;
    let Some(member) = tied.member else { return Some((packet, slot)) };
    let message = &packet.record(slot)?.message;
    let is_member = |(reminder, _): &(Slot, &Message)| packet.slot(member) == Some(*reminder);
    let (reminder, _) = packet.reminders(slot, message).find(is_member)?;
    Some((packet, reminder))
}

/// Ties an answer to a message.
fn respond(records: &mut Records, company: CompanyId, tied: TiedResponse) {
    let Some((packet, slot)) = answered(records, company, tied) else { return };
    let Some(message) = packet.record(slot).map(|record| record.message.clone()) else { return };
    let Some(reached) = packet.slot(tied.message) else { return };
    if let Ok(packet) = records.packet_mut(company, tied.packet) {
        packet.amend(slot, |message| message.record.state.response = Some(tied.response));
    }
    if let (true, Ok(found)) = (tied.response.kind.is_about_appointment(), records.company_mut(company)) {
        found.respond(&message, tied.response);
    }
    if tied.arrival == Arrival::Proven {
        prove_sent(records, tied, reached);
    }
    skip_answered(records, company, &message, tied.response);
}

/// Who has got a message has been sent it.
fn prove_sent(records: &mut Records, tied: TiedResponse, slot: Slot) {
    let at = tied.response.at;
    let status = records
        .packets
        .get(&tied.packet)
        .and_then(|packet| packet.record(slot))
        .map(|record| record.state.status);
    if status != Some(MessageStatus::Unknown) || !is_proof(records, tied, slot) {
        return;
    }
    let mut sent = |state: &mut MessageState| {
        state.held = false;
        state.detail = None;
        state.sent_at = state.sent_at.or(Some(at));
    };
    let reason = Cow::Borrowed("the person answered it");
    let change = Change { event: MessageEvent::Found, at, reason, state: &mut sent };
    // The table allows it.
    records.transit(tied.packet, slot, change).ok();
    let message = records.packets.get_mut(&tied.packet).and_then(|packet| packet.get_mut(slot));
    if let Some(attempt) = message.and_then(|message| message.attempts.last_mut()) {
        attempt.outcome = Some(AttemptOutcome::Accepted);
        attempt.settled_at = Some(at);
    }
}

/// Whether an answer can mean no other attempt: it was written after the claim, and nothing else that went to the contact point is
/// unknown.
fn is_proof(records: &Records, tied: TiedResponse, slot: Slot) -> bool {
    let Some(packet) = records.packets.get(&tied.packet) else { return false };
    let Some(found) = packet.get(slot) else { return false };
    let came_first = found.attempts.last().is_some_and(|attempt| attempt.claimed_at <= tied.response.at);
    let message = &found.record.message;
    let unknown = |other: &MessageData| {
        other.record.state.status == MessageStatus::Unknown && other.record.message.id != message.id
    };
    let mut others = message.contact.iter().flat_map(|to| messages_to(records, packet.packet.company, to));
    came_first && !others.any(unknown)
}

/// Skips what an answer ends: the open reminders of an appointment that the person has released, the further rungs of one that
/// has an answer, and the rungs above a message that has a campaign's own.
fn skip_answered(records: &mut Records, company: CompanyId, answered: &Message, response: Response) {
    let ended = if response.kind.is_about_appointment() {
        reminders_of_appointment(records, company, answered, response.kind)
    } else {
        records
            .packet(company, answered.packet)
            .map(|packet| packet.rungs_above(answered.id))
            .unwrap_or_default()
    };
    for (packet, slot) in ended {
        let mut skipped = |state: &mut MessageState| {
            state.copy_until = None;
            state.detail = Some(Detail::Skip(SkipReason::Answered));
        };
        let reason = Cow::Borrowed(SkipReason::Answered.as_str());
        let change = Change { event: MessageEvent::Skipped, at: response.at, reason, state: &mut skipped };
        // What is sent or closed already stays as it is.
        records.transit(packet, slot, change).ok();
    }
}

/// The reminders of the campaign about the appointment of a message that an answer about it ends.
fn reminders_of_appointment(
    records: &Records,
    company: CompanyId,
    answered: &Message,
    kind: ResponseKind,
) -> Vec<(PacketId, Slot)> {
    let (Some(found), Some(person)) = (records.companies.get(&company), &answered.person) else {
        return Vec::new();
    };
    let appointment = appointment_of(answered);
    let ends = |(packet, slot): &(PacketId, Slot)| {
        let record = records.packets.get(packet).and_then(|found| found.record(*slot));
        record.map(|record| &record.message).is_some_and(|message| {
            message.campaign == answered.campaign
                && message.origin.is_reminder()
                && (kind.ends_reminders() || message.ladder.is_some())
                && appointment_of(message) == appointment
        })
    };
    let contacts = found.contact_points_of(person);
    let places = contacts.iter().filter_map(|contact| found.messages_to.get(contact)).flatten();
    places.filter(|place| ends(place)).copied().collect()
}

/// The messages of the company that went, or go, to this contact point.
pub(crate) fn messages_to<'a>(
    records: &'a Records,
    company: CompanyId,
    to: &ContactPoint,
) -> impl Iterator<Item = &'a MessageData> + use<'a> {
    let places = records.companies.get(&company).and_then(|found| found.messages_to.get(to));
    places.into_iter().flatten().filter_map(|(packet, slot)| records.packets.get(packet)?.get(*slot))
}

/// The messages that an incoming message may answer: see
/// [`IncomingStore::answerable`](crate::ports::store::IncomingStore::answerable).
pub fn answerable(
    records: &Records,
    company: CompanyId,
    from: &ContactPoint,
    now: DateTime<Utc>,
) -> Vec<Answerable> {
    // What surely went goes before what may have gone.
    let mut latest: BTreeMap<(AppointmentKey, PersonKey), (bool, Answerable)> = BTreeMap::new();
    let places = records.companies.get(&company).and_then(|found| found.messages_to.get(from));
    for (packet, slot) in places.into_iter().flatten() {
        let Some(packet) = records.packets.get(packet) else { continue };
        let surely =
            packet.get(*slot).is_some_and(|found| found.record.state.status != MessageStatus::Unknown);
        for candidate in candidates(records, packet, *slot).into_iter().flatten().filter(|it| it.until > now)
        {
            let appointment = (candidate.key.clone(), candidate.person.clone());
            let (known_surely, known) =
                latest.entry(appointment).or_insert_with(|| (surely, candidate.clone()));
            if (*known_surely, known.sent_at) <= (surely, candidate.sent_at) {
                (*known_surely, *known) = (surely, candidate);
            }
        }
    }
    let mut all: Vec<Answerable> = latest.into_values().map(|(_, answerable)| answerable).collect();
    all.sort_by(|one, other| {
        let order = |it: &Answerable| (it.until, it.message, it.member);
        order(one).cmp(&order(other))
    });
    all
}

/// What a message that may have arrived asks about: one appointment, or each of a household's.
fn candidates<'a>(
    records: &'a Records,
    packet: &'a PacketData,
    slot: Slot,
) -> Option<impl Iterator<Item = Answerable> + use<'a>> {
    let found = packet.get(slot)?;
    let (message, state) = (&found.record.message, &found.record.state);
    let reached =
        matches!(state.status, MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Unknown);
    let claimed_at = found.attempts.last().map(|attempt| attempt.claimed_at);
    let sent_at = state.sent_at.or(claimed_at).filter(|_| reached)?;
    if matches!(message.origin, Origin::Reply { .. }) {
        return None;
    }
    let company = records.companies.get(&packet.packet.company)?;
    Some(packet.reminders(slot, message).filter_map(move |(reminder, about)| {
        Some(Answerable {
            message: message.id,
            packet: message.packet,
            campaign: message.campaign,
            member: (reminder != slot).then_some(about.id),
            key: about.key.clone(),
            person: about.person.clone()?,
            appointment: about.appointment,
            until: about.answerable_until(sent_at),
            status: state.status,
            sent_at,
            response: company.response(about).map(|response| response.kind),
            answer: state.response.map(|response| response.kind),
        })
    }))
}
