//! The wall clock of one process, which is wrong and is set while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::clock::{Clock, Monotonic};
use reminderly_core::testing::VirtualClock;

/// How often a process that waits looks at its clock, which may have been set: as the system's clock does.
const LOOK: TimeDelta = TimeDelta::minutes(1);

/// A process's clock: true on the monotonic scale, off by some milliseconds on the wall.
#[derive(Debug)]
pub(super) struct WrongClock {
    right: Arc<VirtualClock>,
    off_by: AtomicI64,
}

impl WrongClock {
    pub(super) const fn new(right: Arc<VirtualClock>, off_by: i64) -> Self {
        Self { right, off_by: AtomicI64::new(off_by) }
    }

    /// Sets the wall clock.
    pub(super) fn set(&self, off_by: i64) {
        self.off_by.store(off_by, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for WrongClock {
    fn now(&self) -> DateTime<Utc> {
        self.right.now() + TimeDelta::milliseconds(self.off_by.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        self.right.monotonic()
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        loop {
            let left = instant - self.now();
            if left <= TimeDelta::zero() {
                return;
            }
            self.right.sleep_until(self.right.now() + left.min(LOOK)).await;
        }
    }
}
