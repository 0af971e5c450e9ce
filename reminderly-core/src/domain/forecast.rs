//! Whether what waits goes before its window closes, at the rate that there is.

mod fluid;
mod share;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::contact_method::ContactMethod;
use crate::ids::{CampaignId, CompanyId, PacketId};

pub use fluid::forecast;

/// Messages of a packet that wait for the same stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingWindow {
    /// The method by which they go.
    pub method: ContactMethod,
    /// From when on they may go.
    pub opens_at: DateTime<Utc>,
    /// When they may go no more.
    pub closes_at: DateTime<Utc>,
    /// How many they are.
    pub messages: u64,
}

/// What one packet wants of one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The company, by which the provider is shared.
    pub company: CompanyId,
    /// The company's weight beside others.
    pub weight: NonZeroU32,
    /// The company's own limit, messages a second; infinite if there is none.
    pub company_rate: f64,
    /// The campaign of the packet.
    pub campaign: CampaignId,
    /// The campaign's limit, messages a second; infinite if there is none.
    pub campaign_rate: f64,
    /// The packet.
    pub packet: PacketId,
    /// What waits.
    pub windows: Vec<WaitingWindow>,
}

/// What becomes of messages that wait for the same window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowForecast {
    /// The method by which they go.
    pub method: ContactMethod,
    /// From when on they may go.
    pub opens_at: DateTime<Utc>,
    /// When they may go no more.
    pub closes_at: DateTime<Utc>,
    /// How many wait.
    pub waiting: u64,
    /// At how many messages a second they go, from when they may and until they have gone or the window closes.
    pub rate: f64,
    /// How many of them will not have gone when the window closes.
    pub unsent: u64,
}
