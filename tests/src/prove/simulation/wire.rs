//! Every request that dispatch made, and what it was told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::{AttemptId, MessageId};
use reminderly_core::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
};
use reminderly_core::testing::{SkewedClock, VirtualClock};

/// What dispatch was told about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing: it does not wait any more.
    Nothing,
    Accepted,
    /// Surely not accepted.
    Refused,
    /// It may or may not have been accepted.
    Unknown,
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) message: MessageId,
    pub(super) attempt: AttemptId,
    /// When dispatch made it, by the true time.
    pub(super) at: DateTime<Utc>,
    /// How far the worker's clock was ahead.
    pub(super) skew: TimeDelta,
    pub(super) told: Told,
    /// When it was told.
    pub(super) told_at: Option<DateTime<Utc>>,
}

/// The requests of all workers.
#[derive(Debug, Default)]
pub(super) struct Wire(Mutex<Vec<Request>>);

impl Wire {
    pub(super) fn requests(&self) -> Vec<Request> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what is asked of a provider.
#[derive(Debug)]
pub(super) struct WiredProvider {
    pub(super) inner: Arc<dyn Provider>,
    pub(super) wire: Arc<Wire>,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) of_worker: Arc<SkewedClock>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for WiredProvider {
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
        let first = {
            let mut requests = self.wire.lock();
            let first = requests.len();
            let (at, skew) = (self.clock.now(), self.of_worker.offset());
            requests.extend(messages.iter().map(|message| Request {
                message: message.message,
                attempt: message.attempt,
                at,
                skew,
                told: Told::Nothing,
                told_at: None,
            }));
            first
        };
        let answer = self.inner.send(messages, deadline).await;
        let now = self.clock.now();
        for (position, request) in self.wire.lock().iter_mut().skip(first).take(messages.len()).enumerate() {
            request.told = match &answer {
                Ok(outcomes) => told(outcomes.iter().nth(position)),
                Err(_) => Told::Refused,
            };
            request.told_at = Some(now);
        }
        answer
    }
}

const fn told(outcome: Option<&ProviderOutcome>) -> Told {
    match outcome {
        Some(ProviderOutcome::Accepted { .. }) => Told::Accepted,
        Some(
            ProviderOutcome::Rejected { .. } | ProviderOutcome::Deferred { .. } | ProviderOutcome::NotStarted,
        ) => Told::Refused,
        Some(ProviderOutcome::Unknown { .. }) | None => Told::Unknown,
    }
}
