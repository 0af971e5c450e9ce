use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::{Outcomes, Page};
use reminderly_core::domain::attempt::{Attempt, AttemptLocation};
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::message_status::Transition;
use reminderly_core::ids::{AttemptId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, Close, HandOver, HandedOver, MessageStore, OpenAttempt,
    PlanBatch, PlanOutcome, SettleOutcome, Settlement, SlotsOutcome, Snooze, StoreError, WriteOutcome,
};
use reminderly_core::storage::{self, Due, MessageData, Records, Slot};

use crate::finding::{FindAskers, FindDue, FindWaiting, FoundAskers, Waiting};
use crate::message_reads::{History, MessagePage, Messages, NextDue, Overdue, Unknown};
use crate::reading::Locks;
use crate::store::MySqlStore;

#[async_trait]
impl MessageStore for MySqlStore {
    async fn plan(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        let rule = |records: &mut Records, batch| storage::plan(records, company, packet, batch);
        self.apply(company, Locks::of_packet(packet), batch, rule).await?
    }

    async fn take_slots(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<SlotsOutcome, StoreError> {
        let rule = |records: &mut Records, FoundAskers(askers)| {
            storage::take_slots(records, company, packet, at, &askers)
        };
        self.apply_to_found(company, packet, FindAskers { limit }, rule).await?
    }

    async fn message(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Option<MessageRecord>, StoreError> {
        Ok(self.find_message(company, packet, id).await?.map(|found| found.record))
    }

    async fn messages(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<MessageRecord, u64>, StoreError> {
        self.ask(MessagePage { company, packet, after, limit }).await
    }

    async fn hand_over(
        &self,
        company: CompanyId,
        packet: PacketId,
        terms: HandOver,
    ) -> Result<HandedOver, StoreError> {
        let rule =
            |records: &mut Records, due: Due| storage::hand_over(records, company, packet, &due, &terms);
        self.apply_to_found(company, packet, FindDue(terms), rule).await?
    }

    async fn next_due(
        &self,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.ask(NextDue { company, packet }).await
    }

    async fn claim(
        &self,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        let rule = |records: &mut Records, ()| storage::claim(records, company, packet, requests, terms);
        self.apply(company, Locks::OF_CLAIM, (), rule).await
    }

    async fn settle(
        &self,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        let rule = |records: &mut Records, ()| storage::settle(records, company, packet, settlements);
        self.apply(company, Locks::OF_MESSAGES, (), rule).await?
    }

    async fn snooze(
        &self,
        company: CompanyId,
        packet: PacketId,
        snoozes: &[Snooze],
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        let rule = |records: &mut Records, ()| storage::snooze(records, company, packet, snoozes);
        self.apply(company, Locks::OF_MESSAGES, (), rule).await?
    }

    async fn close(
        &self,
        company: CompanyId,
        packet: PacketId,
        closes: &[Close],
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        let rule = |records: &mut Records, ()| storage::close(records, company, packet, closes);
        self.apply(company, Locks::OF_MESSAGES, (), rule).await?
    }

    async fn cancel_open(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let find = FindWaiting { company, packet, limit, which: Waiting::All };
        let rule = |records: &mut Records, waiting: Vec<Slot>| {
            storage::cancel_open(records, company, packet, &waiting, at)
        };
        self.apply_to_found(company, packet, find, rule).await?
    }

    async fn attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Attempt>, StoreError> {
        let found = self.find_message(company, packet, message).await?;
        Ok(found.map(|found| found.attempts).unwrap_or_default())
    }

    async fn latest_attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        messages: &[MessageId],
    ) -> Result<Vec<Option<Attempt>>, StoreError> {
        let found = self.find_messages(company, packet, messages).await?;
        Ok(messages.iter().map(|id| found.get(id)?.attempts.last().cloned()).collect())
    }

    async fn attempt(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: AttemptId,
    ) -> Result<Option<Attempt>, StoreError> {
        let location = self.locate(&[id]).await?.remove(&id);
        let Some(AttemptLocation { message, .. }) = location else { return Ok(None) };
        let attempts = self.attempts(company, packet, message).await?;
        Ok(attempts.into_iter().find(|attempt| attempt.id == id))
    }

    async fn history(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Transition>, StoreError> {
        self.ask(History { company, packet, message }).await
    }

    async fn overdue_attempts_across_companies(
        &self,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<OpenAttempt>, StoreError> {
        self.ask(Overdue { before, limit }).await
    }

    async fn unknown_attempts_across_companies(
        &self,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Page<OpenAttempt, AttemptId>, StoreError> {
        self.ask(Unknown { after, limit }).await
    }
}

impl MySqlStore {
    async fn find_messages(
        &self,
        company: CompanyId,
        packet: PacketId,
        ids: &[MessageId],
    ) -> Result<BTreeMap<MessageId, MessageData>, StoreError> {
        self.ask(Messages { company, packet, ids }).await
    }

    async fn find_message(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Option<MessageData>, StoreError> {
        Ok(self.find_messages(company, packet, &[id]).await?.remove(&id))
    }
}
