//! Compiled campaigns, kept while they are in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::mapping::CompiledCampaign;
use crate::domain::packet::Packet;
use crate::ids::{CampaignId, CompanyId};
use crate::ports::store::Store;
use crate::services::ServiceError;

/// How many compiled campaigns are kept; one takes some ten kilobytes and is compiled in under a millisecond.
const CAPACITY: usize = 1_000;

/// Compiles the campaign version of a packet once.
#[derive(Debug)]
pub struct CompiledCampaigns {
    store: Arc<dyn Store>,
    kept: Mutex<HashMap<(CompanyId, CampaignId, u32), Arc<CompiledCampaign>>>,
}

impl CompiledCampaigns {
    /// An empty collection.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, kept: Mutex::default() }
    }

    /// The campaign version that the packet was made with.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if the store does not have it, [`ServiceError::InvalidCampaign`] if an older release saved
    /// what this one refuses, [`ServiceError::Store`].
    pub(crate) async fn of(&self, packet: &Packet) -> Result<Arc<CompiledCampaign>, ServiceError> {
        let key = (packet.company, packet.campaign, packet.campaign_version);
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(kept));
        }
        let missing = ServiceError::NotFound { what: "campaign version" };
        let definition = self.store.definition(key.0, key.1, key.2).await?.ok_or(missing)?;
        let compiled = Arc::new(CompiledCampaign::new(definition).map_err(ServiceError::InvalidCampaign)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= CAPACITY {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }

    /// The same, or `None` if there is no such version or this release refuses it: what was planned with it goes all the same,
    /// without what only the campaign could say.
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
            Err(ServiceError::NotFound { .. } | ServiceError::InvalidCampaign(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
