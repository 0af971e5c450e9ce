//! One call of a provider.

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::{Either, select};
use tracing::{error, warn};

use super::slice_work::SliceWork;
use super::start::{START_WITHIN, Start};
use super::verdict::outage;
use crate::clock::Monotonic;
use crate::domain::attempt::ReturnReason;
use crate::ports::provider::{OutboundMessage, Provider, ProviderError, ProviderOutcome, SendDeadline};

/// What a provider answered.
pub(super) enum Answer {
    /// Of every message.
    Outcomes(Vec<ProviderOutcome>),
    /// Surely nothing was sent.
    NothingSent {
        reason: ReturnReason,
        until: DateTime<Utc>,
        /// How many requests may have been made all the same: they count against limits.
        requests: u64,
    },
}

impl Answer {
    /// How many requests may have been made.
    pub(super) fn requests_made(&self) -> u64 {
        match self {
            Self::Outcomes(outcomes) => {
                let made = outcomes.iter().filter(|outcome| **outcome != ProviderOutcome::NotStarted);
                u64::try_from(made.count()).unwrap_or(u64::MAX)
            }
            Self::NothingSent { requests, .. } => *requests,
        }
    }
}

impl SliceWork<'_> {
    /// Asks the provider.
    pub(super) async fn call(
        &self,
        provider: &dyn Provider,
        messages: &[OutboundMessage],
        start: Start,
        start_by: Monotonic,
    ) -> Answer {
        let answer_within = START_WITHIN + provider.limits().answer_within;
        let deadline = SendDeadline { start_by, answer_by: start.monotonic.plus(answer_within) };
        let send = AssertUnwindSafe(provider.send(messages, deadline)).catch_unwind();
        let time_out = self.ports.clock.sleep_until(start.wall + answer_within);
        let answer = match select(Box::pin(send), time_out).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => {
                warn!(provider = %provider.name(), "provider did not answer in time");
                return ambiguous(messages.len(), "timeout");
            }
        };
        match answer {
            Ok(Ok(outcomes)) => {
                let mut outcomes = outcomes.into_vec();
                // Fewer answers than messages: nobody knows about the rest.
                outcomes.resize(messages.len(), ProviderOutcome::Unknown { code: "no_outcome".to_owned() });
                Answer::Outcomes(outcomes)
            }
            Ok(Err(error)) => {
                let (reason, pause) = outage(&error);
                let until = self.ports.clock.now() + pause;
                warn!(provider = %provider.name(), error = &error as &dyn std::error::Error, "nothing was sent");
                self.gates.pause(&provider.name(), until);
                let reached = !matches!(error, ProviderError::Unreachable { .. });
                let requests = if reached { u64::try_from(messages.len()).unwrap_or(u64::MAX) } else { 0 };
                Answer::NothingSent { reason, until, requests }
            }
            Err(_panic) => {
                error!(provider = %provider.name(), "provider panicked; its messages are unknown");
                ambiguous(messages.len(), "panic")
            }
        }
    }
}

fn ambiguous(messages: usize, code: &str) -> Answer {
    Answer::Outcomes(vec![ProviderOutcome::Unknown { code: code.to_owned() }; messages])
}
