//! A queue that does its worst.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::chance::Chance;
use crate::batch::Outcomes;
use crate::domain::envelope::Envelope;
use crate::ports::queue::{
    Lease, LeaseOutcome, LeaseToken, MAX_DELAY, MessageQueue, Outgoing, QueueError, QueueName, SendOutcome,
};

/// How often each fault happens: probabilities from 0 (never) to 1 (always). The default is no fault at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QueueFaults {
    /// Per item sent: a second copy is sent too.
    pub duplicate: f64,
    /// Per call of send and receive: the items are shuffled.
    pub reorder: f64,
    /// Per item sent: it is reported as sent and dropped. Only slices of packets are lost, which the sweep makes up for;
    /// see [`lose_payloads`](Self::lose_payloads).
    pub lose: f64,
    /// Per item sent: a random delay is added, up to [`MAX_DELAY`] in all.
    pub delay: f64,
    /// Per item sent and per lease settled: nothing is done, and the outcome says so.
    pub fail: f64,
    /// Per call: nothing is done, and the answer is [`QueueError::Unavailable`].
    pub refuse: f64,
    /// Per receive: too much is in flight. With a wait nothing is received, at once; without, the answer
    /// is [`QueueError::OverLimit`].
    pub over_limit: f64,
    /// Per call: it takes effect, and answers [`QueueError::Unavailable`].
    pub lose_answer: f64,
    /// Whether `lose` hits dispositions and incoming messages too. Nothing in the library brings those back.
    pub lose_payloads: bool,
}

/// How many faults were injected so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InjectedFaults {
    /// Items of which a second copy was sent.
    pub duplicates: u64,
    /// Calls whose items were shuffled: two or more of them, in whatever order chance gave.
    pub reorders: u64,
    /// Items that were dropped.
    pub losses: u64,
    /// Items that were delayed.
    pub delays: u64,
    /// Items and leases with which nothing was done.
    pub failures: u64,
    /// Calls with which nothing was done.
    pub refusals: u64,
    /// Receives that found too much in flight.
    pub over_limit: u64,
    /// Calls whose answer was dropped.
    pub lost_answers: u64,
}

/// Decorates a queue with the faults that a queue service may show, and more of them. The same seed and the same calls
/// inject the same faults.
///
/// ```
/// use reminderly_core::testing::{FaultyQueue, QueueFaults};
/// # use std::sync::Arc;
/// # use reminderly_core::ports::queue::MessageQueue;
/// # fn wrap(queue: Arc<dyn MessageQueue>) -> FaultyQueue {
/// let faults = QueueFaults { duplicate: 0.1, lose_answer: 0.02, ..QueueFaults::default() };
/// let faulty = FaultyQueue::new(queue, faults, 42);
/// assert_eq!(faulty.injected().duplicates, 0);
/// # faulty
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyQueue {
    inner: Arc<dyn MessageQueue>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    faults: QueueFaults,
    chance: Chance,
    injected: InjectedFaults,
}

impl FaultyQueue {
    /// Decorates `inner`.
    pub fn new(inner: Arc<dyn MessageQueue>, faults: QueueFaults, seed: u64) -> Self {
        let (chance, injected) = (Chance::new(seed), InjectedFaults::default());
        Self { inner, state: Mutex::new(State { faults, chance, injected }) }
    }

    /// From now on these faults happen.
    pub fn set_faults(&self, faults: QueueFaults) {
        self.state().faults = faults;
    }

    /// How many faults were injected so far.
    pub fn injected(&self) -> InjectedFaults {
        self.state().injected
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What really goes out for `items`, each with the position whose outcome it gives, or none for a second copy; and what is
    /// told of those that do not go out.
    fn spoil(&self, items: &[Outgoing]) -> (Vec<(Option<usize>, Outgoing)>, Vec<SendOutcome>) {
        let mut state = self.state();
        let faults = state.faults;
        let mut spoiled = Vec::with_capacity(items.len());
        // What is lost is reported as sent.
        let mut reported = vec![SendOutcome::Sent; items.len()];
        for (position, item) in items.iter().enumerate() {
            if state.happens(faults.fail) {
                state.injected.failures += 1;
                reported.get_mut(position).into_iter().for_each(|told| *told = SendOutcome::Failed);
                continue;
            }
            let losable = faults.lose_payloads || matches!(item.envelope, Envelope::Outbound(_));
            // What the queue would refuse is not lost: the caller must hear of it.
            if item.delay <= MAX_DELAY && losable && state.happens(faults.lose) {
                state.injected.losses += 1;
                continue;
            }
            let mut item = item.clone();
            if item.delay < MAX_DELAY && state.happens(faults.delay) {
                state.injected.delays += 1;
                item.delay = state.random_delay(item.delay);
            }
            if state.happens(faults.duplicate) {
                state.injected.duplicates += 1;
                spoiled.push((None, item.clone()));
            }
            spoiled.push((Some(position), item));
        }
        state.shuffle(faults.reorder, &mut spoiled);
        (spoiled, reported)
    }

    /// Whether the call is let through.
    fn let_through(&self) -> Result<(), QueueError> {
        let mut state = self.state();
        let refuse = state.faults.refuse;
        if !state.happens(refuse) {
            return Ok(());
        }
        state.injected.refusals += 1;
        Err(QueueError::Unavailable { source: "nothing was done on purpose".into() })
    }

    /// Whether too much is in flight.
    fn is_over_limit(&self) -> bool {
        let mut state = self.state();
        let over_limit = state.faults.over_limit;
        let happens = state.happens(over_limit);
        state.injected.over_limit += u64::from(happens);
        happens
    }

    /// Settles leases, but those that fail.
    async fn settle<F>(
        &self,
        leases: &[LeaseToken],
        settle: impl FnOnce(Vec<LeaseToken>) -> F + Send,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError>
    where
        F: Future<Output = Result<Outcomes<LeaseOutcome>, QueueError>> + Send,
    {
        if leases.is_empty() {
            return settle(Vec::new()).await;
        }
        self.let_through()?;
        let failed: Vec<bool> = {
            let mut state = self.state();
            let fail = state.faults.fail;
            leases.iter().map(|_| state.happens(fail)).collect()
        };
        self.state().injected.failures += failed.iter().filter(|failed| **failed).count() as u64;
        let rest = leases.iter().zip(&failed).filter(|(_, failed)| !**failed);
        let answer = settle(rest.map(|(lease, _)| lease.clone()).collect()).await;
        self.answer(answer.map(|outcomes| {
            let mut outcomes = outcomes.into_iter();
            let told = |failed| if failed { None } else { outcomes.next() };
            failed.into_iter().map(told).map(|told| told.unwrap_or(LeaseOutcome::Failed)).collect()
        }))
    }

    fn answer<T>(&self, answer: Result<T, QueueError>) -> Result<T, QueueError> {
        let mut state = self.state();
        let lose_answer = state.faults.lose_answer;
        if !state.happens(lose_answer) {
            return answer;
        }
        state.injected.lost_answers += 1;
        Err(QueueError::Unavailable { source: "the answer was lost on purpose".into() })
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl MessageQueue for FaultyQueue {
    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<Outcomes<SendOutcome>, QueueError> {
        if items.is_empty() {
            return self.inner.send(queue, items).await;
        }
        self.let_through()?;
        let (spoiled, mut reported) = self.spoil(items);
        let (positions, spoiled): (Vec<_>, Vec<_>) = spoiled.into_iter().unzip();
        let sent = self.inner.send(queue, &spoiled).await;
        self.answer(sent.map(|outcomes| {
            for (position, outcome) in positions.into_iter().zip(outcomes) {
                if let Some(slot) = position.and_then(|position| reported.get_mut(position)) {
                    *slot = outcome;
                }
            }
            reported.into()
        }))
    }

    async fn receive(
        &self,
        queue: &QueueName,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        self.let_through()?;
        if self.is_over_limit() {
            return if wait.is_zero() { Err(QueueError::OverLimit(queue.clone())) } else { Ok(Vec::new()) };
        }
        let mut received = self.inner.receive(queue, max, wait, visibility).await;
        if let Ok(leases) = &mut received {
            let mut state = self.state();
            let reorder = state.faults.reorder;
            state.shuffle(reorder, leases);
        }
        self.answer(received)
    }

    async fn ack(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.settle(leases, |leases| async move { self.inner.ack(queue, &leases).await }).await
    }

    async fn release(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        delay: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.settle(leases, |leases| async move { self.inner.release(queue, &leases, delay).await }).await
    }

    async fn extend(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        visibility: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.settle(leases, |leases| async move { self.inner.extend(queue, &leases, visibility).await }).await
    }

    async fn dead_letter(
        &self,
        queue: &QueueName,
        lease: &LeaseToken,
        reason: &str,
    ) -> Result<LeaseOutcome, QueueError> {
        self.let_through()?;
        let answer = self.inner.dead_letter(queue, lease, reason).await;
        self.answer(answer)
    }
}

impl State {
    fn happens(&mut self, probability: f64) -> bool {
        self.chance.happens(probability)
    }

    fn random_delay(&mut self, at_least: Duration) -> Duration {
        at_least + self.chance.up_to(MAX_DELAY.saturating_sub(at_least))
    }

    fn shuffle<T>(&mut self, probability: f64, items: &mut [T]) {
        if self.happens(probability) && items.len() > 1 {
            self.injected.reorders += 1;
            self.chance.shuffle(items);
        }
    }
}
