//! A clock that moves only when told to.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, Utc};

use crate::clock::{Clock, Monotonic, SUBSECOND_DIGITS};

/// A clock that moves only when told to: days pass in milliseconds, and a run can be repeated exactly.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use reminderly_core::clock::Clock;
/// use reminderly_core::testing::VirtualClock;
///
/// let clock = VirtualClock::new(DateTime::UNIX_EPOCH);
/// clock.advance_to(DateTime::UNIX_EPOCH + TimeDelta::days(3));
/// assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::days(3));
/// ```
#[derive(Debug)]
pub struct VirtualClock(Mutex<State>);

#[derive(Debug)]
struct State {
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    next_sleeper: u64,
    /// In the order of waking; equal instants wake in the order of falling asleep.
    sleepers: BTreeMap<(DateTime<Utc>, u64), Waker>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    pub fn new(start: DateTime<Utc>) -> Self {
        let start = start.trunc_subsecs(SUBSECOND_DIGITS);
        Self(Mutex::new(State { start, now: start, next_sleeper: 0, sleepers: BTreeMap::new() }))
    }

    /// The earliest instant for which somebody waits.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.state().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Moves the clock forward and wakes everybody whose instant has come. An earlier instant changes nothing.
    pub fn advance_to(&self, instant: DateTime<Utc>) {
        let due = {
            let mut state = self.state();
            let now = state.now.max(instant.trunc_subsecs(SUBSECOND_DIGITS));
            state.now = now;
            let later = state.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut state.sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// Moves the clock forward by `duration`.
    pub fn advance(&self, duration: Duration) {
        let target = self.now() + duration;
        self.advance_to(target);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }

    fn monotonic(&self) -> Monotonic {
        let state = self.state();
        Monotonic::new((state.now - state.start).to_std().unwrap_or_default())
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        Sleep { clock: self, instant: reachable(instant), key: None }.await;
    }
}

/// The first instant from this one on at which the clock can stand: whoever waits for one in between would wait for ever.
fn reachable(instant: DateTime<Utc>) -> DateTime<Utc> {
    let before = instant.trunc_subsecs(SUBSECOND_DIGITS);
    if before < instant { before + Duration::from_micros(1) } else { instant }
}

struct Sleep<'a> {
    clock: &'a VirtualClock,
    instant: DateTime<Utc>,
    key: Option<(DateTime<Utc>, u64)>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.now >= self.instant {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            state.next_sleeper += 1;
            (self.instant, state.next_sleeper)
        });
        state.sleepers.insert(key, context.waker().clone());
        drop(state);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.state().sleepers.remove(&key);
        }
    }
}
