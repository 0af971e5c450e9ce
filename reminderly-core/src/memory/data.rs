//! All that the store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parts;
use crate::domain::access::{Company, Role, User};
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::lifecycle::Campaign;
use crate::domain::log_entry::{LogEntry, LogPlace};
use crate::domain::packet::{Packet, PacketStage};
use crate::ids::{CampaignId, CompanyId, PacketId, RoleId, UserId};
use crate::ports::store::{HandOver, PacketCreation};
use crate::storage::{Due, Records, may_send};

#[derive(Debug, Default, Clone)]
pub(super) struct Data {
    pub(super) applying: Applying,
    /// What rules look at.
    pub(super) records: Records,
    pub(super) companies: BTreeMap<CompanyId, Company>,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) roles: BTreeMap<RoleId, Role>,
    pub(super) campaigns: BTreeMap<CompanyId, BTreeMap<CampaignId, StoredCampaign>>,
    pub(super) logs: BTreeMap<CompanyId, BTreeMap<LogPlace, LogEntry>>,
    pub(super) last_campaign_number: u32,
    /// The packets of each campaign.
    pub(super) packets_of: BTreeSet<(CampaignId, PacketId)>,
    /// Packets that have neither ended nor failed: what sweeps look at.
    pub(super) open_packets: BTreeSet<PacketId>,
}

/// What rules are applied to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applying {
    #[default]
    ToAll,
    /// To as much as they look up.
    ToParts,
}

#[derive(Debug, Clone)]
pub(super) struct StoredCampaign {
    pub(super) campaign: Campaign,
    /// Version n stands at n - 1.
    pub(super) versions: Vec<Arc<CampaignDefinition>>,
}

impl Data {
    /// Applies a rule to what a company has.
    pub(super) fn apply<A: Clone, T>(
        &mut self,
        company: CompanyId,
        args: A,
        rule: impl Fn(&mut Records, A) -> T,
    ) -> T {
        match self.applying {
            Applying::ToAll => rule(&mut self.records, args),
            Applying::ToParts => parts::apply(&mut self.records, company, &args, rule),
        }
    }

    /// What of a packet is due, by the terms of a hand-over; nothing while it may not be sent.
    pub(super) fn due(&mut self, company: CompanyId, packet: PacketId, terms: &HandOver) -> Due {
        let goes = self.records.packet(company, packet).is_some_and(|found| may_send(&self.records, found));
        let found = self.records.packet_mut(company, packet).ok().filter(|_| goes);
        found.map(|found| found.due(terms)).unwrap_or_default()
    }

    /// Lists a packet that was made.
    pub(super) fn list_packet(&mut self, creation: &PacketCreation) {
        if let PacketCreation::Created(packet) = creation {
            self.packets_of.insert((packet.campaign, packet.id));
            self.list_open(packet.id, packet.stage);
        }
    }

    /// Lists a packet as open, or not, by its new stage.
    pub(super) fn list_open(&mut self, packet: PacketId, stage: PacketStage) {
        if stage.is_closed() || stage == PacketStage::Failed {
            self.open_packets.remove(&packet);
        } else {
            self.open_packets.insert(packet);
        }
    }

    /// A packet of this company.
    pub(super) fn packet(&self, company: CompanyId, packet: PacketId) -> Option<&Packet> {
        self.records.packet(company, packet).map(|found| &found.packet)
    }
}
