//! A provider that does its worst.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::chance::Chance;
use crate::batch::Outcomes;
use crate::clock::{Clock, Monotonic};
use crate::domain::attempt::ProviderName;
use crate::domain::contact_method::ContactMethod;
use crate::ids::MessageId;
use crate::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, Rejection, SendDeadline,
};

/// How long before `answer_by` an answer that does not come is given up.
const GIVE_UP_BEFORE: Duration = Duration::from_millis(50);

/// What providers have asked us to wait.
const RETRY_AFTER: [Option<Duration>; 6] = [
    None,
    Some(Duration::ZERO),
    Some(Duration::from_nanos(1)),
    Some(Duration::from_secs(30)),
    Some(Duration::from_hours(24 * 365 * 10)),
    Some(Duration::MAX),
];

/// How often each fault happens: probabilities from 0 (never) to 1 (always). The default is no fault at all. Of the faults of a
/// call, and of those of a message, the first that happens is the one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProviderFaults {
    /// Per call: the network cannot be reached.
    pub unreachable: f64,
    /// Per call: our credentials are refused.
    pub unauthorized: f64,
    /// Per call: 429, with whatever `Retry-After`.
    pub throttled: f64,
    /// Per call: nothing is asked for up to two seconds, as by a process that is held up; then it goes its way.
    pub slow_start: f64,
    /// Per call: it never comes back, whatever was accepted.
    pub hang: f64,
    /// Per call: all but the last answer are missing.
    pub short_answer: f64,
    /// Per message: 429, with whatever `Retry-After`.
    pub deferred: f64,
    /// Per message: refused for now.
    pub rejected: f64,
    /// Per message: 503, not accepted.
    pub server_error: f64,
    /// Per message: 503, accepted.
    pub server_error_accepted: f64,
    /// Per message: no answer, not accepted.
    pub time_out: f64,
    /// Per message: no answer, accepted.
    pub time_out_accepted: f64,
    /// Per message: accepted, and the connection breaks.
    pub lost_answer: f64,
    /// Per message: accepted, and the answer makes no sense.
    pub malformed: f64,
    /// Per message: accepted twice, by a provider or a network that says the same thing again; two references, one answer.
    pub accepted_twice: f64,
}

/// A fault of a [`FaultyProvider`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they stand with the probabilities of the same names")]
pub enum ProviderFault {
    Unreachable,
    Unauthorized,
    Throttled,
    SlowStart,
    Hang,
    ShortAnswer,
    Deferred,
    Rejected,
    ServerError,
    ServerErrorAccepted,
    TimeOut,
    TimeOutAccepted,
    LostAnswer,
    Malformed,
    AcceptedTwice,
}

impl ProviderFault {
    const OF_CALLS: [Self; 6] = [
        Self::Unreachable,
        Self::Unauthorized,
        Self::Throttled,
        Self::SlowStart,
        Self::Hang,
        Self::ShortAnswer,
    ];

    const OF_MESSAGES: [Self; 9] = [
        Self::Deferred,
        Self::Rejected,
        Self::ServerError,
        Self::ServerErrorAccepted,
        Self::TimeOut,
        Self::TimeOutAccepted,
        Self::LostAnswer,
        Self::Malformed,
        Self::AcceptedTwice,
    ];

    const fn probability(self, faults: &ProviderFaults) -> f64 {
        match self {
            Self::Unreachable => faults.unreachable,
            Self::Unauthorized => faults.unauthorized,
            Self::Throttled => faults.throttled,
            Self::SlowStart => faults.slow_start,
            Self::Hang => faults.hang,
            Self::ShortAnswer => faults.short_answer,
            Self::Deferred => faults.deferred,
            Self::Rejected => faults.rejected,
            Self::ServerError => faults.server_error,
            Self::ServerErrorAccepted => faults.server_error_accepted,
            Self::TimeOut => faults.time_out,
            Self::TimeOutAccepted => faults.time_out_accepted,
            Self::LostAnswer => faults.lost_answer,
            Self::Malformed => faults.malformed,
            Self::AcceptedTwice => faults.accepted_twice,
        }
    }

    /// Whether a message with this fault reaches the provider.
    const fn passes(self) -> bool {
        matches!(
            self,
            Self::ServerErrorAccepted
                | Self::TimeOutAccepted
                | Self::LostAnswer
                | Self::Malformed
                | Self::AcceptedTwice
        )
    }

    /// Whether its answer is as good as without it.
    const fn is_answered(self) -> bool {
        matches!(self, Self::AcceptedTwice)
    }

    const fn is_silent(self) -> bool {
        matches!(self, Self::TimeOut | Self::TimeOutAccepted)
    }
}

/// Decorates a provider with the faults that a network and a provider may show; each keeps to the contract of [`Provider`], but
/// for the call that hangs and the one with missing answers, which dispatch must survive all the same. The same seed and the
/// same calls inject the same faults.
#[derive(Debug)]
pub struct FaultyProvider {
    inner: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    faults: ProviderFaults,
    injected: HashMap<ProviderFault, u64>,
}

impl FaultyProvider {
    /// Decorates `inner`; without faults, until they are [set](Self::set_faults).
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>, seed: u64) -> Self {
        let (faults, injected) = (ProviderFaults::default(), HashMap::new());
        Self { inner, clock, state: Mutex::new(State { chance: Chance::new(seed), faults, injected }) }
    }

    /// From now on these faults happen.
    pub fn set_faults(&self, faults: ProviderFaults) {
        self.state().faults = faults;
    }

    /// How often a fault was injected so far.
    pub fn injected(&self, fault: ProviderFault) -> u64 {
        self.state().injected.get(&fault).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_until(&self, point: Monotonic) {
        let left = point.since(self.clock.monotonic());
        self.clock.sleep_until(self.clock.now() + left).await;
    }

    /// The failure of a whole call.
    fn failure(&self, fault: ProviderFault) -> Option<ProviderError> {
        let provider = self.name();
        match fault {
            ProviderFault::Unreachable => {
                Some(ProviderError::Unreachable { provider, source: "on purpose".into() })
            }
            ProviderFault::Unauthorized => Some(ProviderError::Unauthorized { provider }),
            ProviderFault::Throttled => {
                Some(ProviderError::Throttled { provider, retry_after: self.state().retry_after() })
            }
            _ => None,
        }
    }

    /// What is answered about a message with this fault.
    fn spoiled(&self, fault: ProviderFault) -> ProviderOutcome {
        let unknown = |code: &str| ProviderOutcome::Unknown { code: code.to_owned() };
        match fault {
            ProviderFault::Deferred => ProviderOutcome::Deferred { retry_after: self.state().retry_after() },
            ProviderFault::Rejected => {
                ProviderOutcome::Rejected { code: "try_later".to_owned(), rejection: Rejection::ForNow }
            }
            ProviderFault::TimeOut | ProviderFault::TimeOutAccepted => unknown("timeout"),
            ProviderFault::LostAnswer => unknown("connection_reset"),
            ProviderFault::Malformed => unknown("malformed"),
            _ => unknown("http_503"),
        }
    }

    /// Asks the inner provider for those messages that reach it, and puts the answers together.
    async fn pass_on(
        &self,
        messages: &[OutboundMessage],
        deadline: SendDeadline,
    ) -> Result<Vec<ProviderOutcome>, ProviderError> {
        // What the network refuses at or after `start_by` was never a request.
        let is_late = self.clock.monotonic() >= deadline.start_by;
        let fates: Vec<Option<ProviderFault>> = if is_late {
            vec![None; messages.len()]
        } else {
            messages.iter().map(|_| self.state().draw(&ProviderFault::OF_MESSAGES)).collect()
        };
        let passing: Vec<OutboundMessage> = messages
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| fate.is_none_or(ProviderFault::passes))
            .map(|(message, _)| message.clone())
            .collect();
        let mut answers: HashMap<MessageId, ProviderOutcome> = HashMap::new();
        if !passing.is_empty() {
            let outcomes = self.inner.send(&passing, deadline).await?;
            answers.extend(passing.iter().map(|message| message.message).zip(outcomes));
        }
        let is_doubled = |(message, fate): &(&OutboundMessage, &Option<ProviderFault>)| {
            let is_accepted = matches!(answers.get(&message.message), Some(ProviderOutcome::Accepted { .. }));
            **fate == Some(ProviderFault::AcceptedTwice) && is_accepted
        };
        let doubled = messages.iter().zip(&fates).filter(is_doubled);
        let doubled: Vec<OutboundMessage> = doubled.map(|(message, _)| message.clone()).collect();
        if !doubled.is_empty()
            && let Ok(copies) = self.inner.send(&doubled, deadline).await
        {
            // Nobody else hears what is answered to the copies.
            let is_accepted = |copy: &&ProviderOutcome| matches!(copy, ProviderOutcome::Accepted { .. });
            let times = copies.iter().filter(is_accepted).count() as u64;
            *self.state().injected.entry(ProviderFault::AcceptedTwice).or_default() += times;
        }
        if fates.iter().flatten().any(|fault| fault.is_silent()) {
            let point = deadline.answer_by.since(Monotonic::new(GIVE_UP_BEFORE));
            self.wait_until(Monotonic::new(point)).await;
        }
        let missing = || ProviderOutcome::Unknown { code: "no_outcome".to_owned() };
        let outcome = |(message, fate): (&OutboundMessage, Option<ProviderFault>)| {
            let answer = answers.remove(&message.message);
            match (fate, answer) {
                // It was not started after all, so nothing of it can have been lost.
                (_, Some(ProviderOutcome::NotStarted)) => ProviderOutcome::NotStarted,
                (Some(fault), _) if !fault.is_answered() => self.spoiled(fault),
                (_, answer) => answer.unwrap_or_else(missing),
            }
        };
        Ok(messages.iter().zip(fates).map(outcome).collect())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for FaultyProvider {
    fn name(&self) -> ProviderName {
        self.inner.name()
    }

    fn method(&self) -> ContactMethod {
        self.inner.method()
    }

    fn limits(&self) -> ProviderLimits {
        self.inner.limits()
    }

    async fn send(
        &self,
        messages: &[OutboundMessage],
        deadline: SendDeadline,
    ) -> Result<Outcomes<ProviderOutcome>, ProviderError> {
        let fault = self.state().draw(&ProviderFault::OF_CALLS);
        if let Some(failure) = fault.and_then(|fault| self.failure(fault)) {
            return Err(failure);
        }
        if fault == Some(ProviderFault::SlowStart) {
            let delay = self.state().chance.up_to(Duration::from_secs(2));
            self.clock.sleep_until(self.clock.now() + delay).await;
        }
        let mut outcomes = self.pass_on(messages, deadline).await?;
        if fault == Some(ProviderFault::Hang) {
            std::future::pending::<()>().await;
        }
        if fault == Some(ProviderFault::ShortAnswer) {
            outcomes.truncate(1);
        }
        Ok(outcomes.into())
    }
}

impl State {
    /// The fault that happens, of these. Draws as often whatever happens.
    fn draw(&mut self, faults: &[ProviderFault]) -> Option<ProviderFault> {
        let mut drawn = None;
        for fault in faults {
            let happens = self.chance.happens(fault.probability(&self.faults));
            if happens && drawn.is_none() {
                drawn = Some(*fault);
            }
        }
        // What is accepted twice must be accepted once first.
        if let Some(fault) = drawn.filter(|fault| *fault != ProviderFault::AcceptedTwice) {
            *self.injected.entry(fault).or_default() += 1;
        }
        drawn
    }

    fn retry_after(&mut self) -> Option<Duration> {
        self.chance.pick(&RETRY_AFTER).flatten()
    }
}
