use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::batch::Page;
use crate::domain::answers::ContactOutcome;
use crate::domain::forecast::WaitingWindow;
use crate::domain::report::{IncomingCounts, PacketCounts};
use crate::ids::{CompanyId, PacketId};

/// Where a page of contact outcomes starts: after this message of this packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutcomeCursor {
    /// The packet.
    pub packet: PacketId,
    /// The position of the message in its packet, in the order of making.
    pub position: u64,
}

/// Counts for reports, and what they are made from. Reading only; a replica may answer.
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

    /// How many planned and queued messages of a packet wait for which stretch of time, by method: what a forecast is made of.
    /// Only messages that may go before `until` count. `opens_at` is the minute of `not_before`, or `now` if that has come; `closes_at`
    /// is the first full minute from `legal_until` on. Ordered by `closes_at`, `opens_at` and method, those that close first; at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn waiting_windows(
        &self,
        company: CompanyId,
        packet: PacketId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<WaitingWindow>, StoreError>;

    /// The counters of a company's incoming messages.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn incoming_counts(&self, company: CompanyId) -> Result<IncomingCounts, StoreError>;

    /// Messages of a company that asked and arrived, with what was answered to each: made from rows, for a known person, `sent`
    /// or `delivered`, and accepted at `since` or later. In the order of their packets' ids and of their making; of packets
    /// that have ended, too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn contact_outcomes(
        &self,
        company: CompanyId,
        since: DateTime<Utc>,
        after: Option<OutcomeCursor>,
        limit: usize,
    ) -> Result<Page<ContactOutcome, OutcomeCursor>, StoreError>;
}
