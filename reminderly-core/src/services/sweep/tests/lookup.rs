//! Providers that are asked what became of attempts, and a process that asks them.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::executor::block_on;

use super::{Desk, scope, settings};
use crate::batch::Outcomes;
use crate::clock::Clock as _;
use crate::conformance::store::values::reference;
use crate::domain::access::Actor;
use crate::domain::attempt::ProviderName;
use crate::ids::AttemptId;
use crate::memory::MemoryStore;
use crate::ports::provider::{AttemptLookup, Finding, MockProviderDirectory, ProviderError};
use crate::ports::store::Store;
use crate::services::compiled::CompiledCampaigns;
use crate::services::sweep::{Resolved, UnknownOutcomes};
use crate::services::{Ports, Settings};
use crate::testing::VirtualClock;

/// From then on after `answer_by` an absence is a proof.
pub(super) const QUIET: Duration = Duration::from_mins(1);

/// What a provider says when it is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    Accepted,
    /// The same, after this time.
    AcceptedAfter(TimeDelta),
    Absent,
    Inconclusive,
    Fails,
    Panics,
}

#[derive(Debug)]
struct LookUp {
    clock: Arc<VirtualClock>,
    says: Says,
    asked: Arc<Mutex<Vec<AttemptId>>>,
}

#[async_trait]
impl AttemptLookup for LookUp {
    fn quiet_after(&self) -> Duration {
        QUIET
    }

    async fn find(&self, attempts: &[AttemptId]) -> Result<Outcomes<Finding>, ProviderError> {
        self.asked.lock().unwrap().extend(attempts);
        let at = self.clock.now();
        let found = Finding::Accepted { reference: reference("ref"), at };
        let finding = match self.says {
            Says::Accepted => found,
            Says::AcceptedAfter(time) => {
                self.clock.sleep_until(at + time).await;
                found
            }
            Says::Absent => Finding::Absent,
            Says::Inconclusive => Finding::Inconclusive,
            Says::Fails => return Err(ProviderError::Unauthorized { provider: "stub".into() }),
            Says::Panics => resume_unwind(Box::new("the provider panics")),
        };
        Ok(attempts.iter().map(|_| finding.clone()).collect())
    }
}

/// A process that asks `stub`, which says what the test wants, `sound`, which has accepted everything, and cannot ask `silent`.
pub(super) struct Process {
    pub(super) sweep: UnknownOutcomes,
    asked: Arc<Mutex<Vec<AttemptId>>>,
}

impl Process {
    pub(super) fn new(desk: &Desk, says: Says) -> Self {
        Self::with(desk, says, &settings(), Arc::<MemoryStore>::clone(&desk.store))
    }

    pub(super) fn with(desk: &Desk, says: Says, settings: &Settings, store: Arc<dyn Store>) -> Self {
        let asked = Arc::default();
        let look_up = |says| -> Option<Arc<dyn AttemptLookup>> {
            Some(Arc::new(LookUp { clock: Arc::clone(&desk.clock), says, asked: Arc::clone(&asked) }))
        };
        let (stub, sound) = (look_up(says), look_up(Says::Accepted));
        let mut providers = MockProviderDirectory::new();
        providers.expect_lookup().returning(move |provider| match provider {
            ProviderName(name) if **name == *"stub" => stub.clone(),
            ProviderName(name) if **name == *"sound" => sound.clone(),
            _ => None,
        });
        let ports = Ports { store, ..desk.ports(providers) };
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        let sweep = UnknownOutcomes::new(&ports, settings, campaigns);
        Self { sweep, asked }
    }

    /// What a sweep finds out so many seconds past noon.
    pub(super) fn at(&self, desk: &Desk, seconds: i64) -> Resolved {
        desk.is(seconds);
        block_on(self.sweep.sweep(&scope(Actor::Worker))).unwrap()
    }

    /// Which attempts have been asked for.
    pub(super) fn asked(&self) -> Vec<AttemptId> {
        self.asked.lock().unwrap().clone()
    }
}
