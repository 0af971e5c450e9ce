//! Messages that answer a person.

use std::sync::Arc;

use chrono::TimeDelta;

use super::IncomingMessages;
use crate::domain::campaign::definition::FollowUpTrigger;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::incoming::{Answerable, Incoming};
use crate::domain::language::Language;
use crate::domain::mapping::{CompiledCampaign, MappedRow};
use crate::domain::message::{Message, MessageRecord, Origin, PlanVerdict, PlannedMessage};
use crate::domain::numbered_question::NumberedQuestion;
use crate::domain::packet::{Packet, PacketOrigin};
use crate::domain::plan::{CatchUp, follow_up_instant};
use crate::domain::row::Row;
use crate::domain::segments::count_segments;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, IdSourceExt as _, IncomingId, PacketId};
use crate::ports::store::{NewPacket, PacketCreation};
use crate::services::ServiceError;

/// The most follow-ups to one contact point within [`FOLLOW_UPS_WITHIN`]; what comes after that is recorded without an answer.
const FOLLOW_UPS_MAX: usize = 10;

/// See [`FOLLOW_UPS_MAX`].
const FOLLOW_UPS_WITHIN: TimeDelta = TimeDelta::hours(24);

/// What a follow-up is made from.
struct Occasion {
    record: MessageRecord,
    packet: Packet,
    campaign: Arc<CompiledCampaign>,
}

impl IncomingMessages {
    /// The campaign's text for the trigger, from the row of the message that was answered; `None` if it has none.
    pub(super) async fn follow_up(
        &self,
        company: CompanyId,
        id: IncomingId,
        incoming: &Incoming,
        about: &Answerable,
        trigger: FollowUpTrigger,
    ) -> Result<Option<PlannedMessage>, ServiceError> {
        let Some(occasion) = self.occasion(company, about).await? else { return Ok(None) };
        let Some(row) = occasion.record.message.origin.row() else { return Ok(None) };
        let Some(row) = self.ports.store.row(company, about.packet, row).await? else { return Ok(None) };
        let Some(mapped) = map(&occasion, &row) else { return Ok(None) };
        let method = incoming.from.method();
        // The row made a message, so it makes this one; if it does not, the person still has their answer recorded.
        let Ok(Some((language, content))) = occasion.campaign.render_follow_up(trigger, method, &mapped)
        else {
            return Ok(None);
        };
        self.plan_follow_up(company, id, incoming, &occasion, (language, content)).await
    }

    /// The numbered question for a person whose answer fits several appointments, in the language of the first.
    pub(super) async fn question(
        &self,
        company: CompanyId,
        id: IncomingId,
        incoming: &Incoming,
        options: &[&Answerable],
    ) -> Result<Option<PlannedMessage>, ServiceError> {
        let Some(first) = options.first() else { return Ok(None) };
        let Some(occasion) = self.occasion(company, first).await? else { return Ok(None) };
        let language = occasion.record.message.language.clone().unwrap_or_default();
        // Callers ask about appointments only.
        let times: Vec<_> = options
            .iter()
            .filter_map(|option| option.appointment)
            .map(|appointment| appointment.local)
            .collect();
        let Some(question) = NumberedQuestion::new(&language, &times) else { return Ok(None) };
        let NumberedQuestion { language, subject, text } = question;
        let content = match incoming.from.method() {
            ContactMethod::Email => Content::Email { subject, text, html: None },
            ContactMethod::Sms => {
                let segments = count_segments(&text).count;
                Content::Sms { text, segments }
            }
            // Nobody is called to be asked: a human reviews.
            ContactMethod::Phone => return Ok(None),
        };
        self.plan_follow_up(company, id, incoming, &occasion, (language, content)).await
    }

    async fn occasion(
        &self,
        company: CompanyId,
        about: &Answerable,
    ) -> Result<Option<Occasion>, ServiceError> {
        let record = self.ports.store.message(company, about.packet, about.message).await?;
        let packet = self.ports.store.packet(company, about.packet).await?;
        let Some((record, packet)) = record.zip(packet) else { return Ok(None) };
        // What the person says counts; an answer is no matter of a campaign that cannot be read.
        let Some(campaign) = self.campaigns.usable(&packet).await? else { return Ok(None) };
        Ok(Some(Occasion { record, packet, campaign }))
    }

    async fn plan_follow_up(
        &self,
        company: CompanyId,
        id: IncomingId,
        incoming: &Incoming,
        occasion: &Occasion,
        (language, content): (Language, Content),
    ) -> Result<Option<PlannedMessage>, ServiceError> {
        let now = self.ports.clock.now();
        let since = now - FOLLOW_UPS_WITHIN;
        if self.ports.store.follow_ups_since(company, &incoming.from, since).await? >= FOLLOW_UPS_MAX {
            // Two machines that answer each other would never stop.
            return Ok(None);
        }
        let Some(packet) = self.follow_up_packet(company, &occasion.packet).await? else { return Ok(None) };
        let answered = &occasion.record.message;
        let schedule = &occasion.campaign.definition().schedule;
        let method = incoming.from.method();
        let terms = occasion.campaign.terms(&incoming.from, answered.contact_zone, Some(&content));
        let found = follow_up_instant(schedule, method, &terms.zones, &terms.rules, incoming.at, now);
        let restore = self.ports.store.restore_across_companies().await?;
        let verdict = match found {
            // What came before the store was restored may have been answered then.
            CatchUp::SendAt { .. } if restore.is_before(incoming.at) => {
                PlanVerdict::Skip(SkipReason::PastDue)
            }
            CatchUp::SendAt { at, legal } => PlanVerdict::Send { at, legal },
            CatchUp::TooLate => PlanVerdict::Skip(SkipReason::NoLegalInstant),
        };
        let message = Message {
            id: self.ports.ids.next(now),
            packet,
            origin: Origin::Reply { incoming: id },
            method,
            contact: Some(incoming.from.clone()),
            language: Some(language),
            content: Some(content),
            ladder: None,
            trace: None,
            created_at: now,
            ..answered.clone()
        };
        Ok(Some(PlannedMessage { message, verdict }))
    }

    /// The open follow-up packet of the campaign, made if there is none; `None` if the campaign sends nothing any more.
    async fn follow_up_packet(
        &self,
        company: CompanyId,
        packet: &Packet,
    ) -> Result<Option<PacketId>, ServiceError> {
        let campaign = self.ports.store.campaign(company, packet.campaign).await?;
        if campaign.is_none_or(|campaign| campaign.state == CampaignState::Archived) {
            return Ok(None);
        }
        let now = self.ports.clock.now();
        let new = NewPacket {
            id: self.ports.ids.next(now),
            campaign: packet.campaign,
            campaign_version: packet.campaign_version,
            origin: PacketOrigin::FollowUp,
            created_at: now,
        };
        match self.ports.store.create_packet(company, new).await? {
            PacketCreation::Created(packet) | PacketCreation::Exists(packet) => Ok(Some(packet.id)),
            // Of files only.
            PacketCreation::NotNewest(_) | PacketCreation::CampaignArchived => Ok(None),
        }
    }
}

fn map(occasion: &Occasion, row: &Row) -> Option<MappedRow> {
    let mapper = occasion.campaign.mapper_of(&occasion.packet).ok()?;
    mapper.map(row).ok()
}
