//! Ingest: from a file to stored rows.

mod batch;
mod content;
mod load;
#[cfg(test)]
#[cfg(feature = "memory")]
mod tests;
#[cfg(feature = "xlsx")]
mod workbook;

use std::collections::BTreeSet;
use std::sync::Arc;

use globset::GlobMatcher;

use self::content::read_digest;
use crate::clock::Clock;
use crate::domain::access::{Action, CompanyScope, Denied};
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::domain::packet::{Digest, Packet, PacketOrigin, PacketStage};
use crate::domain::table::TableFault;
use crate::ids::{CampaignId, CompanyId, IdSource, IdSourceExt as _, PacketId};
use crate::ports::source::{PacketSource, SourceError, SourceFile};
use crate::ports::store::{NewPacket, PacketCreation, StageChange, Store, WriteOutcome};
use crate::services::{FileLimits, Ports, ServiceError, Settings};

/// Packets per page of a look through a campaign.
const PACKETS_PER_PAGE: usize = 500;

/// Finds files, makes packets of them and loads their rows: stages `prepared` → `ingested` → `loaded`.
///
/// A file is known by its content: the same content is loaded once per campaign, whatever its name. Reading goes on after
/// the last stored batch, so a crash at any point costs at most one batch of work, and memory stays flat for any file size.
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
///             ingest.prepare(scope, campaign, source, &file.name).await?;
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
    /// The campaign has a packet with this content, under this name or another. Its stage says whether loading has to go on.
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

    /// The files of the source that match the campaign's `source.file` and whose content never had a packet, by name. A file
    /// whose packet was cancelled is not found again; who wants it all the same calls [`prepare`](Self::prepare). A campaign without `source.file` takes no file by name, and an archived one takes none.
    ///
    /// Reads every matching file once, unless the campaign has no packets yet. Two new files of the same content are both
    /// listed; [`prepare`](Self::prepare) makes one packet of them. One that cannot be read is listed too. For [`Action::Ingest`] or [`Action::Operate`].
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::NotFound`] for the campaign, [`ServiceError::WrongState`] if `source.file`
    /// is no glob, [`ServiceError::Source`], [`ServiceError::Store`].
    pub async fn discover(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        source: &dyn PacketSource,
    ) -> Result<Vec<SourceFile>, ServiceError> {
        let company = require_any(scope, [Action::Ingest, Action::Operate])?;
        let campaign = self.campaign(company, campaign).await?;
        let Some(glob) = file_glob(&campaign)? else { return Ok(Vec::new()) };
        if campaign.state == CampaignState::Archived {
            return Ok(Vec::new());
        }
        let loaded = self.digests(company, campaign.id).await?;
        let mut files = source.list().await?;
        files.retain(|file| glob.is_match(&file.name));
        if loaded.is_empty() {
            return Ok(files);
        }
        let mut new = Vec::new();
        let max_bytes = self.file_limits.max_bytes;
        for file in files {
            match read_digest(source, &file.name, max_bytes).await {
                Ok(digest) if loaded.contains(&digest) => {}
                // Whoever prepares a file that cannot be read or used is told why; the others are not held up.
                Ok(_)
                | Err(
                    ServiceError::Source(SourceError::Unreadable { name: Some(_), .. })
                    | ServiceError::UnusableFile { .. },
                ) => new.push(file),
                // It went after it was listed.
                Err(ServiceError::Source(SourceError::Missing { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(new)
    }

    /// Makes a packet of a file, which need not match the campaign's `source.file`. Reads it once for its digest.
    /// Idempotent: the same content gives the same packet. For [`Action::Ingest`] or [`Action::Operate`].
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::NotFound`] for the campaign, [`ServiceError::WrongState`] if it is
    /// archived, [`ServiceError::UnusableFile`] if the file is larger than allowed, [`ServiceError::Source`],
    /// [`ServiceError::Store`].
    pub async fn prepare(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        source: &dyn PacketSource,
        name: &str,
    ) -> Result<Prepared, ServiceError> {
        let company = require_any(scope, [Action::Ingest, Action::Operate])?;
        let campaign = self.campaign(company, campaign).await?;
        if campaign.state == CampaignState::Archived {
            return Err(archived());
        }
        let digest = read_digest(source, name, self.file_limits.max_bytes).await?;
        let now = self.clock.now();
        let packet = NewPacket {
            id: self.ids.next(now),
            campaign: campaign.id,
            campaign_version: campaign.version,
            origin: PacketOrigin::File { name: name.into(), digest },
            created_at: now,
        };
        match self.store.create_packet(company, packet).await? {
            PacketCreation::Created(packet) => {
                tracing::info!(company.id = %company, campaign.id = %campaign.id, packet.id = %packet.id, "packet prepared");
                Ok(Prepared::New(packet))
            }
            PacketCreation::Exists(packet) => Ok(Prepared::AlreadyLoaded(packet)),
            PacketCreation::CampaignArchived => Err(archived()),
        }
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
        Self { store, clock, ids, rows_per_batch, max_row_bytes, file_limits }
    }

    async fn campaign(&self, company: CompanyId, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.store.campaign(company, id).await?.ok_or(ServiceError::NotFound { what: "campaign" })
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Packet, ServiceError> {
        self.store.packet(company, id).await?.ok_or(ServiceError::NotFound { what: "packet" })
    }

    /// The digests of a campaign's packets; of cancelled ones too, or a cancelled file would come back by itself.
    async fn digests(
        &self,
        company: CompanyId,
        campaign: CampaignId,
    ) -> Result<BTreeSet<Digest>, ServiceError> {
        let mut digests = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.store.packets(company, campaign, after, PACKETS_PER_PAGE).await?;
            for packet in page.items {
                if let PacketOrigin::File { digest, .. } = packet.origin {
                    digests.insert(digest);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(digests);
            }
        }
    }
}

fn file_glob(campaign: &Campaign) -> Result<Option<GlobMatcher>, ServiceError> {
    let glob = campaign.definition.source.file.as_deref().map(globset::Glob::new).transpose();
    let glob = glob.map_err(|_| ServiceError::WrongState {
        what: "campaign",
        state: campaign.state.as_str(),
        hint: "its source.file is no file name pattern: correct the document",
    })?;
    Ok(glob.map(|glob| glob.compile_matcher()))
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
