//! A store that keeps no rows and no messages: to measure what is left, and that memory stays flat.

mod forward;

use std::sync::{Arc, Mutex, PoisonError};

use futures::SinkExt as _;
use futures::StreamExt as _;
use futures::channel::{mpsc, oneshot};
use futures::future::{FutureExt as _, Shared};
use reminderly_core::batch::Page;
use reminderly_core::domain::message::PlanVerdict;
use reminderly_core::domain::packet::{Packet, PacketStage};
use reminderly_core::domain::row::{Row, RowNumber};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::store::{PlanBatch, PlanOutcome, RowBatch};

/// A store that hands the rows of each batch from ingest to mapping and then drops them, and that drops planned messages
/// after it has counted them. Everything else is kept as [`MemoryStore`] does.
///
/// So one file goes through [`Ingest::load`](reminderly_core::services::Ingest::load) and
/// [`Mapping::map`](reminderly_core::services::Mapping::map) at the same time, batch by batch, although the services
/// otherwise take turns. To that end it has two sides, which two instances show: to mapping, a packet looks loaded while
/// ingest still works on it. As messages are dropped, natural keys are not compared, and no row is a duplicate of another.
#[derive(Debug)]
pub struct DiscardingStore {
    shared: Arc<Passage>,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ingest,
    Mapping,
}

#[derive(Debug)]
struct Passage {
    inner: MemoryStore,
    opened: Mutex<Option<oneshot::Sender<()>>>,
    to_mapping: futures::lock::Mutex<Option<mpsc::Sender<Vec<Row>>>>,
    from_ingest: futures::lock::Mutex<mpsc::Receiver<Vec<Row>>>,
    tally: Mutex<Tally>,
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

impl DiscardingStore {
    /// The side of ingest, the side of mapping, and when the latter can start.
    pub fn sides() -> (Self, Self, Opened) {
        let (sender, opened) = oneshot::channel();
        let (to_mapping, from_ingest) = mpsc::channel(0);
        let shared = Arc::new(Passage {
            inner: MemoryStore::new(),
            opened: Mutex::new(Some(sender)),
            to_mapping: futures::lock::Mutex::new(Some(to_mapping)),
            from_ingest: futures::lock::Mutex::new(from_ingest),
            tally: Mutex::default(),
        });
        let ingest = Self { shared: Arc::clone(&shared), side: Side::Ingest };
        (ingest, Self { shared, side: Side::Mapping }, opened.shared())
    }

    /// What has gone through by now.
    pub fn tally(&self) -> Tally {
        *self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inner(&self) -> &MemoryStore {
        &self.shared.inner
    }

    fn count(&self, step: impl FnOnce(&mut Tally)) {
        step(&mut self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A packet as this side sees it.
    fn seen(&self, mut packet: Packet) -> Packet {
        if self.side == Side::Mapping && packet.stage == PacketStage::Ingested {
            packet.stage = PacketStage::Loaded;
        }
        packet
    }

    fn open(&self) {
        if let Some(opener) = self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner).take() {
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
        if let Some(to_mapping) = self.shared.to_mapping.lock().await.as_mut() {
            // Without a mapper the rows are just dropped.
            to_mapping.send(rows).await.ok();
        }
        batch
    }

    async fn end_of_rows(&self) {
        self.shared.to_mapping.lock().await.take();
    }

    /// The next batch that ingest hands over.
    async fn next_rows(&self) -> Page<Row, RowNumber> {
        let rows = self.shared.from_ingest.lock().await.next().await.unwrap_or_default();
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
