//! When contact is legal: a contact window and the hours of rules, held against the clocks of every zone in which the person
//! may be.

mod local_hours;
mod local_window;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::local_time::{first_change, instant_at, last_change, offset_at, reading, reading_with};
use crate::domain::rules::BoundRule;
use crate::domain::schedule::ContactWindow;
use crate::domain::window::local_hours::LocalHours;
use crate::domain::window::local_window::LocalWindow;

/// How far a search goes, each way. Whoever closes for longer than a year has no legal instant.
pub const SEARCH_DAYS: i64 = 400;

/// How far from its instant an interval is followed. A window that never closes would have no end.
const INTERVAL_REACH: TimeDelta = TimeDelta::days(2);

/// A span of legal instants, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LegalInterval {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant that is no part of it.
    pub until: DateTime<Utc>,
}

impl LegalInterval {
    /// Whether an instant is part of it.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// The instants at which contact is legal.
///
/// An instant is legal if it is not after `latest` and if, in every zone, what the local clock shows lies in
/// the window: `from <= shown < to`, and the local day on which the window started is one of its weekdays and
/// not closed; and if every rule permits the local time. Only what the clock shows counts, so a window opens at the first instant after a gap that
/// swallows its start, and is legal twice where the clock shows it twice.
///
/// ```
/// use std::collections::BTreeSet;
/// use chrono::{DateTime, NaiveTime, Utc};
/// use reminderly_core::domain::schedule::{ContactWindow, Day};
/// use reminderly_core::domain::window::LegalTimes;
///
/// let (from, to) = (NaiveTime::from_hms_opt(20, 0, 0).unwrap(), NaiveTime::from_hms_opt(2, 0, 0).unwrap());
/// let friday_night = ContactWindow { days: BTreeSet::from([Day::Fri]), from, to };
/// let closed = BTreeSet::new();
/// let legal = LegalTimes::new(&friday_night, &closed, &[chrono_tz::UTC], None);
///
/// let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
/// assert!(legal.is_legal(at("2026-05-02T01:30:00Z"))); // Saturday, but the window started on Friday
/// assert!(!legal.is_legal(at("2026-05-01T01:30:00Z")));
/// assert_eq!(legal.interval_at(at("2026-05-02T01:30:00Z")).unwrap().until, at("2026-05-02T02:00:00Z"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LegalTimes<'a> {
    window: LocalWindow<'a>,
    rules: &'a [BoundRule<'a>],
    zones: &'a [Tz],
    latest: Option<DateTime<Utc>>,
}

impl<'a> LegalTimes<'a> {
    /// The instants up to and including `latest` at which the window is open in all `zones`. Without a zone
    /// there is none: nobody knows what time it is for the person.
    pub fn new(
        window: &ContactWindow,
        closed_dates: &'a BTreeSet<NaiveDate>,
        zones: &'a [Tz],
        latest: Option<DateTime<Utc>>,
    ) -> Self {
        Self { window: LocalWindow::new(window, closed_dates), rules: &[], zones, latest }
    }

    /// The instants up to and including `latest` on days that are not closed in any of `zones`: without a window every hour
    /// is legal.
    pub fn always(
        closed_dates: &'a BTreeSet<NaiveDate>,
        zones: &'a [Tz],
        latest: Option<DateTime<Utc>>,
    ) -> Self {
        Self { window: LocalWindow::always(closed_dates), rules: &[], zones, latest }
    }

    /// Those of these instants that the rules permit as well.
    #[must_use]
    pub fn with_rules(self, rules: &'a [BoundRule<'a>]) -> Self {
        Self { rules, ..self }
    }

    /// These instants, if no rule had been named.
    #[must_use]
    pub fn without_rules(self) -> Self {
        Self { rules: &[], ..self }
    }

    /// The first zone in which the window is closed at an instant.
    pub fn closed_in(&self, at: DateTime<Utc>) -> Option<Tz> {
        self.zones.iter().copied().find(|zone| !is_open(LocalHours::Window(&self.window), at, *zone))
    }

    /// Whether rules have a say.
    pub const fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The first rule that does not permit an instant in some zone.
    pub fn blocked_by(&self, at: DateTime<Utc>) -> Option<&'a BoundRule<'a>> {
        self.rules.iter().find(|rule| self.blocks(rule, at))
    }

    /// The first rule that permits neither of two instants in some zone, or else the first that does not permit the one.
    pub fn blocked_by_both(&self, one: DateTime<Utc>, other: DateTime<Utc>) -> Option<&'a BoundRule<'a>> {
        let both = self.rules.iter().find(|rule| self.blocks(rule, one) && self.blocks(rule, other));
        both.or_else(|| self.blocked_by(one))
    }

    /// Whether contact is legal at an instant.
    pub fn is_legal(&self, at: DateTime<Utc>) -> bool {
        !self.zones.is_empty()
            && self.latest.is_none_or(|latest| at <= latest)
            && self.clocks().all(|(hours, zone)| is_open(hours, at, zone))
    }

    /// The legal interval that contains `at`; `None` if `at` is not legal. Each of its ends is where legality
    /// ends, or at least two days away from `at`. As `latest` is legal itself, no interval ends later than a
    /// microsecond after it.
    pub fn interval_at(&self, at: DateTime<Utc>) -> Option<LegalInterval> {
        let mut joint: Option<LegalInterval> = None;
        for (hours, zone) in self.clocks() {
            let one = open_interval(hours, at, zone)?;
            joint = Some(joint.map_or(one, |joint| LegalInterval {
                from: joint.from.max(one.from),
                until: joint.until.min(one.until),
            }));
        }
        let mut interval = joint?;
        if let Some(latest) = self.latest {
            if at > latest {
                return None;
            }
            interval.until = interval.until.min(after(latest, TimeDelta::microseconds(1)));
        }
        Some(interval)
    }

    /// The first legal instant in `[at, horizon]`, at most [`SEARCH_DAYS`] days after `at`.
    pub fn first_at_or_after(&self, at: DateTime<Utc>, horizon: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let end = horizon.min(after(at, TimeDelta::days(SEARCH_DAYS)));
        let end = self.latest.map_or(end, |latest| latest.min(end));
        self.agree(at, |candidate, hours, zone| first_open(hours, candidate, end, zone))
    }

    /// The last legal instant in `[not_before, at)` that is a whole minute, at most [`SEARCH_DAYS`] days
    /// before `at`.
    pub fn last_minute_before(&self, at: DateTime<Utc>, not_before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = not_before.max(after(at, TimeDelta::days(-SEARCH_DAYS)));
        let last = minute_before(at);
        let last = self
            .latest
            .map_or(last, |latest| last.min(minute_before(after(latest, TimeDelta::nanoseconds(1)))));
        self.agree(last, |candidate, hours, zone| last_open_minute(hours, candidate, start, zone))
    }

    fn blocks(&self, rule: &BoundRule<'_>, at: DateTime<Utc>) -> bool {
        self.zones.iter().any(|zone| !is_open(LocalHours::Rule(rule), at, *zone))
    }

    /// The window and every rule, each on the clock of every zone.
    fn clocks(&self) -> impl Iterator<Item = (LocalHours<'_>, Tz)> + Clone {
        let hours = std::iter::once(LocalHours::Window(&self.window));
        let hours = hours.chain(self.rules.iter().map(LocalHours::Rule));
        hours.flat_map(|hours| self.zones.iter().map(move |zone| (hours, *zone)))
    }

    /// Asks the clocks in turn for their next candidate, until all of them have kept the same one.
    fn agree(
        &self,
        first: DateTime<Utc>,
        next: impl Fn(DateTime<Utc>, LocalHours<'_>, Tz) -> Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let mut candidate = first;
        let mut agreed = 0;
        let all = self.zones.len() * (1 + self.rules.len());
        // Ends, because a candidate that moves only moves one way, from opening to opening, towards a bound.
        for (hours, zone) in self.clocks().cycle() {
            let found = next(candidate, hours, zone)?;
            agreed = if found == candidate { agreed + 1 } else { 1 };
            candidate = found;
            if agreed == all {
                return Some(candidate);
            }
        }
        None
    }
}

fn is_open(hours: LocalHours<'_>, at: DateTime<Utc>, zone: Tz) -> bool {
    hours.opening_at(reading(at, zone)).is_some()
}

/// The interval around `at` in one zone, followed over changes of the clock and into adjacent openings.
fn open_interval(hours: LocalHours<'_>, at: DateTime<Utc>, zone: Tz) -> Option<LegalInterval> {
    let offset = offset_at(at, zone);
    let opening = hours.opening_at(reading_with(at, offset))?;
    let (from, until) = (instant_at(opening.start, offset), instant_at(opening.end, offset));
    Some(LegalInterval { from: open_since(hours, at, from, zone), until: open_until(hours, at, until, zone) })
}

/// Where the interval of `at` ends, given that its opening would end at `until` if the clock did not
/// change.
fn open_until(hours: LocalHours<'_>, at: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let (mut known, mut until) = (at, until);
    loop {
        known = first_change(zone, known, until).map_or(until, |change| change.at);
        let offset = offset_at(known, zone);
        match hours.opening_at(reading_with(known, offset)) {
            Some(opening) if known - at < INTERVAL_REACH => until = instant_at(opening.end, offset),
            _ => return known,
        }
    }
}

/// Where the interval of `at` starts, given that its opening would start at `from` if the clock did not
/// change.
fn open_since(hours: LocalHours<'_>, at: DateTime<Utc>, from: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let (mut known, mut from) = (at, from);
    loop {
        let start = last_change(zone, from, known).map_or(from, |change| change.at);
        known = after(start, TimeDelta::nanoseconds(-1));
        let offset = offset_at(known, zone);
        match hours.opening_at(reading_with(known, offset)) {
            Some(opening) if at - start < INTERVAL_REACH => from = instant_at(opening.start, offset),
            _ => return start,
        }
    }
}

/// The first instant in `[at, end]` at which one zone's window is open.
fn first_open(
    hours: LocalHours<'_>,
    at: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let mut candidate = at;
    while candidate <= end {
        let offset = offset_at(candidate, zone);
        let shown = reading_with(candidate, offset);
        if hours.opening_at(shown).is_some() {
            return Some(candidate);
        }
        let start = hours.start_after(shown, reading_with(end, offset));
        let opens = start.map(|start| instant_at(start, offset));
        let bound = opens.map_or(end, |opens| opens.min(end));
        // A changed clock shows something else at the same instant: judge again from there.
        candidate = match first_change(zone, candidate, bound) {
            Some(change) => change.at,
            None => opens?,
        };
    }
    None
}

/// The last whole minute in `[start, at]`, `at` being one, at which one zone's window is open.
fn last_open_minute(
    hours: LocalHours<'_>,
    at: DateTime<Utc>,
    start: DateTime<Utc>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let mut candidate = at;
    while candidate >= start {
        let offset = offset_at(candidate, zone);
        let shown = reading_with(candidate, offset);
        if hours.opening_at(shown).is_some() {
            return Some(candidate);
        }
        let end = hours.end_before(shown, reading_with(start, offset));
        let closes = end.map(|end| instant_at(end, offset));
        let bound = closes.map_or(start, |closes| closes.max(start));
        candidate = match last_change(zone, bound, candidate) {
            Some(change) => minute_before(change.at),
            None => minute_before(closes?),
        };
    }
    None
}

/// `at` moved by `delta`, or as far as dates reach.
fn after(at: DateTime<Utc>, delta: TimeDelta) -> DateTime<Utc> {
    let limit = if delta < TimeDelta::zero() { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    at.checked_add_signed(delta).unwrap_or(limit)
}

/// The last whole minute before `at`. UTC minutes are those of every zone: no offset has had seconds since
/// 1972.
fn minute_before(at: DateTime<Utc>) -> DateTime<Utc> {
    let last_second =
        if at.timestamp_subsec_nanos() == 0 { at.timestamp().saturating_sub(1) } else { at.timestamp() };
    DateTime::from_timestamp(last_second.div_euclid(60) * 60, 0).unwrap_or(DateTime::<Utc>::MIN_UTC)
}
