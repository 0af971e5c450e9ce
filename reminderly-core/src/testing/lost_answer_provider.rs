//! A provider whose answers get lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::batch::Outcomes;
use crate::domain::attempt::ProviderName;
use crate::domain::contact_method::ContactMethod;
use crate::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
};

/// Makes the call and then loses a share of its answers: they become unknown with the code `connection_reset`. What was not
/// started stays so, because there was no answer to lose.
#[derive(Debug)]
pub struct LostAnswerProvider {
    inner: Arc<dyn Provider>,
    per_mille: u32,
    rng: Mutex<SmallRng>,
    lost: AtomicU64,
}

impl LostAnswerProvider {
    /// Loses `per_mille` of 1,000 answers, picked by `seed` and the order of the messages.
    pub fn new(inner: Arc<dyn Provider>, per_mille: u32, seed: u64) -> Self {
        let rng = Mutex::new(SmallRng::seed_from_u64(seed));
        Self { inner, per_mille, rng, lost: AtomicU64::new(0) }
    }

    /// How many answers it has lost. A test whose fault never fired has shown nothing.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn pass_on(&self, outcome: ProviderOutcome) -> ProviderOutcome {
        let drawn = self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..1_000);
        if drawn >= self.per_mille || outcome == ProviderOutcome::NotStarted {
            return outcome;
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        ProviderOutcome::Unknown { code: "connection_reset".to_owned() }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for LostAnswerProvider {
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
        let outcomes = self.inner.send(messages, deadline).await?;
        Ok(outcomes.into_iter().map(|outcome| self.pass_on(outcome)).collect())
    }
}
