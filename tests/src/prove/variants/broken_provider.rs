//! Providers whose adapters do what they must not.

use std::sync::Arc;

use async_trait::async_trait;
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, Rejection, SendDeadline,
};

use crate::prove::simulation::Breakage;

/// The adapter's HTTP library tries again by itself.
#[derive(Debug)]
pub(super) struct FivesAreTriedAgain;

impl Breakage for FivesAreTriedAgain {
    fn provider(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Misunderstood { inner, mistake: Mistake::TriesAgain })
    }
}

/// The adapter takes an answer that decides nothing for a refusal.
#[derive(Debug)]
pub(super) struct FivesAreRefusals;

impl Breakage for FivesAreRefusals {
    fn provider(&self, inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Misunderstood { inner, mistake: Mistake::Refusal })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    TriesAgain,
    Refusal,
}

#[derive(Debug)]
struct Misunderstood {
    inner: Arc<dyn Provider>,
    mistake: Mistake,
}

fn is_5xx(outcome: &ProviderOutcome) -> bool {
    matches!(outcome, ProviderOutcome::Unknown { code } if code == HTTP_503)
}

const HTTP_503: &str = "http_503";

#[async_trait]
impl Provider for Misunderstood {
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
        let mut outcomes = self.inner.send(messages, deadline).await?.into_vec();
        for (message, outcome) in messages.iter().zip(&mut outcomes) {
            if !is_5xx(outcome) {
                continue;
            }
            *outcome = match self.mistake {
                Mistake::Refusal => {
                    ProviderOutcome::Rejected { code: HTTP_503.to_owned(), rejection: Rejection::ForNow }
                }
                Mistake::TriesAgain => {
                    let again = self.inner.send(std::slice::from_ref(message), deadline).await;
                    let again = again.ok().and_then(|outcomes| outcomes.into_iter().next());
                    again.unwrap_or(ProviderOutcome::Unknown { code: HTTP_503.to_owned() })
                }
            };
        }
        Ok(outcomes.into())
    }
}
