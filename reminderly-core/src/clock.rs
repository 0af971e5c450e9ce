//! Time as a port.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, Utc};

/// The digits of a second that every instant of the domain has: microseconds, the finest that MySQL stores.
pub const SUBSECOND_DIGITS: u16 = 6;

/// A point on a monotonic scale with an arbitrary origin: only differences within one process mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// The point that lies `since_origin` after the origin of the clock.
    pub const fn new(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// The point `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Wall time, monotonic time and waiting.
///
/// # Contract
///
/// `now` MUST be truncated to [`SUBSECOND_DIGITS`] and MAY jump; `monotonic` MUST NOT go back and measures deadlines.
/// `sleep_until` MUST return at once if the instant has passed; dropping its future ends the wait and has no other effect.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The current instant, UTC, in microseconds.
    fn now(&self) -> DateTime<Utc>;

    /// The current point on the monotonic scale.
    fn monotonic(&self) -> Monotonic;

    /// Returns when `now` has reached `instant`.
    async fn sleep_until(&self, instant: DateTime<Utc>);
}

/// The host's clock. Works under every runtime.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic scale starts here.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the host's clocks")]
    pub fn new() -> Self {
        Self { origin: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the host's clocks")]
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(std::time::SystemTime::now()).trunc_subsecs(SUBSECOND_DIGITS)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.origin.elapsed())
    }

    async fn sleep_until(&self, instant: DateTime<Utc>) {
        // In steps, because the wall clock may be set while we wait.
        const STEP: Duration = Duration::from_mins(1);
        while let Ok(left) = (instant - self.now()).to_std() {
            if left.is_zero() {
                break;
            }
            futures_timer::Delay::new(left.min(STEP)).await;
        }
    }
}
