use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;

use super::MemoryStore;
use super::data::{Data, StoredCampaign};
use crate::batch::Page;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::ids::{CampaignId, CompanyId};
use crate::ports::store::{CampaignChange, CampaignStore, NewCampaign, StoreError};

#[async_trait]
impl CampaignStore for MemoryStore {
    async fn create_campaign(&self, company: CompanyId, new: NewCampaign) -> Result<Campaign, StoreError> {
        self.transact(|data| {
            data.records.company_mut(company)?;
            let campaigns = data.campaigns.entry(company).or_default();
            if let Some(existing) = campaigns.get(&new.id) {
                return Ok(existing.campaign.clone());
            }
            data.last_campaign_number += 1;
            let campaign = Campaign {
                id: new.id,
                company,
                number: data.last_campaign_number,
                state: CampaignState::Draft,
                version: 1,
                definition: Arc::clone(&new.definition),
                created_at: new.created_at,
            };
            let stored = StoredCampaign { campaign: campaign.clone(), versions: vec![new.definition] };
            campaigns.insert(new.id, stored);
            data.records.set_campaign_state(company, new.id, CampaignState::Draft);
            Ok(campaign)
        })
        .await
    }

    async fn campaign(&self, company: CompanyId, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
        Ok(self.transact(|data| find(data, company, id).map(|found| found.campaign.clone())).await)
    }

    async fn definition(
        &self,
        company: CompanyId,
        id: CampaignId,
        version: u32,
    ) -> Result<Option<Arc<CampaignDefinition>>, StoreError> {
        let position = usize::try_from(version).ok().and_then(|version| version.checked_sub(1));
        Ok(self.transact(|data| Some(Arc::clone(find(data, company, id)?.versions.get(position?)?))).await)
    }

    async fn save_definition(
        &self,
        company: CompanyId,
        id: CampaignId,
        expected: u32,
        definition: Arc<CampaignDefinition>,
    ) -> Result<CampaignChange, StoreError> {
        self.transact(|data| {
            let found = find_mut(data, company, id)?;
            if found.campaign.version != expected {
                return Ok(CampaignChange::Conflict(found.campaign.clone()));
            }
            found.versions.push(Arc::clone(&definition));
            found.campaign.version += 1;
            found.campaign.definition = definition;
            Ok(CampaignChange::Changed(found.campaign.clone()))
        })
        .await
    }

    async fn change_campaign_state(
        &self,
        company: CompanyId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
    ) -> Result<CampaignChange, StoreError> {
        self.transact(|data| {
            let found = find_mut(data, company, id)?;
            if found.campaign.state != from || !from.may_become(to) {
                return Ok(CampaignChange::Conflict(found.campaign.clone()));
            }
            found.campaign.state = to;
            let changed = found.campaign.clone();
            data.records.set_campaign_state(company, id, to);
            Ok(CampaignChange::Changed(changed))
        })
        .await
    }

    async fn campaigns(
        &self,
        company: CompanyId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Page<Campaign, CampaignId>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let all = data.campaigns.get(&company);
                let range = all.into_iter().flat_map(|all| all.range((start, Bound::Unbounded)));
                page(range.map(|(id, found)| (*id, found.campaign.clone())), limit)
            })
            .await)
    }
}

/// The first `limit` items as a page whose cursor is the key of its last item.
pub(super) fn page<K: Copy, T>(mut items: impl Iterator<Item = (K, T)>, limit: usize) -> Page<T, K> {
    let taken: Vec<(K, T)> = items.by_ref().take(limit).collect();
    let next = taken.last().map(|(key, _)| *key).filter(|_| items.next().is_some());
    Page { items: taken.into_iter().map(|(_, item)| item).collect(), next }
}

fn find(data: &Data, company: CompanyId, id: CampaignId) -> Option<&StoredCampaign> {
    data.campaigns.get(&company)?.get(&id)
}

fn find_mut(data: &mut Data, company: CompanyId, id: CampaignId) -> Result<&mut StoredCampaign, StoreError> {
    data.records.company_mut(company)?;
    let campaigns = data.campaigns.get_mut(&company);
    campaigns.and_then(|all| all.get_mut(&id)).ok_or(StoreError::Missing { what: "campaign" })
}
