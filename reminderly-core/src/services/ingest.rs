//! Ingest: from a file to stored rows.

mod batch;
mod content;
mod load;
mod taken;
#[cfg(test)]
#[cfg(feature = "memory")]
mod tests;
#[cfg(feature = "xlsx")]
mod workbook;

use std::sync::Arc;

use chrono::SubsecRound as _;

use self::content::read_digest;
use self::taken::{Novelty, Taken};
use crate::clock::{Clock, SUBSECOND_DIGITS};
use crate::domain::access::{Action, CompanyScope, Denied};
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::domain::file_arrival::FileArrival;
use crate::domain::log_entry::{Deed, PacketDeed};
use crate::domain::packet::{Packet, PacketOrigin, PacketStage};
use crate::domain::table::TableFault;
use crate::ids::{CampaignId, CompanyId, IdSource, IdSourceExt as _, PacketId};
use crate::ports::source::{PacketSource, SourceError, SourceFile};
use crate::ports::store::{NewPacket, PacketCreation, StageChange, Store, WriteOutcome};
use crate::services::company_log::LogWriter;
use crate::services::{FileLimits, Ports, ServiceError, Settings};

/// Packets per page of a look through a campaign.
const PACKETS_PER_PAGE: usize = 500;

/// How often an id is minted that sorts after those of the files before.
const MINTINGS: usize = 8;

/// Finds files, makes packets of them and loads their rows: stages `prepared` → `ingested` → `loaded`.
///
/// A file is known by its content, whatever its name: the same file once more is not loaded again, unless another one came in
/// between. Reading goes on after the last stored batch, so a crash at any point costs at most one batch of work, and memory
/// stays flat for any file size.
///
/// ```
/// use reminderly_core::domain::access::CompanyScope;
/// use reminderly_core::ids::CampaignId;
/// use reminderly_core::ports::source::PacketSource;
/// use reminderly_core::services::{Ingest, Ports, Prepared, ServiceError, Settings};
///
/// /// Loads what is new in `source`. `scope` is for `Action::Ingest`.
/// async fn load_new_files(
///     ports: &Ports,
///     settings: &Settings,
///     scope: &CompanyScope,
///     campaign: CampaignId,
///     source: &dyn PacketSource,
/// ) -> Result<(), ServiceError> {
///     let ingest = Ingest::new(ports, settings);
///     for file in ingest.discover(scope, campaign, source).await? {
///         let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
///             ingest.prepare_found(scope, campaign, source, &file).await?;
///         let packet = ingest.load(scope, packet.id, source, &mut |_| {}).await?;
///         assert_eq!(packet.rows.read, packet.rows.loaded + packet.rows.rejected);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Ingest {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    log: LogWriter,
    rows_per_batch: usize,
    max_row_bytes: usize,
    file_limits: FileLimits,
}

/// A file that has a packet.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// The packet was made: load it.
    New(Packet),
    /// It is the file of this packet once more, under its name or another. The stage says whether loading has to go on.
    AlreadyLoaded(Packet),
}

/// How far loading is, counted from the start of the file, earlier runs included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadProgress {
    /// Rows that are stored or rejected.
    pub rows_read: u64,
    /// The rejected among them.
    pub rejected: u64,
    /// Bytes of the file that they came from, header included; 0 of a workbook until its end.
    pub bytes: u64,
    /// The size of the file, bytes.
    pub total_bytes: u64,
}

impl Ingest {
    /// Ingest over these ports.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        Self::over(Arc::clone(&ports.store), Arc::clone(&ports.clock), Arc::clone(&ports.ids), settings)
    }

    /// The files of the source that match the campaign's `source.file` and are new, in the order in which they last changed,
    /// then by name: that is how they are to be prepared. New is content that never had a packet; and the last file of those
    /// whose content had one, but which changed after all that the campaign has taken in, if the source knows when. A file
    /// whose packet was cancelled is not found again unless it comes anew; who wants it all the same calls
    /// [`prepare`](Self::prepare). A campaign without `source.file` takes no file by name, and an archived one takes none.
    ///
    /// Reads every matching file once, unless the campaign has no packets yet. Two new files of the same content are both
    /// listed; [`prepare_found`](Self::prepare_found) makes one packet of them. One that cannot be read is listed too. For
    /// [`Action::Ingest`] or [`Action::Operate`].
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::NotFound`] for the campaign, [`ServiceError::Source`],
    /// [`ServiceError::Store`].
    pub async fn discover(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        source: &dyn PacketSource,
    ) -> Result<Vec<SourceFile>, ServiceError> {
        let company = require_any(scope, [Action::Ingest, Action::Operate])?;
        let campaign = self.campaign(company, campaign).await?;
        let Some(pattern) = &campaign.definition.source.file else { return Ok(Vec::new()) };
        if campaign.state == CampaignState::Archived {
            return Ok(Vec::new());
        }
        let taken = self.taken(company, campaign.id).await?;
        let mut files = source.list().await?;
        files.retain(|file| pattern.matches(&file.name));
        files.sort_by(|one, other| (one.modified, &one.name).cmp(&(other.modified, &other.name)));
        if taken.is_empty() {
            return Ok(files);
        }
        let mut new: Vec<(SourceFile, Novelty)> = Vec::new();
        let max_bytes = self.file_limits.max_bytes;
        for file in files {
            match read_digest(source, &file.name, max_bytes).await {
                Ok(digest) => match taken.novelty(&digest, found(&file)) {
                    Novelty::Known => {}
                    Novelty::New => new.push((file, Novelty::New)),
                    Novelty::Again => {
                        // Of all that comes again, a copied inbox for one, only the last is what holds.
                        new.retain(|(_, novelty)| *novelty != Novelty::Again);
                        new.push((file, Novelty::Again));
                    }
                },
                // Whoever prepares a file that cannot be read or used is told why; the others are not held up.
                Err(
                    ServiceError::Source(SourceError::Unreadable { name: Some(_), .. })
                    | ServiceError::UnusableFile { .. },
                ) => new.push((file, Novelty::New)),
                // It went after it was listed.
                Err(ServiceError::Source(SourceError::Missing { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(new.into_iter().map(|(file, _)| file).collect())
    }

    /// Makes a packet of a file that somebody hands in; it need not match the campaign's `source.file`. Reads it once for its
    /// digest. The content of the campaign's newest file, and of one that is still being read, gives that packet; content that
    /// another file has followed is a new one, and says again what it said. Who may repeat the call later, after other files,
    /// gives the time of the upload to [`prepare_found`](Self::prepare_found). For [`Action::Ingest`] or
    /// [`Action::Operate`].
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::NotFound`] for the campaign, [`ServiceError::WrongState`] if it is
    /// archived, or its files are taken in too fast to order them: prepare it again. [`ServiceError::UnusableFile`] if the file
    /// is larger than allowed, [`ServiceError::Source`], [`ServiceError::Store`].
    pub async fn prepare(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        source: &dyn PacketSource,
        name: &str,
    ) -> Result<Prepared, ServiceError> {
        self.prepare_file(scope, campaign, source, (name, FileArrival::HandedIn)).await
    }

    /// Makes a packet of a file that [`discover`](Self::discover) has found. Idempotent at any time, also for who looked
    /// before others took files in: content that the campaign has had gives its packet, unless the file changed after all that
    /// the campaign has taken in. For [`Action::Ingest`] or [`Action::Operate`].
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare).
    pub async fn prepare_found(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        source: &dyn PacketSource,
        file: &SourceFile,
    ) -> Result<Prepared, ServiceError> {
        self.prepare_file(scope, campaign, source, (&file.name, found(file))).await
    }

    async fn prepare_file(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        source: &dyn PacketSource,
        (name, arrival): (&str, FileArrival),
    ) -> Result<Prepared, ServiceError> {
        let company = require_any(scope, [Action::Ingest, Action::Operate])?;
        let campaign = self.campaign(company, campaign).await?;
        if campaign.state == CampaignState::Archived {
            return Err(archived());
        }
        let digest = read_digest(source, name, self.file_limits.max_bytes).await?;
        let now = self.clock.now();
        let mut packet = NewPacket {
            id: self.ids.next(now),
            campaign: campaign.id,
            campaign_version: campaign.version,
            origin: PacketOrigin::File { name: name.into(), digest, arrival },
            created_at: now,
        };
        for _ in 0..MINTINGS {
            match self.store.create_packet(company, packet.clone()).await? {
                PacketCreation::Created(packet) => {
                    tracing::info!(company.id = %company, campaign.id = %campaign.id, packet.id = %packet.id, "packet prepared");
                    self.log.write_made(&packet, scope.actor(), PacketDeed::TakeInFile).await;
                    return Ok(Prepared::New(packet));
                }
                PacketCreation::Exists(packet) => return Ok(Prepared::AlreadyLoaded(packet)),
                PacketCreation::NotNewest(newest) => packet.id = self.ids.next_after(now, newest.as_uuid()),
                PacketCreation::CampaignArchived => return Err(archived()),
            }
        }
        Err(ServiceError::WrongState {
            what: "campaign",
            state: campaign.state.as_str(),
            hint: "others take in files at the same moment: prepare the file again",
        })
    }

    /// Puts a failed packet back to the stage at which it failed; whoever works on that stage goes on. For
    /// [`Action::RunCampaign`], or [`Action::Ingest`] if it failed before it was loaded.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::NotFound`] for the packet, [`ServiceError::WrongState`] if it has not
    /// failed, [`ServiceError::Store`].
    pub async fn resume(&self, scope: &CompanyScope, packet: PacketId) -> Result<Packet, ServiceError> {
        let company = require_any(scope, [Action::Ingest, Action::RunCampaign])?;
        let packet = self.packet(company, packet).await?;
        let Some(failure) = packet.failure.as_ref().filter(|_| packet.stage == PacketStage::Failed) else {
            return Err(wrong_stage(&packet, "only a failed packet can be resumed"));
        };
        if !matches!(failure.stage, PacketStage::Prepared | PacketStage::Ingested) {
            scope.require(Action::RunCampaign)?;
        }
        self.log.write(company, scope.actor(), Deed::Packet(packet.id, PacketDeed::Resume)).await?;
        let change = StageChange {
            packet: packet.id,
            from: PacketStage::Failed,
            to: failure.stage,
            failure: None,
            at: self.clock.now(),
        };
        let outcome = self.store.change_stage(company, change).await?;
        let packet = self.packet(company, packet.id).await?;
        match outcome {
            WriteOutcome::Applied => Ok(packet),
            WriteOutcome::Stale => Err(wrong_stage(&packet, "somebody else has resumed or cancelled it")),
        }
    }

    fn over(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        settings: &Settings,
    ) -> Self {
        let rows_per_batch = settings.rows_per_batch.max(1);
        let Settings { max_row_bytes, file_limits, .. } = *settings;
        let log = LogWriter::over(&store, &clock, &ids);
        Self { store, clock, ids, log, rows_per_batch, max_row_bytes, file_limits }
    }

    async fn campaign(&self, company: CompanyId, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.store.campaign(company, id).await?.ok_or(ServiceError::NotFound { what: "campaign" })
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Packet, ServiceError> {
        self.store.packet(company, id).await?.ok_or(ServiceError::NotFound { what: "packet" })
    }

    async fn taken(&self, company: CompanyId, campaign: CampaignId) -> Result<Taken, ServiceError> {
        let mut taken = Taken::default();
        let mut after = None;
        loop {
            let page = self.store.packets(company, campaign, after, PACKETS_PER_PAGE).await?;
            page.items.iter().for_each(|packet| taken.add(packet));
            after = page.next;
            if after.is_none() {
                return Ok(taken);
            }
        }
    }
}

fn found(file: &SourceFile) -> FileArrival {
    FileArrival::Found { modified: file.modified.map(|modified| modified.trunc_subsecs(SUBSECOND_DIGITS)) }
}

/// The company, if the scope is for one of the actions.
fn require_any(scope: &CompanyScope, actions: [Action; 2]) -> Result<CompanyId, Denied> {
    actions.into_iter().find_map(|action| scope.require(action).ok()).ok_or(Denied)
}

const fn archived() -> ServiceError {
    ServiceError::WrongState {
        what: "campaign",
        state: CampaignState::Archived.as_str(),
        hint: "it takes no more data; make a new campaign",
    }
}

fn unusable(fault: &TableFault) -> ServiceError {
    ServiceError::UnusableFile { reason: fault.to_string() }
}

const fn wrong_stage(packet: &Packet, hint: &'static str) -> ServiceError {
    ServiceError::WrongState { what: "packet", state: packet.stage.as_str(), hint }
}
