//! Pollers that run in this process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::channel::oneshot;
use futures::future::BoxFuture;

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
    running: Mutex<HashMap<QueueName, Running>>,
}

struct Running {
    trigger: ShutdownTrigger,
    /// Resolves (to an error: nothing is ever sent) when the poller has ended.
    ended: oneshot::Receiver<()>,
}

impl InProcessPollers {
    /// Pollers that dispatch through `dispatch` and are started by `spawn`.
    pub fn new(dispatch: Arc<Dispatch>, spawn: Spawn) -> Self {
        Self { dispatch, spawn, running: Mutex::default() }
    }

    /// How many queues are polled.
    pub fn running(&self) -> usize {
        let mut running = self.lock();
        // A poller ends by itself when its queue is gone, which another process may have deleted.
        running.retain(|_, poller| !has_ended(&mut poller.ended));
        running.len()
    }

    /// Ends all pollers, and returns when nothing is in work any more. Call it after the worker has returned: one that still
    /// runs may start new ones.
    pub async fn stop_all(&self) {
        let all: Vec<Running> = self.lock().drain().map(|(_, running)| running).collect();
        let (triggers, ended): (Vec<_>, Vec<_>) =
            all.into_iter().map(|running| (running.trigger, running.ended)).unzip();
        triggers.into_iter().for_each(ShutdownTrigger::fire);
        futures::future::join_all(ended).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<QueueName, Running>> {
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
        // A poller ends by itself when its queue is gone; a poller that panicked has ended too.
        running.retain(|_, poller| !has_ended(&mut poller.ended));
        if running.contains_key(&spec.queue) {
            return Ok(());
        }
        let (trigger, shutdown) = shutdown();
        let (ending, ended) = oneshot::channel::<()>();
        let (dispatch, queue) = (Arc::clone(&self.dispatch), spec.queue.clone());
        (self.spawn)(Box::pin(async move {
            let _ends_with_the_future = ending;
            dispatch.run(&queue, &shutdown).await;
        }));
        running.insert(spec.queue.clone(), Running { trigger, ended });
        Ok(())
    }

    async fn stop(&self, queue: &QueueName) -> Result<(), PollerError> {
        let poller = self.lock().remove(queue);
        if let Some(Running { trigger, ended }) = poller {
            trigger.fire();
            // An error says that the sender was dropped: the poller has ended.
            ended.await.ok();
        }
        Ok(())
    }
}

fn has_ended(ended: &mut oneshot::Receiver<()>) -> bool {
    !matches!(ended.try_recv(), Ok(None))
}
