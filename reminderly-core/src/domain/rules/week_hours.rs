//! Hours of a week on a local clock.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// The days as data writes them, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A span of one local day, half-open, in whole minutes: `08:00-20:00`, at most `00:00-24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DayHours {
    from: u16,
    to: u16,
}

impl DayHours {
    /// The whole day.
    pub const WHOLE: Self = Self { from: 0, to: DAY_MINUTES };

    /// When it starts on a day.
    pub(in crate::domain) fn start(self, day: NaiveDate) -> NaiveDateTime {
        at_minute(day, self.from)
    }

    /// When it has ended on a day; up to the next midnight.
    pub(in crate::domain) fn end(self, day: NaiveDate) -> NaiveDateTime {
        at_minute(day, self.to)
    }
}

fn at_minute(day: NaiveDate, minute: u16) -> NaiveDateTime {
    let midnight = day.and_time(NaiveTime::MIN);
    midnight.checked_add_signed(TimeDelta::minutes(minute.into())).unwrap_or(NaiveDateTime::MAX)
}

/// The text says no hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHours {
    /// No span of a day.
    #[error("\"{0}\" is no span of a day: expected HH:MM-HH:MM, the end after the start and at most 24:00")]
    Span(String),
    /// No days.
    #[error("\"{0}\" names no days: expected mon … sun, or a span such as mon-fri")]
    Days(String),
    /// A day that stands twice.
    #[error("the day {0} has hours twice")]
    Twice(&'static str),
}

impl FromStr for DayHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || InvalidHours::Span(text.to_owned());
        let (from, to) = text.split_once('-').ok_or_else(fault)?;
        let (from, to) = minute(from).zip(minute(to)).ok_or_else(fault)?;
        if from < to { Ok(Self { from, to }) } else { Err(fault()) }
    }
}

/// The minute of the day that `HH:MM` names.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(hours * 60 + minutes).filter(|minute| minutes < 60 && *minute <= DAY_MINUTES)
}

impl fmt::Display for DayHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl From<DayHours> for String {
    fn from(hours: DayHours) -> Self {
        hours.to_string()
    }
}

impl TryFrom<String> for DayHours {
    type Error = InvalidHours;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The hours of each weekday; a day without hours is closed.
///
/// As data an object of days and spans: `{"mon-sat": "09:00-21:00", "sun": "12:00-21:00"}`.
///
/// ```
/// use reminderly_core::domain::rules::WeekHours;
///
/// let texas: WeekHours = serde_json::from_str(r#"{"mon-sat": "09:00-21:00", "sun": "12:00-21:00"}"#)?;
/// let sunday = "2026-05-03".parse().unwrap();
/// assert_eq!(texas.on(sunday).unwrap().to_string(), "12:00-21:00");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "BTreeMap<String, DayHours>", try_from = "BTreeMap<String, DayHours>")]
pub struct WeekHours([Option<DayHours>; 7]);

impl WeekHours {
    /// The same hours on every day.
    pub const fn daily(hours: DayHours) -> Self {
        Self([Some(hours); 7])
    }

    /// The hours of a day; `None` if it is closed.
    pub fn on(&self, day: NaiveDate) -> Option<DayHours> {
        let weekday = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or_default();
        self.0.get(weekday).copied().flatten()
    }
}

impl TryFrom<BTreeMap<String, DayHours>> for WeekHours {
    type Error = InvalidHours;

    fn try_from(spans: BTreeMap<String, DayHours>) -> Result<Self, Self::Error> {
        let mut week = [None; 7];
        for (days, hours) in &spans {
            let (first, last) = span_of_days(days).ok_or_else(|| InvalidHours::Days(days.clone()))?;
            for (day, name) in week.iter_mut().zip(DAYS).take(last + 1).skip(first) {
                if day.replace(*hours).is_some() {
                    return Err(InvalidHours::Twice(name));
                }
            }
        }
        Ok(Self(week))
    }
}

/// The positions of the first and last day of `mon` or `mon-fri`.
fn span_of_days(text: &str) -> Option<(usize, usize)> {
    let position = |name: &str| DAYS.iter().position(|day| *day == name);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    position(first).zip(position(last)).filter(|(first, last)| first <= last)
}

impl From<WeekHours> for BTreeMap<String, DayHours> {
    fn from(week: WeekHours) -> Self {
        let days = DAYS.into_iter().zip(week.0);
        days.filter_map(|(name, hours)| Some((name.to_owned(), hours?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::backwards("20:00-08:00")]
    #[case::empty("08:00-08:00")]
    #[case::past_midnight("08:00-24:01")]
    #[case::minutes("08:60-20:00")]
    #[case::short("8:00-20:00")]
    #[case::signed("+8:00-20:00")]
    #[case::one("08:00")]
    fn no_span(#[case] text: &str) {
        assert_eq!(text.parse::<DayHours>(), Err(InvalidHours::Span(text.to_owned())));
    }

    #[rstest]
    #[case::unknown(r#"{"monday": "08:00-20:00"}"#, "names no days")]
    #[case::backwards(r#"{"sat-mon": "08:00-20:00"}"#, "names no days")]
    #[case::twice(r#"{"mon-fri": "08:00-20:00", "wed": "09:00-10:00"}"#, "the day wed has hours twice")]
    #[case::span(r#"{"mon": "20-08"}"#, "no span of a day")]
    fn no_week(#[case] json: &str, #[case] message: &str) {
        let error = serde_json::from_str::<WeekHours>(json).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn a_week_is_read_back() {
        let week: WeekHours =
            serde_json::from_str(r#"{"mon-fri": "09:00-18:00", "sun": "00:00-24:00"}"#).unwrap();
        let json = serde_json::to_string(&week).unwrap();
        assert_eq!(serde_json::from_str::<WeekHours>(&json).unwrap(), week);
        let day = |text: &str| week.on(text.parse().unwrap()).map(|hours| hours.to_string());
        assert_eq!(day("2026-05-01").as_deref(), Some("09:00-18:00"), "a Friday");
        assert_eq!(day("2026-05-02"), None, "a Saturday");
        assert_eq!(week.on("2026-05-03".parse().unwrap()), Some(DayHours::WHOLE), "a Sunday");
    }
}
