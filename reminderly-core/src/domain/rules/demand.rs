//! What a rule demands.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{DayHours, HolidayCalendar, WeekHours};

/// What a rule demands of a contact that it binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Demand {
    /// Contact within these hours of the person's clock only.
    Hours(HourRule),
    /// Texts of at most so many characters (Unicode scalar values). Binds what has a text of known length.
    TextCharactersMax(usize),
    /// No contact at all.
    Never,
    /// At most so many contacts of one person. Data for those who keep count: instants do not depend on it.
    ContactsMax {
        /// In a local day.
        per_day: u32,
        /// In any seven days.
        per_week: u32,
    },
    /// Calls of at most so many seconds. Data for those who speak: how long a text takes is not known before.
    CallSecondsMax(u32),
    /// Whatever a reasonable person reads as an opt-out is one. Data for those who read replies: instants do not depend on it.
    RevocationByAnyMeans,
    /// An opt-out covers every contact point of the person. Instants do not depend on it:
    /// [`RulePacks::opt_out_scope`](super::RulePacks::opt_out_scope) does.
    RevocationCoversAll,
}

/// Hours of each weekday, and days on which there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourRule {
    /// The hours.
    pub week: WeekHours,
    /// The days without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<HolidayCalendar>,
}

impl HourRule {
    /// The hours of a day; `None` if it is closed.
    pub fn on(&self, day: NaiveDate) -> Option<DayHours> {
        let hours = self.week.on(day)?;
        let is_holiday = self.closed_on.is_some_and(|calendar| calendar.contains(day));
        (!is_holiday).then_some(hours)
    }
}
