//! Storage: one small trait per noun; an adapter implements them all on one struct.
//!
//! # Contract of every method
//!
//! - One business fact, one transaction: `Err` means that nothing was applied, but for
//!   [`StoreError::CommitUnknown`], after which the caller reads back by id.
//! - Every write is idempotent on the natural key that its documentation names, and every change of state is
//!   compare-and-set: who comes late is told so by an outcome.
//! - Batches of any size are legal; outcomes stand in the order of the items. Empty in, empty out.
//! - Data of another company MUST answer exactly as data that does not exist. Only methods whose names end in
//!   `_across_companies` see more than one.
//! - Adapters mint nothing and read no clock: ids and `now` are arguments.
//! - Dropping a future leaves open whether the call took effect, never half of it.

mod access;
mod appointments;
mod campaigns;
mod dispositions;
mod error;
mod households;
mod incoming;
mod log;
mod messages;
mod packets;
mod reports;
mod restore;
mod sending;
mod unsubscribes;

pub use access::AccessStore;
pub use appointments::{AppointmentStore, ExpectedAppointment, PlannedAppointment, VanishOutcome, Vanishing};
pub use campaigns::{CampaignChange, CampaignStore, NewCampaign};
pub use dispositions::{DispositionOutcome, DispositionStore, LocatedDisposition};
pub use error::StoreError;
pub use households::HouseholdStore;
pub use incoming::{IncomingOutcome, IncomingStore};
pub use log::LogStore;
pub use messages::{
    Close, CloseVerdict, MessageStore, PlanBatch, PlanOutcome, SlotsOutcome, Snooze, SnoozeUntil,
    WriteOutcome,
};
pub use packets::{NewPacket, PacketCreation, PacketStore, RowBatch, StageChange};
pub use reports::{OutcomeCursor, ReportStore};
pub use restore::{FenceLift, Raised, RestoreStore};
pub use sending::{
    ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed, DueMessage, HandOver, HandedOver,
    MaxCopies, OpenAttempt, SettleOutcome, SettleVerdict, Settlement,
};
pub use unsubscribes::UnsubscribeStore;

#[cfg(feature = "mock")]
pub use {
    access::MockAccessStore, appointments::MockAppointmentStore, campaigns::MockCampaignStore,
    dispositions::MockDispositionStore, households::MockHouseholdStore, incoming::MockIncomingStore,
    log::MockLogStore, messages::MockMessageStore, packets::MockPacketStore, reports::MockReportStore,
    restore::MockRestoreStore, unsubscribes::MockUnsubscribeStore,
};

/// Everything that the services store. Implemented for whatever implements the single traits.
pub trait Store:
    AccessStore
    + AppointmentStore
    + CampaignStore
    + DispositionStore
    + HouseholdStore
    + IncomingStore
    + LogStore
    + MessageStore
    + PacketStore
    + ReportStore
    + RestoreStore
    + UnsubscribeStore
{
}

impl<S> Store for S where
    S: AccessStore
        + AppointmentStore
        + CampaignStore
        + DispositionStore
        + HouseholdStore
        + IncomingStore
        + LogStore
        + MessageStore
        + PacketStore
        + ReportStore
        + RestoreStore
        + UnsubscribeStore
{
}
