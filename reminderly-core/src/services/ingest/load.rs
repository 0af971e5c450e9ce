use std::sync::Arc;

use tracing::Instrument as _;

use super::batch::{Batch, progress};
use super::digest::{CHUNK_BYTES, Content, read_digest};
use super::{Ingest, LoadProgress, require_any, wrong_stage};
use crate::domain::access::{Action, CompanyScope};
use crate::domain::packet::{Digest, IngestProgress, Packet, PacketFailure, PacketOrigin, PacketStage};
use crate::domain::row::Header;
use crate::domain::table::{Position, RecordReader, TableHead};
use crate::give_way::give_way;
use crate::ids::{CompanyId, PacketId};
use crate::ports::source::{PacketSource, SourceReader};
use crate::ports::store::{StageChange, WriteOutcome};
use crate::services::ServiceError;

impl Ingest {
    /// Loads the rows of a packet, from where an earlier run stopped; `progress` hears of every stored batch, and of the end. A packet that
    /// is loaded or further is answered at once. For [`Action::Ingest`], or [`Action::Operate`], with which a worker
    /// goes on after a crash.
    ///
    /// The file is first read through once: rows of another file that took its place would be mixed with its own.
    /// Dropping the future, or a transient error, leaves the packet where it is: call again.
    ///
    /// # Errors
    ///
    /// - [`ServiceError::UnusableFile`] and [`ServiceError::Source`] with a file that is missing: the packet is failed;
    ///   [`resume`](Self::resume) it once the file is right. Other faults of the source and
    ///   [`ServiceError::Store`] change nothing.
    /// - [`ServiceError::WrongState`] if the packet has failed or was cancelled, or if somebody else works on it.
    /// - [`ServiceError::Denied`], [`ServiceError::NotFound`] for the packet.
    pub async fn load(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        source: &dyn PacketSource,
        progress: &mut (dyn FnMut(LoadProgress) + Send),
    ) -> Result<Packet, ServiceError> {
        let company = require_any(scope, [Action::Ingest, Action::Operate])?;
        let packet = self.packet(company, packet).await?;
        let span = tracing::info_span!(
            "packet.load",
            company.id = %company, campaign.id = %packet.campaign, packet.id = %packet.id, rows = tracing::field::Empty
        );
        self.load_packet(packet, source, progress).instrument(span).await
    }

    async fn load_packet(
        &self,
        packet: Packet,
        source: &dyn PacketSource,
        progress: &mut (dyn FnMut(LoadProgress) + Send),
    ) -> Result<Packet, ServiceError> {
        let (name, digest) = match (packet.stage, &packet.origin) {
            (PacketStage::Failed, _) => return Err(wrong_stage(&packet, "resume it first")),
            (PacketStage::Cancelled, _) => {
                return Err(wrong_stage(&packet, "prepare the file again to load it"));
            }
            (PacketStage::Prepared | PacketStage::Ingested, PacketOrigin::File { name, digest }) => {
                (Arc::clone(name), *digest)
            }
            _ => return Ok(packet),
        };
        let (company, id) = (packet.company, packet.id);
        let mut load = Load { ingest: self, source, name, digest, packet, rejected: 0 };
        if let Err(error) = load.run(progress).await {
            load.fail_on(&error).await?;
            return Err(error);
        }
        let packet = self.packet(company, id).await?;
        tracing::Span::current().record("rows", packet.rows.read);
        tracing::info!(rejected = packet.rows.rejected, "packet loaded");
        Ok(packet)
    }
}

/// One run over one file.
struct Load<'a> {
    ingest: &'a Ingest,
    source: &'a dyn PacketSource,
    name: Arc<str>,
    digest: Digest,
    /// As this run knows it.
    packet: Packet,
    /// Rows that were rejected in this run.
    rejected: u64,
}

impl Load<'_> {
    async fn run(&mut self, progress: &mut (dyn FnMut(LoadProgress) + Send)) -> Result<(), ServiceError> {
        let Content { digest, bytes } = read_digest(self.source, &self.name).await?;
        if digest != self.digest {
            return Err(changed());
        }
        if self.packet.stage == PacketStage::Prepared {
            self.open().await?;
        }
        let IngestProgress { header, delimiter, through, offset, line } = self.packet.ingest.clone();
        let Some(delimiter) = delimiter else {
            return Err(wrong_stage(
                &self.packet,
                "its delimiter is unknown: cancel it and prepare the file again",
            ));
        };
        let start = Position { row: through, offset, line };
        self.append_rows(&header, delimiter, start, bytes, progress).await?;
        let outcome = self.change_stage(PacketStage::Loaded, None).await?;
        self.unless_stale(outcome).await
    }

    /// Reads the header: `prepared` → `ingested`.
    async fn open(&mut self) -> Result<(), ServiceError> {
        let store = &self.ingest.store;
        let (campaign, version) = (self.packet.campaign, self.packet.campaign_version);
        let definition = store.definition(self.company(), campaign, version).await?;
        let delimiter =
            definition.ok_or(ServiceError::NotFound { what: "campaign document" })?.source.delimiter;

        let mut reader = self.source.open(&self.name, 0).await?;
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        let head = loop {
            let whole = reader.read(&mut bytes, CHUNK_BYTES).await? == 0;
            let head = TableHead::read(&bytes, whole, delimiter, self.ingest.max_row_bytes);
            if let Some(head) = head.map_err(|fault| unusable(&fault))? {
                break head;
            }
        };

        let opened = progress(head.header, head.delimiter, head.start);
        let at = self.ingest.clock.now();
        let outcome = store.open_ingest(self.company(), self.packet.id, opened.clone(), at).await?;
        self.unless_stale(outcome).await?;
        self.packet.stage = PacketStage::Ingested;
        self.packet.ingest = opened;
        Ok(())
    }

    async fn append_rows(
        &mut self,
        header: &Header,
        delimiter: u8,
        start: Position,
        total_bytes: u64,
        progress: &mut (dyn FnMut(LoadProgress) + Send),
    ) -> Result<(), ServiceError> {
        let mut file = self.source.open(&self.name, start.offset).await?;
        let mut records = RecordReader::new(header.clone(), delimiter, self.ingest.max_row_bytes, start);
        let mut batch = Batch::new(start);
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let mut read = start.offset;
        loop {
            let ended = next_chunk(&mut *file, &mut chunk).await? == 0;
            read += chunk.len() as u64;
            if ended {
                // Before the last row is taken, which would be cut.
                if read != total_bytes {
                    return Err(changed());
                }
                records.finish();
            } else {
                records.push(&chunk);
            }
            while let Some(record) = records.next_record() {
                batch.take(record, records.position());
                if batch.is_full(self.ingest.rows_per_batch) {
                    batch = self.append(batch, header, delimiter).await?;
                    progress(self.progress(batch.end(), total_bytes));
                }
            }
            if ended {
                break;
            }
        }
        if !batch.is_empty() {
            batch = self.append(batch, header, delimiter).await?;
        }
        progress(LoadProgress { bytes: total_bytes, ..self.progress(batch.end(), total_bytes) });
        Ok(())
    }

    /// Stores a batch; answers the next.
    async fn append(&mut self, batch: Batch, header: &Header, delimiter: u8) -> Result<Batch, ServiceError> {
        let rejected: Vec<_> = batch.rejected().iter().map(|row| row.code).collect();
        let (rows, next) = batch.split(header, delimiter);
        let read = (rows.rows.len() + rejected.len()) as u64;
        let outcome = self.ingest.store.append_rows(self.company(), self.packet.id, rows).await?;
        self.unless_stale(outcome).await?;
        self.rejected += rejected.len() as u64;
        // A large file must not hold up the other loops of the task, whatever the adapters.
        give_way().await;
        metrics::counter!("reminderly_rows_read_total").increment(read);
        for code in rejected {
            metrics::counter!("reminderly_rows_rejected_total", "code" => code.as_str()).increment(1);
        }
        Ok(next)
    }

    const fn progress(&self, end: Position, total_bytes: u64) -> LoadProgress {
        // Rows are numbered without gaps.
        let rows_read = end.row.0;
        let rejected = self.packet.rows.rejected + self.rejected;
        LoadProgress { rows_read, rejected, bytes: end.offset, total_bytes }
    }

    /// Fails the packet, if the error does not pass and is the file's.
    async fn fail_on(&self, error: &ServiceError) -> Result<(), ServiceError> {
        let reason = match error {
            ServiceError::UnusableFile { reason } => reason.clone(),
            ServiceError::Source(error) if !error.is_transient() => {
                "the file is not in its source any more: put it back, and resume the packet".to_owned()
            }
            _ => return Ok(()),
        };
        tracing::warn!(stage = %self.packet.stage, %reason, "packet failed");
        let failure = PacketFailure { stage: self.packet.stage, reason };
        match self.change_stage(PacketStage::Failed, Some(failure)).await? {
            // If it is stale, somebody else has moved the packet on, and knows better.
            WriteOutcome::Applied | WriteOutcome::Stale => Ok(()),
        }
    }

    async fn change_stage(
        &self,
        to: PacketStage,
        failure: Option<PacketFailure>,
    ) -> Result<WriteOutcome, ServiceError> {
        let at = self.ingest.clock.now();
        let change = StageChange { packet: self.packet.id, from: self.packet.stage, to, failure, at };
        Ok(self.ingest.store.change_stage(self.company(), change).await?)
    }

    async fn unless_stale(&self, outcome: WriteOutcome) -> Result<(), ServiceError> {
        match outcome {
            WriteOutcome::Applied => Ok(()),
            WriteOutcome::Stale => {
                let packet = self.ingest.packet(self.company(), self.packet.id).await?;
                Err(wrong_stage(&packet, "somebody else works on it; load it again if that stops"))
            }
        }
    }

    const fn company(&self) -> CompanyId {
        self.packet.company
    }
}

async fn next_chunk(file: &mut dyn SourceReader, chunk: &mut Vec<u8>) -> Result<usize, ServiceError> {
    chunk.clear();
    Ok(file.read(chunk, CHUNK_BYTES).await?)
}

fn unusable(fault: &crate::domain::table::TableFault) -> ServiceError {
    ServiceError::UnusableFile { reason: fault.to_string() }
}

fn changed() -> ServiceError {
    let reason = "it is not the file that was prepared: put that back and resume the packet, \
                  or cancel the packet and prepare this file";
    ServiceError::UnusableFile { reason: reason.to_owned() }
}
