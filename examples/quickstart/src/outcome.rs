//! What came of a run, in numbers.

use chrono::{DateTime, Utc};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::report::{IncomingCounts, PacketCounts};
use reminderly_core::ids::PacketId;
use reminderly_core::services::{Discrepancy, PacketReport, Reconcile, Reports, ServiceError};

use crate::host::Host;
use crate::office::Office;

/// A data file that arrived.
#[derive(Debug)]
pub(crate) struct TakenFile {
    /// What people call it.
    pub(crate) name: String,
    /// Its packet, unless it could not even be read.
    pub(crate) packet: Option<PacketId>,
    /// Why it cannot be used.
    pub(crate) fault: Option<String>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: DateTime<Utc>,
    /// In the order of arrival.
    pub(crate) files: Vec<TakenFile>,
    /// Those of files in the order of arrival, then those of follow-ups in the order of their making.
    pub(crate) packets: Vec<PacketOutcome>,
    /// The sum over the packets of files.
    pub(crate) from_files: PacketCounts,
    /// The sum over the packets of follow-ups, which have no rows.
    pub(crate) follow_ups: PacketCounts,
    pub(crate) incoming: IncomingCounts,
}

/// What came of a packet.
#[derive(Debug)]
pub(crate) struct PacketOutcome {
    /// `None` of follow-ups.
    pub(crate) file: Option<String>,
    pub(crate) report: PacketReport,
    /// What is not accounted for: nothing, or the exact rows and messages.
    pub(crate) unaccounted: Vec<Discrepancy>,
}

impl Outcome {
    pub(crate) async fn gather(
        host: &Host,
        office: &Office,
        files: Vec<TakenFile>,
    ) -> Result<Self, ServiceError> {
        let (reports, reconcile) = (Reports::new(&host.ports), Reconcile::new(&host.ports));
        let counts_scope = office.scope(Action::ViewReports).await?;
        let rows_scope = office.scope(Action::ViewMessages).await?;
        let mut campaign = reports.campaign(&counts_scope, office.campaign.id).await?;
        let position =
            |packet: &PacketReport| files.iter().position(|file| file.packet == Some(packet.packet));
        campaign.packets.sort_by_key(|packet| position(packet).unwrap_or(usize::MAX));

        let (mut from_files, mut follow_ups) = (PacketCounts::default(), PacketCounts::default());
        let mut packets = Vec::with_capacity(campaign.packets.len());
        for report in campaign.packets {
            let file = position(&report).and_then(|at| files.get(at)).map(|file| file.name.clone());
            let sum = if file.is_some() { &mut from_files } else { &mut follow_ups };
            sum.add(&report.counts);
            let unaccounted = reconcile.packet(&rows_scope, report.packet).await?;
            packets.push(PacketOutcome { file, report, unaccounted });
        }
        let incoming = reports.incoming(&counts_scope).await?;
        Ok(Self { end: host.ports.clock.now(), files, packets, from_files, follow_ups, incoming })
    }

    /// The sum over all packets.
    pub(crate) fn all(&self) -> PacketCounts {
        let mut all = self.from_files.clone();
        all.add(&self.follow_ups);
        all
    }

    /// Whether every file could be used.
    pub(crate) fn is_whole(&self) -> bool {
        self.files.iter().all(|file| file.fault.is_none())
    }

    /// Whether everything is accounted for.
    pub(crate) fn is_accounted_for(&self) -> bool {
        self.packets.iter().all(|packet| packet.unaccounted.is_empty())
    }
}
