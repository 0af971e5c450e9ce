//! Cuts hung calls.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{Either, select};
use reminderly_core::batch::Outcomes;
use reminderly_core::clock::{Clock, Monotonic};
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
};

use crate::time::later;

/// The code of messages whose call was cut.
const CODE: &str = "timeout";

/// Drops a call that has not answered by `answer_by`: every message of it is then unknown, with the code `timeout`.
///
/// A good provider answers in time by itself and says which of its messages are unknown; this is the belt to those braces.
#[derive(Debug)]
pub struct TimeOut {
    inner: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
}

impl TimeOut {
    /// Cuts the calls of `inner`. The clock must be the one whose monotonic scale the deadlines are on.
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    /// Waits in a loop because the wall clock, for which one can wait, may jump ahead of the monotonic one.
    async fn passed(&self, point: Monotonic) {
        loop {
            let left = point.since(self.clock.monotonic());
            if left.is_zero() {
                return;
            }
            self.clock.sleep_until(later(self.clock.now(), left)).await;
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for TimeOut {
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
        let call = self.inner.send(messages, deadline);
        // The call is polled first: an answer that came at the last moment is taken.
        match select(call, Box::pin(self.passed(deadline.answer_by))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => {
                Ok(messages.iter().map(|_| ProviderOutcome::Unknown { code: CODE.to_owned() }).collect())
            }
        }
    }
}
