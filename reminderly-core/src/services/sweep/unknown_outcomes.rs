//! Attempts of which nobody knows whether they were accepted.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::{Either, select};
use metrics::{counter, gauge};
use tracing::{error, warn};

use crate::clock::Monotonic;
use crate::domain::access::PlatformScope;
use crate::domain::attempt::{Attempt, ProviderName, ProviderReference};
use crate::domain::campaign::definition::UnknownOutcome;
use crate::ports::provider::Finding;
use crate::ports::store::{OpenAttempt, SettleOutcome, SettleVerdict, Settlement};
use crate::services::compiled::CompiledCampaigns;
use crate::services::{Ports, ServiceError, Settings};

use super::watch::Watch;

const BATCH: usize = 500;

/// So long after `answer_by` an attempt is held as unknown at the latest.
const HOLD_AFTER: TimeDelta = TimeDelta::hours(24);

/// So long after `answer_by` a campaign that permits it sends again without proof.
const RESEND_AFTER: Duration = Duration::from_mins(10);

/// How long a look-up may take.
const LOOK_UP_WITHIN: TimeDelta = TimeDelta::seconds(30);

/// What is known about an attempt.
#[derive(Debug, Clone)]
enum Knowledge {
    /// It was accepted.
    Accepted { reference: ProviderReference, at: DateTime<Utc> },
    /// It surely was not.
    Absent,
    /// Nobody can say, now or later.
    Undecidable,
    /// Nobody has said yet.
    NotYet,
}

/// When the providers are asked, by both clocks.
#[derive(Debug, Clone, Copy)]
struct Asked {
    now: DateTime<Utc>,
    at: Monotonic,
}

/// What a sweep found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resolved {
    /// Evidence of acceptance: sent.
    pub found: u64,
    /// Proof of absence: queued again, or failed if that was the last permitted attempt.
    pub absent: u64,
    /// Sent once more because the campaign permits it without proof.
    pub resent: u64,
    /// Held as unknown for good.
    pub held: u64,
    /// Still open.
    pub open: u64,
}

/// Resolves unknown outcomes by evidence, as the campaign's policy says; never by a blind resend.
///
/// That nothing was accepted is a proof only once the request is dead. Of that the sweep asks two clocks: what the attempt says
/// must be past, and the sweep must have watched the attempt for as long by its own monotonic clock, because the worker that
/// made the attempt may have had another idea of what time it is. Clones watch together; keep one for a process.
#[derive(Debug, Clone)]
pub struct UnknownOutcomes {
    ports: Ports,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
    watch: Arc<Watch>,
}

impl UnknownOutcomes {
    /// The sweep over these ports.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), campaigns, watch: Arc::default() }
    }

    /// Looks every unknown attempt up that may be, and records what is known.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a worker asks; [`ServiceError::Store`]. A provider that gives no answer leaves its
    /// attempts open.
    pub async fn sweep(&self, scope: &PlatformScope) -> Result<Resolved, ServiceError> {
        scope.require_worker()?;
        let mut resolved = Resolved::default();
        let mut round = self.watch.round();
        let mut after = None;
        loop {
            let page = self.ports.store.unknown_attempts_across_companies(after, BATCH).await?;
            // Not earlier: look-ups of the pages before take their time, and an attempt may be younger.
            let seen_at = self.ports.clock.monotonic();
            page.items.iter().for_each(|open| round.see(open.attempt.id, seen_at));
            self.resolve(page.items, &mut resolved).await?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        round.forget_others();
        gauge!("reminderly_attempts_unknown").set(u32::try_from(resolved.open).unwrap_or(u32::MAX));
        counter!("reminderly_attempts_held_total").increment(resolved.held);
        Ok(resolved)
    }

    async fn resolve(&self, open: Vec<OpenAttempt>, resolved: &mut Resolved) -> Result<(), ServiceError> {
        // Whatever a provider answers, it answers of a time that is not earlier.
        let asked = Asked { now: self.ports.clock.now(), at: self.ports.clock.monotonic() };
        let now = asked.now;
        let mut by_provider: BTreeMap<ProviderName, Vec<(OpenAttempt, UnknownOutcome)>> = BTreeMap::new();
        for attempt in open {
            let policy = match self.policy(&attempt).await {
                Ok(policy) => policy,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    // One unreadable campaign must not keep the outcomes of all others open.
                    let packet = attempt.location.packet;
                    warn!(packet.id = %packet, error = &error as &dyn std::error::Error, "policy is not known; held");
                    UnknownOutcome::Hold
                }
            };
            by_provider.entry(attempt.attempt.provider.clone()).or_default().push((attempt, policy));
        }
        for (provider, attempts) in by_provider {
            // Who holds never asks.
            let (held, others): (Vec<_>, Vec<_>) =
                attempts.into_iter().partition(|(_, policy)| *policy == UnknownOutcome::Hold);
            let (others, policies): (Vec<_>, Vec<_>) = others.into_iter().unzip();
            let knowledge =
                if others.is_empty() { Vec::new() } else { self.look_up(&provider, &others, asked).await };
            let held = held.into_iter().map(|(open, policy)| ((open, policy), Knowledge::NotYet));
            for ((open, policy), known) in others.into_iter().zip(policies).zip(knowledge).chain(held) {
                let verdict = self.judge(&open, policy, known, asked);
                self.settle(&open, verdict, now, resolved).await?;
            }
        }
        Ok(())
    }

    async fn policy(&self, open: &OpenAttempt) -> Result<UnknownOutcome, ServiceError> {
        let location = &open.location;
        let missing = ServiceError::NotFound { what: "packet" };
        let packet = self.ports.store.packet(location.company, location.packet).await?.ok_or(missing)?;
        Ok(self.campaigns.of(&packet).await?.definition().unknown_outcome)
    }

    /// What the provider knows, by position. An absence counts only once the request is provably dead, and that the provider
    /// cannot say only once it could have said.
    async fn look_up(
        &self,
        provider: &ProviderName,
        attempts: &[OpenAttempt],
        asked: Asked,
    ) -> Vec<Knowledge> {
        let Some(lookup) = self.ports.providers.lookup(provider) else {
            return vec![Knowledge::Undecidable; attempts.len()];
        };
        let ids: Vec<_> = attempts.iter().map(|open| open.attempt.id).collect();
        // The sweep must go on whatever a provider does.
        let find = AssertUnwindSafe(lookup.find(&ids)).catch_unwind();
        let time_out = self.ports.clock.sleep_until(asked.now + LOOK_UP_WITHIN);
        let findings = match select(Box::pin(find), time_out).await {
            Either::Left((Ok(Ok(findings)), _)) => findings.into_vec(),
            Either::Left((Ok(Err(error)), _)) => {
                warn!(provider = %provider, error = &error as &dyn std::error::Error, "look-up failed");
                Vec::new()
            }
            Either::Left((Err(_), _)) => {
                error!(provider = %provider, "look-up panicked");
                Vec::new()
            }
            Either::Right(_) => {
                warn!(provider = %provider, "look-up did not answer in time");
                Vec::new()
            }
        };
        let mut known = vec![Knowledge::NotYet; attempts.len()];
        for ((slot, finding), open) in known.iter_mut().zip(findings).zip(attempts) {
            let dead = asked.now >= open.attempt.answer_by + lookup.quiet_after()
                && self.watched(open, asked) >= lifetime(&open.attempt) + lookup.quiet_after();
            *slot = match finding {
                Finding::Accepted { reference, at } => Knowledge::Accepted { reference, at },
                Finding::Absent if dead => Knowledge::Absent,
                Finding::Inconclusive if dead => Knowledge::Undecidable,
                Finding::Absent | Finding::Inconclusive => Knowledge::NotYet,
            };
        }
        known
    }

    fn judge(
        &self,
        open: &OpenAttempt,
        policy: UnknownOutcome,
        known: Knowledge,
        asked: Asked,
    ) -> Option<SettleVerdict> {
        let now = asked.now;
        let answer_by = open.attempt.answer_by;
        let last = answer_by + HOLD_AFTER;
        let hold_at = open.appointment_at.map_or(last, |at| at.min(last)).max(answer_by);
        let hold = (now >= hold_at).then_some(SettleVerdict::GivenUp);
        match known {
            Knowledge::Accepted { reference, at } => {
                Some(SettleVerdict::Found { reference, accepted_at: at })
            }
            Knowledge::Absent if open.attempts < self.settings.retry.max_attempts => {
                Some(SettleVerdict::ProvenAbsent)
            }
            Knowledge::Absent => {
                Some(SettleVerdict::RefusedForGood { code: "attempts_exhausted".to_owned() })
            }
            Knowledge::Undecidable => {
                let once = policy == UnknownOutcome::ResolveThenResendOnce && open.attempts == 1;
                let is_long_ago =
                    now >= answer_by + RESEND_AFTER && self.watched(open, asked) >= RESEND_AFTER;
                let resend = once && is_long_ago && open.appointment_at.is_none_or(|at| now < at);
                if resend { Some(SettleVerdict::ResendPermitted) } else { hold }
            }
            Knowledge::NotYet => hold,
        }
    }

    fn watched(&self, open: &OpenAttempt, asked: Asked) -> Duration {
        self.watch.watched(open.attempt.id, asked.at)
    }

    async fn settle(
        &self,
        open: &OpenAttempt,
        verdict: Option<SettleVerdict>,
        at: DateTime<Utc>,
        resolved: &mut Resolved,
    ) -> Result<(), ServiceError> {
        let Some(verdict) = verdict else {
            resolved.open += 1;
            return Ok(());
        };
        let location = &open.location;
        let count = match &verdict {
            SettleVerdict::Found { .. } => &mut resolved.found,
            SettleVerdict::ResendPermitted => &mut resolved.resent,
            SettleVerdict::GivenUp => &mut resolved.held,
            _ => &mut resolved.absent,
        };
        let settlement = Settlement { message: location.message, epoch: open.attempt.epoch, verdict, at };
        let outcomes = self.ports.store.settle(location.company, location.packet, &[settlement]).await?;
        if outcomes.iter().any(|outcome| matches!(outcome, SettleOutcome::Applied(_))) {
            *count += 1;
        }
        Ok(())
    }
}

/// How long the request of an attempt can be answered, by the clock of the worker that made it.
fn lifetime(attempt: &Attempt) -> Duration {
    (attempt.answer_by - attempt.claimed_at).to_std().unwrap_or_default()
}
