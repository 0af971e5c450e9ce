//! Attempts of which nobody knows whether they were accepted.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::{counter, gauge};
use tracing::warn;

use crate::domain::access::PlatformScope;
use crate::domain::attempt::ProviderName;
use crate::domain::campaign::definition::UnknownOutcome;
use crate::ports::provider::Finding;
use crate::ports::store::{OpenAttempt, SettleOutcome, SettleVerdict, Settlement};
use crate::services::compiled::CompiledCampaigns;
use crate::services::{Ports, ServiceError, Settings};

const BATCH: usize = 500;

/// So long after `answer_by` an attempt is held as unknown at the latest.
const HOLD_AFTER: TimeDelta = TimeDelta::hours(24);

/// So long after `answer_by` a campaign that permits it sends again without proof.
const RESEND_AFTER: TimeDelta = TimeDelta::minutes(10);

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
#[derive(Debug, Clone)]
pub struct UnknownOutcomes {
    ports: Ports,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
}

impl UnknownOutcomes {
    /// The sweep over these ports.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), campaigns }
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
        let mut after = None;
        loop {
            let page = self.ports.store.unknown_attempts_across_companies(after, BATCH).await?;
            self.resolve(page.items, &mut resolved).await?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        gauge!("reminderly_attempts_unknown").set(u32::try_from(resolved.open).unwrap_or(u32::MAX));
        counter!("reminderly_attempts_held_total").increment(resolved.held);
        Ok(resolved)
    }

    async fn resolve(&self, open: Vec<OpenAttempt>, resolved: &mut Resolved) -> Result<(), ServiceError> {
        let now = self.ports.clock.now();
        let mut by_provider: BTreeMap<ProviderName, Vec<(OpenAttempt, UnknownOutcome)>> = BTreeMap::new();
        for attempt in open {
            let policy = match self.policy(&attempt).await {
                Ok(policy) => policy,
                Err(error @ ServiceError::Store(_)) => return Err(error),
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
            let knowledge = self.look_up(&provider, &attempts, now).await;
            for ((attempt, policy), known) in attempts.into_iter().zip(knowledge) {
                let verdict = self.judge(&attempt, policy, known, now);
                self.settle(&attempt, verdict, now, resolved).await?;
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

    /// What the provider knows, by position. An absence counts only once the request is provably dead.
    async fn look_up(
        &self,
        provider: &ProviderName,
        attempts: &[(OpenAttempt, UnknownOutcome)],
        now: DateTime<Utc>,
    ) -> Vec<Finding> {
        let nothing = || vec![Finding::Inconclusive; attempts.len()];
        let Some(lookup) = self.ports.providers.lookup(provider) else { return nothing() };
        let ids: Vec<_> = attempts.iter().map(|(open, _)| open.attempt.id).collect();
        let findings = match lookup.find(&ids).await {
            Ok(findings) => findings.into_vec(),
            Err(error) => {
                warn!(provider = %provider, error = &error as &dyn std::error::Error, "look-up failed");
                return nothing();
            }
        };
        let mut known = nothing();
        for ((slot, finding), (open, policy)) in known.iter_mut().zip(findings).zip(attempts) {
            let dead = now >= open.attempt.answer_by + lookup.quiet_after();
            let counts = *policy != UnknownOutcome::Hold && (finding != Finding::Absent || dead);
            if counts {
                *slot = finding;
            }
        }
        known
    }

    fn judge(
        &self,
        open: &OpenAttempt,
        policy: UnknownOutcome,
        known: Finding,
        now: DateTime<Utc>,
    ) -> Option<SettleVerdict> {
        let answer_by = open.attempt.answer_by;
        match known {
            Finding::Accepted { reference, at } => Some(SettleVerdict::Found { reference, accepted_at: at }),
            Finding::Absent if open.attempts < self.settings.retry.max_attempts => {
                Some(SettleVerdict::ProvenAbsent)
            }
            Finding::Absent => Some(SettleVerdict::RefusedForGood { code: "attempts_exhausted".to_owned() }),
            Finding::Inconclusive => {
                let resend = policy == UnknownOutcome::ResolveThenResendOnce && open.attempts == 1;
                if resend && now >= answer_by + RESEND_AFTER && now < open.appointment_at {
                    return Some(SettleVerdict::ResendPermitted);
                }
                let hold_at = open.appointment_at.min(answer_by + HOLD_AFTER).max(answer_by);
                (now >= hold_at).then_some(SettleVerdict::GivenUp)
            }
        }
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
