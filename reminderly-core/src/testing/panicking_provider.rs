//! A provider that panics.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::wanted_panic::WantedPanic;
use crate::batch::Outcomes;
use crate::domain::attempt::ProviderName;
use crate::domain::contact_method::ContactMethod;
use crate::ids::MessageId;
use crate::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
};

/// Where a [`PanickingProvider`] panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PanicPoint {
    /// Before the inner call: nothing was sent.
    BeforeCall,
    /// After the inner call: what it sent is sent, and nobody is told.
    AfterCall,
}

/// Panics in calls with chosen messages, or in a share of all calls, and counts it.
///
/// Panics with [`WantedPanic`].
#[derive(Debug)]
pub struct PanickingProvider {
    inner: Arc<dyn Provider>,
    point: PanicPoint,
    messages: HashSet<MessageId>,
    per_mille: AtomicU32,
    rng: Mutex<SmallRng>,
    panics: AtomicU64,
}

impl PanickingProvider {
    /// Panics at `point` of `per_mille` of 1,000 calls, picked by `seed` and the order of the calls.
    pub fn with_chance(inner: Arc<dyn Provider>, point: PanicPoint, per_mille: u32, seed: u64) -> Self {
        let rng = Mutex::new(SmallRng::seed_from_u64(seed));
        Self {
            inner,
            point,
            messages: HashSet::new(),
            per_mille: per_mille.into(),
            rng,
            panics: AtomicU64::new(0),
        }
    }

    /// Panics at `point` of every call that has one of these messages.
    pub fn on_messages(
        inner: Arc<dyn Provider>,
        point: PanicPoint,
        messages: impl IntoIterator<Item = MessageId>,
    ) -> Self {
        let messages = messages.into_iter().collect();
        Self { messages, ..Self::with_chance(inner, point, 0, 0) }
    }

    /// From now on it panics in `per_mille` of 1,000 calls.
    pub fn set_chance(&self, per_mille: u32) {
        self.per_mille.store(per_mille, Ordering::Relaxed);
    }

    /// How often it has panicked. A test whose fault never fired has shown nothing.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    fn is_chosen(&self, messages: &[OutboundMessage]) -> bool {
        let drawn = self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..1_000);
        drawn < self.per_mille.load(Ordering::Relaxed)
            || messages.iter().any(|message| self.messages.contains(&message.message))
    }

    fn panic(&self) -> ! {
        self.panics.fetch_add(1, Ordering::Relaxed);
        WantedPanic::now()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for PanickingProvider {
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
        let chosen = self.is_chosen(messages);
        if chosen && self.point == PanicPoint::BeforeCall {
            self.panic();
        }
        let answer = self.inner.send(messages, deadline).await;
        if chosen {
            self.panic();
        }
        answer
    }
}
