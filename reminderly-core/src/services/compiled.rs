//! Compiled campaigns, kept while they are in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::contact_point::ContactPoint;
use crate::domain::mapping::CompiledCampaign;
use crate::domain::packet::Packet;
use crate::domain::reply::OptOutScope;
use crate::domain::rules::RulePacks;
use crate::ids::{CampaignId, CompanyId};
use crate::ports::store::{Store, StoreError};
use crate::services::ServiceError;

/// How many compiled campaigns are kept; one takes some ten kilobytes and is compiled in under a millisecond.
const CAPACITY: usize = 1_000;

/// Compiles the campaign version of a packet once.
#[derive(Debug)]
pub struct CompiledCampaigns {
    store: Arc<dyn Store>,
    rule_packs: RulePacks,
    kept: Mutex<HashMap<(CompanyId, CampaignId, u32), Arc<CompiledCampaign>>>,
}

impl CompiledCampaigns {
    /// An empty collection, for campaigns that name rule packs of the library only.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::with_rule_packs(store, RulePacks::standard())
    }

    /// An empty collection, for campaigns that may name these rule packs.
    pub fn with_rule_packs(store: Arc<dyn Store>, rule_packs: RulePacks) -> Self {
        Self { store, rule_packs, kept: Mutex::default() }
    }

    /// The campaign version that the packet was made with.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if the store does not have it, [`ServiceError::InvalidCampaign`] if an older release saved
    /// what this one refuses or the host no longer knows a rule pack, [`ServiceError::Store`].
    pub(crate) async fn of(&self, packet: &Packet) -> Result<Arc<CompiledCampaign>, ServiceError> {
        self.version(packet.company, packet.campaign, packet.campaign_version).await
    }

    /// A version of a campaign.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub(crate) async fn version(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        version: u32,
    ) -> Result<Arc<CompiledCampaign>, ServiceError> {
        let key = (company, campaign, version);
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(kept));
        }
        let missing = ServiceError::NotFound { what: "campaign version" };
        let definition = self.store.definition(key.0, key.1, key.2).await?.ok_or(missing)?;
        let compiled = CompiledCampaign::with_rule_packs(definition, &self.rule_packs);
        let compiled = Arc::new(compiled.map_err(ServiceError::InvalidCampaign)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= CAPACITY {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }

    /// How far an opt-out reaches by the rule packs of a campaign; see
    /// [`RulePacks::opt_out_scope`](crate::domain::rules::RulePacks::opt_out_scope). A pack that this host does not know may
    /// demand the most.
    pub(crate) fn opt_out_scope(
        &self,
        campaign: &CampaignDefinition,
        said: OptOutScope,
        from: &ContactPoint,
        at: DateTime<Utc>,
    ) -> OptOutScope {
        let packs = self.rule_packs.select(&campaign.schedule.rule_packs);
        packs.map_or(OptOutScope::Person, |packs| packs.opt_out_scope(said, from, campaign.purpose, at))
    }

    /// What [`of`](Self::of) answers, or `None` if there is no such version or this release refuses it: nothing of it is sent
    /// then, and all that people and providers say is taken in without it.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`].
    pub(crate) async fn usable(
        &self,
        packet: &Packet,
    ) -> Result<Option<Arc<CompiledCampaign>>, ServiceError> {
        match self.of(packet).await {
            Ok(campaign) => Ok(Some(campaign)),
            Err(
                ServiceError::NotFound { .. }
                | ServiceError::InvalidCampaign(_)
                | ServiceError::Store(StoreError::Corrupt { .. }),
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The document of the packet's campaign version, also if this release refuses it: its words mean what they meant. `None`
    /// if nobody can read it.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`].
    pub(crate) async fn document(
        &self,
        packet: &Packet,
    ) -> Result<Option<Arc<CampaignDefinition>>, ServiceError> {
        if let Some(campaign) = self.usable(packet).await? {
            return Ok(Some(Arc::clone(campaign.definition())));
        }
        match self.store.definition(packet.company, packet.campaign, packet.campaign_version).await {
            Ok(document) => Ok(document),
            Err(StoreError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
