//! The one list of the methods of the storage ports, and what is made of it: hooks, and the ports of the stores that decorate
//! another. If it lacks a method, nothing compiles.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::batch::{Outcomes, Page};
use crate::domain::access::{Company, Grants, Role, User};
use crate::domain::answers::ContactOutcome;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::{Attempt, AttemptLocation};
use crate::domain::call::CallKey;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::domain::contact_point::ContactPoint;
use crate::domain::forecast::WaitingWindow;
use crate::domain::held_appointment::HeldAppointment;
use crate::domain::household::{Candidate, HouseholdKey};
use crate::domain::incoming::{Answerable, IncomingRecord, Question};
use crate::domain::log_entry::{LogEntry, LogPlace};
use crate::domain::message::{MessageRecord, PlannedMessage};
use crate::domain::message_status::Transition;
use crate::domain::packet::{Draining, IngestProgress, Packet};
use crate::domain::person::PersonKey;
use crate::domain::report::{IncomingCounts, PacketCounts};
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe};
use crate::domain::vanished::KeptBecause;
use crate::ids::{AttemptId, CampaignId, CompanyId, IncomingId, MessageId, PacketId, UserId};
use crate::ports::store::{
    AccessStore, AppointmentStore, CampaignChange, CampaignStore, ClaimOutcome, ClaimRequest, ClaimTerms,
    Close, DispositionOutcome, DispositionStore, FenceLift, HandOver, HandedOver, HouseholdStore,
    IncomingOutcome, IncomingStore, LocatedDisposition, LogStore, MessageStore, NewCampaign, NewPacket,
    OpenAttempt, OutcomeCursor, PacketCreation, PacketStore, PlanBatch, PlanOutcome, Raised, ReportStore,
    RestoreStore, RowBatch, SettleOutcome, Settlement, SlotsOutcome, Snooze, StageChange, Store, StoreError,
    UnsubscribeStore, VanishOutcome, Vanishing, WriteOutcome,
};

use super::{FaultyStore, HookedStore, TwinStore};

macro_rules! decorate {
    ($($port:ident {
        $($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*
    })*) => {
        /// Stands before the store of a [`HookedStore`]. What a hook does not say goes to the store as it is.
        ///
        /// Every method of the storage ports is a hook, with the store as its first argument. A hook calls the store as often as it
        /// likes, or not at all.
        #[expect(clippy::too_many_arguments, reason = "those of a port's method, and the store")]
        #[async_trait]
        pub trait StoreHooks: Debug + Send + Sync + 'static {$($(
            #[doc = concat!("See [`", stringify!($port), "::", stringify!($name), "`].")]
            async fn $name(&self, store: &dyn Store, $($argument: $type),*) -> Result<$output, StoreError> {
                store.$name($($argument),*).await
            }
        )*)*}

        $(
            #[deny(clippy::missing_trait_methods)]
            #[async_trait]
            impl $port for HookedStore {$(
                async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                    self.hooks.$name(&*self.inner, $($argument),*).await
                }
            )*}

            #[deny(clippy::missing_trait_methods)]
            #[async_trait]
            impl $port for FaultyStore {$(
                async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                    self.$kind(self.inner.$name($($argument),*)).await
                }
            )*}

            #[deny(clippy::missing_trait_methods)]
            #[async_trait]
            impl $port for TwinStore {$(
                async fn $name(&self, $($argument: $type),*) -> Result<$output, StoreError> {
                    let first = self.first.$name($(Clone::clone(&$argument)),*);
                    let answers = self.both(first, self.second.$name($($argument),*));
                    self.$kind(stringify!($name), answers)
                }
            )*}
        )*
    };
}

// A `write` changes something: only of these does a `FaultyStore` lose answers and commits. What is `unordered` is a `read`
// whose pages come in an order of the store's own.
decorate! {
    AccessStore {
        write save_company_across_companies(company: &Company) -> ();
        read company(company: CompanyId) -> Option<Company>;
        write save_user_across_companies(user: &User) -> ();
        write save_role_across_companies(role: &Role) -> ();
        read grants_across_companies(user: UserId) -> Grants;
    }

    AppointmentStore {
        read appointments(
            company: CompanyId, campaign: CampaignId, keys: &[AppointmentKey]
        ) -> Vec<Vec<HeldAppointment>>;
        write cancel_vanished(company: CompanyId, vanishing: Vanishing) -> VanishOutcome;
        write keep_vanished(company: CompanyId, packet: PacketId, because: KeptBecause) -> WriteOutcome;
    }

    CampaignStore {
        write create_campaign(company: CompanyId, campaign: NewCampaign) -> Campaign;
        read campaign(company: CompanyId, id: CampaignId) -> Option<Campaign>;
        read definition(company: CompanyId, id: CampaignId, version: u32) -> Option<Arc<CampaignDefinition>>;
        write save_definition(
            company: CompanyId, id: CampaignId, expected: u32, definition: Arc<CampaignDefinition>
        ) -> CampaignChange;
        write change_campaign_state(
            company: CompanyId, id: CampaignId, from: CampaignState, to: CampaignState
        ) -> CampaignChange;
        read campaigns(company: CompanyId, after: Option<CampaignId>, limit: usize) -> Page<Campaign, CampaignId>;
    }

    DispositionStore {
        read locate_attempts_across_companies(attempts: &[AttemptId]) -> Vec<Option<AttemptLocation>>;
        write record_dispositions(
            company: CompanyId, dispositions: &[LocatedDisposition], at: DateTime<Utc>
        ) -> Outcomes<DispositionOutcome>;
    }

    HouseholdStore {
        unordered household_candidates(
            company: CompanyId, packet: PacketId, after: Option<HouseholdKey>, limit: usize
        ) -> Page<Vec<Candidate>, HouseholdKey>;
        write plan_households(
            company: CompanyId, packet: PacketId, messages: Vec<PlannedMessage>, at: DateTime<Utc>
        ) -> Outcomes<WriteOutcome>;
    }

    IncomingStore {
        write record_incoming(company: CompanyId, record: IncomingRecord) -> IncomingOutcome;
        read answerable(company: CompanyId, from: &ContactPoint, now: DateTime<Utc>) -> Vec<Answerable>;
        read open_question(company: CompanyId, from: &ContactPoint, now: DateTime<Utc>) -> Option<Question>;
        read persons_of(company: CompanyId, contact: &ContactPoint) -> Vec<PersonKey>;
        read follow_ups_since(company: CompanyId, to: &ContactPoint, since: DateTime<Utc>) -> usize;
        read latest_attempted(company: CompanyId, to: &ContactPoint) -> Option<(PacketId, MessageId)>;
        read contact_points_of(company: CompanyId, person: &PersonKey) -> Vec<ContactPoint>;
        read incoming(
            company: CompanyId, after: Option<IncomingId>, limit: usize
        ) -> Page<IncomingRecord, IncomingId>;
    }

    LogStore {
        write append_to_log(company: CompanyId, entry: LogEntry) -> ();
        read log(
            company: CompanyId, during: Range<DateTime<Utc>>, after: Option<LogPlace>, limit: usize
        ) -> Page<LogEntry, LogPlace>;
    }

    MessageStore {
        write plan(company: CompanyId, packet: PacketId, batch: PlanBatch) -> PlanOutcome;
        write take_slots(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> SlotsOutcome;
        read message(company: CompanyId, packet: PacketId, id: MessageId) -> Option<MessageRecord>;
        read messages(
            company: CompanyId, packet: PacketId, after: Option<u64>, limit: usize
        ) -> Page<MessageRecord, u64>;
        write hand_over(company: CompanyId, packet: PacketId, terms: HandOver) -> HandedOver;
        read next_due(company: CompanyId, packet: PacketId) -> Option<DateTime<Utc>>;
        write claim(
            company: CompanyId, packet: PacketId, requests: &[ClaimRequest], terms: &ClaimTerms
        ) -> Outcomes<ClaimOutcome>;
        write settle(company: CompanyId, packet: PacketId, settlements: &[Settlement]) -> Outcomes<SettleOutcome>;
        write snooze(company: CompanyId, packet: PacketId, snoozes: &[Snooze]) -> Outcomes<WriteOutcome>;
        write close(company: CompanyId, packet: PacketId, closes: &[Close]) -> Outcomes<WriteOutcome>;
        write cancel_open(company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize) -> usize;
        read attempts(company: CompanyId, packet: PacketId, message: MessageId) -> Vec<Attempt>;
        read latest_attempts(
            company: CompanyId, packet: PacketId, messages: &[MessageId]
        ) -> Vec<Option<Attempt>>;
        read attempt(company: CompanyId, packet: PacketId, id: AttemptId) -> Option<Attempt>;
        read history(company: CompanyId, packet: PacketId, message: MessageId) -> Vec<Transition>;
        read overdue_attempts_across_companies(before: DateTime<Utc>, limit: usize) -> Vec<OpenAttempt>;
        read unknown_attempts_across_companies(
            after: Option<AttemptId>, limit: usize
        ) -> Page<OpenAttempt, AttemptId>;
    }

    PacketStore {
        write create_packet(company: CompanyId, packet: NewPacket) -> PacketCreation;
        write create_loaded_packet(company: CompanyId, packet: NewPacket, rows: RowBatch) -> PacketCreation;
        read packet_of_call(company: CompanyId, campaign: CampaignId, key: &CallKey) -> Option<Packet>;
        read packet(company: CompanyId, id: PacketId) -> Option<Packet>;
        read packets(
            company: CompanyId, campaign: CampaignId, after: Option<PacketId>, limit: usize
        ) -> Page<Packet, PacketId>;
        write change_stage(company: CompanyId, change: StageChange) -> WriteOutcome;
        write set_draining(company: CompanyId, packet: PacketId, drain: Draining) -> WriteOutcome;
        write open_ingest(
            company: CompanyId, packet: PacketId, progress: IngestProgress, at: DateTime<Utc>
        ) -> WriteOutcome;
        write append_rows(company: CompanyId, packet: PacketId, batch: RowBatch) -> WriteOutcome;
        read rows(company: CompanyId, packet: PacketId, after: RowNumber, limit: usize) -> Page<Row, RowNumber>;
        read row(company: CompanyId, packet: PacketId, row: RowNumber) -> Option<Row>;
        read rejected(
            company: CompanyId, packet: PacketId, after: RowNumber, limit: usize
        ) -> Page<RejectedRow, RowNumber>;
        read open_packets_across_companies(after: Option<PacketId>, limit: usize) -> Page<Packet, PacketId>;
        read ended_across_companies(packets: &[PacketId]) -> Vec<bool>;
    }

    ReportStore {
        read packet_counts(company: CompanyId, packet: PacketId) -> PacketCounts;
        read recount_packet(company: CompanyId, packet: PacketId) -> PacketCounts;
        read waiting_windows(
            company: CompanyId, packet: PacketId, now: DateTime<Utc>, until: DateTime<Utc>, limit: usize
        ) -> Vec<WaitingWindow>;
        read incoming_counts(company: CompanyId) -> IncomingCounts;
        read contact_outcomes(
            company: CompanyId, since: DateTime<Utc>, after: Option<OutcomeCursor>, limit: usize
        ) -> Page<ContactOutcome, OutcomeCursor>;
    }

    RestoreStore {
        read restore_across_companies() -> Restore;
        write raise_restore_epoch_across_companies(expected: RestoreEpoch, at: DateTime<Utc>) -> Raised;
        read fenced_packets_across_companies(after: Option<PacketId>, limit: usize) -> Page<Packet, PacketId>;
        write expire_before_restore(
            company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize
        ) -> usize;
        write expire_households_before_restore(
            company: CompanyId, packet: PacketId, at: DateTime<Utc>, limit: usize
        ) -> usize;
        write lift_fence(company: CompanyId, packet: PacketId, from: RestoreEpoch, to: RestoreEpoch) -> FenceLift;
    }

    UnsubscribeStore {
        write record_unsubscribes(company: CompanyId, events: &[Unsubscribe], now: DateTime<Utc>) -> Outcomes<WriteOutcome>;
        read refused(company: CompanyId, keys: &[RefusalKey]) -> Vec<bool>;
        read unsubscribe_events(company: CompanyId, key: &RefusalKey) -> Vec<Unsubscribe>;
    }
}
