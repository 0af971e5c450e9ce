//! A service that makes and deletes queues, or does not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::chance::Chance;
use crate::batch::Page;
use crate::ports::queue::{Depth, QueueAdmin, QueueCursor, QueueError, QueueName, QueueSpec};

/// How often each fault happens: probabilities from 0 (never) to 1 (always). The default is no fault at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AdminFaults {
    /// Per call: nothing is done, and the answer is [`QueueError::Unavailable`].
    pub refuse: f64,
    /// Per call: it takes effect, and answers [`QueueError::Unavailable`].
    pub lose_answer: f64,
}

/// How many faults a [`FaultyQueueAdmin`] has injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InjectedAdminFaults {
    /// Calls with which nothing was done.
    pub refusals: u64,
    /// Calls whose answer was dropped.
    pub lost_answers: u64,
}

/// Decorates what makes and deletes queues with the faults that a queue service may show.
#[derive(Debug)]
pub struct FaultyQueueAdmin {
    inner: Arc<dyn QueueAdmin>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    faults: AdminFaults,
    chance: Chance,
    injected: InjectedAdminFaults,
}

impl FaultyQueueAdmin {
    /// Decorates `inner`; without faults, until they are [set](Self::set_faults).
    pub fn new(inner: Arc<dyn QueueAdmin>, seed: u64) -> Self {
        let (faults, injected) = (AdminFaults::default(), InjectedAdminFaults::default());
        Self { inner, state: Mutex::new(State { faults, chance: Chance::new(seed), injected }) }
    }

    /// From now on these faults happen.
    pub fn set_faults(&self, faults: AdminFaults) {
        self.state().faults = faults;
    }

    /// How many faults were injected so far.
    pub fn injected(&self) -> InjectedAdminFaults {
        self.state().injected
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, QueueError>> + Send,
    ) -> Result<T, QueueError> {
        let (refuses, loses) = {
            let mut state = self.state();
            let AdminFaults { refuse, lose_answer } = state.faults;
            let refuses = state.chance.happens(refuse);
            let loses = state.chance.happens(lose_answer) && !refuses;
            state.injected.refusals += u64::from(refuses);
            state.injected.lost_answers += u64::from(loses);
            (refuses, loses)
        };
        if refuses {
            return Err(QueueError::Unavailable { source: "nothing was done on purpose".into() });
        }
        let answer = call.await;
        if loses {
            return Err(QueueError::Unavailable { source: "the answer was lost on purpose".into() });
        }
        answer
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl QueueAdmin for FaultyQueueAdmin {
    async fn ensure(&self, spec: &QueueSpec) -> Result<(), QueueError> {
        self.call(self.inner.ensure(spec)).await
    }

    async fn delete(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.call(self.inner.delete(queue)).await
    }

    async fn depth(&self, queue: &QueueName) -> Result<Option<Depth>, QueueError> {
        self.call(self.inner.depth(queue)).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<QueueCursor>,
    ) -> Result<Page<QueueName, QueueCursor>, QueueError> {
        self.call(self.inner.list(prefix, after)).await
    }

    async fn redrive(&self, dead_letters: &QueueName, limit: usize) -> Result<u64, QueueError> {
        self.call(self.inner.redrive(dead_letters, limit)).await
    }
}
