//! A runtime of one thread whose time passes only when nobody has anything to do.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::executor::LocalPool;
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt as _;
use reminderly_core::clock::Clock as _;
use reminderly_core::services::Spawn;
use reminderly_core::testing::VirtualClock;

use crate::failure::Failure;

/// A runtime of one thread under a virtual clock. Tasks run in the order in which they were woken and nothing depends on the
/// machine, so a run can be repeated exactly.
pub(crate) struct Simulation {
    pool: LocalPool,
    clock: Arc<VirtualClock>,
    spawn: Spawn,
    spawned: UnboundedReceiver<BoxFuture<'static, ()>>,
}

impl Simulation {
    pub(crate) fn new(start: DateTime<Utc>) -> Self {
        let (sender, spawned) = mpsc::unbounded();
        // Tasks that are spawned by tasks wait here until the pool can be reached.
        let spawn: Spawn = Arc::new(move |future| drop(sender.unbounded_send(future)));
        Self { pool: LocalPool::new(), clock: Arc::new(VirtualClock::new(start)), spawn, spawned }
    }

    pub(crate) fn clock(&self) -> &Arc<VirtualClock> {
        &self.clock
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What starts tasks, for whoever has to.
    pub(crate) fn spawner(&self) -> Spawn {
        Arc::clone(&self.spawn)
    }

    /// Runs a future that does not wait for time to its end; tasks go on meanwhile.
    pub(crate) fn complete<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.pool.run_until(future)
    }

    /// Runs all tasks until each waits: for time, or for something from outside.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        loop {
            self.pool.run_until_stalled();
            let mut any = false;
            while let Ok(future) = self.spawned.try_recv() {
                let spawned = self.pool.spawner().spawn_local(future);
                spawned.map_err(|error| Failure::work(format!("task cannot be started: {error}")))?;
                any = true;
            }
            if !any {
                return Ok(());
            }
        }
    }

    /// The earliest instant for which a task waits.
    pub(crate) fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.clock.next_wake()
    }

    /// Lets time pass.
    pub(crate) fn advance_to(&self, instant: DateTime<Utc>) {
        self.clock.advance_to(instant);
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("clock", &self.clock).finish_non_exhaustive()
    }
}
