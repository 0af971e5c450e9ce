use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::batch::Page;
use crate::domain::packet::Packet;
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::ids::{CompanyId, PacketId};

/// What became of raising the restore epoch.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// Every packet that had not ended is fenced.
    Raised(Restore),
    /// The epoch was not as expected: somebody else was first, or the call was repeated. This is the restore in force.
    Conflict(Restore),
}

/// What became of lifting the fence of a packet.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceLift {
    /// The packet sends again.
    Lifted,
    /// Messages still wait that were to go before the restore; nothing changed.
    NotExpired,
    /// The packet or the store has another epoch; nothing changed.
    Stale,
}

/// The restore fence: after the store was brought back from a backup nothing is sent until each packet is reconciled.
///
/// A packet is *fenced* while the epoch that it was last reconciled at is earlier than the store's. A new packet has the
/// store's. Of a fenced packet [`hand_over`](super::MessageStore::hand_over) hands nothing over and
/// [`claim`](super::MessageStore::claim) refuses every message, each within its own transaction.
///
/// For good, not only behind the fence: when a message of a ladder brings nothing by an attempt that was claimed before the
/// last restore, the rungs above it that wait to be sent are closed in the same transaction, as by
/// [`expire_before_restore`](RestoreStore::expire_before_restore), instead of jumping. No rung jumps in a fenced packet.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RestoreStore: Debug + Send + Sync + 'static {
    /// The last restore.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn restore_across_companies(&self) -> Result<Restore, StoreError>;

    /// Raises the restore epoch by one, if it is `expected`. From the moment this returns, every packet that existed is fenced.
    /// Its instant is `at`, or that of the restore before if that is later. Natural key: the expected epoch.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn raise_restore_epoch_across_companies(
        &self,
        expected: RestoreEpoch,
        at: DateTime<Utc>,
    ) -> Result<Raised, StoreError>;

    /// Packets that are fenced and have not ended, failed ones included, in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn fenced_packets_across_companies(
        &self,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError>;

    /// Closes up to `limit` messages of a packet whose `not_before` lies before [`Restore::gone_until`], and with each of them all
    /// rungs above it in its ladder, whenever these were to go: nobody knows whether they jumped before the restore, and went.
    /// For the same reason a rung that was made before the restore is closed if one below it was planned for an instant before
    /// [`Restore::gone_until`], whatever the store knows of that one.
    /// Planned ones are skipped (`past_due`), queued ones expire. Answers how many were closed; fewer than `limit`: none is
    /// left. What is claimed or unknown is left to evidence.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn expire_before_restore(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// Closes up to `limit` planned messages of a packet that have a [`HouseholdKey`](crate::domain::household::HouseholdKey) and
    /// whose local day had begun before [`Restore::gone_until`], as [`expire_before_restore`](Self::expire_before_restore) does:
    /// with another one of the household, of which the store knows nothing any more, they may have gone before their turn. For
    /// campaigns with households, of packets that were made before the restore and whose mapping ends after it. Answers how many
    /// were closed; fewer than `limit`: none is left.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn expire_households_before_restore(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// Records that a packet is reconciled at `to`, if it was at `from`, `to` is the store's epoch, and
    /// [`expire_before_restore`](Self::expire_before_restore) has left nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn lift_fence(
        &self,
        company: CompanyId,
        packet: PacketId,
        from: RestoreEpoch,
        to: RestoreEpoch,
    ) -> Result<FenceLift, StoreError>;
}
