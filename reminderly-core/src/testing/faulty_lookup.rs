//! A look-up that does not answer, or cannot say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::chance::Chance;
use crate::batch::Outcomes;
use crate::domain::attempt::ProviderName;
use crate::ids::AttemptId;
use crate::ports::provider::{AttemptLookup, Finding, ProviderError};

/// How often each fault happens: probabilities from 0 (never) to 1 (always). The default is no fault at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LookupFaults {
    /// Per call: [`ProviderError::Unreachable`].
    pub unreachable: f64,
    /// Per call: it never comes back.
    pub hang: f64,
    /// Per attempt: [`Finding::Inconclusive`], whatever there is.
    pub inconclusive: f64,
}

/// How many faults a [`FaultyLookup`] has injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InjectedLookupFaults {
    /// Calls that failed.
    pub unreachable: u64,
    /// Calls that never came back.
    pub hangs: u64,
    /// Attempts of which it could not say anything.
    pub inconclusive: u64,
}

/// Decorates a look-up with the faults that a provider may show. It never says anything that is not true.
#[derive(Debug)]
pub struct FaultyLookup {
    inner: Arc<dyn AttemptLookup>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    faults: LookupFaults,
    injected: InjectedLookupFaults,
}

impl FaultyLookup {
    /// Decorates `inner`; without faults, until they are [set](Self::set_faults).
    pub fn new(inner: Arc<dyn AttemptLookup>, seed: u64) -> Self {
        let (faults, injected) = (LookupFaults::default(), InjectedLookupFaults::default());
        Self { inner, state: Mutex::new(State { chance: Chance::new(seed), faults, injected }) }
    }

    /// From now on these faults happen.
    pub fn set_faults(&self, faults: LookupFaults) {
        self.state().faults = faults;
    }

    /// How many faults were injected so far.
    pub fn injected(&self) -> InjectedLookupFaults {
        self.state().injected
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spoil(&self, finding: Finding) -> Finding {
        let mut state = self.state();
        let probability = state.faults.inconclusive;
        if !state.chance.happens(probability) {
            return finding;
        }
        state.injected.inconclusive += 1;
        Finding::Inconclusive
    }

    /// Whether the call fails, and whether it never comes back.
    fn course(&self) -> (bool, bool) {
        let mut state = self.state();
        let LookupFaults { unreachable, hang, .. } = state.faults;
        let (fails, hangs) = (state.chance.happens(unreachable), state.chance.happens(hang));
        state.injected.unreachable += u64::from(fails);
        state.injected.hangs += u64::from(hangs && !fails);
        (fails, hangs)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AttemptLookup for FaultyLookup {
    fn quiet_after(&self) -> Duration {
        self.inner.quiet_after()
    }

    async fn find(&self, attempts: &[AttemptId]) -> Result<Outcomes<Finding>, ProviderError> {
        match self.course() {
            (true, _) => {
                let provider = ProviderName::from("look-up");
                return Err(ProviderError::Unreachable { provider, source: "on purpose".into() });
            }
            (_, true) => std::future::pending::<()>().await,
            _ => {}
        }
        let findings = self.inner.find(attempts).await?;
        Ok(findings.into_iter().map(|finding| self.spoil(finding)).collect())
    }
}
