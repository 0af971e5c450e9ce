use std::sync::Arc;

use tracing::Instrument as _;

use super::batch::{Batch, Opened};
use super::content::{Survey, SurveyedFile, changed, survey};
use super::{Ingest, LoadProgress, require_any, unusable, wrong_stage};
use crate::domain::access::{Action, CompanyScope};
use crate::domain::campaign::definition::Source;
use crate::domain::log_entry::PacketDeed;
use crate::domain::packet::{Digest, FileFormat, Packet, PacketFailure, PacketOrigin, PacketStage};
use crate::domain::table::{
    Position, RecordReader, TableFault, TableHead, TableRules, TextEncoding, TextForm,
};
use crate::give_way::give_way;
use crate::ids::{CompanyId, PacketId};
use crate::ports::source::PacketSource;
use crate::ports::store::{StageChange, WriteOutcome};
use crate::services::ServiceError;

impl Ingest {
    /// Loads the rows of a packet, from where an earlier run stopped; `progress` hears of every stored batch, and of the end. A packet that
    /// is loaded or further is answered at once. For [`Action::Ingest`], or [`Action::Operate`], with which a worker
    /// goes on after a crash.
    ///
    /// The file is first read through once, and its rows are taken only from what was read then: rows of another file that took
    /// its place would be mixed with its own. A workbook is held in memory and read from its first row again.
    /// Dropping the future, or a transient error, leaves the packet where it is: call again.
    ///
    /// # Errors
    ///
    /// - [`ServiceError::UnusableFile`], limits included, and [`ServiceError::Source`] with a file that is missing: the packet is failed;
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
        if packet.stage == PacketStage::Prepared {
            // Whoever made it may have been cut off before that was written.
            self.log.write_made(&packet, scope.actor(), PacketDeed::TakeInFile).await;
        }
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
            (PacketStage::Prepared | PacketStage::Ingested, PacketOrigin::File { name, digest, .. }) => {
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
pub(super) struct Load<'a> {
    pub(super) ingest: &'a Ingest,
    pub(super) source: &'a dyn PacketSource,
    pub(super) name: Arc<str>,
    digest: Digest,
    /// As this run knows it.
    packet: Packet,
    /// Rows that were rejected in this run.
    rejected: u64,
}

impl Load<'_> {
    async fn run(&mut self, progress: Listener<'_>) -> Result<(), ServiceError> {
        let survey = survey(self.source, &self.name, self.ingest.file_limits.max_bytes).await?;
        if survey.digest != self.digest {
            return Err(changed());
        }
        if self.packet.stage == PacketStage::Prepared {
            self.open(&survey).await?;
        }
        let (opened, start) = self.packet.ingest.clone().into();
        match (opened.format, opened.delimiter) {
            (FileFormat::Text(encoding), Some(delimiter)) => {
                self.append_records(&opened, TextForm { encoding, delimiter }, start, &survey, progress)
                    .await?;
            }
            #[cfg(feature = "xlsx")]
            (FileFormat::Workbook, _) => self.append_sheet(&opened, start, &survey, progress).await?,
            #[cfg(not(feature = "xlsx"))]
            (FileFormat::Workbook, _) => return Err(unusable(&TableFault::Archive)),
            (FileFormat::Text(_), None) => {
                let hint = "its delimiter is unknown: cancel it and prepare the file again";
                return Err(wrong_stage(&self.packet, hint));
            }
        }
        let outcome = self.change_stage(PacketStage::Loaded, None).await?;
        self.unless_stale(outcome).await
    }

    /// Reads the header: `prepared` → `ingested`.
    async fn open(&mut self, survey: &Survey) -> Result<(), ServiceError> {
        let source = self.declared().await?;
        let rules = TableRules {
            encoding: source.encoding,
            delimiter: source.delimiter,
            max_head_bytes: self.ingest.max_row_bytes,
            max_columns: self.ingest.file_limits.max_columns,
        };
        let (opened, start) = match self.read_head(&rules, survey).await {
            #[cfg(feature = "xlsx")]
            Err(Unreadable::Table(TableFault::Archive)) => self.open_workbook(&source, survey).await?,
            Err(fault) => return Err(fault.into()),
            Ok(head) => {
                let TextForm { encoding, delimiter } = head.form;
                let format = FileFormat::Text(encoding);
                (Opened { header: head.header, format, delimiter: Some(delimiter) }, head.start)
            }
        };
        if opened.format != FileFormat::Text(TextEncoding::Utf8) {
            tracing::info!(format = %opened.format, "file is not UTF-8");
        }
        let (opened, at) = (opened.progress(start), self.ingest.clock.now());
        let store = &self.ingest.store;
        let outcome = store.open_ingest(self.company(), self.packet.id, opened.clone(), at).await?;
        self.unless_stale(outcome).await?;
        self.packet.stage = PacketStage::Ingested;
        self.packet.ingest = opened;
        Ok(())
    }

    /// What the campaign says about its files.
    pub(super) async fn declared(&self) -> Result<Source, ServiceError> {
        let (campaign, version) = (self.packet.campaign, self.packet.campaign_version);
        let definition = self.ingest.store.definition(self.company(), campaign, version).await?;
        let missing = ServiceError::NotFound { what: "campaign document" };
        definition.map(|definition| definition.source.clone()).ok_or(missing)
    }

    async fn read_head(&self, rules: &TableRules, survey: &Survey) -> Result<TableHead, Unreadable> {
        let mut file = SurveyedFile::open(self.source, &self.name, survey, 0).await?;
        let (mut bytes, mut block) = (Vec::new(), Vec::new());
        loop {
            let whole = !file.next(&mut block).await?;
            bytes.append(&mut block);
            if let Some(head) = TableHead::read(&bytes, whole, rules)? {
                survey.evidence.check(&head, rules.encoding)?;
                return Ok(head);
            }
        }
    }

    async fn append_records(
        &mut self,
        opened: &Opened,
        form: TextForm,
        start: Position,
        survey: &Survey,
        progress: Listener<'_>,
    ) -> Result<(), ServiceError> {
        let total_bytes = survey.bytes;
        let mut file = SurveyedFile::open(self.source, &self.name, survey, start.offset).await?;
        let mut records = RecordReader::new(opened.header.clone(), form, self.ingest.max_row_bytes, start);
        let mut batch = Batch::new(start);
        let mut bytes = Vec::new();
        loop {
            let ended = !file.next(&mut bytes).await?;
            if ended {
                records.finish();
            } else {
                records.push(&bytes);
            }
            while let Some(record) = records.next_record() {
                self.unless_too_many(records.position())?;
                batch.take(record, records.position());
                if batch.is_full(self.ingest.rows_per_batch) {
                    batch = self.append(batch, opened).await?;
                    progress(self.progress(batch.end(), total_bytes));
                }
            }
            if ended {
                break;
            }
        }
        self.append_last(batch, opened, total_bytes, progress).await
    }

    pub(super) fn unless_too_many(&self, end: Position) -> Result<(), ServiceError> {
        let limit = self.ingest.file_limits.max_rows;
        if end.row.0 > limit { Err(unusable(&TableFault::TooManyRows { limit })) } else { Ok(()) }
    }

    /// Stores what is left at the end of the file.
    pub(super) async fn append_last(
        &mut self,
        mut batch: Batch,
        opened: &Opened,
        total_bytes: u64,
        progress: Listener<'_>,
    ) -> Result<(), ServiceError> {
        if !batch.is_empty() {
            batch = self.append(batch, opened).await?;
        }
        progress(LoadProgress { bytes: total_bytes, ..self.progress(batch.end(), total_bytes) });
        Ok(())
    }

    /// Stores a batch; answers the next.
    pub(super) async fn append(&mut self, batch: Batch, opened: &Opened) -> Result<Batch, ServiceError> {
        let rejected: Vec<_> = batch.rejected().iter().map(|row| row.code).collect();
        let (rows, next) = batch.split(opened);
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

    pub(super) const fn progress(&self, end: Position, total_bytes: u64) -> LoadProgress {
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

/// Who hears of progress.
pub(super) type Listener<'l> = &'l mut (dyn FnMut(LoadProgress) + Send);

/// Why no header was read.
enum Unreadable {
    Table(TableFault),
    Service(ServiceError),
}

impl From<TableFault> for Unreadable {
    fn from(fault: TableFault) -> Self {
        Self::Table(fault)
    }
}

impl From<ServiceError> for Unreadable {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<Unreadable> for ServiceError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Table(fault) => unusable(&fault),
            Unreadable::Service(error) => error,
        }
    }
}
