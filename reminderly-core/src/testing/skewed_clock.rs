//! A clock that goes wrong.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use futures::future::{BoxFuture, FutureExt as _};

use crate::clock::{Clock, Monotonic, SUBSECOND_DIGITS};

/// Shows another wall time than the clock that it decorates, and may jump: the clock of one host among several. Its monotonic
/// scale is that of the inner clock, as the contract of [`Clock`] demands.
///
/// ```
/// use std::sync::Arc;
///
/// use chrono::{DateTime, TimeDelta};
/// use reminderly_core::clock::Clock;
/// use reminderly_core::testing::{SkewedClock, VirtualClock};
///
/// let inner = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
/// let clock = SkewedClock::new(inner, TimeDelta::seconds(2));
/// assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::seconds(2));
/// clock.jump_to(TimeDelta::hours(-1));
/// assert_eq!(clock.now(), DateTime::UNIX_EPOCH - TimeDelta::hours(1));
/// assert_eq!(clock.jumps(), 1);
/// ```
#[derive(Debug)]
pub struct SkewedClock {
    inner: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    offset: TimeDelta,
    jumps: u64,
    next_sleeper: u64,
    /// Who sleeps: a jump wakes them all, because each has to wait for another instant of the inner clock.
    sleepers: BTreeMap<u64, Waker>,
}

impl SkewedClock {
    /// A clock that is `offset` ahead of `inner`, or behind it if that is negative.
    pub fn new(inner: Arc<dyn Clock>, offset: TimeDelta) -> Self {
        let state = State { offset, jumps: 0, next_sleeper: 0, sleepers: BTreeMap::new() };
        Self { inner, state: Mutex::new(state) }
    }

    /// From now on the clock is `offset` ahead of the inner one.
    pub fn jump_to(&self, offset: TimeDelta) {
        let sleepers = {
            let mut state = self.state();
            if state.offset == offset {
                return;
            }
            state.offset = offset;
            state.jumps += 1;
            std::mem::take(&mut state.sleepers)
        };
        sleepers.into_values().for_each(Waker::wake);
    }

    /// How far it is ahead.
    pub fn offset(&self) -> TimeDelta {
        self.state().offset
    }

    /// How often it has jumped.
    pub fn jumps(&self) -> u64 {
        self.state().jumps
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> DateTime<Utc> {
        let (now, offset) = (self.inner.now(), self.offset());
        now.checked_add_signed(offset).unwrap_or(now).trunc_subsecs(SUBSECOND_DIGITS)
    }

    fn monotonic(&self) -> Monotonic {
        self.inner.monotonic()
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        Sleep { clock: self, instant, key: None, inner: None }.await;
    }
}

struct Sleep<'a> {
    clock: &'a SkewedClock,
    instant: DateTime<Utc>,
    key: Option<u64>,
    /// The wait on the inner clock, and the offset for which it is right.
    inner: Option<(TimeDelta, BoxFuture<'a, ()>)>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            if this.clock.now() >= this.instant {
                return Poll::Ready(());
            }
            let offset = {
                let mut state = this.clock.state();
                let key = *this.key.get_or_insert_with(|| {
                    state.next_sleeper += 1;
                    state.next_sleeper
                });
                state.sleepers.insert(key, context.waker().clone());
                state.offset
            };
            if this.inner.as_ref().is_none_or(|(of, _)| *of != offset) {
                let until = this.instant.checked_sub_signed(offset).unwrap_or(this.instant);
                this.inner = Some((offset, this.clock.inner.sleep_until(until).boxed()));
            }
            let Some((_, inner)) = &mut this.inner else { return Poll::Pending };
            match inner.as_mut().poll(context) {
                Poll::Ready(()) => this.inner = None,
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.state().sleepers.remove(&key);
        }
    }
}
