//! Holidays that are found by rule, year by year.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// The year from which 19 June is a holiday: Public Law 117-17 of 17 June 2021.
const JUNETEENTH_SINCE: i32 = 2021;

/// A calendar of holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayCalendar {
    /// The legal public holidays of the United States ([5 U.S.C. 6103](https://www.law.cornell.edu/uscode/text/5/6103)). One
    /// on a Saturday is also kept on the Friday before, one on a Sunday on the Monday after: both days count.
    ///
    /// Holidays that a single state adds, such as Mardi Gras, are not in it: a campaign lists them as `closed_dates`.
    UsFederal,
}

impl HolidayCalendar {
    /// Whether a day is one of its holidays, or one on which such a holiday is kept.
    pub fn contains(self, day: NaiveDate) -> bool {
        match self {
            Self::UsFederal => is_us_federal(day) || is_kept(day),
        }
    }
}

fn is_kept(day: NaiveDate) -> bool {
    let (other, weekday) = match day.weekday() {
        Weekday::Fri => (day.checked_add_days(Days::new(1)), Weekday::Sat),
        Weekday::Mon => (day.checked_sub_days(Days::new(1)), Weekday::Sun),
        _ => return false,
    };
    other.is_some_and(|other| other.weekday() == weekday && is_us_federal(other))
}

fn is_us_federal(day: NaiveDate) -> bool {
    // Which of its weekday in the month it is, from 1.
    let nth = day.day().div_ceil(7);
    let is_last = day.checked_add_days(Days::new(7)).is_none_or(|later| later.month() != day.month());
    match (day.month(), day.day(), day.weekday()) {
        (1, 1, _) | (7, 4, _) | (11, 11, _) | (12, 25, _) => true,
        (6, 19, _) => day.year() >= JUNETEENTH_SINCE,
        // Martin Luther King Jr, Washington.
        (1 | 2, _, Weekday::Mon) => nth == 3,
        // Memorial Day.
        (5, _, Weekday::Mon) => is_last,
        // Labor Day.
        (9, _, Weekday::Mon) => nth == 1,
        // Columbus Day.
        (10, _, Weekday::Mon) => nth == 2,
        // Thanksgiving.
        (11, _, Weekday::Thu) => nth == 4,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The days on which the Office of Personnel Management keeps the holidays of the year, and the holidays themselves.
    #[rstest]
    #[case::y2021(2021, &["01-01", "01-18", "02-15", "05-31", "06-18", "06-19", "07-04", "07-05", "09-06", "10-11",
        "11-11", "11-25", "12-24", "12-25", "12-31"])]
    #[case::y2026(2026, &["01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "07-04", "09-07", "10-12", "11-11",
        "11-26", "12-25"])]
    #[case::y2027(2027, &["01-01", "01-18", "02-15", "05-31", "06-18", "06-19", "07-04", "07-05", "09-06", "10-11",
        "11-11", "11-25", "12-24", "12-25", "12-31"])]
    #[case::before_juneteenth(2020, &["01-01", "01-20", "02-17", "05-25", "07-03", "07-04", "09-07", "10-12", "11-11",
        "11-26", "12-25"])]
    fn years(#[case] year: i32, #[case] expected: &[&str]) {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let days = first.iter_days().take_while(|day| day.year() == year);
        let found: Vec<String> = days
            .filter(|day| HolidayCalendar::UsFederal.contains(*day))
            .map(|day| day.format("%m-%d").to_string())
            .collect();
        assert_eq!(found, expected);
    }
}
