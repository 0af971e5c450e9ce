use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::batch::Page;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::ids::{CampaignId, CompanyId};

/// A campaign to be stored; a draft of version 1.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCampaign {
    /// Its id.
    pub id: CampaignId,
    /// What its document says.
    pub definition: Arc<CampaignDefinition>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What became of a compare-and-set on a campaign.
#[derive(Debug, Clone, PartialEq)]
pub enum CampaignChange {
    /// Done; this is the campaign now.
    Changed(Campaign),
    /// It was not as expected; this is the campaign as it is.
    Conflict(Campaign),
}

/// Campaigns and the versions of their documents.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CampaignStore: Debug + Send + Sync + 'static {
    /// Stores a campaign as a draft and allots its number. Idempotent on the id: the second call answers the first's campaign.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if the company does not exist; [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn create_campaign(
        &self,
        company: CompanyId,
        campaign: NewCampaign,
    ) -> Result<Campaign, StoreError>;

    /// A campaign with the newest version of its document.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn campaign(&self, company: CompanyId, id: CampaignId) -> Result<Option<Campaign>, StoreError>;

    /// One version of a campaign's document.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn definition(
        &self,
        company: CompanyId,
        id: CampaignId,
        version: u32,
    ) -> Result<Option<Arc<CampaignDefinition>>, StoreError>;

    /// Adds a version of the document, if `expected` is the newest one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn save_definition(
        &self,
        company: CompanyId,
        id: CampaignId,
        expected: u32,
        definition: Arc<CampaignDefinition>,
    ) -> Result<CampaignChange, StoreError>;

    /// Changes the state, if it is `from` now. From the moment this returns, no claim passes that the new state forbids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn change_campaign_state(
        &self,
        company: CompanyId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
    ) -> Result<CampaignChange, StoreError>;

    /// The campaigns of a company in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn campaigns(
        &self,
        company: CompanyId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Page<Campaign, CampaignId>, StoreError>;
}
