//! The sandbox as a provider.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::AttemptId;
use reminderly_core::ports::provider::{
    AttemptLookup, Finding, OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome,
    SendDeadline,
};

use super::Sandbox;
use super::persona::QUIET_AFTER;
use super::state::Answer;
use crate::time::later;

/// How many messages one call takes.
pub const BATCH: usize = 100;
/// How long after the start of a request an answer can come.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long before `answer_by` an unanswered request is given up, so that the answers of the other messages of the call are
/// not late.
const GIVE_UP_BEFORE: Duration = Duration::from_millis(100);
/// How long after `answer_by` a hung call comes back.
const HANG_BEYOND: Duration = Duration::from_secs(1);

/// The name of the sandbox as a provider of a method.
pub(super) fn provider_name(method: ContactMethod) -> ProviderName {
    match method {
        ContactMethod::Sms => "sandbox-sms".into(),
        ContactMethod::Email => "sandbox-email".into(),
        ContactMethod::Phone => "sandbox-phone".into(),
    }
}

#[derive(Debug)]
pub(super) struct SandboxProvider {
    sandbox: Sandbox,
    method: ContactMethod,
}

impl SandboxProvider {
    pub(super) const fn new(sandbox: Sandbox, method: ContactMethod) -> Self {
        Self { sandbox, method }
    }

    /// `start_by` is looked at last before each request, as a real provider must do it.
    fn request(&self, message: &OutboundMessage, deadline: SendDeadline) -> Answer {
        if self.sandbox.0.clock.monotonic() >= deadline.start_by {
            return Answer::Now(ProviderOutcome::NotStarted);
        }
        self.sandbox.request(self.method, message)
    }

    /// The wall clock's instant that lies `before` earlier or `beyond` later than `answer_by`.
    fn wall(&self, deadline: SendDeadline, before: Duration, beyond: Duration) -> DateTime<Utc> {
        let clock = &self.sandbox.0.clock;
        let left = deadline.answer_by.since(clock.monotonic()).saturating_sub(before);
        later(clock.now(), left.saturating_add(beyond))
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for SandboxProvider {
    fn name(&self) -> ProviderName {
        provider_name(self.method)
    }

    fn method(&self) -> ContactMethod {
        self.method
    }

    fn limits(&self) -> ProviderLimits {
        let rates = self.sandbox.0.settings.rates.get(&self.method).cloned().unwrap_or_default();
        ProviderLimits { batch: BATCH, answer_within: ANSWER_WITHIN, rates }
    }

    async fn send(
        &self,
        messages: &[OutboundMessage],
        deadline: SendDeadline,
    ) -> Result<Outcomes<ProviderOutcome>, ProviderError> {
        let within = messages.iter().take(BATCH).map(|message| self.request(message, deadline));
        let beyond = messages.iter().skip(BATCH).map(|_| Answer::Now(ProviderOutcome::NotStarted));
        let answers: Vec<Answer> = within.chain(beyond).collect();

        let wait = if answers.contains(&Answer::Hang) {
            Some(self.wall(deadline, Duration::ZERO, HANG_BEYOND))
        } else if answers.contains(&Answer::Never) {
            Some(self.wall(deadline, GIVE_UP_BEFORE, Duration::ZERO))
        } else {
            None
        };
        if let Some(instant) = wait {
            self.sandbox.0.clock.sleep_until(instant).await;
        }
        Ok(answers.into_iter().map(Answer::into_outcome).collect())
    }
}

#[derive(Debug)]
pub(super) struct SandboxLookup(pub(super) Sandbox);

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AttemptLookup for SandboxLookup {
    fn quiet_after(&self) -> Duration {
        self.0.0.settings.quiet_after.unwrap_or(QUIET_AFTER)
    }

    async fn find(&self, attempts: &[AttemptId]) -> Result<Outcomes<Finding>, ProviderError> {
        Ok(self.0.find(attempts).into())
    }
}
