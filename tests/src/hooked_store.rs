//! A store between whose callers and itself somebody stands: who looks at what happens, or breaks it.

use std::fmt::Debug;
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
use reminderly_core::domain::packet::{Draining, IngestProgress, Packet};
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
    RowBatch, SettleOutcome, Settlement, SlotsOutcome, Snooze, StageChange, Store, StoreError,
    UnsubscribeStore, VanishOutcome, Vanishing, WriteOutcome,
};

/// A store whose calls go through [`StoreHooks`], as far as these name them.
#[derive(Debug)]
pub struct HookedStore {
    inner: Arc<dyn Store>,
    hooks: Arc<dyn StoreHooks>,
}

impl HookedStore {
    /// Puts `hooks` before `inner`.
    pub fn new(inner: Arc<dyn Store>, hooks: Arc<dyn StoreHooks>) -> Self {
        Self { inner, hooks }
    }
}

/// Stands before a store. What a hook does not say goes to the store as it is.
#[async_trait]
pub trait StoreHooks: Debug + Send + Sync + 'static {
    /// See the port.
    async fn change_campaign_state(
        &self,
        store: &dyn Store,
        company: CompanyId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
    ) -> Result<CampaignChange, StoreError> {
        store.change_campaign_state(company, id, from, to).await
    }

    /// See the port.
    async fn record_dispositions(
        &self,
        store: &dyn Store,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        store.record_dispositions(company, dispositions, at).await
    }

    /// See the port.
    async fn record_incoming(
        &self,
        store: &dyn Store,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        store.record_incoming(company, record).await
    }

    /// See the port.
    async fn cancel_vanished(
        &self,
        store: &dyn Store,
        company: CompanyId,
        vanishing: Vanishing,
    ) -> Result<VanishOutcome, StoreError> {
        store.cancel_vanished(company, vanishing).await
    }

    /// See the port.
    async fn plan(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        store.plan(company, packet, batch).await
    }

    /// See the port.
    async fn plan_households(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        messages: Vec<PlannedMessage>,
        at: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        store.plan_households(company, packet, messages, at).await
    }

    /// See the port.
    async fn take_slots(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<SlotsOutcome, StoreError> {
        store.take_slots(company, packet, at, limit).await
    }

    /// See the port.
    async fn messages(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<MessageRecord, u64>, StoreError> {
        store.messages(company, packet, after, limit).await
    }

    /// See the port.
    async fn hand_over(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        terms: HandOver,
    ) -> Result<HandedOver, StoreError> {
        store.hand_over(company, packet, terms).await
    }

    /// See the port.
    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        store.claim(company, packet, requests, terms).await
    }

    /// See the port.
    async fn settle(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        store.settle(company, packet, settlements).await
    }

    /// See the port.
    async fn snooze(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        snoozes: &[Snooze],
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        store.snooze(company, packet, snoozes).await
    }

    /// See the port.
    async fn create_loaded_packet(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        store.create_loaded_packet(company, packet, rows).await
    }

    /// See the port.
    async fn packet_of_call(
        &self,
        store: &dyn Store,
        company: CompanyId,
        campaign: CampaignId,
        key: &CallKey,
    ) -> Result<Option<Packet>, StoreError> {
        store.packet_of_call(company, campaign, key).await
    }

    /// See the port.
    async fn set_draining(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        drain: Draining,
    ) -> Result<WriteOutcome, StoreError> {
        store.set_draining(company, packet, drain).await
    }

    /// See the port.
    async fn raise_restore_epoch_across_companies(
        &self,
        store: &dyn Store,
        expected: RestoreEpoch,
        at: DateTime<Utc>,
    ) -> Result<Raised, StoreError> {
        store.raise_restore_epoch_across_companies(expected, at).await
    }

    /// See the port.
    async fn record_unsubscribes(
        &self,
        store: &dyn Store,
        company: CompanyId,
        events: &[Unsubscribe],
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        store.record_unsubscribes(company, events).await
    }
}

macro_rules! forward {
    ($port:ident { $($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)* }) => {
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl $port for HookedStore {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                forward!($kind self $name($($argument),*))
            })*
        }
    };
    (pass $self:ident $name:ident($($argument:ident),*)) => { $self.inner.$name($($argument),*).await };
    (hook $self:ident $name:ident($($argument:ident),*)) => {
        $self.hooks.$name(&*$self.inner, $($argument),*).await
    };
}

forward!(AccessStore {
    pass save_company_across_companies(company: &Company) -> ();
    pass company(company: CompanyId) -> Option<Company>;
    pass save_user_across_companies(user: &User) -> ();
    pass save_role_across_companies(role: &Role) -> ();
    pass grants_across_companies(user: UserId) -> Grants;
});

forward!(AppointmentStore {
    pass appointments(
        company: CompanyId, campaign: CampaignId, keys: &[AppointmentKey]
    ) -> Vec<Vec<HeldAppointment>>;
    hook cancel_vanished(company: CompanyId, vanishing: Vanishing) -> VanishOutcome;
    pass keep_vanished(company: CompanyId, packet: PacketId, because: KeptBecause) -> WriteOutcome;
});

forward!(CampaignStore {
    pass create_campaign(company: CompanyId, campaign: NewCampaign) -> Campaign;
    pass campaign(company: CompanyId, id: CampaignId) -> Option<Campaign>;
    pass definition(company: CompanyId, id: CampaignId, version: u32) -> Option<Arc<CampaignDefinition>>;
    pass save_definition(
        company: CompanyId, id: CampaignId, expected: u32, definition: Arc<CampaignDefinition>
    ) -> CampaignChange;
    hook change_campaign_state(
        company: CompanyId, id: CampaignId, from: CampaignState, to: CampaignState
    ) -> CampaignChange;
    pass campaigns(company: CompanyId, after: Option<CampaignId>, limit: usize) -> Page<Campaign, CampaignId>;
});

forward!(DispositionStore {
    pass locate_attempts_across_companies(attempts: &[AttemptId]) -> Vec<Option<AttemptLocation>>;
    hook record_dispositions(
        company: CompanyId, dispositions: &[LocatedDisposition], at: DateTime<Utc>
    ) -> Outcomes<DispositionOutcome>;
});

forward!(HouseholdStore {
    pass household_candidates(
        company: CompanyId, packet: PacketId, after: Option<HouseholdKey>, limit: usize
    ) -> Page<Vec<Candidate>, HouseholdKey>;
    hook plan_households(
        company: CompanyId, packet: PacketId, messages: Vec<PlannedMessage>, at: DateTime<Utc>
    ) -> Outcomes<WriteOutcome>;
});

forward!(IncomingStore {
    hook record_incoming(company: CompanyId, record: IncomingRecord) -> IncomingOutcome;
    pass answerable(
        company: CompanyId, from: &ContactPoint, written_at: DateTime<Utc>, now: DateTime<Utc>
    ) -> Vec<Answerable>;
    pass open_question(company: CompanyId, from: &ContactPoint, now: DateTime<Utc>) -> Option<Question>;
    pass persons_of(company: CompanyId, contact: &ContactPoint) -> Vec<PersonKey>;
    pass follow_ups_since(company: CompanyId, to: &ContactPoint, since: DateTime<Utc>) -> usize;
    pass latest_attempted(company: CompanyId, to: &ContactPoint) -> Option<(PacketId, MessageId)>;
    pass contact_points_of(company: CompanyId, person: &PersonKey) -> Vec<ContactPoint>;
    pass incoming(
        company: CompanyId, after: Option<IncomingId>, limit: usize
    ) -> Page<IncomingRecord, IncomingId>;
});

forward!(MessageStore {
    hook plan(company: CompanyId, packet: PacketId, batch: PlanBatch) -> PlanOutcome;
    hook take_slots(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> SlotsOutcome;
    pass message(company: CompanyId, packet: PacketId, id: MessageId) -> Option<MessageRecord>;
    hook messages(
        company: CompanyId, packet: PacketId, after: Option<u64>, limit: usize
    ) -> Page<MessageRecord, u64>;
    hook hand_over(company: CompanyId, packet: PacketId, terms: HandOver) -> HandedOver;
    pass next_due(company: CompanyId, packet: PacketId) -> Option<DateTime<Utc>>;
    hook claim(
        company: CompanyId, packet: PacketId, requests: &[ClaimRequest], terms: &ClaimTerms
    ) -> Outcomes<ClaimOutcome>;
    hook settle(company: CompanyId, packet: PacketId, settlements: &[Settlement]) -> Outcomes<SettleOutcome>;
    hook snooze(company: CompanyId, packet: PacketId, snoozes: &[Snooze]) -> Outcomes<WriteOutcome>;
    pass close(company: CompanyId, packet: PacketId, closes: &[Close]) -> Outcomes<WriteOutcome>;
    pass cancel_open(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> usize;
    pass attempts(company: CompanyId, packet: PacketId, message: MessageId) -> Vec<Attempt>;
    pass latest_attempts(
        company: CompanyId, packet: PacketId, messages: &[MessageId]
    ) -> Vec<Option<Attempt>>;
    pass attempt(company: CompanyId, packet: PacketId, id: AttemptId) -> Option<Attempt>;
    pass history(company: CompanyId, packet: PacketId, message: MessageId) -> Vec<Transition>;
    pass overdue_attempts_across_companies(before: DateTime<Utc>, limit: usize) -> Vec<OpenAttempt>;
    pass unknown_attempts_across_companies(
        after: Option<AttemptId>, limit: usize
    ) -> Page<OpenAttempt, AttemptId>;
});

forward!(PacketStore {
    pass create_packet(company: CompanyId, packet: NewPacket) -> PacketCreation;
    hook create_loaded_packet(company: CompanyId, packet: NewPacket, rows: RowBatch) -> PacketCreation;
    hook packet_of_call(company: CompanyId, campaign: CampaignId, key: &CallKey) -> Option<Packet>;
    pass packet(company: CompanyId, id: PacketId) -> Option<Packet>;
    pass packets(
        company: CompanyId, campaign: CampaignId, after: Option<PacketId>, limit: usize
    ) -> Page<Packet, PacketId>;
    pass change_stage(company: CompanyId, change: StageChange) -> WriteOutcome;
    hook set_draining(company: CompanyId, packet: PacketId, drain: Draining) -> WriteOutcome;
    pass open_ingest(
        company: CompanyId, packet: PacketId, progress: IngestProgress, at: DateTime<Utc>
    ) -> WriteOutcome;
    pass append_rows(company: CompanyId, packet: PacketId, batch: RowBatch) -> WriteOutcome;
    pass rows(company: CompanyId, packet: PacketId, after: RowNumber, limit: usize) -> Page<Row, RowNumber>;
    pass row(company: CompanyId, packet: PacketId, row: RowNumber) -> Option<Row>;
    pass rejected(
        company: CompanyId, packet: PacketId, after: RowNumber, limit: usize
    ) -> Page<RejectedRow, RowNumber>;
    pass open_packets_across_companies(after: Option<PacketId>, limit: usize) -> Page<Packet, PacketId>;
});

forward!(ReportStore {
    pass packet_counts(company: CompanyId, packet: PacketId) -> PacketCounts;
    pass recount_packet(company: CompanyId, packet: PacketId) -> PacketCounts;
    pass waiting_windows(
        company: CompanyId, packet: PacketId, now: DateTime<Utc>, until: DateTime<Utc>, limit: usize
    ) -> Vec<WaitingWindow>;
    pass incoming_counts(company: CompanyId) -> IncomingCounts;
    pass contact_outcomes(
        company: CompanyId, since: DateTime<Utc>, after: Option<OutcomeCursor>, limit: usize
    ) -> Page<ContactOutcome, OutcomeCursor>;
});

forward!(RestoreStore {
    pass restore_across_companies() -> Restore;
    hook raise_restore_epoch_across_companies(expected: RestoreEpoch, at: DateTime<Utc>) -> Raised;
    pass fenced_packets_across_companies(after: Option<PacketId>, limit: usize) -> Page<Packet, PacketId>;
    pass expire_before_restore(
        company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize
    ) -> usize;
    pass expire_households_before_restore(
        company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize
    ) -> usize;
    pass lift_fence(company: CompanyId, packet: PacketId, from: RestoreEpoch, to: RestoreEpoch) -> FenceLift;
});

forward!(UnsubscribeStore {
    hook record_unsubscribes(company: CompanyId, events: &[Unsubscribe]) -> Outcomes<WriteOutcome>;
    pass refused(company: CompanyId, keys: &[RefusalKey]) -> Vec<bool>;
    pass unsubscribe_events(company: CompanyId, key: &RefusalKey) -> Vec<Unsubscribe>;
});
