//! How many messages in how much time.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// The most messages in **every** stretch of time of this length, wherever it begins: not only from full minute to full minute.
///
/// ```
/// use std::num::NonZeroU32;
/// use reminderly_core::domain::rate::Rate;
///
/// let rate = Rate::per_minute(NonZeroU32::new(600).unwrap());
/// assert_eq!(rate.per_second_on_average(), 10.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// How many messages.
    pub messages: NonZeroU32,
    /// In how much time; zero limits nothing.
    pub per: Duration,
}

impl Rate {
    /// So many a second.
    pub const fn per_second(messages: NonZeroU32) -> Self {
        Self { messages, per: SECOND }
    }

    /// So many a minute.
    pub const fn per_minute(messages: NonZeroU32) -> Self {
        Self { messages, per: MINUTE }
    }

    /// The share of one of so many workers that know nothing of each other: together they never exceed the whole, unless it is
    /// less than one message for each. Then each may send one.
    #[must_use]
    pub fn share_of(self, workers: NonZeroU32) -> Self {
        let share = self.messages.get() / workers.get();
        Self { messages: NonZeroU32::new(share).unwrap_or(NonZeroU32::MIN), per: self.per }
    }

    /// Messages a second, in the long run; infinite if nothing is limited.
    pub fn per_second_on_average(self) -> f64 {
        f64::from(self.messages.get()) / self.per.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(messages: u32) -> NonZeroU32 {
        NonZeroU32::new(messages).unwrap()
    }

    #[test]
    fn the_average_is_of_a_second() {
        let rate = Rate { messages: count(30), per: Duration::from_secs(20) };
        assert!((rate.per_second_on_average() - 1.5).abs() < f64::EPSILON);
        assert!((Rate::per_minute(count(90)).per_second_on_average() - 1.5).abs() < f64::EPSILON);
    }

    #[test]
    fn shares_never_make_more_than_the_whole() {
        for (whole, workers, share) in [(10, 1, 10), (10, 3, 3), (10, 10, 1), (10, 11, 1)] {
            assert_eq!(
                Rate::per_second(count(whole)).share_of(count(workers)),
                Rate::per_second(count(share))
            );
        }
    }
}
