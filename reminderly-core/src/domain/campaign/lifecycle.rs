//! A campaign and its lifecycle.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::campaign::definition::CampaignDefinition;
use crate::ids::{CampaignId, CompanyId};

/// A campaign: one purpose of contact of a company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// The company.
    pub company: CompanyId,
    /// A short number, unique in the installation, that the store allots; names tables and queues where ids are too long.
    pub number: u32,
    /// Whether it sends.
    pub state: CampaignState,
    /// The version of its document; 1 is the first. Packets keep the version that they were made with.
    pub version: u32,
    /// What the document says.
    pub definition: Arc<CampaignDefinition>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Whether a campaign sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// It ingests and plans, and sends nothing.
    Draft,
    /// It sends.
    Active,
    /// It sends nothing for now.
    Paused,
    /// It has ended: what was open is cancelled, new data is refused.
    Archived,
}

impl CampaignState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Paused, Self::Archived];

    /// Whether a campaign may go from this state to `next`. The one table of the campaign's lifecycle.
    pub const fn may_become(self, next: Self) -> bool {
        use CampaignState as S;
        match self {
            S::Draft => matches!(next, S::Active | S::Archived),
            S::Active => matches!(next, S::Paused | S::Archived),
            S::Paused => matches!(next, S::Active | S::Archived),
            S::Archived => false,
        }
    }

    /// The name in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Archived => "archived",
        }
    }
}

impl fmt::Display for CampaignState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
