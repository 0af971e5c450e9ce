//! Serial numbers: dates and times as spreadsheets count them.

use std::fmt;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};

use super::local::year_is_plausible;

/// What the bare number of a spreadsheet would mean: days since 1899-12-30, and the fraction of a day
/// ([the 1900 date system](https://support.microsoft.com/office/date-systems-in-excel-e7fe7167-48a9-4b96-bb53-5612a800b487)).
/// It shows in ISO form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serial {
    /// A whole number.
    Date(NaiveDate),
    /// A number with a fraction.
    DateTime(NaiveDateTime),
    /// A fraction only.
    Time(NaiveTime),
}

impl Serial {
    /// The first word of the text that is such a number of the years 2000 to 2100, or a time. For texts that are no dates of
    /// the declared format.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::read)
    }

    fn read(word: &str) -> Option<Self> {
        let (whole, fraction) = match word.split_once(['.', ',']) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (word, None),
        };
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !fraction.is_none_or(is_number) {
            return None;
        }
        match (whole.len(), fraction) {
            (5, None) => date(whole).map(Self::Date),
            (5, Some(fraction)) => {
                let (time, days) = time(fraction)?;
                let date = date(whole)?.checked_add_days(Days::new(days))?;
                Some(Self::DateTime(date.and_time(time)))
            }
            (1, Some(fraction)) if whole == "0" => {
                time(fraction).filter(|(_, days)| *days == 0).map(|(time, _)| Self::Time(time))
            }
            _ => None,
        }
    }
}

fn date(days: &str) -> Option<NaiveDate> {
    let start = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    start.checked_add_days(Days::new(days.parse().ok()?)).filter(|date| year_is_plausible(*date))
}

/// The time of a fraction to the second, and the days that rounding has added.
fn time(fraction: &str) -> Option<(NaiveTime, u64)> {
    const DAY: f64 = 86_400.0;
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 86,400")]
    let seconds = (fraction * DAY).round() as u32;
    Some(match NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0) {
        Some(time) => (time, 0),
        None => (NaiveTime::MIN, 1),
    })
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            Self::DateTime(local) => write!(f, "{}", local.format("%Y-%m-%dT%H:%M:%S")),
            Self::Time(time) => write!(f, "{}", time.format("%H:%M:%S")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("46090", Some("2026-03-09"))]
    #[case("46090.395", Some("2026-03-09T09:28:48"))]
    #[case("46090,395833333", Some("2026-03-09T09:30:00"))]
    #[case("46090.9999999", Some("2026-03-10T00:00:00"))]
    #[case("46090 09:30 AM", Some("2026-03-09"))]
    #[case("03/09/2026 0.395833333", Some("09:30:00"))]
    #[case("36526", Some("2000-01-01"))]
    #[case("73415", Some("2100-12-31"))]
    #[case("36525", None)]
    #[case("73416", None)]
    #[case("4609", None)]
    #[case("460900", None)]
    #[case("0.5", Some("12:00:00"))]
    #[case("1.5", None)]
    #[case("46090.", None)]
    #[case("+46090", None)]
    #[case("03/09/2026", None)]
    #[case("", None)]
    fn numbers_that_mean_days(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(Serial::find(text).map(|serial| serial.to_string()).as_deref(), expected);
    }
}
