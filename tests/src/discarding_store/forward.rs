//! The storage ports of the discarding store: what it does not do itself, the memory store does.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::{Outcomes, Page};
use reminderly_core::domain::access::{Company, Grants, Role, User};
use reminderly_core::domain::answers::ContactOutcome;
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::attempt::{Attempt, AttemptLocation};
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::campaign::definition::CampaignDefinition;
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::forecast::WaitingWindow;
use reminderly_core::domain::held_appointment::HeldAppointment;
use reminderly_core::domain::household::{Candidate, HouseholdKey};
use reminderly_core::domain::incoming::{Answerable, IncomingRecord, Question};
use reminderly_core::domain::message::{MessageRecord, PlannedMessage};
use reminderly_core::domain::message_status::Transition;
use reminderly_core::domain::packet::{Draining, IngestProgress, Packet, PacketStage};
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::report::{IncomingCounts, PacketCounts};
use reminderly_core::domain::restore::{Restore, RestoreEpoch};
use reminderly_core::domain::row::{RejectedRow, Row, RowNumber};
use reminderly_core::domain::unsubscribe::{RefusalKey, Unsubscribe};
use reminderly_core::domain::vanished::KeptBecause;
use reminderly_core::ids::{AttemptId, CampaignId, CompanyId, IncomingId, MessageId, PacketId, UserId};
use reminderly_core::ports::store::{
    AccessStore, AppointmentStore, CampaignChange, CampaignStore, ClaimOutcome, ClaimRequest, ClaimTerms,
    Close, DispositionOutcome, DispositionStore, FenceLift, HandOver, HandedOver, HouseholdStore,
    IncomingOutcome, IncomingStore, LocatedDisposition, MessageStore, NewCampaign, NewPacket, OpenAttempt,
    OutcomeCursor, PacketCreation, PacketStore, PlanBatch, PlanOutcome, Raised, ReportStore, RestoreStore,
    RowBatch, SettleOutcome, Settlement, SlotsOutcome, Snooze, StageChange, StoreError, UnsubscribeStore,
    VanishOutcome, Vanishing, WriteOutcome,
};

use super::DiscardingStore;

macro_rules! forward {
    ($port:ident { $(fn $name:ident($($argument:ident: $kind:ty),*) -> $output:ty;)* } $($own:tt)*) => {
        #[async_trait]
        impl $port for DiscardingStore {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$output, StoreError> {
                self.inner().$name($($argument),*).await
            })*

            $($own)*
        }
    };
}

forward!(AccessStore {
    fn save_company_across_companies(company: &Company) -> ();
    fn company(company: CompanyId) -> Option<Company>;
    fn save_user_across_companies(user: &User) -> ();
    fn save_role_across_companies(role: &Role) -> ();
    fn grants_across_companies(user: UserId) -> Grants;
});

forward!(AppointmentStore {
    fn appointments(
        company: CompanyId, campaign: CampaignId, keys: &[AppointmentKey]
    ) -> Vec<Vec<HeldAppointment>>;
    fn cancel_vanished(company: CompanyId, vanishing: Vanishing) -> VanishOutcome;
    fn keep_vanished(company: CompanyId, packet: PacketId, because: KeptBecause) -> WriteOutcome;
});

forward!(CampaignStore {
    fn create_campaign(company: CompanyId, campaign: NewCampaign) -> Campaign;
    fn campaign(company: CompanyId, id: CampaignId) -> Option<Campaign>;
    fn definition(company: CompanyId, id: CampaignId, version: u32) -> Option<Arc<CampaignDefinition>>;
    fn save_definition(
        company: CompanyId, id: CampaignId, expected: u32, definition: Arc<CampaignDefinition>
    ) -> CampaignChange;
    fn change_campaign_state(
        company: CompanyId, id: CampaignId, from: CampaignState, to: CampaignState
    ) -> CampaignChange;
    fn campaigns(company: CompanyId, after: Option<CampaignId>, limit: usize) -> Page<Campaign, CampaignId>;
});

forward!(DispositionStore {
    fn locate_attempts_across_companies(attempts: &[AttemptId]) -> Vec<Option<AttemptLocation>>;
    fn record_dispositions(
        company: CompanyId, dispositions: &[LocatedDisposition], at: DateTime<Utc>
    ) -> Outcomes<DispositionOutcome>;
});

forward!(HouseholdStore {
    fn household_candidates(company: CompanyId, packet: PacketId, after: Option<HouseholdKey>, limit: usize) -> Page<Vec<Candidate>, HouseholdKey>;
    fn plan_households(company: CompanyId, packet: PacketId, messages: Vec<PlannedMessage>, at: DateTime<Utc>) -> Outcomes<WriteOutcome>;
});

forward!(IncomingStore {
    fn record_incoming(company: CompanyId, record: IncomingRecord) -> IncomingOutcome;
    fn answerable(
        company: CompanyId, from: &ContactPoint, written_at: DateTime<Utc>, now: DateTime<Utc>
    ) -> Vec<Answerable>;
    fn persons_of(company: CompanyId, contact: &ContactPoint) -> Vec<PersonKey>;
    fn follow_ups_since(company: CompanyId, to: &ContactPoint, since: DateTime<Utc>) -> usize;
    fn latest_attempted(company: CompanyId, to: &ContactPoint) -> Option<(PacketId, MessageId)>;
    fn open_question(company: CompanyId, from: &ContactPoint, now: DateTime<Utc>) -> Option<Question>;
    fn contact_points_of(company: CompanyId, person: &PersonKey) -> Vec<ContactPoint>;
    fn incoming(
        company: CompanyId, after: Option<IncomingId>, limit: usize
    ) -> Page<IncomingRecord, IncomingId>;
});

forward!(ReportStore {
    fn packet_counts(company: CompanyId, packet: PacketId) -> PacketCounts;
    fn recount_packet(company: CompanyId, packet: PacketId) -> PacketCounts;
    fn waiting_windows(
        company: CompanyId, packet: PacketId, now: DateTime<Utc>, until: DateTime<Utc>, limit: usize
    ) -> Vec<WaitingWindow>;
    fn incoming_counts(company: CompanyId) -> IncomingCounts;
    fn contact_outcomes(
        company: CompanyId, since: DateTime<Utc>, after: Option<OutcomeCursor>, limit: usize
    ) -> Page<ContactOutcome, OutcomeCursor>;
});

forward!(RestoreStore {
    fn restore_across_companies() -> Restore;
    fn raise_restore_epoch_across_companies(expected: RestoreEpoch, at: DateTime<Utc>) -> Raised;
    fn fenced_packets_across_companies(after: Option<PacketId>, limit: usize) -> Page<Packet, PacketId>;
    fn expire_before_restore(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> usize;
    fn expire_households_before_restore(
        company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize
    ) -> usize;
    fn lift_fence(company: CompanyId, packet: PacketId, from: RestoreEpoch, to: RestoreEpoch) -> FenceLift;
});

forward!(UnsubscribeStore {
    fn record_unsubscribes(company: CompanyId, events: &[Unsubscribe]) -> Outcomes<WriteOutcome>;
    fn refused(company: CompanyId, keys: &[RefusalKey]) -> Vec<bool>;
    fn unsubscribe_events(company: CompanyId, key: &RefusalKey) -> Vec<Unsubscribe>;
});

forward!(PacketStore {
    fn create_packet(company: CompanyId, packet: NewPacket) -> PacketCreation;
    fn packet_of_call(company: CompanyId, campaign: CampaignId, key: &CallKey) -> Option<Packet>;
    fn packets(
        company: CompanyId, campaign: CampaignId, after: Option<PacketId>, limit: usize
    ) -> Page<Packet, PacketId>;
    fn set_draining(company: CompanyId, packet: PacketId, drain: Draining) -> WriteOutcome;
    fn row(company: CompanyId, packet: PacketId, row: RowNumber) -> Option<Row>;
    fn rejected(
        company: CompanyId, packet: PacketId, after: RowNumber, limit: usize
    ) -> Page<RejectedRow, RowNumber>;
    fn open_packets_across_companies(after: Option<PacketId>, limit: usize) -> Page<Packet, PacketId>;
}
    async fn create_loaded_packet(
        &self,
        company: CompanyId,
        packet: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        let rows = self.hand_on(rows).await;
        let creation = self.inner().create_loaded_packet(company, packet, rows).await?;
        self.open();
        self.end_of_rows().await;
        Ok(creation)
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Option<Packet>, StoreError> {
        Ok(self.inner().packet(company, id).await?.map(|packet| self.seen(packet)))
    }

    async fn change_stage(
        &self,
        company: CompanyId,
        change: StageChange,
    ) -> Result<WriteOutcome, StoreError> {
        let outcome = self.inner().change_stage(company, change.clone()).await?;
        if change.to != PacketStage::Ingested {
            self.end_of_rows().await;
        }
        Ok(outcome)
    }

    async fn open_ingest(
        &self,
        company: CompanyId,
        packet: PacketId,
        progress: IngestProgress,
        at: DateTime<Utc>,
    ) -> Result<WriteOutcome, StoreError> {
        let outcome = self.inner().open_ingest(company, packet, progress, at).await?;
        self.open();
        Ok(outcome)
    }

    async fn append_rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError> {
        let batch = self.hand_on(batch).await;
        self.inner().append_rows(company, packet, batch).await
    }

    async fn rows(
        &self,
        _company: CompanyId,
        _packet: PacketId,
        _after: RowNumber,
        _limit: usize,
    ) -> Result<Page<Row, RowNumber>, StoreError> {
        Ok(self.next_rows().await)
    }
);

forward!(MessageStore {
    fn message(company: CompanyId, packet: PacketId, id: MessageId) -> Option<MessageRecord>;
    fn messages(
        company: CompanyId, packet: PacketId, after: Option<u64>, limit: usize
    ) -> Page<MessageRecord, u64>;
    fn take_slots(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> SlotsOutcome;
    fn hand_over(company: CompanyId, packet: PacketId, terms: HandOver) -> HandedOver;
    fn next_due(company: CompanyId, packet: PacketId) -> Option<DateTime<Utc>>;
    fn claim(
        company: CompanyId, packet: PacketId, requests: &[ClaimRequest], terms: &ClaimTerms
    ) -> Outcomes<ClaimOutcome>;
    fn settle(company: CompanyId, packet: PacketId, settlements: &[Settlement]) -> Outcomes<SettleOutcome>;
    fn snooze(company: CompanyId, packet: PacketId, snoozes: &[Snooze]) -> Outcomes<WriteOutcome>;
    fn close(company: CompanyId, packet: PacketId, closes: &[Close]) -> Outcomes<WriteOutcome>;
    fn cancel_open(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> usize;
    fn attempts(company: CompanyId, packet: PacketId, message: MessageId) -> Vec<Attempt>;
    fn latest_attempts(
        company: CompanyId, packet: PacketId, messages: &[MessageId]
    ) -> Vec<Option<Attempt>>;
    fn attempt(company: CompanyId, packet: PacketId, id: AttemptId) -> Option<Attempt>;
    fn history(company: CompanyId, packet: PacketId, message: MessageId) -> Vec<Transition>;
    fn overdue_attempts_across_companies(before: DateTime<Utc>, limit: usize) -> Vec<OpenAttempt>;
    fn unknown_attempts_across_companies(
        after: Option<AttemptId>, limit: usize
    ) -> Page<OpenAttempt, AttemptId>;
}
    async fn plan(
        &self,
        _company: CompanyId,
        _packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        Ok(self.drop_plan(&batch))
    }
);
