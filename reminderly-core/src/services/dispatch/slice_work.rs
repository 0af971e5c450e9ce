//! One slice, from its claim to its settlement.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::counter;
use tracing::{error, warn};

use super::call::Answer;
use super::gate::SenderGates;
use super::places::Places;
use super::start::{START_WITHIN, Start};
use super::turn::Turn;
use super::verdict::{pause_after, verdict};
use crate::batch::Outcomes;
use crate::domain::attempt::ReturnReason;
use crate::domain::envelope::Slice;
use crate::domain::mapping::CompiledCampaign;
use crate::domain::plan::deliver_until;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{IdSourceExt as _, MessageId};
use crate::ports::provider::{OutboundMessage, Provider};
use crate::ports::queue::{Lease, QueueName};
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed, Close, CloseVerdict, SettleOutcome,
    SettleVerdict, Settlement, Snooze, SnoozeUntil, StoreError,
};
use crate::services::compiled::CompiledCampaigns;
use crate::services::traffic::{Permit, Scheduler};
use crate::services::{Ports, ServiceError, Settings, Shutdown};

/// How long what the store did not answer is tried again, in steps: as long as an outage that a failover takes. What is still
/// unsettled then is reaped.
const RETRIES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(8),
    Duration::from_secs(8),
];

/// How long messages wait for which no provider is routed.
const NO_ROUTE_PAUSE: Duration = Duration::from_mins(5);

/// How long messages wait whose campaign cannot be read.
const UNREADABLE_PAUSE: Duration = Duration::from_mins(5);

pub(super) struct SliceWork<'a> {
    pub(super) ports: &'a Ports,
    pub(super) settings: &'a Settings,
    pub(super) gates: &'a Arc<SenderGates>,
    pub(super) campaigns: &'a CompiledCampaigns,
    pub(super) scheduler: &'a Scheduler,
    pub(super) slice: &'a Slice,
    /// `None` if it did not come from a queue.
    pub(super) hold: Option<Hold<'a>>,
}

/// What a poller has a slice by.
#[derive(Clone, Copy)]
pub(super) struct Hold<'a> {
    pub(super) queue: &'a QueueName,
    /// To be extended while the slice is worked.
    pub(super) lease: &'a Lease,
    /// Ends the wait for its turn.
    pub(super) shutdown: &'a Shutdown,
    /// The poller's places, of which the slice has one; `None` if the poller works what it has received before it receives more.
    pub(super) places: Option<&'a Places>,
}

/// What became of a slice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Worked {
    /// For how many messages a provider was asked.
    pub(super) requested: u64,
    /// It was time to stop before all were asked for.
    pub(super) is_stopped: bool,
}

impl SliceWork<'_> {
    /// Works the slice: waits for its turn and sends what it may, again and again.
    pub(super) async fn run(&self) -> Result<Worked, ServiceError> {
        let slice = self.slice;
        let route = self.ports.providers.route(slice.company, slice.method);
        let Some(provider) = route.filter(|provider| provider.method() == slice.method) else {
            error!(method = %slice.method, "no provider is routed for the company and method");
            let until = SnoozeUntil::NotBefore(self.ports.clock.now() + NO_ROUTE_PAUSE);
            self.snooze(&slice.messages, until, "no provider is routed").await?;
            return Ok(Worked::default());
        };
        let (name, limits) = (provider.name(), provider.limits());
        let Some(campaign) = self.campaign().await? else {
            error!(campaign.id = %slice.campaign, "campaign cannot be read; nothing of it is sent");
            let until = SnoozeUntil::NotBefore(self.ports.clock.now() + UNREADABLE_PAUSE);
            self.snooze(&slice.messages, until, "its campaign cannot be read").await?;
            return Ok(Worked::default());
        };
        let mut request = self.request(&limits, &campaign);
        let mut worked = Worked::default();
        let mut hidden_until = self.hold.map_or(DateTime::<Utc>::MIN_UTC, |hold| hold.lease.expires_at);
        let mut rest: &[MessageId] = &slice.messages;
        while !rest.is_empty() {
            if let Some(until) = self.gates.closed_until(&name, self.ports.clock.now()) {
                self.snooze(rest, SnoozeUntil::NotBefore(until), "sender was asked to wait").await?;
                break;
            }
            self.extend_lease(&mut hidden_until).await;
            request.messages = u64::try_from(rest.len().min(limits.batch.max(1))).unwrap_or(u64::MAX);
            let permit = match self.wait_for_turn(&request, &mut hidden_until).await {
                Turn::Come(permit) => permit,
                Turn::Stopped => return Ok(Worked { is_stopped: true, ..worked }),
                Turn::TooLong => {
                    self.snooze(rest, SnoozeUntil::Unchanged, "waited too long for its turn").await?;
                    break;
                }
            };
            if self.gates.closed_until(&name, self.ports.clock.now()).is_some() {
                continue;
            }
            let permitted = usize::try_from(permit.messages()).unwrap_or(usize::MAX).min(rest.len());
            let (chunk, later) = rest.split_at(permitted);
            worked.requested += self.send_chunk(&*provider, &campaign, chunk, permit).await?;
            rest = later;
        }
        Ok(worked)
    }

    /// Nothing is claimed while it waits: a claim is there to be used within a second.
    async fn send_chunk(
        &self,
        provider: &dyn Provider,
        campaign: &CompiledCampaign,
        chunk: &[MessageId],
        mut permit: Permit<'_>,
    ) -> Result<u64, ServiceError> {
        let start = Start { wall: self.ports.clock.now(), monotonic: self.ports.clock.monotonic() };
        let claimed = self.claim(provider, chunk, start).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let start_by = start.start_by(claimed.iter().map(|claim| claim.legal_until));
        if self.ports.clock.monotonic() >= start_by {
            self.return_unsent(&claimed, ReturnReason::TooLate, self.ports.clock.now()).await?;
            return Ok(0);
        }
        let asked = u64::try_from(claimed.len()).unwrap_or(u64::MAX);
        permit.start(asked, start_by);
        let messages: Vec<OutboundMessage> =
            claimed.iter().map(|claim| self.outbound(claim, campaign, start.wall)).collect();
        let answer = self.call(provider, &messages, start, start_by).await;
        permit.finish(answer.requests_made());
        let outcomes = match answer {
            Answer::Outcomes(outcomes) => outcomes,
            Answer::NothingSent { reason, until, .. } => {
                self.return_unsent(&claimed, reason, until).await?;
                return Ok(0);
            }
        };
        let now = self.ports.clock.now();
        let pause = outcomes.iter().filter_map(pause_after).max();
        if let Some(pause) = pause {
            self.gates.pause(&provider.name(), now + pause);
        }
        let settlements: Vec<Settlement> = claimed
            .iter()
            .zip(outcomes)
            .map(|(claimed, outcome)| {
                settlement(claimed, verdict(outcome, claimed.attempts + 1, &self.settings.retry, now), now)
            })
            .collect();
        self.settle(&settlements).await?;
        Ok(asked)
    }

    /// Claims messages and deals with those that are refused.
    async fn claim(
        &self,
        provider: &dyn Provider,
        chunk: &[MessageId],
        start: Start,
    ) -> Result<Vec<Claimed>, ServiceError> {
        let now = start.wall;
        let requests: Vec<ClaimRequest> =
            chunk.iter().map(|id| ClaimRequest { message: *id, attempt: self.ports.ids.next(now) }).collect();
        let terms = ClaimTerms {
            now,
            start_by: now + START_WITHIN,
            answer_by: now + START_WITHIN + provider.limits().answer_within,
            provider: provider.name(),
            method: provider.method(),
        };
        let (company, packet) = (self.slice.company, self.slice.packet);
        let (mut retries, mut in_doubt) = (RETRIES.into_iter(), false);
        let outcomes = loop {
            match self.ports.store.claim(company, packet, &requests, &terms).await {
                // The answer of the commit was lost. The claim is idempotent by attempt id, so it is asked again until it is
                // known, whatever happens then: what was claimed and can no longer be started is given back.
                Err(error) if error.is_transient() && (in_doubt || is_doubtful(&error)) => {
                    in_doubt = true;
                    let Some(wait) = retries.next() else { return Err(error.into()) };
                    self.ports.clock.sleep_until(self.ports.clock.now() + wait).await;
                }
                other => break other?,
            }
        };
        let mut claimed = Vec::with_capacity(chunk.len());
        let mut refused = Vec::new();
        for (id, outcome) in chunk.iter().zip(outcomes) {
            match outcome {
                ClaimOutcome::Claimed(claim) => claimed.push(*claim),
                ClaimOutcome::Refused(refusal) => refused.push((*id, refusal)),
            }
        }
        if let Err(error) = self.deal_with(&refused).await {
            // What was claimed must not be left to the reaper for the sake of what was not.
            self.return_unsent(&claimed, ReturnReason::Interrupted, now).await?;
            return Err(error);
        }
        Ok(claimed)
    }

    async fn deal_with(&self, refused: &[(MessageId, ClaimRefusal)]) -> Result<(), ServiceError> {
        let of = |wanted: fn(&ClaimRefusal) -> bool| -> Vec<MessageId> {
            refused.iter().filter(|(_, refusal)| wanted(refusal)).map(|(id, _)| *id).collect()
        };
        for (_, refusal) in refused {
            counter!("reminderly_claims_refused_total", "reason" => refusal_name(*refusal)).increment(1);
        }
        let at = self.ports.clock.now();
        let skip = |reason| move |message| Close { message, verdict: CloseVerdict::Skipped(reason), at };
        let unsubscribed = of(|refusal| matches!(refusal, ClaimRefusal::Unsubscribed)).into_iter();
        let answered = of(|refusal| matches!(refusal, ClaimRefusal::Answered)).into_iter();
        let superseded = of(|refusal| matches!(refusal, ClaimRefusal::Superseded)).into_iter();
        let capped = of(|refusal| matches!(refusal, ClaimRefusal::NoSlot)).into_iter();
        let closes: Vec<Close> = unsubscribed
            .map(skip(SkipReason::Unsubscribed))
            .chain(answered.map(skip(SkipReason::Answered)))
            .chain(superseded.map(skip(SkipReason::Superseded)))
            .chain(capped.map(skip(SkipReason::Cap)))
            .collect();
        self.ports.store.close(self.slice.company, self.slice.packet, &closes).await?.into_vec();
        // Fenced, paused, closed, too early or outside the window: the copy goes, the message waits; the feeder knows when it is due.
        let waiting = of(|refusal| {
            matches!(
                refusal,
                ClaimRefusal::Fenced
                    | ClaimRefusal::CampaignNotActive
                    | ClaimRefusal::PacketClosed
                    | ClaimRefusal::NotYet
                    | ClaimRefusal::OutsideWindow
            )
        });
        self.snooze(&waiting, SnoozeUntil::Unchanged, "not to be sent now").await?;
        let rungs: Vec<Snooze> = refused.iter().filter_map(|refused| behind_its_rung(*refused, at)).collect();
        self.ports.store.snooze(self.slice.company, self.slice.packet, &rungs).await?.into_vec();
        Ok(())
    }

    /// The campaign of the slice; `None` if this release refuses it: what its rules would forbid is then not known.
    async fn campaign(&self) -> Result<Option<Arc<CompiledCampaign>>, ServiceError> {
        match self.ports.store.packet(self.slice.company, self.slice.packet).await? {
            Some(packet) => self.campaigns.usable(&packet).await,
            None => Ok(None),
        }
    }

    fn outbound(&self, claim: &Claimed, campaign: &CompiledCampaign, at: DateTime<Utc>) -> OutboundMessage {
        let schedule = &campaign.definition().schedule;
        let terms = campaign.terms(&claim.contact, claim.contact_zone, Some(&claim.content));
        let (zones, rules, appointment) = (&terms.zones, &terms.rules, claim.appointment.as_ref());
        let deliver_until = deliver_until(schedule, self.slice.method, appointment, zones, rules, at);
        OutboundMessage {
            attempt: claim.attempt,
            message: claim.message,
            company: self.slice.company,
            contact: claim.contact.clone(),
            content: claim.content.clone(),
            expires_at: deliver_until.map_or(claim.legal_until, |until| until.max(claim.legal_until)),
        }
    }

    async fn return_unsent(
        &self,
        claimed: &[Claimed],
        reason: ReturnReason,
        not_before: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let now = self.ports.clock.now();
        let returned = SettleVerdict::Returned { reason, not_before };
        let settlements: Vec<Settlement> =
            claimed.iter().map(|claim| settlement(claim, returned.clone(), now)).collect();
        self.settle(&settlements).await
    }

    /// Settles, and tries again for a while: an unsettled attempt would be reaped as unknown.
    async fn settle(&self, settlements: &[Settlement]) -> Result<(), ServiceError> {
        let (company, packet) = (self.slice.company, self.slice.packet);
        let mut retries = RETRIES.into_iter();
        loop {
            match self.ports.store.settle(company, packet, settlements).await {
                Ok(outcomes) => {
                    count_settled(&outcomes);
                    return Ok(());
                }
                Err(error) if error.is_transient() => {
                    let Some(wait) = retries.next() else { return Err(error.into()) };
                    self.ports.clock.sleep_until(self.ports.clock.now() + wait).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn snooze(
        &self,
        messages: &[MessageId],
        until: SnoozeUntil,
        reason: &'static str,
    ) -> Result<(), ServiceError> {
        let at = self.ports.clock.now();
        let snooze =
            |message: &MessageId| Snooze { message: *message, until, reason: Cow::Borrowed(reason), at };
        let snoozes: Vec<Snooze> = messages.iter().map(snooze).collect();
        // Whoever is in other hands meanwhile need not be put back.
        self.ports.store.snooze(self.slice.company, self.slice.packet, &snoozes).await?.into_vec();
        Ok(())
    }

    /// Keeps the copy hidden while the slice is worked: extends the lease when a third of the visibility is used up. A lease
    /// that is lost does no harm: the claims are what counts.
    pub(super) async fn extend_lease(&self, hidden_until: &mut DateTime<Utc>) {
        let Some(Hold { queue, lease, .. }) = self.hold else { return };
        let now = self.ports.clock.now();
        if (*hidden_until - now).to_std().unwrap_or_default() > self.settings.visibility / 3 * 2 {
            return;
        }
        let token = [lease.token.clone()];
        match self.ports.queue.extend(queue, &token, self.settings.visibility).await {
            Ok(_) => *hidden_until = now + self.settings.visibility,
            Err(error) => {
                warn!(queue.name = %queue, error = &error as &dyn std::error::Error, "lease was not extended");
            }
        }
    }
}

/// Whether it was perhaps done all the same.
const fn is_doubtful(error: &StoreError) -> bool {
    matches!(error, StoreError::CommitUnknown { .. })
}

/// Puts a message back that waits for the rung below it.
fn behind_its_rung((message, refusal): (MessageId, ClaimRefusal), at: DateTime<Utc>) -> Option<Snooze> {
    let ClaimRefusal::RungBelow(until) = refusal else { return None };
    let reason = Cow::Borrowed("the rung below may still bring an answer");
    Some(Snooze { message, until: SnoozeUntil::NotBefore(until), reason, at })
}

fn settlement(claim: &Claimed, verdict: SettleVerdict, at: DateTime<Utc>) -> Settlement {
    Settlement { message: claim.message, epoch: claim.epoch, verdict, at }
}

/// Counts the batch at once: finding a counter by its labels costs more than to settle.
fn count_settled(outcomes: &Outcomes<SettleOutcome>) {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for outcome in outcomes {
        let status = match outcome {
            SettleOutcome::Applied(status) => status.as_str(),
            SettleOutcome::Stale(_) | SettleOutcome::RungAboveWent => "stale",
            SettleOutcome::Missing => "missing",
        };
        *counts.entry(status).or_default() += 1;
    }
    for (status, count) in counts {
        counter!("reminderly_attempts_settled_total", "status" => status).increment(count);
    }
}

fn refusal_name(refusal: ClaimRefusal) -> &'static str {
    match refusal {
        ClaimRefusal::Missing => "missing",
        ClaimRefusal::NotQueued(_) => "not_queued",
        ClaimRefusal::Fenced => "fenced",
        ClaimRefusal::PacketClosed => "packet_closed",
        ClaimRefusal::CampaignNotActive => "campaign_not_active",
        ClaimRefusal::Unsubscribed => "unsubscribed",
        ClaimRefusal::Answered => "answered",
        ClaimRefusal::Superseded => "superseded",
        ClaimRefusal::RungBelow(_) => "rung_below",
        ClaimRefusal::NotYet => "not_yet",
        ClaimRefusal::OutsideWindow => "outside_window",
        ClaimRefusal::NoSlot => "no_slot",
    }
}
