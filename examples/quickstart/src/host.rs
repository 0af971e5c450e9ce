//! The host: adapters for the ports, and the worker over them. This is what embedding the library comes to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::SeededIds;
use reminderly_core::memory::MemoryStore;
use reminderly_core::sealers::{AeadSealer, SealingKey};
use reminderly_core::services::{Dispatch, InProcessPollers, Ports, QueueNames, Settings, Spawn, Worker};
use reminderly_core::testing::VirtualClock;
use reminderly_providers::layers::{TimeOut, Trace};
use reminderly_providers::router::MethodRouter;
use reminderly_providers::sandbox::{Sandbox, SandboxSettings};
use reminderly_queue_memory::MemoryQueue;

use crate::failure::{Failure, chain};
use crate::scenario::Scenario;

/// The adapters of this program: everything in memory, and the sandbox as the provider of every method.
pub(crate) struct Host {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) sandbox: Sandbox,
}

impl Host {
    /// Chooses an adapter for each port. A host in production takes MySQL, SQS, its providers, `SystemClock` and `RandomIds`.
    pub(crate) fn new(scenario: &Scenario, clock: &Arc<VirtualClock>) -> Result<Self, Failure> {
        let sandbox = SandboxSettings {
            seed: scenario.seed,
            script: scenario.script.clone(),
            ..SandboxSettings::default()
        };
        let sandbox = Sandbox::new(Arc::clone(clock) as _, sandbox);
        let queue = Arc::new(MemoryQueue::new(Arc::clone(clock) as _));
        // A real key is a secret from a vault. Nothing that this one seals leaves the process.
        let sealer = AeadSealer::new(SealingKey::new("quickstart", &[7; 32]), []);
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            queue: Arc::clone(&queue) as _,
            queues: queue,
            providers: Arc::new(providers(&sandbox, clock)),
            sealer: Arc::new(sealer.map_err(|error| Failure::work(chain(&error)))?),
            clock: Arc::clone(clock) as _,
            ids: Arc::new(SeededIds::new(scenario.seed)),
        };
        let names = QueueNames::of_deployment("quickstart").map_err(|error| Failure::work(chain(&error)))?;
        // Days pass here: looking around half as often as by default is still soon enough for follow-ups.
        let settings = Settings { tick: Duration::from_secs(30), ..Settings::new(names) };
        Ok(Self { ports, settings, sandbox })
    }

    /// Everything that has to be done again and again. Pollers of packets' queues are started by `spawn`.
    pub(crate) fn worker(&self, spawn: Spawn) -> Worker {
        let dispatch = Arc::new(Dispatch::new(&self.ports, &self.settings));
        Worker::new(&self.ports, &self.settings, Arc::new(InProcessPollers::new(dispatch, spawn)))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("sandbox", &self.sandbox).finish_non_exhaustive()
    }
}

/// The sandbox for every method, with hung calls cut and every call visible in traces and metrics.
fn providers(sandbox: &Sandbox, clock: &Arc<VirtualClock>) -> MethodRouter {
    ContactMethod::ALL.into_iter().fold(MethodRouter::sandbox(sandbox), |router, method| {
        let cut = TimeOut::new(sandbox.provider(method), Arc::clone(clock) as _);
        router.with_provider(Arc::new(Trace::new(Arc::new(cut), Arc::clone(clock) as _)))
    })
}
