//! Campaigns: creating, editing, running and ending them.

use std::sync::Arc;

use tracing::info;

use crate::domain::access::{Action, CompanyScope};
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::domain::log_entry::{CampaignDeed, Deed, PacketDeed};
use crate::domain::mapping::{self, CompiledCampaign};
use crate::domain::packet::{Draining, Packet, PacketStage};
use crate::domain::rules::RulePacks;
use crate::ids::{CampaignId, CompanyId, IdSourceExt as _, PacketId};
use crate::ports::store::{CampaignChange, NewCampaign, StageChange, WriteOutcome};
use crate::services::company_log::LogWriter;
use crate::services::{Ports, ServiceError};

const PACKETS_PER_PAGE: usize = 200;

/// Campaigns: creating, editing, running and ending them.
#[derive(Debug, Clone)]
pub struct Campaigns {
    ports: Ports,
    log: LogWriter,
    rule_packs: RulePacks,
}

impl Campaigns {
    /// The service over these ports. Documents may name the rule packs of the library.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), log: LogWriter::new(ports), rule_packs: RulePacks::standard() }
    }

    /// The same, for documents that may name these rule packs: those of [`Settings::rule_packs`](super::Settings).
    #[must_use]
    pub fn with_rule_packs(self, rule_packs: RulePacks) -> Self {
        Self { rule_packs, ..self }
    }

    /// Creates a campaign from its JSON document, as a draft.
    ///
    /// # Errors
    ///
    /// [`ServiceError::InvalidCampaign`] with every problem and its JSON path: nothing was created.
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn create(&self, scope: &CompanyScope, document: &str) -> Result<Campaign, ServiceError> {
        let company = scope.require(Action::EditCampaign)?;
        let compiled = self.check(document)?;
        let now = self.ports.clock.now();
        let id = self.ports.ids.next(now);
        self.log.write(company, scope.actor(), Deed::Campaign(id, CampaignDeed::Create)).await?;
        let new = NewCampaign { id, definition: Arc::clone(compiled.definition()), created_at: now };
        let campaign = self.ports.store.create_campaign(company, new).await?;
        info!(company.id = %company, campaign.id = %campaign.id, "campaign created");
        Ok(campaign)
    }

    /// Replaces a campaign's document. Packets keep the version that they were made with: what is mapped already does not
    /// change.
    ///
    /// # Errors
    ///
    /// [`ServiceError::InvalidCampaign`], [`ServiceError::NotFound`]; [`ServiceError::WrongState`] if somebody else changed
    /// it since `expected_version`; [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn edit(
        &self,
        scope: &CompanyScope,
        id: CampaignId,
        expected_version: u32,
        document: &str,
    ) -> Result<Campaign, ServiceError> {
        let company = scope.require(Action::EditCampaign)?;
        let compiled = self.check(document)?;
        self.find(company, id).await?;
        self.log.write(company, scope.actor(), Deed::Campaign(id, CampaignDeed::Edit)).await?;
        let definition = Arc::clone(compiled.definition());
        match self.ports.store.save_definition(company, id, expected_version, definition).await? {
            CampaignChange::Changed(campaign) => Ok(campaign),
            CampaignChange::Conflict(_) => Err(ServiceError::WrongState {
                what: "campaign",
                state: "changed by somebody else",
                hint: "read it again and repeat the edit",
            }),
        }
    }

    /// A campaign.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn get(&self, scope: &CompanyScope, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.find(scope.require(Action::ViewReports)?, id).await
    }

    /// Lets a draft or paused campaign send.
    ///
    /// # Errors
    ///
    /// [`ServiceError::WrongState`] if it is archived; [`ServiceError::NotFound`], [`ServiceError::Denied`],
    /// [`ServiceError::Store`].
    pub async fn activate(&self, scope: &CompanyScope, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.change(scope, id, CampaignState::Active, CampaignDeed::Activate).await
    }

    /// Stops sending for now. Once this has returned, no request of the campaign starts later than a second from then.
    ///
    /// # Errors
    ///
    /// [`ServiceError::WrongState`] unless it is active; [`ServiceError::NotFound`], [`ServiceError::Denied`],
    /// [`ServiceError::Store`].
    pub async fn pause(&self, scope: &CompanyScope, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.change(scope, id, CampaignState::Paused, CampaignDeed::Pause).await
    }

    /// Goes on sending after a pause.
    ///
    /// # Errors
    ///
    /// As [`activate`](Self::activate).
    pub async fn resume(&self, scope: &CompanyScope, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.change(scope, id, CampaignState::Active, CampaignDeed::Activate).await
    }

    /// Removes a campaign: it is archived, what is open is cancelled, and its queues and pollers are torn down by the fleet.
    /// What was sent stays for reports, and answers to it are still taken.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn remove(&self, scope: &CompanyScope, id: CampaignId) -> Result<Campaign, ServiceError> {
        let campaign = self.change(scope, id, CampaignState::Archived, CampaignDeed::Remove).await?;
        let mut after = None;
        loop {
            let page = self.ports.store.packets(campaign.company, id, after, PACKETS_PER_PAGE).await?;
            for packet in page.items.iter().filter(|packet| !packet.stage.is_closed()) {
                self.begin_cancelling(packet).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(campaign);
            }
        }
    }

    /// Cancels a packet: nothing of it is claimed any more from the moment this returns; the fleet cancels what is open and
    /// tears its queue and poller down.
    ///
    /// # Errors
    ///
    /// [`ServiceError::WrongState`] if it has ended; [`ServiceError::NotFound`], [`ServiceError::Denied`],
    /// [`ServiceError::Store`].
    pub async fn cancel_packet(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
    ) -> Result<Packet, ServiceError> {
        let company = scope.require(Action::RunCampaign)?;
        let missing = ServiceError::NotFound { what: "packet" };
        let found = self.ports.store.packet(company, packet).await?.ok_or(missing)?;
        if found.stage.is_closed() {
            return Err(ServiceError::WrongState {
                what: "packet",
                state: found.stage.as_str(),
                hint: "a packet that has ended cannot be cancelled",
            });
        }
        self.begin_cancelling(&found).await?;
        let cancelled = Deed::Packet(packet, PacketDeed::Cancel);
        self.log.write_stopped(company, scope.actor(), cancelled).await;
        info!(company.id = %company, packet.id = %packet, "packet is being cancelled");
        self.ports.store.packet(company, packet).await?.ok_or(ServiceError::NotFound { what: "packet" })
    }

    /// From here on the fleet brings the packet to its end. It does not look at failed ones, so those go back to where they
    /// failed; nothing can go on there any more.
    async fn begin_cancelling(&self, packet: &Packet) -> Result<(), ServiceError> {
        // Nothing forbids that.
        let _applied = self.ports.store.set_draining(packet.company, packet.id, Draining::Cancelling).await?;
        // Read anew: it may have failed in between.
        let Some(packet) = self.ports.store.packet(packet.company, packet.id).await? else { return Ok(()) };
        if let Some(failure) = packet.failure.as_ref().filter(|_| packet.stage == PacketStage::Failed) {
            let change = StageChange {
                packet: packet.id,
                from: PacketStage::Failed,
                to: failure.stage,
                failure: None,
                at: self.ports.clock.now(),
            };
            // If it is stale, somebody else has resumed it, which is as good.
            let (WriteOutcome::Applied | WriteOutcome::Stale) =
                self.ports.store.change_stage(packet.company, change).await?;
        }
        Ok(())
    }

    async fn change(
        &self,
        scope: &CompanyScope,
        id: CampaignId,
        to: CampaignState,
        deed: CampaignDeed,
    ) -> Result<Campaign, ServiceError> {
        let company = scope.require(Action::RunCampaign)?;
        let mut campaign = self.find(company, id).await?;
        loop {
            if campaign.state == to {
                return Ok(campaign);
            }
            if !campaign.state.may_become(to) {
                return Err(ServiceError::WrongState {
                    what: "campaign",
                    state: campaign.state.as_str(),
                    hint: "draft and paused campaigns can be activated, active ones paused, archived ones nothing",
                });
            }
            if deed == CampaignDeed::Activate {
                self.log.write(company, scope.actor(), Deed::Campaign(id, deed)).await?;
            }
            match self.ports.store.change_campaign_state(company, id, campaign.state, to).await? {
                CampaignChange::Changed(changed) => {
                    info!(company.id = %company, campaign.id = %id, campaign.state = %to, "campaign state changed");
                    if deed != CampaignDeed::Activate {
                        self.log.write_stopped(company, scope.actor(), Deed::Campaign(id, deed)).await;
                    }
                    return Ok(changed);
                }
                CampaignChange::Conflict(actual) => campaign = actual,
            }
        }
    }

    fn check(&self, document: &str) -> Result<CompiledCampaign, ServiceError> {
        mapping::check_with(document, &self.rule_packs).map_err(ServiceError::InvalidCampaign)
    }

    async fn find(&self, company: CompanyId, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.ports.store.campaign(company, id).await?.ok_or(ServiceError::NotFound { what: "campaign" })
    }
}
