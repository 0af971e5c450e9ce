use std::borrow::Cow;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use super::claim::{claim, may_send};
use super::data::{Change, Data};
use super::packet_data::{PacketData, Slot};
use super::packets::count;
use super::plan::plan;
use super::restore::is_fenced;
use super::settle;
use super::slots::take_slots;
use crate::batch::{Outcomes, Page};
use crate::domain::attempt::{Attempt, AttemptLocation};
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{Detail, MessageRecord, MessageState};
use crate::domain::message_status::{MessageEvent, Transition};
use crate::ids::{AttemptId, CompanyId, MessageId, PacketId};
use crate::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, Close, CloseVerdict, DueMessage, HandOver, HandedOver,
    MessageStore, OpenAttempt, PlanBatch, PlanOutcome, SettleOutcome, Settlement, SlotsOutcome, Snooze,
    SnoozeUntil, StoreError, WriteOutcome,
};

#[async_trait]
impl MessageStore for MemoryStore {
    async fn plan(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        self.transact(|data| plan(data, company, packet, batch)).await
    }

    async fn take_slots(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<SlotsOutcome, StoreError> {
        self.transact(|data| take_slots(data, company, packet, at, limit)).await
    }

    async fn message(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Option<MessageRecord>, StoreError> {
        Ok(self.transact(|data| Some(data.packet(company, packet)?.find(id)?.record.clone())).await)
    }

    async fn messages(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<MessageRecord, u64>, StoreError> {
        Ok(self
            .transact(|data| {
                let start =
                    after.map_or(0, |after| usize::try_from(after).unwrap_or(usize::MAX).saturating_add(1));
                let found = data.packet(company, packet);
                let all = found.into_iter().flat_map(PacketData::messages).enumerate().skip(start);
                page(all.map(|(slot, message)| (count(slot), message.record.clone())), limit)
            })
            .await)
    }

    async fn hand_over(
        &self,
        company: CompanyId,
        packet: PacketId,
        terms: HandOver,
    ) -> Result<HandedOver, StoreError> {
        self.transact(|data| hand_over(data, company, packet, &terms)).await
    }

    async fn next_due(
        &self,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(self.transact(|data| data.packet(company, packet)?.next_due()).await)
    }

    async fn claim(
        &self,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        Ok(self
            .transact(|data| {
                requests.iter().map(|request| claim(data, company, packet, *request, terms)).collect()
            })
            .await)
    }

    async fn settle(
        &self,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        self.transact(|data| {
            data.packet_mut(company, packet)?;
            Ok(settlements.iter().map(|settlement| settle::settle(data, packet, settlement)).collect())
        })
        .await
    }

    async fn snooze(
        &self,
        company: CompanyId,
        packet: PacketId,
        snoozes: &[Snooze],
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        self.transact(|data| {
            data.packet_mut(company, packet)?;
            Ok(snoozes.iter().map(|snooze| put_back(data, packet, snooze)).collect())
        })
        .await
    }

    async fn close(
        &self,
        company: CompanyId,
        packet: PacketId,
        closes: &[Close],
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        self.transact(|data| {
            data.packet_mut(company, packet)?;
            Ok(closes.iter().map(|close| end(data, packet, close)).collect())
        })
        .await
    }

    async fn cancel_open(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.transact(|data| {
            let slots = data.packet_mut(company, packet)?.waiting(limit);
            for slot in &slots {
                let reason = Cow::Borrowed("cancelled with its packet");
                let change = Change { event: MessageEvent::Cancelled, at, reason, state: &mut drop_copy };
                // Planned and queued messages may always be cancelled.
                data.transit(packet, *slot, change).ok();
            }
            Ok(slots.len())
        })
        .await
    }

    async fn attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Attempt>, StoreError> {
        let found =
            self.transact(|data| Some(data.packet(company, packet)?.find(message)?.attempts.clone())).await;
        Ok(found.unwrap_or_default())
    }

    async fn latest_attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        messages: &[MessageId],
    ) -> Result<Vec<Option<Attempt>>, StoreError> {
        Ok(self
            .transact(|data| {
                let found = data.packet(company, packet);
                let latest = |id: &MessageId| found?.find(*id)?.attempts.last().cloned();
                messages.iter().map(latest).collect()
            })
            .await)
    }

    async fn attempt(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: AttemptId,
    ) -> Result<Option<Attempt>, StoreError> {
        Ok(self
            .transact(|data| {
                let location = data.attempts.get(&id)?;
                let message = data.packet(company, packet)?.find(location.message)?;
                message.attempts.iter().find(|attempt| attempt.id == id).cloned()
            })
            .await)
    }

    async fn history(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Transition>, StoreError> {
        let found =
            self.transact(|data| Some(data.packet(company, packet)?.find(message)?.history.clone())).await;
        Ok(found.unwrap_or_default())
    }

    async fn overdue_attempts_across_companies(
        &self,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<OpenAttempt>, StoreError> {
        Ok(self
            .transact(|data| {
                let overdue = |packet: &PacketData| {
                    let slots = packet.sending.range(..(before, 0)).map(|(_, slot)| *slot);
                    slots.filter_map(|slot| open_attempt(packet, slot)).collect::<Vec<_>>()
                };
                let mut all: Vec<OpenAttempt> = data.packets.values().flat_map(overdue).collect();
                all.sort_by_key(|open| (open.attempt.answer_by, open.attempt.id));
                all.truncate(limit);
                all
            })
            .await)
    }

    async fn unknown_attempts_across_companies(
        &self,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Page<OpenAttempt, AttemptId>, StoreError> {
        Ok(self
            .transact(|data| {
                let unknown = |packet: &PacketData| {
                    let slots =
                        packet.unknown.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
                    slots.filter_map(|(_, slot)| open_attempt(packet, *slot)).collect::<Vec<_>>()
                };
                let mut all: Vec<OpenAttempt> = data.packets.values().flat_map(unknown).collect();
                all.sort_by_key(|open| open.attempt.id);
                page(all.into_iter().map(|open| (open.attempt.id, open)), limit)
            })
            .await)
    }
}

fn hand_over(
    data: &mut Data,
    company: CompanyId,
    packet: PacketId,
    terms: &HandOver,
) -> Result<HandedOver, StoreError> {
    if !may_send(data, data.packet(company, packet).ok_or(StoreError::Missing { what: "packet" })?) {
        return Ok(HandedOver::default());
    }
    let found = data.packet_mut(company, packet)?;
    found.ripen(terms.now);
    let (mut due, mut held_back) = (Vec::new(), false);
    for method in ContactMethod::ALL {
        let free = terms.max_copies.of(method).saturating_sub(found.copy_count(method));
        due.extend(found.due(terms.now, method).take(free.min(terms.limit)));
        held_back |= found.due(terms.now, method).nth(free).is_some();
    }
    due.sort();
    let due = due.into_iter().map(|(.., slot)| slot);
    let slots: Vec<Slot> = found.lost(terms.now).chain(due).take(terms.limit).collect();
    let mut handed = HandedOver { held_back, ..HandedOver::default() };
    for slot in slots {
        let Some(record) = data.packet(company, packet).and_then(|found| found.record(slot)) else {
            continue;
        };
        let (id, method) = (record.message.id, record.message.method);
        let closes_at = record.state.legal_until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        if record.state.legal_until.is_some_and(|until| until <= terms.now) {
            handed.late.push(id);
            continue;
        }
        let mut copied = |state: &mut MessageState| state.copy_until = Some(terms.copy_until);
        let reason = Cow::Borrowed("due");
        let change = Change { event: MessageEvent::HandedOver, at: terms.now, reason, state: &mut copied };
        if data.transit(packet, slot, change).is_ok() {
            handed.due.push(DueMessage { id, method, closes_at });
        }
    }
    Ok(handed)
}

fn put_back(data: &mut Data, packet: PacketId, snooze: &Snooze) -> WriteOutcome {
    let fenced = data.packets.get(&packet).is_some_and(|found| is_fenced(data, &found.packet));
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
    write(data, packet, snooze.message, change)
}

fn end(data: &mut Data, packet: PacketId, close: &Close) -> WriteOutcome {
    let (event, detail, reason) = match close.verdict {
        CloseVerdict::Skipped(reason) => (MessageEvent::Skipped, Some(Detail::Skip(reason)), reason.as_str()),
        CloseVerdict::Expired => (MessageEvent::Expired, None, "came too late"),
    };
    let mut ended = |state: &mut MessageState| {
        state.copy_until = None;
        state.detail.clone_from(&detail);
    };
    let change = Change { event, at: close.at, reason: Cow::Borrowed(reason), state: &mut ended };
    write(data, packet, close.message, change)
}

fn write(data: &mut Data, packet: PacketId, message: MessageId, change: Change<'_>) -> WriteOutcome {
    let slot = data.packets.get(&packet).and_then(|found| found.slot(message));
    match slot.map(|slot| data.transit(packet, slot, change)) {
        Some(Ok(_)) => WriteOutcome::Applied,
        Some(Err(_)) | None => WriteOutcome::Stale,
    }
}

pub(super) fn drop_copy(state: &mut MessageState) {
    state.copy_until = None;
}

fn open_attempt(packet: &PacketData, slot: Slot) -> Option<OpenAttempt> {
    let found = packet.get(slot)?;
    let message = &found.record.message;
    Some(OpenAttempt {
        location: AttemptLocation {
            company: packet.packet.company,
            packet: packet.packet.id,
            message: message.id,
        },
        attempt: found.attempts.last()?.clone(),
        attempts: found.record.state.attempts,
        appointment_at: message.appointment.map(|appointment| appointment.at),
    })
}
