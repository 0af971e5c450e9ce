//! One slice, from its claim to its settlement.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::{Either, select};
use metrics::counter;
use tracing::{error, warn};

use super::gate::SenderGates;
use super::verdict::{outage, pause_after, verdict};
use crate::batch::Outcomes;
use crate::clock::Monotonic;
use crate::domain::attempt::ReturnReason;
use crate::domain::envelope::Slice;
use crate::domain::mapping::CompiledCampaign;
use crate::domain::plan::deliver_until;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{IdSourceExt as _, MessageId};
use crate::ports::provider::{OutboundMessage, Provider, ProviderOutcome, SendDeadline};
use crate::ports::queue::{Lease, QueueName};
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed, Close, CloseVerdict, SettleOutcome,
    SettleVerdict, Settlement, Snooze, SnoozeUntil, StoreError,
};
use crate::services::compiled::CompiledCampaigns;
use crate::services::{Ports, ServiceError, Settings};

/// A request starts within this time of its claim or not at all: what bounds P4.
const START_WITHIN: Duration = Duration::from_secs(1);

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

pub(super) struct SliceWork<'a> {
    pub(super) ports: &'a Ports,
    pub(super) settings: &'a Settings,
    pub(super) gates: &'a Arc<SenderGates>,
    pub(super) campaigns: &'a CompiledCampaigns,
    pub(super) slice: &'a Slice,
    /// The lease that the slice came with, to be extended while it is worked.
    pub(super) lease: Option<(&'a QueueName, &'a Lease)>,
}

/// When a claim was made, on both scales.
#[derive(Clone, Copy)]
struct Start {
    wall: DateTime<Utc>,
    monotonic: Monotonic,
}

impl SliceWork<'_> {
    /// Works the slice; answers for how many messages a provider was asked.
    pub(super) async fn run(&self) -> Result<u64, ServiceError> {
        let slice = self.slice;
        let route = self.ports.providers.route(slice.company, slice.method);
        let Some(provider) = route.filter(|provider| provider.method() == slice.method) else {
            error!(method = %slice.method, "no provider is routed for the company and method");
            let until = SnoozeUntil::NotBefore(self.ports.clock.now() + NO_ROUTE_PAUSE);
            self.snooze(&slice.messages, until, "no provider is routed").await?;
            return Ok(0);
        };
        let mut requested = 0;
        let mut hidden_until = self.lease.map_or(DateTime::<Utc>::MIN_UTC, |(_, lease)| lease.expires_at);
        let batch = provider.limits().batch.max(1);
        let mut chunks: VecDeque<&[MessageId]> = slice.messages.chunks(batch).collect();
        while let Some(chunk) = chunks.pop_front() {
            let now = self.ports.clock.now();
            if let Some(until) = self.gates.closed_until(&provider.name(), now) {
                let rest: Vec<MessageId> = [chunk].into_iter().chain(chunks).flatten().copied().collect();
                self.snooze(&rest, SnoozeUntil::NotBefore(until), "sender was asked to wait").await?;
                break;
            }
            self.extend_lease(&mut hidden_until).await;
            requested += self.send_chunk(&*provider, chunk).await?;
        }
        Ok(requested)
    }

    async fn send_chunk(&self, provider: &dyn Provider, chunk: &[MessageId]) -> Result<u64, ServiceError> {
        let start = Start { wall: self.ports.clock.now(), monotonic: self.ports.clock.monotonic() };
        let claimed = self.claim(provider, chunk, start).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let start_by = start_by(start, &claimed);
        if self.ports.clock.monotonic() >= start_by {
            self.return_unsent(&claimed, ReturnReason::TooLate, self.ports.clock.now()).await?;
            return Ok(0);
        }
        let outcomes = self.call(provider, &claimed, start, start_by).await?;
        let Some(outcomes) = outcomes else { return Ok(0) };
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
        Ok(u64::try_from(claimed.len()).unwrap_or(u64::MAX))
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
        let mut retries = RETRIES.into_iter();
        let outcomes = loop {
            match self.ports.store.claim(company, packet, &requests, &terms).await {
                // The answer of the commit was lost. The claim is idempotent by attempt id, so it is asked again until it is
                // known: what was claimed and can no longer be started is given back.
                Err(error @ StoreError::CommitUnknown { .. }) => {
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
        let closes: Vec<Close> = unsubscribed
            .map(skip(SkipReason::Unsubscribed))
            .chain(answered.map(skip(SkipReason::Answered)))
            .chain(superseded.map(skip(SkipReason::Superseded)))
            .collect();
        self.ports.store.close(self.slice.company, self.slice.packet, &closes).await?.into_vec();
        // Paused, closed, too early or outside the window: the copy goes, the message waits; the feeder knows when it is due.
        let waiting = of(|refusal| {
            matches!(
                refusal,
                ClaimRefusal::CampaignNotActive
                    | ClaimRefusal::PacketClosed
                    | ClaimRefusal::NotYet
                    | ClaimRefusal::OutsideWindow
            )
        });
        self.snooze(&waiting, SnoozeUntil::Unchanged, "not to be sent now").await
    }

    /// Asks the provider. `None`: surely nothing was sent, and the messages are put back.
    async fn call(
        &self,
        provider: &dyn Provider,
        claimed: &[Claimed],
        start: Start,
        start_by: Monotonic,
    ) -> Result<Option<Vec<ProviderOutcome>>, ServiceError> {
        let campaign = self.campaign().await;
        let messages: Vec<OutboundMessage> =
            claimed.iter().map(|claim| self.outbound(claim, campaign.as_deref(), start.wall)).collect();
        let answer_within = START_WITHIN + provider.limits().answer_within;
        let deadline = SendDeadline { start_by, answer_by: start.monotonic.plus(answer_within) };
        let send = AssertUnwindSafe(provider.send(&messages, deadline)).catch_unwind();
        let time_out = self.ports.clock.sleep_until(start.wall + answer_within);
        let answer = match select(Box::pin(send), time_out).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => {
                warn!(provider = %provider.name(), "provider did not answer in time");
                return Ok(Some(ambiguous(claimed, "timeout")));
            }
        };
        match answer {
            Ok(Ok(outcomes)) => {
                let mut outcomes = outcomes.into_vec();
                // Fewer answers than messages: nobody knows about the rest.
                outcomes.resize(claimed.len(), ProviderOutcome::Unknown { code: "no_outcome".to_owned() });
                Ok(Some(outcomes))
            }
            Ok(Err(error)) => {
                let (reason, pause) = outage(&error);
                let until = self.ports.clock.now() + pause;
                warn!(provider = %provider.name(), error = &error as &dyn std::error::Error, "nothing was sent");
                self.gates.pause(&provider.name(), until);
                self.return_unsent(claimed, reason, until).await?;
                Ok(None)
            }
            Err(_panic) => {
                error!(provider = %provider.name(), "provider panicked; its messages are unknown");
                Ok(Some(ambiguous(claimed, "panic")))
            }
        }
    }

    /// The campaign of the slice; without it messages may be delivered as long as they may be started.
    async fn campaign(&self) -> Option<Arc<CompiledCampaign>> {
        let packet = self.ports.store.packet(self.slice.company, self.slice.packet).await.ok()??;
        self.campaigns.of(&packet).await.ok()
    }

    fn outbound(
        &self,
        claim: &Claimed,
        campaign: Option<&CompiledCampaign>,
        at: DateTime<Utc>,
    ) -> OutboundMessage {
        let deliver_until = campaign.and_then(|campaign| {
            let schedule = &campaign.definition().schedule;
            deliver_until(schedule, self.slice.method, claim.appointment.as_ref(), &[claim.contact_zone], at)
        });
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
    async fn extend_lease(&self, hidden_until: &mut DateTime<Utc>) {
        let Some((queue, lease)) = self.lease else { return };
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

/// The earliest deadline of a chunk: a second after the claim, and before the first of its windows closes.
fn start_by(start: Start, claimed: &[Claimed]) -> Monotonic {
    let window =
        claimed.iter().map(|claim| claim.legal_until - start.wall).min().unwrap_or(TimeDelta::zero());
    start.monotonic.plus(window.to_std().unwrap_or_default().min(START_WITHIN))
}

fn settlement(claim: &Claimed, verdict: SettleVerdict, at: DateTime<Utc>) -> Settlement {
    Settlement { message: claim.message, epoch: claim.epoch, verdict, at }
}

fn ambiguous(claimed: &[Claimed], code: &str) -> Vec<ProviderOutcome> {
    claimed.iter().map(|_| ProviderOutcome::Unknown { code: code.to_owned() }).collect()
}

/// Counts the batch at once: finding a counter by its labels costs more than to settle.
fn count_settled(outcomes: &Outcomes<SettleOutcome>) {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for outcome in outcomes {
        let status = match outcome {
            SettleOutcome::Applied(status) => status.as_str(),
            SettleOutcome::Stale(_) => "stale",
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
        ClaimRefusal::PacketClosed => "packet_closed",
        ClaimRefusal::CampaignNotActive => "campaign_not_active",
        ClaimRefusal::Unsubscribed => "unsubscribed",
        ClaimRefusal::Answered => "answered",
        ClaimRefusal::Superseded => "superseded",
        ClaimRefusal::NotYet => "not_yet",
        ClaimRefusal::OutsideWindow => "outside_window",
    }
}
