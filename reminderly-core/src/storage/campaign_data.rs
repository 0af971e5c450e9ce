//! What the rules know of a campaign.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::held_row::HeldRow;
use super::table::{Extent, Table};
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::call::CallKey;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::packet::{Digest, PacketOrigin};
use crate::ids::PacketId;
use crate::ports::store::NewPacket;

/// A campaign, beside its documents and the ledger of its appointments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CampaignHead {
    /// Whether it lets messages out.
    pub state: CampaignState,
    /// The newest packet of a file; it may have been cancelled since.
    pub newest_file: Option<PacketId>,
    /// When the last of the files came.
    pub last_file_came_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
pub(crate) struct CampaignData {
    pub(crate) head: CampaignHead,
    /// Which rows speak for each appointment.
    pub(crate) appointments: Table<HashMap<AppointmentKey, Vec<HeldRow>>>,
    /// The latest packet that named an appointment in a row that does not speak for it: it could not be mapped, or an older row
    /// said the same, or a newer one something else.
    pub(crate) named_in: Table<HashMap<AppointmentKey, PacketId>>,
    /// The latest packet of each natural key; it may have been cancelled since.
    pub(crate) packets_by_key: Table<HashMap<PacketNaturalKey, PacketId>>,
}

/// What no two packets of a campaign may share while both count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketNaturalKey {
    /// The content of a file.
    File(Digest),
    /// The caller's name of a call.
    Call(CallKey),
    /// There is one that takes follow-ups of a version of the campaign: what is planned by one version is not judged by
    /// another.
    FollowUp(u32),
}

impl PacketNaturalKey {
    /// The natural key of a packet.
    pub fn of(packet: &NewPacket) -> Self {
        match &packet.origin {
            PacketOrigin::File { digest, .. } => Self::File(*digest),
            PacketOrigin::OnDemand { key, .. } => Self::Call(key.clone()),
            PacketOrigin::FollowUp => Self::FollowUp(packet.campaign_version),
        }
    }
}

impl CampaignHead {
    /// Of a campaign that has no packets yet.
    pub(crate) const fn new(state: CampaignState) -> Self {
        Self { state, newest_file: None, last_file_came_at: None }
    }
}

impl CampaignData {
    pub(crate) fn new(head: CampaignHead, extent: Extent) -> Self {
        Self {
            head,
            appointments: Table::new(extent),
            named_in: Table::new(extent),
            packets_by_key: Table::new(extent),
        }
    }
}
