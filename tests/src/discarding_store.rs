//! A store that keeps no rows and no messages: to measure what is left, and that memory stays flat.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::SinkExt as _;
use futures::StreamExt as _;
use futures::channel::{mpsc, oneshot};
use futures::future::{FutureExt as _, Shared};
use reminderly_core::batch::Page;
use reminderly_core::domain::message::PlanVerdict;
use reminderly_core::domain::packet::{IngestProgress, Packet, PacketStage};
use reminderly_core::domain::row::{Row, RowNumber};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::store::{
    NewPacket, PacketCreation, PlanBatch, PlanOutcome, RowBatch, StageChange, Store, StoreError, WriteOutcome,
};
use reminderly_core::testing::{HookedStore, StoreHooks};

/// A store that hands the rows of each batch from ingest to mapping and then drops them, and that drops planned messages
/// after it has counted them. Everything else is kept as [`MemoryStore`] does.
///
/// So one file goes through [`Ingest::load`](reminderly_core::services::Ingest::load) and
/// [`Mapping::map`](reminderly_core::services::Mapping::map) at the same time, batch by batch, although the services
/// otherwise take turns. To that end it has two sides: to mapping, a packet looks loaded while ingest still works on it. As
/// messages are dropped, natural keys are not compared, and no row is a duplicate of another.
#[derive(Debug)]
pub struct DiscardingStore {
    kept: Arc<dyn Store>,
    passage: Arc<Passage>,
    opened: Opened,
}

/// What went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Good rows.
    pub rows: u64,
    /// Bad rows.
    pub rejected: u64,
    /// Rows that could not be mapped.
    pub failed: u64,
    /// Messages that would go.
    pub planned: u64,
    /// Messages that would not.
    pub skipped: u64,
    /// Bytes of their texts.
    pub text_bytes: u64,
}

/// Completes when the header of the file is known: mapping can start.
pub type Opened = Shared<oneshot::Receiver<()>>;

impl Default for DiscardingStore {
    fn default() -> Self {
        let (sender, opened) = oneshot::channel();
        let (to_mapping, from_ingest) = mpsc::channel(0);
        let passage = Passage {
            opener: Mutex::new(Some(sender)),
            to_mapping: futures::lock::Mutex::new(Some(to_mapping)),
            from_ingest: futures::lock::Mutex::new(from_ingest),
            tally: Mutex::default(),
        };
        Self { kept: Arc::new(MemoryStore::new()), passage: Arc::new(passage), opened: opened.shared() }
    }
}

impl DiscardingStore {
    /// The store as ingest sees it.
    pub fn ingest_side(&self) -> Arc<dyn Store> {
        self.side(Side::Ingest)
    }

    /// The store as mapping sees it.
    pub fn mapping_side(&self) -> Arc<dyn Store> {
        self.side(Side::Mapping)
    }

    /// When mapping can start.
    pub fn opened(&self) -> Opened {
        self.opened.clone()
    }

    /// What has gone through by now.
    pub fn tally(&self) -> Tally {
        *self.passage.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn side(&self, side: Side) -> Arc<dyn Store> {
        let hooks = SideHooks { passage: Arc::clone(&self.passage), side };
        Arc::new(HookedStore::new(Arc::clone(&self.kept), Arc::new(hooks)))
    }
}

/// What goes from ingest to mapping.
#[derive(Debug)]
struct Passage {
    opener: Mutex<Option<oneshot::Sender<()>>>,
    to_mapping: futures::lock::Mutex<Option<mpsc::Sender<Vec<Row>>>>,
    from_ingest: futures::lock::Mutex<mpsc::Receiver<Vec<Row>>>,
    tally: Mutex<Tally>,
}

impl Passage {
    fn count(&self, step: impl FnOnce(&mut Tally)) {
        step(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn open(&self) {
        if let Some(opener) = self.opener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Nobody needs to listen.
            opener.send(()).ok();
        }
    }

    /// Hands the rows over, and gives the batch back without them.
    async fn hand_on(&self, mut batch: RowBatch) -> RowBatch {
        let (rows, rejected) = (std::mem::take(&mut batch.rows), std::mem::take(&mut batch.rejected));
        self.count(|tally| {
            tally.rows += rows.len() as u64;
            tally.rejected += rejected.len() as u64;
        });
        if let Some(to_mapping) = self.to_mapping.lock().await.as_mut() {
            // Without a mapper the rows are just dropped.
            to_mapping.send(rows).await.ok();
        }
        batch
    }

    async fn end_of_rows(&self) {
        self.to_mapping.lock().await.take();
    }

    /// The next batch that ingest hands over.
    async fn next_rows(&self) -> Page<Row, RowNumber> {
        let rows = self.from_ingest.lock().await.next().await.unwrap_or_default();
        Page { next: rows.last().map(|row| row.number), items: rows }
    }

    fn drop_plan(&self, batch: &PlanBatch) -> PlanOutcome {
        self.count(|tally| {
            tally.failed += batch.failed.len() as u64;
            for planned in &batch.messages {
                match planned.verdict {
                    PlanVerdict::Send { .. } => tally.planned += 1,
                    PlanVerdict::Skip(_) => tally.skipped += 1,
                }
                let text = planned.message.content.as_ref().map_or("", |content| content.text());
                tally.text_bytes += text.len() as u64;
            }
        });
        PlanOutcome::Stored { duplicates: 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ingest,
    Mapping,
}

/// What the store does by itself, on one of its sides.
#[derive(Debug)]
struct SideHooks {
    passage: Arc<Passage>,
    side: Side,
}

impl SideHooks {
    /// A packet as this side sees it.
    fn seen(&self, mut packet: Packet) -> Packet {
        if self.side == Side::Mapping && packet.stage == PacketStage::Ingested {
            packet.stage = PacketStage::Loaded;
        }
        packet
    }
}

#[async_trait]
impl StoreHooks for SideHooks {
    async fn plan(
        &self,
        _: &dyn Store,
        _: CompanyId,
        _: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        Ok(self.passage.drop_plan(&batch))
    }

    async fn create_loaded_packet(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        let rows = self.passage.hand_on(rows).await;
        let creation = store.create_loaded_packet(company, packet, rows).await?;
        self.passage.open();
        self.passage.end_of_rows().await;
        Ok(creation)
    }

    async fn packet(
        &self,
        store: &dyn Store,
        company: CompanyId,
        id: PacketId,
    ) -> Result<Option<Packet>, StoreError> {
        Ok(store.packet(company, id).await?.map(|packet| self.seen(packet)))
    }

    async fn change_stage(
        &self,
        store: &dyn Store,
        company: CompanyId,
        change: StageChange,
    ) -> Result<WriteOutcome, StoreError> {
        let is_end = change.to != PacketStage::Ingested;
        let outcome = store.change_stage(company, change).await?;
        if is_end {
            self.passage.end_of_rows().await;
        }
        Ok(outcome)
    }

    async fn open_ingest(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        progress: IngestProgress,
        at: DateTime<Utc>,
    ) -> Result<WriteOutcome, StoreError> {
        let outcome = store.open_ingest(company, packet, progress, at).await?;
        self.passage.open();
        Ok(outcome)
    }

    async fn append_rows(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError> {
        let batch = self.passage.hand_on(batch).await;
        store.append_rows(company, packet, batch).await
    }

    async fn rows(
        &self,
        _: &dyn Store,
        _: CompanyId,
        _: PacketId,
        _: RowNumber,
        _: usize,
    ) -> Result<Page<Row, RowNumber>, StoreError> {
        Ok(self.passage.next_rows().await)
    }
}
