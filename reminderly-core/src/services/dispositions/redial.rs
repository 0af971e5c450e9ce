//! Calls that reached nobody, made again under the campaign's rule.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;

use super::Dispositions;
use crate::domain::attempt::{Attempt, AttemptOutcome};
use crate::domain::campaign::definition::{CampaignDefinition, RedialRule};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::contact_method::ContactMethod;
use crate::domain::disposition::AttemptReport;
use crate::domain::message::{Message, Origin};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, Packet, PacketStage};
use crate::domain::unsubscribe::keys_of;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{
    DispositionOutcome, LocatedDisposition, SettleOutcome, SettleVerdict, Settlement, StageChange,
};
use crate::services::ServiceError;
use crate::services::late::plan_again;

impl Dispositions {
    /// Puts calls back in line that reached nobody, as far as the campaign's rule permits. Decided from what is stored, so a
    /// report that comes again decides the same, and an interrupted decision is made by the report that comes again.
    pub(super) async fn redial(
        &self,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        outcomes: &[DispositionOutcome],
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let undelivered = |outcome: &DispositionOutcome| {
            let status = MessageStatus::Undelivered;
            *outcome == DispositionOutcome::Recorded(status)
                || *outcome == DispositionOutcome::Duplicate(status)
        };
        let mut settlements: BTreeMap<PacketId, Vec<(Settlement, &'static str)>> = BTreeMap::new();
        let concerned = dispositions.iter().zip(outcomes).filter(|(_, outcome)| undelivered(outcome));
        for (located, _) in concerned.filter(|(located, _)| reached_nobody(&located.disposition.report)) {
            let decided = settlements.entry(located.packet).or_default();
            if decided.iter().any(|(settlement, _)| settlement.message == located.message) {
                continue;
            }
            if let Some(redial) = self.decide(company, located, now).await? {
                decided.push(redial);
            }
        }
        for (packet, decided) in settlements.into_iter().filter(|(_, decided)| !decided.is_empty()) {
            self.carry_out(company, packet, &decided, now).await?;
        }
        Ok(())
    }

    /// The next call of a message, and what leads to it.
    async fn decide(
        &self,
        company: CompanyId,
        located: &LocatedDisposition,
        now: DateTime<Utc>,
    ) -> Result<Option<(Settlement, &'static str)>, ServiceError> {
        let store = &self.ports.store;
        let Some(record) = store.message(company, located.packet, located.message).await? else {
            return Ok(None);
        };
        let (message, state) = (&record.message, &record.state);
        // What a household's members were told is settled with its first call: the file may have moved one of them since.
        let is_household = matches!(message.origin, Origin::Household { .. });
        let is_over = state.status != MessageStatus::Undelivered || state.response.is_some() || is_household;
        if message.method != ContactMethod::Phone || is_over || self.is_refused(company, message).await? {
            return Ok(None);
        }
        let attempts = store.attempts(company, located.packet, located.message).await?;
        let Some(latest) = attempts.last().filter(|latest| latest.id == located.disposition.attempt) else {
            return Ok(None);
        };
        let Some(packet) = store.packet(company, located.packet).await? else { return Ok(None) };
        if !self.still_calls(&packet).await? {
            return Ok(None);
        }
        let Some(campaign) = self.campaigns.usable(&packet).await? else { return Ok(None) };
        let Some((rule, cause)) = rule_for(campaign.definition(), latest) else { return Ok(None) };
        let dialled = attempts.iter().filter(|attempt| attempt.report == latest.report).count();
        if u32::try_from(dialled).unwrap_or(u32::MAX) > rule.times {
            return Ok(None);
        }
        let reported_at = located.disposition.at.min(now);
        let after = TimeDelta::from_std(rule.after).unwrap_or(TimeDelta::MAX);
        let due = reported_at.checked_add_signed(after).unwrap_or(DateTime::<Utc>::MAX_UTC).max(now);
        Ok(plan_again(&campaign, &record, due).map(|legal| {
            let (not_before, legal_until) = (legal.from, legal.until);
            let verdict = SettleVerdict::RedialPermitted { not_before, legal_until };
            (Settlement { message: message.id, epoch: latest.epoch, verdict, at: now }, cause)
        }))
    }

    /// Records the permissions. A packet that has ended goes on for them.
    async fn carry_out(
        &self,
        company: CompanyId,
        packet: PacketId,
        decided: &[(Settlement, &'static str)],
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        self.reopen(company, packet, now).await?;
        let settlements: Vec<Settlement> = decided.iter().map(|(settlement, _)| settlement.clone()).collect();
        let outcomes = self.ports.store.settle(company, packet, &settlements).await?;
        let mut refused = false;
        for ((_, cause), outcome) in decided.iter().zip(outcomes) {
            match outcome {
                SettleOutcome::Applied(_) => {
                    counter!("reminderly_redials_total", "cause" => *cause).increment(1);
                }
                // The packet began to end in between.
                SettleOutcome::Stale(MessageStatus::Undelivered) => refused = true,
                SettleOutcome::Stale(_) | SettleOutcome::RungAboveWent | SettleOutcome::Missing => {}
            }
        }
        if refused {
            return Err(ending());
        }
        Ok(())
    }

    /// Takes a complete packet back to `mapped`, from where the fleet sets it up again.
    async fn reopen(&self, company: CompanyId, id: PacketId, now: DateTime<Utc>) -> Result<(), ServiceError> {
        let store = &self.ports.store;
        let Some(packet) = store.packet(company, id).await? else { return Ok(()) };
        match (packet.stage, packet.draining) {
            (PacketStage::Complete, _) => {
                let (from, to) = (PacketStage::Complete, PacketStage::Mapped);
                let change = StageChange { packet: id, from, to, failure: None, at: now };
                // Somebody else may have been faster.
                let _raced = store.change_stage(company, change).await?;
                Ok(())
            }
            // It will be complete in a moment, and then it can be reopened.
            (_, Draining::Completing) => Err(ending()),
            _ => Ok(()),
        }
    }

    /// Whether the packet or its campaign were not given up meanwhile.
    async fn still_calls(&self, packet: &Packet) -> Result<bool, ServiceError> {
        let campaign = self.ports.store.campaign(packet.company, packet.campaign).await?;
        let archived = campaign.is_none_or(|campaign| campaign.state == CampaignState::Archived);
        let ended = packet.stage == PacketStage::Cancelled || packet.draining == Draining::Cancelling;
        Ok(!archived && !ended)
    }

    async fn is_refused(&self, company: CompanyId, message: &Message) -> Result<bool, ServiceError> {
        let Some(contact) = &message.contact else { return Ok(true) };
        let keys: Vec<_> = message.persons().flat_map(|person| keys_of(contact, person)).collect();
        let standing = self.ports.store.refused(company, &keys).await?;
        Ok(standing.contains(&true))
    }
}

const fn reached_nobody(report: &AttemptReport) -> bool {
    matches!(report, AttemptReport::Busy | AttemptReport::NoAnswer)
}

/// The rule for what became of a call, and its name. None if it was made again already.
fn rule_for(definition: &CampaignDefinition, latest: &Attempt) -> Option<(RedialRule, &'static str)> {
    let retry = definition.messages.phone.as_ref()?.retry;
    let report = latest.report.as_ref().filter(|_| latest.outcome != Some(AttemptOutcome::Redialled))?;
    match report {
        AttemptReport::Busy => Some((retry.busy, report.as_str())),
        AttemptReport::NoAnswer => Some((retry.no_answer, report.as_str())),
        _ => None,
    }
}

fn ending() -> ServiceError {
    ServiceError::WrongState { what: "packet", state: "ending", hint: "the disposition is taken in again" }
}
