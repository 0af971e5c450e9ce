use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{StoreError, WriteOutcome};
use crate::batch::Page;
use crate::domain::call::CallKey;
use crate::domain::packet::{Draining, IngestProgress, Packet, PacketFailure, PacketOrigin, PacketStage};
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::ids::{CampaignId, CompanyId, PacketId};

/// A packet to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPacket {
    /// Its id.
    pub id: PacketId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The version of the campaign's document.
    pub campaign_version: u32,
    /// Where its rows come from. A file starts as `prepared`; a follow-up packet has no rows and starts as `mapped`; a call
    /// starts as `loaded`.
    pub origin: PacketOrigin,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What became of a new packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketCreation {
    /// Stored.
    Created(Packet),
    /// The campaign has a packet for this already: see the natural keys of [`create_packet`](PacketStore::create_packet).
    Exists(Packet),
    /// Files count in the order of the ids of their packets, and this packet of a file has a later id than the new one: mint
    /// [another](crate::ids::IdSourceExt::next_after). Nothing is stored.
    NotNewest(PacketId),
    /// The campaign is archived and takes no data.
    CampaignArchived,
}

/// A compare-and-set on a packet's stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageChange {
    /// The packet.
    pub packet: PacketId,
    /// The stage that it must have now.
    pub from: PacketStage,
    /// The stage that it gets; [`PacketStage::may_become`] allows it. A queued packet becomes complete only while it is draining
    /// as [`Completing`](crate::domain::packet::Draining::Completing): whoever is slow to end it must not end what was reopened.
    /// With every other stage that mark goes, so that a packet that goes on is free to.
    pub to: PacketStage,
    /// Set with [`PacketStage::Failed`], cleared otherwise.
    pub failure: Option<PacketFailure>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Rows that were read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowBatch {
    /// The last row that was stored before; the batch is refused if the packet is elsewhere.
    pub after: RowNumber,
    /// How far reading is with this batch.
    pub progress: IngestProgress,
    /// The good rows, in order.
    pub rows: Vec<Row>,
    /// The bad rows, in order.
    pub rejected: Vec<RejectedRow>,
}

/// Packets and their rows.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PacketStore: Debug + Send + Sync + 'static {
    /// Stores a packet without rows, reconciled at the store's restore epoch. Natural key: campaign and key of a call
    /// (cancelled packets aside); campaign and its version for an open follow-up packet, which one that drains is not.
    ///
    /// A file exists if the latest packet of its campaign with its digest is not given up, and either is the newest of all
    /// packets of files, or is handed in while its rows are still being read. So content that another file has followed counts
    /// again. But a file that was [found](crate::domain::file_arrival::FileArrival::Found) exists if any packet has its digest,
    /// unless it [is after](crate::domain::file_arrival::FileArrival::is_after) the
    /// [latest](crate::domain::packet::Packet::file_came_at) file of the campaign: who looks twice finds it twice. A packet of
    /// a file is always the newest when it is made.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if the campaign does not exist; [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn create_packet(
        &self,
        company: CompanyId,
        packet: NewPacket,
    ) -> Result<PacketCreation, StoreError>;

    /// Stores a packet with all of its rows as one fact, and makes it `loaded`: what a call brings must not be lost, for
    /// nobody could read it a second time. Rows and rejections are counted as by [`append_rows`](Self::append_rows);
    /// `rows.after` is 0. Natural keys as of [`create_packet`](Self::create_packet): a packet that exists keeps its own rows.
    ///
    /// # Errors
    ///
    /// As [`create_packet`](Self::create_packet).
    async fn create_loaded_packet(
        &self,
        company: CompanyId,
        packet: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError>;

    /// The packet of a call, by the caller's key; not one that was cancelled.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn packet_of_call(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        key: &CallKey,
    ) -> Result<Option<Packet>, StoreError>;

    /// A packet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Option<Packet>, StoreError>;

    /// The packets of a campaign in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn packets(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError>;

    /// Changes the stage, if it is as expected; else the change is stale. A queued packet becomes complete only while it is
    /// [completing](Draining::Completing) and no message of it is open.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn change_stage(&self, company: CompanyId, change: StageChange)
    -> Result<WriteOutcome, StoreError>;

    /// Forbids (or, with [`Draining::Off`], allows again) new claims, rows and messages of the packet, from the moment this
    /// returns. A packet that is being cancelled stays so, and only one that is queued begins to complete: whoever has looked
    /// at it before it was complete, or reopened, comes too late. Those are stale; to set a mark again is not.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn set_draining(
        &self,
        company: CompanyId,
        packet: PacketId,
        drain: Draining,
    ) -> Result<WriteOutcome, StoreError>;

    /// Records what the header says, for a packet that is `prepared`, and makes it `ingested`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn open_ingest(
        &self,
        company: CompanyId,
        packet: PacketId,
        progress: IngestProgress,
        at: DateTime<Utc>,
    ) -> Result<WriteOutcome, StoreError>;

    /// Stores rows and rejections and moves the progress on, if the packet is `ingested` and stands at `batch.after`.
    /// Natural key: packet and row number.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn append_rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError>;

    /// Good rows after `after`, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<Row, RowNumber>, StoreError>;

    /// One good row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn row(
        &self,
        company: CompanyId,
        packet: PacketId,
        row: RowNumber,
    ) -> Result<Option<Row>, StoreError>;

    /// Rejected rows after `after`, in order: those that could not be read and those that could not be mapped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn rejected(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<RejectedRow, RowNumber>, StoreError>;

    /// Packets that have not ended, in the order of their ids; failed ones aside.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn open_packets_across_companies(
        &self,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError>;

    /// Which of these packets have ended. One that there is not has not.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn ended_across_companies(&self, packets: &[PacketId]) -> Result<Vec<bool>, StoreError>;
}
