//! The use cases, each with what must be there before it begins and what must have become of it in the end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::ids::PacketId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::callback::CallbackEvent;
use reminderly_core::services::{Shutdown, shutdown};
use reminderly_core::sources::MemorySource;
use reminderly_providers::sandbox::SandboxCallback;
use serde_json::{Value, json};

use super::{judges, use_cases_of_files, use_cases_of_hosts, use_cases_of_incoming, use_cases_of_workers};
use crate::executor::Process;
use crate::material;
use crate::world::{Setup, World};

/// A use case of the services.
pub struct UseCase {
    /// What it does.
    pub name: &'static str,
    /// The functions of the services that it goes through, each as `Service::function`.
    pub covers: &'static [&'static str],
    /// The world in which it happens; the seed is added.
    pub setup: fn() -> Setup,
    /// The campaign.
    pub document: fn() -> Value,
    /// What must be there before.
    pub prepare: fn(&mut World, &Campaign) -> Ready,
    /// The use case. Whatever error it meets is one that its caller lives with.
    pub work: fn(&World, &Campaign, &Ready) -> BoxFuture<'static, ()>,
    /// Its caller repeats it until it is told that it is done; otherwise a worker finishes what is left.
    pub is_repeated: bool,
    /// What must have become of it, beside what must be true of every world; panics if it has not.
    pub judge: fn(&World, &Campaign, &Ready),
}

impl UseCase {
    /// One after which each row is told once, and a worker finishes what is left.
    pub(super) const fn new(
        name: &'static str,
        covers: &'static [&'static str],
        prepare: fn(&mut World, &Campaign) -> Ready,
        work: fn(&World, &Campaign, &Ready) -> BoxFuture<'static, ()>,
    ) -> Self {
        Self {
            name,
            covers,
            setup: yielding,
            document: material::document,
            prepare,
            work,
            is_repeated: false,
            judge: judges::each_row_told_once,
        }
    }
}

impl fmt::Debug for UseCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UseCase").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is there before a use case begins.
#[derive(Debug, Default)]
pub struct Ready {
    /// The process that it runs in.
    pub process: Process,
    /// The packet that it is about.
    pub packet: Option<PacketId>,
    /// The file that it reads.
    pub source: Option<Arc<MemorySource>>,
    /// The callbacks that it takes.
    pub callbacks: Vec<SandboxCallback>,
    /// What these say.
    pub events: Vec<CallbackEvent>,
}

impl Ready {
    /// Of this packet.
    pub(super) fn of(packet: PacketId) -> Self {
        Self { packet: Some(packet), ..Self::default() }
    }

    /// The packet that the use case is about.
    pub(super) fn packet(&self) -> PacketId {
        self.packet.expect("a packet")
    }

    /// The file that the use case reads.
    pub(super) fn source(&self) -> Arc<MemorySource> {
        self.source.clone().expect("a file")
    }
}

/// Every use case.
pub fn all() -> Vec<UseCase> {
    [
        use_cases_of_files::all(),
        use_cases_of_workers::all(),
        use_cases_of_incoming::all(),
        use_cases_of_hosts::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The word to stop, and what says it a second after it begins to wait.
pub(super) fn in_a_second(world: &World) -> (Shutdown, impl Future<Output = ()> + Send + use<>) {
    let ((trigger, shutdown), clock) = (shutdown(), Arc::clone(&world.clock));
    let stop = async move {
        clock.sleep_until(clock.now() + Duration::from_secs(1)).await;
        trigger.fire();
    };
    (shutdown, stop)
}

/// A store that gives way around its calls, and providers that are seldom well.
pub(super) fn yielding() -> Setup {
    let script = json!({ "default": { "mix": {
        "delivers": 4, "confirms": 2, "cancels": 1, "time_out_accepted": 1, "time_out": 1, "lost_answer": 1
    } } });
    Setup { store: MemoryStore::yielding, script, ..Setup::default() }
}

/// The same with small batches.
pub(super) fn in_small_batches() -> Setup {
    Setup { tune: |settings| settings.rows_per_batch = 3, ..yielding() }
}

/// A store that gives way, and nobody who is not reached.
pub(super) fn delivering() -> Setup {
    Setup { store: MemoryStore::yielding, ..Setup::default() }
}

/// People who answer, and reports that come in any order.
pub(super) fn answering() -> Setup {
    let script = json!({ "default": { "mix": {
        "confirms": 2, "cancels": 1, "stops": 1, "complains": 1, "duplicate_reports": 1
    } } });
    Setup { script, ..yielding() }
}
