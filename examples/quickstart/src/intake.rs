//! Intake: from a data file to planned messages.

use std::sync::Arc;

use reminderly_core::domain::access::Action;
use reminderly_core::ids::PacketId;
use reminderly_core::services::{
    CompiledCampaigns, Ingest, LoadProgress, MapProgress, Mapping, Prepared, ServiceError,
};

use crate::failure::chain;
use crate::host::Host;
use crate::office::Office;
use crate::progress;
use crate::scenario::DataFile;

/// Takes data files in.
#[derive(Debug)]
pub(crate) struct Intake {
    ingest: Ingest,
    mapping: Mapping,
}

/// What became of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TakenIn {
    /// It is a packet now, and mapped.
    Packet(PacketId),
    /// It cannot be used as it is: its packet, if it came so far, has failed. Other files go on.
    Unusable(Option<PacketId>, String),
    /// A file with the same content is a packet already.
    SameAs(PacketId),
}

impl Intake {
    pub(crate) fn new(host: &Host) -> Self {
        let Host { ports, settings, .. } = host;
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        Self { ingest: Ingest::new(ports, settings), mapping: Mapping::new(ports, settings, campaigns) }
    }

    /// Makes a packet of the file, loads its rows in the user's name, and maps and plans them as a worker does. A worker would
    /// also find files by the campaign's pattern and map what is loaded by itself; here somebody watches the progress.
    pub(crate) async fn take_in(&self, office: &Office, file: &DataFile) -> Result<TakenIn, ServiceError> {
        let scope = office.scope(Action::Ingest).await?;
        let prepared = self.ingest.prepare(&scope, office.campaign.id, &*file.source, &file.name).await;
        let packet = match prepared {
            Ok(Prepared::New(packet)) => packet.id,
            Ok(Prepared::AlreadyLoaded(packet)) => return Ok(TakenIn::SameAs(packet.id)),
            Err(error) => return fault(error).map(|reason| TakenIn::Unusable(None, reason)),
        };
        match self.load_and_map(office, file, packet).await {
            Ok(()) => Ok(TakenIn::Packet(packet)),
            Err(error) => fault(error).map(|reason| TakenIn::Unusable(Some(packet), reason)),
        }
    }

    async fn load_and_map(
        &self,
        office: &Office,
        file: &DataFile,
        packet: PacketId,
    ) -> Result<(), ServiceError> {
        let scope = office.scope(Action::Ingest).await?;
        let bar = progress::loading(&file.label);
        let mut show = |at: LoadProgress| {
            bar.set_length(at.total_bytes);
            bar.set_position(at.bytes);
        };
        self.ingest.load(&scope, packet, &*file.source, &mut show).await?;
        bar.finish();

        let scope = office.worker_scope().await?;
        let bar = progress::mapping(&file.label);
        let mut show = |at: MapProgress| {
            bar.set_length(at.loaded);
            bar.set_position(at.through.0.min(at.loaded));
        };
        self.mapping.map(&scope, packet, &mut show).await?;
        bar.finish();
        Ok(())
    }
}

/// What is wrong with the file, if the error is about the file.
fn fault(error: ServiceError) -> Result<String, ServiceError> {
    match error {
        ServiceError::UnusableFile { .. } | ServiceError::Source(_) => Ok(chain(&error)),
        other => Err(other),
    }
}
