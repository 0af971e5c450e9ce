use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{StoreError, WriteOutcome};
use crate::domain::appointment::Appointment;
use crate::domain::appointment_change::AppointmentChange;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::held_appointment::{HeldAppointment, RowFingerprint};
use crate::domain::row::RowNumber;
use crate::domain::vanished::KeptBecause;
use crate::ids::{CampaignId, CompanyId, PacketId};

/// What a row of a [`PlanBatch`](super::PlanBatch) does to the appointment that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAppointment {
    /// The row.
    pub row: RowNumber,
    /// The appointment that it names.
    pub key: AppointmentKey,
    /// When it says that it is.
    pub appointment: Appointment,
    /// All that it says, as a digest.
    pub fingerprint: RowFingerprint,
    /// What that changes.
    pub change: AppointmentChange,
}

/// What a batch was decided on: the rows that spoke for a key, as [`AppointmentStore::appointments`] told them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedAppointment {
    /// The key.
    pub key: AppointmentKey,
    /// The rows; at least one.
    pub held: Vec<HeldAppointment>,
}

/// What vanishes from an earlier packet because of a later one, whichever is mapped first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vanishing {
    /// The packet that was to name every appointment that is ahead. Its rows are all mapped.
    pub missing_in: PacketId,
    /// The earlier packet whose messages are looked at.
    pub earlier: PacketId,
    /// The position of the last message that was looked at, in the order of their making.
    pub after: Option<u64>,
    /// How many messages are looked at.
    pub limit: usize,
    /// Appointments after this instant are ahead.
    pub now: DateTime<Utc>,
}

/// What became of messages that were looked at for appointments that have vanished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VanishOutcome {
    /// They were looked at.
    Page {
        /// So many messages were cancelled by this call.
        cancelled: u64,
        /// The position from which to go on; `None` if that was all.
        next: Option<u64>,
    },
    /// The later packet is not `loaded` yet, has failed or is given up, or has [recorded](AppointmentStore::keep_vanished) that
    /// nothing vanishes because of it; nothing changed.
    Stale,
}

/// The ledger of appointments: which row of which packet of a campaign speaks for each key (planning rule 7).
///
/// [`MessageStore::plan`](super::MessageStore::plan) writes it, in the transaction that stores the messages; the claim reads it.
/// Messages whose row is not in it, such as what is sent on demand, are not concerned; nor are one-liners, whatever key
/// they name.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AppointmentStore: Debug + Send + Sync + 'static {
    /// The rows that speak for each key, in the order of the keys; none for one that the campaign has not named. Mostly there is
    /// one; more if a file named the key more than once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn appointments(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        keys: &[AppointmentKey],
    ) -> Result<Vec<Vec<HeldAppointment>>, StoreError>;

    /// Looks at up to `limit` messages of an earlier packet. Those whose row, or the one that they go on for or that said something
    /// else instead, speaks for an appointment that is ahead, and that no packet from `missing_in` on has named, not even by a row that
    /// could not be mapped, have vanished: the row is marked, its planned and queued messages are cancelled, and a claim of the others is refused when they
    /// come back. A call that waits to be made again is dropped, and stays undelivered. Appointments and cancelled messages are
    /// counted with the packet `missing_in`. Natural key: the messages; repeated, it finds them closed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if there is no such packet, [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn cancel_vanished(
        &self,
        company: CompanyId,
        vanishing: Vanishing,
    ) -> Result<VanishOutcome, StoreError>;

    /// Records with a packet that is `loaded` that nothing vanishes because of it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn keep_vanished(
        &self,
        company: CompanyId,
        packet: PacketId,
        because: KeptBecause,
    ) -> Result<WriteOutcome, StoreError>;
}
