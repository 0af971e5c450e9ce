//! A sender number of the provider that takes its time, and writes down every request that reaches it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::batch::Outcomes;
use reminderly_core::clock::{Clock as _, Monotonic};
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::{AttemptId, CompanyId};
use reminderly_core::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
};
use reminderly_core::testing::VirtualClock;

/// A request that reached the provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// On the true monotonic scale.
    pub(super) at: Duration,
    pub(super) sender: usize,
    pub(super) company: CompanyId,
    pub(super) attempt: AttemptId,
}

/// What all sender numbers of the account have seen, and how often each went wrong.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) seen: Vec<Seen>,
    pub(super) throttled: u64,
    pub(super) unreachable: u64,
    pub(super) late: u64,
}

/// The provider behind one sender number. Requests of a call start one after the other, some late and some too late; some calls
/// are refused as a whole.
#[derive(Debug)]
pub(super) struct WatchedProvider {
    inner: Arc<dyn Provider>,
    limits: ProviderLimits,
    sender: usize,
    clock: Arc<VirtualClock>,
    log: Arc<Mutex<Log>>,
    random: Mutex<SmallRng>,
}

/// What a call will be like.
enum Fate {
    Refused(Duration),
    Unreachable,
    Taken { first_after: u64, each_after: u64, answer_after: u64 },
}

impl WatchedProvider {
    pub(super) fn new(
        inner: Arc<dyn Provider>,
        limits: ProviderLimits,
        (sender, seed): (usize, u64),
        clock: &Arc<VirtualClock>,
        log: &Arc<Mutex<Log>>,
    ) -> Self {
        let random = Mutex::new(SmallRng::seed_from_u64(seed));
        Self { inner, limits, sender, clock: Arc::clone(clock), log: Arc::clone(log), random }
    }

    fn fate(&self) -> Fate {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        match random.random_range(0..400) {
            0..3 => Fate::Refused(Duration::from_secs(random.random_range(0..20))),
            3 => Fate::Unreachable,
            4..80 => Fate::Taken {
                first_after: random.random_range(0..1_500),
                each_after: random.random_range(0..60),
                answer_after: random.random_range(0..12_000),
            },
            _ => Fate::Taken { first_after: 0, each_after: 0, answer_after: 0 },
        }
    }

    fn see(&self, message: &OutboundMessage) {
        let at = self.clock.monotonic().since(Monotonic::new(Duration::ZERO));
        let seen = Seen { at, sender: self.sender, company: message.company, attempt: message.attempt };
        self.count(|log| log.seen.push(seen));
    }

    fn count(&self, count: impl FnOnce(&mut Log)) {
        count(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn pass(&self, millis: u64) {
        if millis > 0 {
            let millis = TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX));
            self.clock.sleep_until(self.clock.now() + millis).await;
        }
    }

    /// One request; nothing is asked at or after `start_by`.
    async fn ask(
        &self,
        message: &OutboundMessage,
        deadline: SendDeadline,
    ) -> Result<ProviderOutcome, ProviderError> {
        if self.clock.monotonic() >= deadline.start_by {
            self.count(|log| log.late += 1);
            return Ok(ProviderOutcome::NotStarted);
        }
        self.see(message);
        let outcomes = self.inner.send(std::slice::from_ref(message), deadline).await?;
        let none = ProviderOutcome::Unknown { code: "no_outcome".to_owned() };
        Ok(outcomes.into_iter().next().unwrap_or(none))
    }
}

#[async_trait]
impl Provider for WatchedProvider {
    fn name(&self) -> ProviderName {
        self.inner.name()
    }

    fn method(&self) -> ContactMethod {
        self.inner.method()
    }

    fn limits(&self) -> ProviderLimits {
        self.limits.clone()
    }

    async fn send(
        &self,
        messages: &[OutboundMessage],
        deadline: SendDeadline,
    ) -> Result<Outcomes<ProviderOutcome>, ProviderError> {
        let (first_after, each_after, answer_after) = match self.fate() {
            Fate::Refused(wait) => {
                // It was asked for each of them, and refused them all.
                for message in messages {
                    self.see(message);
                }
                self.count(|log| log.throttled += 1);
                return Err(ProviderError::Throttled { provider: self.name(), retry_after: Some(wait) });
            }
            Fate::Unreachable => {
                self.count(|log| log.unreachable += 1);
                let source = "no route to host".into();
                return Err(ProviderError::Unreachable { provider: self.name(), source });
            }
            Fate::Taken { first_after, each_after, answer_after } => (first_after, each_after, answer_after),
        };
        self.pass(first_after).await;
        let mut outcomes = Vec::with_capacity(messages.len());
        for message in messages {
            outcomes.push(self.ask(message, deadline).await?);
            self.pass(each_after).await;
        }
        self.pass(answer_after).await;
        Ok(outcomes.into())
    }
}
