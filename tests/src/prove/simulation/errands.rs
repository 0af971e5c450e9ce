//! What the host wants done, and does again until it is done: whatever its store answers, and however often it crashes.

use std::fmt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reminderly_core::services::{Ports, ServiceError};
use reminderly_core::testing::WantedPanic;

use crate::executor::{Executor, Process};

/// The process of the host's own tasks.
pub(super) const HOST: Process = 0;

/// How long the host waits before it tries again.
const TRIES_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(10);

/// What failed for good.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures(Arc<Mutex<Vec<String>>>);

impl Failures {
    pub(super) fn add(&self, failure: String) {
        self.lock().push(failure);
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One try.
type Work = Arc<dyn Fn(&Ports) -> BoxFuture<'static, Result<(), ServiceError>> + Send + Sync>;

struct Errand {
    what: &'static str,
    /// Whom it is about: of the same, one is done after the other.
    about: String,
    work: Work,
    is_done: Arc<AtomicBool>,
}

impl Errand {
    fn is_done(&self) -> bool {
        self.is_done.load(Ordering::SeqCst)
    }
}

/// The errands of the host, in their order.
pub(super) struct Errands {
    ports: Ports,
    all: Vec<Errand>,
    failures: Failures,
}

impl fmt::Debug for Errands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errands").field("all", &self.all.len()).finish_non_exhaustive()
    }
}

impl Errands {
    /// Nothing is to be done yet; later through these ports.
    pub(super) fn new(ports: Ports) -> Self {
        Self { ports, all: Vec::new(), failures: Failures::default() }
    }

    /// Begins an errand. What it cannot do for good is a failure.
    pub(super) fn begin(
        &mut self,
        executor: &Executor,
        (what, about): (&'static str, String),
        work: impl Fn(&Ports) -> BoxFuture<'static, Result<(), ServiceError>> + Send + Sync + 'static,
    ) {
        let (work, is_done) = (Arc::new(work) as Work, Arc::default());
        self.all.push(Errand { what, about, work, is_done });
        self.carry_out(executor, self.all.len() - 1);
    }

    /// The host has crashed; it goes on with what it had not done. How much that was.
    pub(super) fn crash(&self, executor: &Executor) -> u64 {
        executor.kill(HOST);
        let undone = || (0..self.all.len()).filter(|position| !self.all[*position].is_done());
        undone().for_each(|position| self.carry_out(executor, position));
        undone().count() as u64
    }

    pub(super) fn are_done(&self) -> bool {
        self.all.iter().all(Errand::is_done)
    }

    /// What could not be done for good.
    pub(super) fn failures(&self) -> Failures {
        self.failures.clone()
    }

    fn carry_out(&self, executor: &Executor, position: usize) {
        let errand = &self.all[position];
        let of_it = self.all[..position].iter().filter(|earlier| earlier.about == errand.about);
        let before: Vec<_> = of_it.map(|earlier| Arc::clone(&earlier.is_done)).collect();
        let (what, work, is_done) = (errand.what, Arc::clone(&errand.work), Arc::clone(&errand.is_done));
        let (ports, failures) = (self.ports.clone(), self.failures.clone());
        executor.spawn(HOST, async move {
            let pause = || ports.clock.sleep_until(ports.clock.now() + TRIES_AGAIN_AFTER);
            while !before.iter().all(|done| done.load(Ordering::SeqCst)) {
                pause().await;
            }
            loop {
                match AssertUnwindSafe(work(&ports)).catch_unwind().await {
                    Ok(Ok(())) => break,
                    Ok(Err(error))
                        if error.is_transient() || matches!(error, ServiceError::WrongState { .. }) => {}
                    Ok(Err(error)) => {
                        failures.add(format!("{what}: {error:?}"));
                        break;
                    }
                    Err(panic) if panic.is::<WantedPanic>() => {}
                    Err(panic) => resume_unwind(panic),
                }
                pause().await;
            }
            is_done.store(true, Ordering::SeqCst);
        });
    }
}
