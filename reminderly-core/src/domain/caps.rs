//! How often a person may be contacted.

use std::num::NonZeroU32;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// The days of a week: any so many in a row, not those of the calendar.
const WEEK: usize = 7;

/// The days that share a week with a day, itself included.
pub const DAYS_AROUND: usize = 2 * WEEK - 1;

/// The most reminders that one person may get, counting those of every campaign of the company that has caps. A day is one in the
/// person's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Caps {
    /// On one local day; `None` is no limit.
    pub per_day: Option<NonZeroU32>,
    /// On any 7 consecutive local days; `None` is no limit.
    pub per_week: Option<NonZeroU32>,
}

/// A limit that leaves no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapReached {
    /// That of the day.
    Day,
    /// That of 7 days.
    Week,
}

impl CapReached {
    /// The name in histories.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "no slot: the person's day is full",
            Self::Week => "no slot: the person's week is full",
        }
    }
}

impl Caps {
    /// Whether there is no limit: then nothing takes or needs a slot.
    pub const fn is_none(&self) -> bool {
        self.per_day.is_none() && self.per_week.is_none()
    }

    /// The limit that one more contact on a day would exceed, if any. `taken` are the contacts on the [days
    /// around](days_around) it. The week is full if any 7 days in a row that contain the day are.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use reminderly_core::domain::caps::{CapReached, Caps};
    ///
    /// let caps = Caps { per_day: None, per_week: NonZeroU32::new(2) };
    /// // Three days before and three days after: both lie in one week with the day in the middle.
    /// let taken = [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    /// assert_eq!(caps.reached(&taken), Some(CapReached::Week));
    /// // Four days before and three days after: no week has all three.
    /// let taken = [0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    /// assert_eq!(caps.reached(&taken), None);
    /// ```
    pub fn reached(&self, taken: &[u32; DAYS_AROUND]) -> Option<CapReached> {
        let [_, _, _, _, _, _, day, ..] = taken;
        if self.per_day.is_some_and(|limit| *day >= limit.get()) {
            return Some(CapReached::Day);
        }
        let limit = self.per_week?;
        let sum = |week: &[u32]| week.iter().fold(0_u32, |sum, day| sum.saturating_add(*day));
        taken.windows(WEEK).any(|week| sum(week) >= limit.get()).then_some(CapReached::Week)
    }
}

/// The days that share a week with a day, in order: six before it, itself, six after it. At the ends of the calendar a day may
/// stand more than once.
pub fn days_around(day: NaiveDate) -> [NaiveDate; DAYS_AROUND] {
    let reach = (WEEK - 1) as u64;
    let first = day.checked_sub_days(Days::new(reach)).unwrap_or(NaiveDate::MIN);
    let mut offset = 0;
    [(); DAYS_AROUND].map(|()| {
        let day = first.checked_add_days(Days::new(offset)).unwrap_or(NaiveDate::MAX);
        offset += 1;
        day
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_day_stands_in_the_middle() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let days = days_around(day);
        assert_eq!(days[6], day);
        assert_eq!(days[0], NaiveDate::from_ymd_opt(2026, 2, 23).unwrap());
        assert_eq!(days[12], NaiveDate::from_ymd_opt(2026, 3, 7).unwrap());
    }

    proptest! {
        /// Whoever asks before each contact, in whatever order of days, never has more than the limits.
        #[test]
        fn limits_hold_in_any_order(asked in proptest::collection::vec(0_usize..40, 0..200), day in 1_u32..4, week in 1_u32..8) {
            let caps = Caps { per_day: NonZeroU32::new(day), per_week: NonZeroU32::new(week) };
            let mut taken = [0_u32; 60];
            for at in asked.into_iter().map(|at| at + 10) {
                let around: [u32; DAYS_AROUND] = taken[at - 6..=at + 6].try_into().unwrap();
                let full = taken[at] >= day || (at - 6..=at).any(|from| taken[from..from + 7].iter().sum::<u32>() >= week);
                prop_assert_eq!(caps.reached(&around).is_some(), full);
                if !full {
                    taken[at] += 1;
                }
            }
            prop_assert!(taken.iter().all(|count| *count <= day));
            prop_assert!(taken.windows(7).all(|span| span.iter().sum::<u32>() <= week));
        }
    }
}
