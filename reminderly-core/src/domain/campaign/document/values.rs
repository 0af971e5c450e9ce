//! The notations of single values: durations, times, dates, zones.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::super::problem::nearest;

/// The longest duration of a document.
pub(super) const DURATION_MAX: Duration = Duration::from_hours(366 * 24);

/// A duration: whole numbers with the units `d`, `h`, `m`, `s`, from large to small, such as `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a duration such as \"2d\", \"1h30m\" or \"90s\", at most 366d";
    let mut rest = text;
    let mut total = 0_u64;
    let mut units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)].into_iter();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(EXPECTED)?;
        let (number, tail) = rest.split_at(digits);
        let mut tail = tail.chars();
        let unit = tail.next().ok_or(EXPECTED)?;
        let (_, seconds) = units.find(|(name, _)| *name == unit).ok_or(EXPECTED)?;
        let count: u64 = number.parse().map_err(|_| EXPECTED)?;
        total = count.checked_mul(seconds).and_then(|part| total.checked_add(part)).ok_or(EXPECTED)?;
        rest = tail.as_str();
    }
    let fits = !text.is_empty() && Duration::from_secs(total) <= DURATION_MAX;
    fits.then(|| Duration::from_secs(total)).ok_or(EXPECTED)
}

/// A local time: `HH:MM`.
pub(super) fn time(text: &str) -> Result<NaiveTime, &'static str> {
    const EXPECTED: &str = "expected a local time HH:MM from 00:00 to 23:59";
    let (hour, minute) = text.split_once(':').ok_or(EXPECTED)?;
    NaiveTime::from_hms_opt(two_digits(hour).ok_or(EXPECTED)?, two_digits(minute).ok_or(EXPECTED)?, 0)
        .ok_or(EXPECTED)
}

/// The end of a window: a local time, or `24:00`, which is the next midnight.
pub(super) fn end_time(text: &str) -> Result<NaiveTime, &'static str> {
    if text == "24:00" {
        return Ok(NaiveTime::MIN);
    }
    time(text).map_err(|_| "expected a local time HH:MM from 00:00 to 24:00")
}

/// A date: `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Result<NaiveDate, &'static str> {
    const EXPECTED: &str = "expected a date YYYY-MM-DD that exists, from 2000 to 2100";
    let digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = text.parse::<NaiveDate>().ok().filter(|_| digits).ok_or(EXPECTED)?;
    crate::domain::template::local::year_is_plausible(date).then_some(date).ok_or(EXPECTED)
}

/// A zone by its IANA name.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| {
        let near = nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let city = || TZ_VARIANTS.iter().map(|zone| zone.name()).find(|name| ends_with_city(name, text));
        let hint = near.or_else(city).map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"));
        format!("unknown time zone: expected an IANA name such as \"America/New_York\"{hint}")
    })
}

fn ends_with_city(zone: &str, text: &str) -> bool {
    let city = text.trim().replace(' ', "_");
    zone.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city))
}

fn two_digits(text: &str) -> Option<u32> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
