use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::report::{IncomingCounts, PacketCounts};
use crate::ids::{CompanyId, PacketId};

/// Counts for reports. Reading only; a replica may answer.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ReportStore: Debug + Send + Sync + 'static {
    /// The counters of a packet, as they are kept; costs the same however large the packet is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn packet_counts(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError>;

    /// The counters of a packet, counted anew from its rows and messages: what `reconcile` compares them with.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn recount_packet(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError>;

    /// The counters of a company's incoming messages.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn incoming_counts(&self, company: CompanyId) -> Result<IncomingCounts, StoreError>;
}
