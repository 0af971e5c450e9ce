//! What the rules work on, and the one place where messages change.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::campaign_data::{CampaignData, CampaignHead};
use super::company_data::CompanyData;
use super::households;
use super::packet_data::{PacketData, Slot};
use super::restore::end_rungs_above;
use super::table::{Extent, Table};
use crate::domain::attempt::AttemptLocation;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::message::{Detail, MessageState, PlannedMessage};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::restore::Restore;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{AttemptId, CampaignId, CompanyId, PacketId};
use crate::ports::store::StoreError;

/// All that a store holds and rules look at, or the part of it that was read.
#[derive(Debug, Clone)]
pub struct Records {
    pub(crate) companies: Table<BTreeMap<CompanyId, CompanyData>>,
    pub(crate) packets: Table<BTreeMap<PacketId, PacketData>>,
    /// A tree for the same reason as a packet's slots.
    pub(crate) attempts: Table<BTreeMap<AttemptId, AttemptLocation>>,
    pub(crate) restore: Restore,
}

/// One transition of one message.
pub(crate) struct Change<'a> {
    pub(crate) event: MessageEvent,
    pub(crate) at: DateTime<Utc>,
    pub(crate) reason: Cow<'static, str>,
    /// What else changes in the state; the status is already the new one.
    pub(crate) state: &'a mut dyn FnMut(&mut MessageState),
}

impl Default for Records {
    /// A whole store in which there is nothing.
    fn default() -> Self {
        Self::new(Extent::Whole)
    }
}

impl Records {
    pub(crate) fn new(extent: Extent) -> Self {
        Self {
            companies: Table::new(extent),
            packets: Table::new(extent),
            attempts: Table::new(extent),
            restore: Restore::default(),
        }
    }

    /// A packet of this company.
    pub(crate) fn packet(&self, company: CompanyId, packet: PacketId) -> Option<&PacketData> {
        self.packets.get(&packet).filter(|found| found.packet.company == company)
    }

    /// A packet of this company, for a write.
    pub(crate) fn packet_mut(
        &mut self,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<&mut PacketData, StoreError> {
        self.packets
            .get_mut(&packet)
            .filter(|found| found.packet.company == company)
            .ok_or(StoreError::Missing { what: "packet" })
    }

    /// The company, for a write.
    pub(crate) fn company_mut(&mut self, company: CompanyId) -> Result<&mut CompanyData, StoreError> {
        self.companies.get_mut(&company).ok_or(StoreError::Missing { what: "company" })
    }

    /// Adds a company, unless it is there.
    pub(crate) fn add_company(&mut self, company: CompanyId) {
        if !self.companies.contains_key(&company) {
            self.companies.insert(company, CompanyData::new(Extent::Whole));
        }
    }

    /// Sets whether a campaign lets messages out, which is new or has changed.
    pub(crate) fn set_campaign_state(
        &mut self,
        company: CompanyId,
        campaign: CampaignId,
        state: CampaignState,
    ) {
        let Some(company) = self.companies.get_mut(&company) else { return };
        if let Some(campaign) = company.campaigns.get_mut(&campaign) {
            campaign.head.state = state;
        } else {
            let head = CampaignHead::new(state);
            company.campaigns.insert(campaign, CampaignData::new(head, Extent::Whole));
        }
    }

    /// Applies a transition by the table; `Err` is the status that does not allow it.
    pub(crate) fn transit(
        &mut self,
        packet: PacketId,
        slot: Slot,
        change: Change<'_>,
    ) -> Result<MessageStatus, Option<MessageStatus>> {
        let id = packet;
        let packet = self.packets.get_mut(&id).ok_or(None)?;
        let before = packet.record(slot).map(|record| record.state.status);
        let redialled = packet.record(slot).filter(|record| record.state.redialled);
        let event = redialled.map_or(change.event, |record| change.event.after_a_call(record.state.status));
        let ends = matches!(event, MessageEvent::Skipped | MessageEvent::Cancelled);
        if ends && packet.flies_with_household(slot) {
            return Err(Some(MessageStatus::Sending));
        }
        let at = change.at;
        let status = packet.transit(slot, Change { event, ..change })?;
        let in_doubt = packet.is_end_in_doubt(slot, &self.restore);
        let is_fenced = packet.packet.reconciled < self.restore.epoch;
        // A rung of a fenced packet keeps its instant: by that is told what may have gone before the restore.
        if !in_doubt && !is_fenced {
            packet.jump(slot, at);
        }
        self.keep_claims(id, slot, before, status);
        if in_doubt {
            end_rungs_above(self, id, slot, at);
        }
        households::follow(self, id, slot, in_doubt, at);
        Ok(status)
    }

    /// Lets a message that ended unsent give up what no other may have, its natural key and its slots, and one that turned out to be
    /// sent have them again. What a household's message told is not unsent, and counts with that one.
    fn keep_claims(
        &mut self,
        packet: PacketId,
        slot: Slot,
        before: Option<MessageStatus>,
        status: MessageStatus,
    ) {
        let Some(packet) = self.packets.get(&packet) else { return };
        let Some(message) = packet.get(slot) else { return };
        let record = &message.record;
        let is_grouped = record.state.detail == Some(Detail::Skip(SkipReason::Grouped));
        if is_grouped && let Some(company) = self.companies.get_mut(&packet.packet.company) {
            // The household's message has its day.
            company.slots.free(&record.message);
        }
        let ends = status.is_unsent() && !is_grouped;
        // Only a message that ended unsent gives its key up, and only such a one can want it back.
        let returns = status == MessageStatus::Sent && before.is_some_and(MessageStatus::is_unsent);
        if !ends && !returns {
            return;
        }
        let Some(company) = self.companies.get_mut(&packet.packet.company) else { return };
        if let Some(key) =
            record.state.planned_at.and_then(|planned_at| record.message.natural_key(planned_at))
        {
            if ends {
                company.free_natural_key(&key, record.message.id);
            } else {
                company.natural_keys.get_or_insert(key, record.message.id);
            }
        }
        if packet.caps.is_none() {
            return;
        }
        if ends {
            company.slots.free(&record.message);
        } else {
            company.slots.take_back(message);
        }
    }

    /// Stores a message of a packet that is known to exist; indexes its contact point.
    pub(crate) fn insert_message(&mut self, packet: PacketId, planned: PlannedMessage) {
        let Some(packet) = self.packets.get_mut(&packet) else { return };
        let index = planned.message.contact.clone().zip(planned.message.person.clone());
        let id = packet.packet.id;
        let slot = packet.insert(planned);
        if let (Some((contact, person)), Some(company)) =
            (index, self.companies.get_mut(&packet.packet.company))
        {
            company.index_contact(contact, person, (id, slot));
        }
    }
}
