//! Makes calls visible.

use std::sync::Arc;

use async_trait::async_trait;
use reminderly_core::batch::Outcomes;
use reminderly_core::clock::Clock;
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

/// Counter of messages by `provider` and `outcome`: `accepted`, `rejected`, `deferred`, `not_started`, `unknown`, or for every
/// message of a call that failed as a whole `unreachable`, `unauthorized`, `throttled`, `error`.
pub const REQUESTS_METRIC: &str = "reminderly_provider_requests_total";
/// Histogram of the duration of answered calls in seconds, by `provider`.
pub const SECONDS_METRIC: &str = "reminderly_provider_send_seconds";

const OUTCOMES: [&str; 5] = ["accepted", "rejected", "deferred", "not_started", "unknown"];

/// Puts each call into a span `provider.send` with its provider, method, number of messages, number of each outcome and
/// duration in milliseconds, and counts it in [`REQUESTS_METRIC`] and [`SECONDS_METRIC`]. Shows no addresses and no texts.
///
/// A call whose future is dropped leaves its span without outcomes and is not counted.
#[derive(Debug)]
pub struct Trace {
    inner: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
}

impl Trace {
    /// Makes the calls of `inner` visible.
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    fn record(
        &self,
        span: &Span,
        messages: usize,
        answer: &Result<Outcomes<ProviderOutcome>, ProviderError>,
    ) {
        match answer {
            Ok(outcomes) => {
                for name in OUTCOMES {
                    let number = outcomes.iter().filter(|outcome| outcome_name(outcome) == name).count();
                    span.record(name, number);
                    self.count(name, number);
                }
            }
            Err(error) => {
                let name = error_name(error);
                span.record("error", name);
                self.count(name, messages);
            }
        }
    }

    fn count(&self, outcome: &'static str, number: usize) {
        if let Ok(number @ 1..) = u64::try_from(number) {
            let provider = self.inner.name().0;
            metrics::counter!(REQUESTS_METRIC, "provider" => provider, "outcome" => outcome)
                .increment(number);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Trace {
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
        let span = info_span!(
            "provider.send",
            provider = %self.inner.name(),
            method = %self.inner.method(),
            messages = messages.len(),
            accepted = Empty,
            rejected = Empty,
            deferred = Empty,
            not_started = Empty,
            unknown = Empty,
            error = Empty,
            duration_ms = Empty,
        );
        let start = self.clock.monotonic();
        let answer = self.inner.send(messages, deadline).instrument(span.clone()).await;
        let duration = self.clock.monotonic().since(start);
        span.record("duration_ms", u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        metrics::histogram!(SECONDS_METRIC, "provider" => self.inner.name().0).record(duration);
        self.record(&span, messages.len(), &answer);
        answer
    }
}

const fn outcome_name(outcome: &ProviderOutcome) -> &'static str {
    match outcome {
        ProviderOutcome::Accepted { .. } => "accepted",
        ProviderOutcome::Rejected { .. } => "rejected",
        ProviderOutcome::Deferred { .. } => "deferred",
        ProviderOutcome::NotStarted => "not_started",
        ProviderOutcome::Unknown { .. } => "unknown",
    }
}

const fn error_name(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Unreachable { .. } => "unreachable",
        ProviderError::Unauthorized { .. } => "unauthorized",
        ProviderError::Throttled { .. } => "throttled",
        // Errors that the port may add later.
        _ => "error",
    }
}
