//! A store whose server is slow, away, or loses what it answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::chance::Chance;
use super::wanted_panic::WantedPanic;
use crate::clock::Clock;
use crate::ports::store::{Store, StoreError};

/// How often each fault happens: probabilities from 0 (never) to 1 (always). The default is no fault at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StoreFaults {
    /// Per call: it has no effect, and answers [`StoreError::Unavailable`].
    pub refuse: f64,
    /// Per write: it takes effect, and answers [`StoreError::CommitUnknown`].
    pub lose_answer: f64,
    /// Per write: it has no effect, and answers [`StoreError::CommitUnknown`].
    pub lose_commit: f64,
    /// Per call: it waits, up to [`longest_delay`](Self::longest_delay), before it takes effect.
    pub delay_before: f64,
    /// Per call: it takes effect and waits so long before it answers.
    pub delay_after: f64,
    /// The longest delay.
    pub longest_delay: Duration,
    /// Per call: it has no effect, and panics with a [`WantedPanic`].
    pub panic_before: f64,
    /// Per call: it takes effect, and panics with a [`WantedPanic`].
    pub panic_after: f64,
}

/// How many faults a [`FaultyStore`] has injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InjectedStoreFaults {
    /// Calls that had no effect and said so.
    pub refusals: u64,
    /// Writes that took effect and did not say so.
    pub lost_answers: u64,
    /// Writes that had no effect and did not say so.
    pub lost_commits: u64,
    /// Calls that took effect late.
    pub late_effects: u64,
    /// Calls that answered late.
    pub late_answers: u64,
    /// Calls that panicked.
    pub panics: u64,
}

/// Decorates a store with the faults that a database server may show. Every fault but the panics is one that the
/// contract of [`ports::store`](crate::ports::store) permits. The same seed and the same calls inject the same faults.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use reminderly_core::clock::Clock;
/// use reminderly_core::ports::store::Store;
/// use reminderly_core::testing::{FaultyStore, StoreFaults};
///
/// # fn wrap(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> FaultyStore {
/// let faulty = FaultyStore::new(store, clock, 42);
/// faulty.set_faults(StoreFaults { lose_answer: 0.02, ..StoreFaults::default() });
/// # faulty
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyStore {
    pub(super) inner: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    faults: StoreFaults,
    injected: InjectedStoreFaults,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    Refused,
    AnswerLost,
    CommitLost,
    PanicsBefore,
    PanicsAfter,
}

/// What happens to one call, and when.
#[derive(Debug, Clone, Copy)]
struct Course {
    fate: Fate,
    before: Option<Duration>,
    after: Option<Duration>,
}

impl FaultyStore {
    /// Decorates `inner`; without faults, until they are [set](Self::set_faults).
    pub fn new(inner: Arc<dyn Store>, clock: Arc<dyn Clock>, seed: u64) -> Self {
        let (faults, injected) = (StoreFaults::default(), InjectedStoreFaults::default());
        Self { inner, clock, state: Mutex::new(State { chance: Chance::new(seed), faults, injected }) }
    }

    /// From now on these faults happen.
    pub fn set_faults(&self, faults: StoreFaults) {
        self.state().faults = faults;
    }

    /// How many faults were injected so far.
    pub fn injected(&self) -> InjectedStoreFaults {
        self.state().injected
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn read<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let course = self.state().course(false);
        self.take(course, call).await
    }

    pub(super) async fn unordered<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.read(call).await
    }

    pub(super) async fn write<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let course = self.state().course(true);
        self.take(course, call).await
    }

    async fn take<T>(
        &self,
        course: Course,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.wait(course.before).await;
        let source = "on purpose";
        let answer = match course.fate {
            Fate::Refused => Err(StoreError::Unavailable { source: source.into() }),
            Fate::CommitLost => Err(StoreError::CommitUnknown { source: source.into() }),
            Fate::Answered => call.await,
            // A call that failed has nothing to be lost.
            Fate::AnswerLost => {
                call.await.and_then(|_| Err(StoreError::CommitUnknown { source: source.into() }))
            }
            Fate::PanicsBefore => WantedPanic::now(),
            Fate::PanicsAfter => {
                drop(call.await);
                WantedPanic::now()
            }
        };
        self.wait(course.after).await;
        answer
    }

    async fn wait(&self, delay: Option<Duration>) {
        if let Some(delay) = delay {
            self.clock.sleep_until(self.clock.now() + delay).await;
        }
    }
}

impl State {
    /// What happens to the next call. Draws as often whatever happens, so that faults do not depend on one another.
    fn course(&mut self, is_write: bool) -> Course {
        let faults = self.faults;
        let drawn = [
            faults.refuse,
            faults.lose_answer,
            faults.lose_commit,
            faults.delay_before,
            faults.delay_after,
            faults.panic_before,
            faults.panic_after,
        ];
        let [refused, answer_lost, commit_lost, before, after, panics_before, panics_after] =
            drawn.map(|probability| self.chance.happens(probability));
        let fates = [
            (panics_before, Fate::PanicsBefore),
            (panics_after, Fate::PanicsAfter),
            (refused, Fate::Refused),
            (answer_lost && is_write, Fate::AnswerLost),
            (commit_lost && is_write, Fate::CommitLost),
        ];
        let fate = fates.into_iter().find(|(happens, _)| *happens).map_or(Fate::Answered, |(_, fate)| fate);
        let mut delay = |happens: bool| happens.then(|| self.chance.up_to(faults.longest_delay));
        let course = Course { fate, before: delay(before), after: delay(after) };
        let injected = &mut self.injected;
        match fate {
            Fate::Refused => injected.refusals += 1,
            Fate::AnswerLost => injected.lost_answers += 1,
            Fate::CommitLost => injected.lost_commits += 1,
            Fate::PanicsBefore | Fate::PanicsAfter => injected.panics += 1,
            Fate::Answered => {}
        }
        injected.late_effects += u64::from(course.before.is_some());
        injected.late_answers += u64::from(course.after.is_some());
        course
    }
}
