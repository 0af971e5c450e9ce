//! How long to wait before trying again.

use std::time::Duration;

/// The longest that a provider's `Retry-After` is believed.
pub const MAX_RETRY_AFTER: Duration = Duration::from_mins(15);

/// When a definitely refused message is tried again, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts that count. At least 1.
    pub max_attempts: u32,
    /// The wait after the first refusal; doubles with each further one.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, after 1, 2, 4 and 8 minutes: a reminder is about hours, a provider's bad quarter of an hour is not.
    fn default() -> Self {
        Self { max_attempts: 5, base: Duration::from_mins(1), cap: Duration::from_hours(1) }
    }
}

impl RetryPolicy {
    /// The wait after attempt number `attempts` (from 1); `None` if it was the last.
    ///
    /// ```
    /// use std::time::Duration;
    /// use reminderly_core::retry::RetryPolicy;
    ///
    /// let policy = RetryPolicy::default();
    /// assert_eq!(policy.wait_after(1), Some(Duration::from_secs(60)));
    /// assert_eq!(policy.wait_after(3), Some(Duration::from_secs(240)));
    /// assert_eq!(policy.wait_after(5), None);
    /// ```
    pub fn wait_after(&self, attempts: u32) -> Option<Duration> {
        if attempts >= self.max_attempts {
            return None;
        }
        let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(self.base.saturating_mul(factor).min(self.cap))
    }
}

/// A provider's wish to wait, cut to what is believed: at least `floor`, at most [`MAX_RETRY_AFTER`].
pub fn clamp_retry_after(wish: Option<Duration>, floor: Duration) -> Duration {
    wish.unwrap_or(floor).max(floor).min(MAX_RETRY_AFTER)
}
