//! Reports: what became of packets and campaigns, in numbers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::access::{Action, CompanyScope};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::packet::{Packet, PacketStage};
use crate::domain::report::{IncomingCounts, Ledger, PacketCounts};
use crate::domain::vanished::VanishedAppointments;
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::store::Store;
use crate::services::{Ports, ServiceError};

const PACKETS_PER_PAGE: usize = 500;

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketReport {
    /// The packet.
    pub packet: PacketId,
    /// Its stage.
    pub stage: PacketStage,
    /// What became of appointments that it does not name.
    pub vanished: VanishedAppointments,
    /// Its counters.
    pub counts: PacketCounts,
    /// Its ledger: closes at every stage.
    pub ledger: Ledger,
}

/// What became of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignReport {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its state.
    pub state: CampaignState,
    /// Its packets, in the order of their making.
    pub packets: Vec<PacketReport>,
    /// The sum of their counters.
    pub counts: PacketCounts,
    /// The ledger of the sum.
    pub ledger: Ledger,
}

/// Makes reports.
#[derive(Debug, Clone)]
pub struct Reports {
    store: Arc<dyn Store>,
}

impl Reports {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// What became of a packet. Costs the same however large it is.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn packet(&self, scope: &CompanyScope, id: PacketId) -> Result<PacketReport, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        let missing = ServiceError::NotFound { what: "packet" };
        let packet = self.store.packet(company, id).await?.ok_or(missing)?;
        self.report(company, &packet).await
    }

    /// What became of a campaign, packet by packet and in sum.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn campaign(
        &self,
        scope: &CompanyScope,
        id: CampaignId,
    ) -> Result<CampaignReport, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        let missing = ServiceError::NotFound { what: "campaign" };
        let campaign = self.store.campaign(company, id).await?.ok_or(missing)?;
        let (mut packets, mut counts) = (Vec::new(), PacketCounts::default());
        let mut after = None;
        loop {
            let page = self.store.packets(company, id, after, PACKETS_PER_PAGE).await?;
            for packet in &page.items {
                let report = self.report(company, packet).await?;
                counts.add(&report.counts);
                packets.push(report);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let ledger = counts.ledger();
        Ok(CampaignReport { campaign: id, state: campaign.state, packets, counts, ledger })
    }

    /// What people wrote to a company, by what it means.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn incoming(&self, scope: &CompanyScope) -> Result<IncomingCounts, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        Ok(self.store.incoming_counts(company).await?)
    }

    async fn report(&self, company: CompanyId, packet: &Packet) -> Result<PacketReport, ServiceError> {
        let counts = self.store.packet_counts(company, packet.id).await?;
        let ledger = counts.ledger();
        let (stage, vanished) = (packet.stage, packet.vanished);
        Ok(PacketReport { packet: packet.id, stage, vanished, counts, ledger })
    }
}
