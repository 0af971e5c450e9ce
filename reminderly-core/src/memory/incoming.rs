use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use super::data::{Change, Data};
use super::packet_data::{MessageData, Slot};
use crate::batch::Page;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::AttemptOutcome;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{Answerable, IncomingRecord, Question, TiedResponse};
use crate::domain::message::{Detail, Message, MessageState, Origin};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::person::PersonKey;
use crate::domain::response::Response;
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
    if let Some(tied) = effect.response
        && !respond(data, company, tied)
    {
        return Ok(IncomingOutcome::Stale);
    }
    if let Some(follow_up) = effect.follow_up.clone() {
        data.insert_message(follow_up.message.packet, follow_up);
    }
    let found = data.company_mut(company)?;
    for unsubscribe in &effect.unsubscribes {
        found.record_unsubscribe(unsubscribe);
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

/// Ties an answer to a message; `false` if the appointment, or the message for a campaign's own answer, has one that this one may not follow.
fn respond(data: &mut Data, company: CompanyId, tied: TiedResponse) -> bool {
    let place =
        data.packet(company, tied.packet).and_then(|packet| Some((packet, packet.slot(tied.message)?)));
    let Some((packet, slot)) = place else { return false };
    let Some(message) = packet.record(slot).map(|record| record.message.clone()) else { return false };
    let earlier = if tied.response.kind.is_about_appointment() {
        data.companies.get(&company).and_then(|found| found.response(&message))
    } else {
        packet.record(slot).and_then(|record| record.state.response)
    };
    if !tied.response.kind.may_follow(earlier.map(|response| response.kind)) {
        return false;
    }
    if let Ok(packet) = data.packet_mut(company, tied.packet) {
        packet.amend(slot, |message| message.record.state.response = Some(tied.response));
    }
    if let (true, Ok(found)) = (tied.response.kind.is_about_appointment(), data.company_mut(company)) {
        found.respond(&message, tied.response);
    }
    prove_sent(data, tied, slot);
    skip_answered(data, company, &message, tied.response);
    true
}

/// Who answers a message has got it: what was unknown is sent.
fn prove_sent(data: &mut Data, tied: TiedResponse, slot: Slot) {
    let at = tied.response.at;
    let status = data
        .packets
        .get(&tied.packet)
        .and_then(|packet| packet.record(slot))
        .map(|record| record.state.status);
    if status != Some(MessageStatus::Unknown) {
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

/// Skips the open reminders of an appointment that the person has released, and the further rungs of any that has an answer.
fn skip_answered(data: &mut Data, company: CompanyId, answered: &Message, response: Response) {
    let (Some(found), Some(person)) = (data.companies.get(&company), &answered.person) else { return };
    let contacts = found.contact_points_of(person);
    let places: Vec<(PacketId, Slot)> =
        contacts.iter().filter_map(|contact| found.messages_to.get(contact)).flatten().copied().collect();
    for (packet, slot) in places {
        let about_it = |message: &MessageData| {
            let message = &message.record.message;
            message.campaign == answered.campaign
                && message.key == answered.key
                && message.person.as_ref() == Some(person)
                && message.origin.is_reminder()
                && (response.kind.ends_reminders() || message.ladder.is_some())
        };
        if data.packets.get(&packet).and_then(|found| found.get(slot)).is_some_and(about_it) {
            let mut skipped = |state: &mut MessageState| {
                state.copy_until = None;
                state.detail = Some(Detail::Skip(SkipReason::Answered));
            };
            let reason = Cow::Borrowed(SkipReason::Answered.as_str());
            let change =
                Change { event: MessageEvent::Skipped, at: response.at, reason, state: &mut skipped };
            // What is sent or closed already stays as it is.
            data.transit(packet, slot, change).ok();
        }
    }
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
    let mut latest: BTreeMap<(AppointmentKey, PersonKey), Answerable> = BTreeMap::new();
    for found in messages_to(data, company, from) {
        let (message, state) = (&found.record.message, &found.record.state);
        let reached =
            matches!(state.status, MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Unknown);
        let Some(person) = message.person.clone() else { continue };
        let claimed_at = found.attempts.last().map(|attempt| attempt.claimed_at);
        let Some(sent_at) = state.sent_at.or(claimed_at).filter(|_| reached) else { continue };
        let until = message.answerable_until(sent_at);
        if until <= now || matches!(message.origin, Origin::Reply { .. }) {
            continue;
        }
        let response = data.companies.get(&company).and_then(|found| found.response(message));
        let candidate = Answerable {
            message: message.id,
            packet: message.packet,
            campaign: message.campaign,
            key: message.key.clone(),
            person: person.clone(),
            appointment: message.appointment,
            until,
            sent_at,
            response: response.map(|response| response.kind),
            answer: state.response.map(|response| response.kind),
        };
        let known = latest.entry((message.key.clone(), person)).or_insert_with(|| candidate.clone());
        if known.sent_at <= sent_at {
            *known = candidate;
        }
    }
    let mut all: Vec<Answerable> = latest.into_values().collect();
    all.sort_by_key(|answerable| (answerable.until, answerable.message));
    all
}
