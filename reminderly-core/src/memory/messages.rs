use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use crate::batch::{Outcomes, Page};
use crate::domain::attempt::{Attempt, AttemptLocation};
use crate::domain::message::MessageRecord;
use crate::domain::message_status::Transition;
use crate::ids::{AttemptId, CompanyId, MessageId, PacketId};
use crate::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, Close, HandOver, HandedOver, MessageStore, OpenAttempt,
    PlanBatch, PlanOutcome, SettleOutcome, Settlement, SlotsOutcome, Snooze, StoreError, WriteOutcome,
};
use crate::storage::{self, PacketData, Slot, count};

#[async_trait]
impl MessageStore for MemoryStore {
    async fn plan(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        self.transact(|data| {
            data.apply(company, batch, |records, batch| storage::plan(records, company, packet, batch))
        })
        .await
    }

    async fn take_slots(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<SlotsOutcome, StoreError> {
        self.transact(|data| {
            let askers = data.records.packet_mut(company, packet)?.askers(limit);
            data.apply(company, &askers, |records, askers| {
                storage::take_slots(records, company, packet, at, askers)
            })
        })
        .await
    }

    async fn message(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Option<MessageRecord>, StoreError> {
        Ok(self.transact(|data| Some(data.records.packet(company, packet)?.find(id)?.record.clone())).await)
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
                let found = data.records.packet(company, packet);
                let all = found.into_iter().flat_map(|found| found.messages.rows().iter()).skip(start);
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
        self.transact(|data| {
            let due = data.due(company, packet, &terms);
            data.apply(company, &due, |records, due| {
                storage::hand_over(records, company, packet, due, &terms)
            })
        })
        .await
    }

    async fn next_due(
        &self,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(self.transact(|data| data.records.packet(company, packet)?.index.as_ref()?.next_due()).await)
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
                data.apply(company, requests, |records, requests| {
                    storage::claim(records, company, packet, requests, terms)
                })
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
            data.apply(company, settlements, |records, settlements| {
                storage::settle(records, company, packet, settlements)
            })
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
            data.apply(company, snoozes, |records, snoozes| {
                storage::snooze(records, company, packet, snoozes)
            })
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
            data.apply(company, closes, |records, closes| storage::close(records, company, packet, closes))
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
            let waiting = data.records.packet_mut(company, packet)?.waiting(limit);
            data.apply(company, &*waiting, |records, waiting| {
                storage::cancel_open(records, company, packet, waiting, at)
            })
        })
        .await
    }

    async fn attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Attempt>, StoreError> {
        let found = self
            .transact(|data| Some(data.records.packet(company, packet)?.find(message)?.attempts.clone()))
            .await;
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
                let found = data.records.packet(company, packet);
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
                let location = data.records.attempts.get(&id)?;
                let message = data.records.packet(company, packet)?.find(location.message)?;
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
        let found = self
            .transact(|data| Some(data.records.packet(company, packet)?.find(message)?.history.clone()))
            .await;
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
                    let slots = packet
                        .index
                        .iter()
                        .flat_map(|index| index.sending.range(..(before, 0)))
                        .map(|(_, slot)| *slot);
                    slots.filter_map(|slot| open_attempt(packet, slot)).collect::<Vec<_>>()
                };
                let mut all: Vec<OpenAttempt> =
                    data.records.packets.rows().values().flat_map(overdue).collect();
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
                    let unknown = packet.index.iter().flat_map(|index| &index.unknown);
                    let slots = unknown.filter(|(id, _)| after.is_none_or(|after| **id > after));
                    slots.filter_map(|(_, slot)| open_attempt(packet, *slot)).collect::<Vec<_>>()
                };
                let mut all: Vec<OpenAttempt> =
                    data.records.packets.rows().values().flat_map(unknown).collect();
                all.sort_by_key(|open| open.attempt.id);
                page(all.into_iter().map(|open| (open.attempt.id, open)), limit)
            })
            .await)
    }
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
