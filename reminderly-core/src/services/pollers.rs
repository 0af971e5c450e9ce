//! Pollers that run in this process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared, join_all};

use crate::ports::poller::{PollerError, PollerHost, PollerSpec};
use crate::ports::queue::QueueName;
use crate::services::dispatch::Dispatch;
use crate::services::shutdown::{ShutdownTrigger, shutdown};

/// Starts a future somewhere: the host's runtime.
pub type Spawn = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// A poller per packet queue, in this process. The host says how futures are spawned.
///
/// Dropping it tells every poller to stop.
pub struct InProcessPollers {
    dispatch: Arc<Dispatch>,
    spawn: Spawn,
    running: Mutex<Listed>,
}

#[derive(Default)]
struct Listed {
    /// In this order they are told to stop.
    pollers: BTreeMap<QueueName, Running>,
    /// How many were left when those that had ended were last forgotten.
    left: usize,
}

impl Listed {
    /// Forgets pollers that ended because their queue is gone: where another process takes packets down, nobody stops them
    /// here. Looks at all of them only when there are twice as many as it left the last time.
    fn forget_ended(&mut self) {
        if self.pollers.len() > 2 * self.left {
            self.pollers.retain(|_, poller| !poller.has_ended());
            self.left = self.pollers.len();
        }
    }
}

struct Running {
    /// Gone once the poller was told to stop.
    trigger: Option<ShutdownTrigger>,
    /// Resolves (to an error: nothing is ever sent) when the poller has ended.
    ended: Shared<oneshot::Receiver<()>>,
    /// Dangles when the poller has ended: told to, because its queue is gone, or by a panic.
    alive: Weak<()>,
}

impl Running {
    /// Tells the poller to stop; the answer resolves when it has.
    fn begin_end(&mut self) -> Shared<oneshot::Receiver<()>> {
        self.trigger.take();
        self.ended.clone()
    }

    fn has_ended(&self) -> bool {
        self.alive.strong_count() == 0
    }
}

impl InProcessPollers {
    /// Pollers that dispatch through `dispatch` and are started by `spawn`.
    pub fn new(dispatch: Arc<Dispatch>, spawn: Spawn) -> Self {
        Self { dispatch, spawn, running: Mutex::default() }
    }

    /// How many queues are polled.
    pub fn running(&self) -> usize {
        self.lock().pollers.values().filter(|poller| !poller.has_ended()).count()
    }

    /// Ends all pollers, and returns when nothing is in work any more. Call it after the worker has returned: one that still
    /// runs may start new ones.
    pub async fn stop_all(&self) {
        let ended: Vec<_> = self.lock().pollers.values_mut().map(Running::begin_end).collect();
        join_all(ended).await;
        self.lock().pollers.retain(|_, poller| !poller.has_ended());
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InProcessPollers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessPollers").field("running", &self.running()).finish_non_exhaustive()
    }
}

#[async_trait]
impl PollerHost for InProcessPollers {
    async fn ensure(&self, spec: &PollerSpec) -> Result<(), PollerError> {
        let mut running = self.lock();
        if running.pollers.get(&spec.queue).is_some_and(|poller| !poller.has_ended()) {
            return Ok(());
        }
        running.forget_ended();
        let (trigger, shutdown) = shutdown();
        let (ending, ended) = oneshot::channel::<()>();
        let life = Arc::new(());
        let alive = Arc::downgrade(&life);
        let (dispatch, queue) = (Arc::clone(&self.dispatch), spec.queue.clone());
        (self.spawn)(Box::pin(async move {
            // In this order: whoever hears of the end finds the poller dead.
            let _told_last = ending;
            let _dies_first = life;
            dispatch.run(&queue, &shutdown).await;
        }));
        let poller = Running { trigger: Some(trigger), ended: ended.shared(), alive };
        running.pollers.insert(spec.queue.clone(), poller);
        Ok(())
    }

    async fn stop(&self, queue: &QueueName) -> Result<(), PollerError> {
        // It stays listed until it has ended, so that a caller who was dropped here waits for it when it calls again.
        let ended = self.lock().pollers.get_mut(queue).map(Running::begin_end);
        if let Some(ended) = ended {
            // An error says that the sender was dropped: the poller has ended.
            ended.await.ok();
            let mut running = self.lock();
            if running.pollers.get(queue).is_some_and(Running::has_ended) {
                running.pollers.remove(queue);
            }
        }
        Ok(())
    }
}
