use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use super::company_data::appointment_of;
use super::data::{Change, Data};
use super::packet_data::{MessageData, PacketData, Slot};
use crate::batch::Page;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::AttemptOutcome;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{Answerable, Arrival, IncomingRecord, Question, TiedResponse};
use crate::domain::message::{Detail, Message, MessageState, Origin};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::person::PersonKey;
use crate::domain::response::{Response, ResponseKind};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, IncomingId, MessageId, PacketId};
use crate::ports::store::{IncomingOutcome, IncomingStore, StoreError};

#[async_trait]
impl IncomingStore for MemoryStore {
    async fn record_incoming(
        &self,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        self.transact(|data| record_incoming(data, company, record)).await
    }

    async fn answerable(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Vec<Answerable>, StoreError> {
        Ok(self.transact(|data| answerable(data, company, from, now)).await)
    }

    async fn open_question(
        &self,
        company: CompanyId,
        from: &ContactPoint,
        now: DateTime<Utc>,
    ) -> Result<Option<Question>, StoreError> {
        Ok(self
            .transact(|data| {
                let question = data.companies.get(&company)?.questions.get(from)?;
                (now < question.expires_at).then(|| question.clone())
            })
            .await)
    }

    async fn persons_of(
        &self,
        company: CompanyId,
        contact: &ContactPoint,
    ) -> Result<Vec<PersonKey>, StoreError> {
        Ok(self
            .transact(|data| {
                let covered = contact.refusal_key().contact_points();
                let persons = covered
                    .iter()
                    .flat_map(|contact| messages_to(data, company, contact))
                    .filter_map(|found| found.record.message.person.clone());
                persons.collect::<BTreeSet<_>>().into_iter().collect()
            })
            .await)
    }

    async fn follow_ups_since(
        &self,
        company: CompanyId,
        to: &ContactPoint,
        since: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        Ok(self
            .transact(|data| {
                let follow_up = |found: &&MessageData| {
                    let message = &found.record.message;
                    matches!(message.origin, Origin::Reply { .. }) && message.created_at >= since
                };
                messages_to(data, company, to).filter(follow_up).count()
            })
            .await)
    }

    async fn latest_attempted(
        &self,
        company: CompanyId,
        to: &ContactPoint,
    ) -> Result<Option<(PacketId, MessageId)>, StoreError> {
        Ok(self
            .transact(|data| {
                let claimed = messages_to(data, company, to).filter_map(|found| {
                    let claimed_at = found.attempts.last()?.claimed_at;
                    Some((claimed_at, found.record.message.packet, found.record.message.id))
                });
                claimed.max().map(|(_, packet, message)| (packet, message))
            })
            .await)
    }

    async fn contact_points_of(
        &self,
        company: CompanyId,
        person: &PersonKey,
    ) -> Result<Vec<ContactPoint>, StoreError> {
        Ok(self
            .transact(|data| {
                let found = data.companies.get(&company);
                found.map(|found| found.contact_points_of(person)).unwrap_or_default()
            })
            .await)
    }

    async fn incoming(
        &self,
        company: CompanyId,
        after: Option<IncomingId>,
        limit: usize,
    ) -> Result<Page<IncomingRecord, IncomingId>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let all = data.companies.get(&company).map(|found| &found.incoming);
                let range = all.into_iter().flat_map(|all| all.range((start, Bound::Unbounded)));
                page(range.map(|(id, record)| (*id, record.clone())), limit)
            })
            .await)
    }
}

fn record_incoming(
    data: &mut Data,
    company: CompanyId,
    record: IncomingRecord,
) -> Result<IncomingOutcome, StoreError> {
    let event = (record.incoming.provider.clone(), Arc::clone(&record.incoming.event));
    if data.company_mut(company)?.incoming_events.contains(&event) {
        return Ok(IncomingOutcome::Duplicate);
    }
    let effect = &record.effect;
    if let Some(follow_up) = &effect.follow_up {
        let packet = &data.packet_mut(company, follow_up.message.packet)?.packet;
        if packet.draining != Draining::Off
            || !matches!(packet.stage, PacketStage::Mapped | PacketStage::Queued)
        {
            return Ok(IncomingOutcome::FollowUpPacketClosed);
        }
    }
    if !effect.responses.iter().all(|tied| may_respond(data, company, *tied)) {
        return Ok(IncomingOutcome::Stale);
    }
    for tied in &effect.responses {
        respond(data, company, *tied);
    }
    if let Some(follow_up) = effect.follow_up.clone() {
        data.insert_message(follow_up.message.packet, follow_up);
    }
    let found = data.company_mut(company)?;
    for unsubscribe in &effect.unsubscribes {
        found.record_unsubscribe(unsubscribe, record.recorded_at);
    }
    match effect.question.clone() {
        Some(question) => drop(found.questions.insert(record.incoming.from.clone(), question)),
        None => drop(found.questions.remove(&record.incoming.from)),
    }
    found.incoming_events.insert(event);
    found.incoming_counts.count(record.classification.kind, effect.needs_review);
    found.incoming.insert(record.id, record);
    Ok(IncomingOutcome::Recorded)
}

/// Whether an answer can be tied: the appointment, or the message for a campaign's own answer, has none that this one may not
/// follow.
fn may_respond(data: &Data, company: CompanyId, tied: TiedResponse) -> bool {
    let Some((packet, slot)) = answered(data, company, tied) else { return false };
    let Some(record) = packet.record(slot) else { return false };
    let earlier = if tied.response.kind.is_about_appointment() {
        data.companies.get(&company).and_then(|found| found.response(&record.message))
    } else {
        record.state.response
    };
    tied.response.kind.may_follow(earlier.map(|response| response.kind))
}

/// The message about the appointment that an answer is about, or the one that it answers.
fn answered(data: &Data, company: CompanyId, tied: TiedResponse) -> Option<(&PacketData, Slot)> {
    let packet = data.packet(company, tied.packet)?;
    let slot = packet.slot(tied.message)?;
    let Some(member) = tied.member else { return Some((packet, slot)) };
    let message = &packet.record(slot)?.message;
    let is_member = |(reminder, _): &(Slot, &Message)| packet.slot(member) == Some(*reminder);
    let (reminder, _) = packet.reminders(slot, message).find(is_member)?;
    Some((packet, reminder))
}

/// Ties an answer to a message.
fn respond(data: &mut Data, company: CompanyId, tied: TiedResponse) {
    let Some((packet, slot)) = answered(data, company, tied) else { return };
    let Some(message) = packet.record(slot).map(|record| record.message.clone()) else { return };
    let Some(reached) = packet.slot(tied.message) else { return };
    if let Ok(packet) = data.packet_mut(company, tied.packet) {
        packet.amend(slot, |message| message.record.state.response = Some(tied.response));
    }
    if let (true, Ok(found)) = (tied.response.kind.is_about_appointment(), data.company_mut(company)) {
        found.respond(&message, tied.response);
    }
    if tied.arrival == Arrival::Proven {
        prove_sent(data, tied, reached);
    }
    skip_answered(data, company, &message, tied.response);
}

/// Who has got a message has been sent it.
fn prove_sent(data: &mut Data, tied: TiedResponse, slot: Slot) {
    let at = tied.response.at;
    let status = data
        .packets
        .get(&tied.packet)
        .and_then(|packet| packet.record(slot))
        .map(|record| record.state.status);
    if status != Some(MessageStatus::Unknown) || !is_proof(data, tied, slot) {
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
    data.transit(tied.packet, slot, change).ok();
    let message = data.packets.get_mut(&tied.packet).and_then(|packet| packet.get_mut(slot));
    if let Some(attempt) = message.and_then(|message| message.attempts.last_mut()) {
        attempt.outcome = Some(AttemptOutcome::Accepted);
        attempt.settled_at = Some(at);
    }
}

/// Whether an answer can mean no other attempt: it was written after the claim, and nothing else that went to the contact point is
/// unknown.
fn is_proof(data: &Data, tied: TiedResponse, slot: Slot) -> bool {
    let Some(packet) = data.packets.get(&tied.packet) else { return false };
    let Some(found) = packet.get(slot) else { return false };
    let came_first = found.attempts.last().is_some_and(|attempt| attempt.claimed_at <= tied.response.at);
    let message = &found.record.message;
    let unknown = |other: &MessageData| {
        other.record.state.status == MessageStatus::Unknown && other.record.message.id != message.id
    };
    let mut others = message.contact.iter().flat_map(|to| messages_to(data, packet.packet.company, to));
    came_first && !others.any(unknown)
}

/// Skips what an answer ends: the open reminders of an appointment that the person has released, the further rungs of one that
/// has an answer, and the rungs above a message that has a campaign's own.
fn skip_answered(data: &mut Data, company: CompanyId, answered: &Message, response: Response) {
    let ended = if response.kind.is_about_appointment() {
        reminders_of_appointment(data, company, answered, response.kind)
    } else {
        data.packet(company, answered.packet)
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
        data.transit(packet, slot, change).ok();
    }
}

/// The reminders of the campaign about the appointment of a message that an answer about it ends.
fn reminders_of_appointment(
    data: &Data,
    company: CompanyId,
    answered: &Message,
    kind: ResponseKind,
) -> Vec<(PacketId, Slot)> {
    let (Some(found), Some(person)) = (data.companies.get(&company), &answered.person) else {
        return Vec::new();
    };
    let appointment = appointment_of(answered);
    let ends = |(packet, slot): &(PacketId, Slot)| {
        let record = data.packets.get(packet).and_then(|found| found.record(*slot));
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
fn messages_to<'a>(
    data: &'a Data,
    company: CompanyId,
    to: &ContactPoint,
) -> impl Iterator<Item = &'a MessageData> + use<'a> {
    let places = data.companies.get(&company).and_then(|found| found.messages_to.get(to));
    places.into_iter().flatten().filter_map(|(packet, slot)| data.packets.get(packet)?.get(*slot))
}

fn answerable(data: &Data, company: CompanyId, from: &ContactPoint, now: DateTime<Utc>) -> Vec<Answerable> {
    // What surely went goes before what may have gone.
    let mut latest: BTreeMap<(AppointmentKey, PersonKey), (bool, Answerable)> = BTreeMap::new();
    let places = data.companies.get(&company).and_then(|found| found.messages_to.get(from));
    for (packet, slot) in places.into_iter().flatten() {
        let Some(packet) = data.packets.get(packet) else { continue };
        let surely =
            packet.get(*slot).is_some_and(|found| found.record.state.status != MessageStatus::Unknown);
        for candidate in candidates(data, packet, *slot).into_iter().flatten().filter(|it| it.until > now) {
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
    data: &'a Data,
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
    let company = data.companies.get(&packet.packet.company)?;
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
