//! From written local times to instants, and back.
//!
//! Whatever a clock shows is asked here, not of chrono-tz, whose data lack some rules.

mod newer_rules;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

use self::newer_rules::NewerRule;

/// How far apart two looks at a zone's offset may be without missing a change, in seconds. No zone has left
/// an offset and come back to it in less than 6.95 days since 1972, nor is any planned to until the data ends
/// in 2100 (the tz database as of chrono-tz 0.10.4; the shortest are Brazil in 2000 and Gaza in 2040).
const LOOK_SECONDS: i64 = 6 * 86_400;

/// What the clock of a zone does at a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalTimeNote {
    /// The local time exists once.
    Exact,
    /// It falls into a gap: it was moved forward by the gap's length.
    Gap,
    /// It exists twice: the first is meant.
    Ambiguous,
}

/// The instant that a local time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The instant.
    pub at: DateTime<Utc>,
    /// How it was found.
    pub note: LocalTimeNote,
}

/// An instant at which the clock of a zone jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetChange {
    /// The first instant with the new offset; a whole second.
    pub at: DateTime<Utc>,
    /// The offset from UTC until then.
    pub before: FixedOffset,
    /// The offset from UTC from then on.
    pub after: FixedOffset,
}

/// The instant that `local` means in `zone`. A time that the clock skips takes the offset from before the
/// gap, so it moves forward by the gap's length; one that the clock shows twice is the first (RFC 5545,
/// 3.3.5).
///
/// ```
/// use chrono::NaiveDate;
/// use reminderly_core::domain::local_time::{LocalTimeNote, resolve};
///
/// let skipped = NaiveDate::from_ymd_opt(2026, 3, 8).and_then(|day| day.and_hms_opt(2, 30, 0)).unwrap();
/// let resolved = resolve(skipped, chrono_tz::America::New_York);
/// assert_eq!(resolved.at.to_rfc3339(), "2026-03-08T07:30:00+00:00"); // 03:30 EDT
/// assert_eq!(resolved.note, LocalTimeNote::Gap);
/// ```
pub fn resolve(local: NaiveDateTime, zone: Tz) -> Resolved {
    let old = resolve_by_data(local, zone);
    let Some(newer) = NewerRule::of(zone) else { return old };
    let new = resolve_by_data(local, newer.like);
    match (old.at.timestamp() < newer.from, new.at.timestamp() >= newer.from) {
        (true, false) => old,
        (false, true) => new,
        (true, true) => Resolved { at: old.at, note: LocalTimeNote::Ambiguous },
        (false, false) => Resolved { at: old.at, note: LocalTimeNote::Gap },
    }
}

/// The offset of `zone` from UTC at an instant.
pub fn offset_at(at: DateTime<Utc>, zone: Tz) -> FixedOffset {
    clock_at(at, zone).offset_from_utc_datetime(&at.naive_utc()).fix()
}

/// The zone whose clock, by the data of chrono-tz, is that of `zone` at an instant: nearly always `zone` itself. For what needs
/// more than an offset, such as an abbreviation.
pub fn clock_at(at: DateTime<Utc>, zone: Tz) -> Tz {
    NewerRule::of(zone).filter(|newer| at.timestamp() >= newer.from).map_or(zone, |newer| newer.like)
}

/// What the clock of `zone` shows at an instant.
pub fn reading(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    reading_with(at, offset_at(at, zone))
}

/// What a clock with this offset shows at an instant. Stays in UTC where no date can say it, 262 000 years
/// away.
pub fn reading_with(at: DateTime<Utc>, offset: FixedOffset) -> NaiveDateTime {
    at.naive_utc().checked_add_offset(offset).unwrap_or(at.naive_utc())
}

/// The instant at which a clock with this offset shows `local`; the inverse of [`reading_with`].
pub fn instant_at(local: NaiveDateTime, offset: FixedOffset) -> DateTime<Utc> {
    local.checked_sub_offset(offset).unwrap_or(local).and_utc()
}

/// The first change of the zone's offset in `(after, until]`.
pub fn first_change(zone: Tz, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<OffsetChange> {
    let end = until.timestamp();
    let mut low = after.timestamp();
    let before = offset_at(after, zone);
    while low < end {
        let high = end.min(low.saturating_add(LOOK_SECONDS));
        if offset_at_second(high, zone) != before {
            // The last second with the old offset and the first with another.
            let (_, at) = bisect(low, high, |second| offset_at_second(second, zone) == before);
            return Some(OffsetChange { at: instant_of(at), before, after: offset_at_second(at, zone) });
        }
        low = high;
    }
    None
}

/// The last change of the zone's offset in `(after, until]`.
pub fn last_change(zone: Tz, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<OffsetChange> {
    let start = after.timestamp();
    let mut high = until.timestamp();
    let last = offset_at(until, zone);
    while high > start {
        let low = start.max(high.saturating_sub(LOOK_SECONDS));
        if offset_at_second(low, zone) != last {
            let (old, at) = bisect(low, high, |second| offset_at_second(second, zone) != last);
            return Some(OffsetChange {
                at: instant_of(at),
                before: offset_at_second(old, zone),
                after: last,
            });
        }
        high = low;
    }
    None
}

fn resolve_by_data(local: NaiveDateTime, zone: Tz) -> Resolved {
    match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) => {
            Resolved { at: instant_at(local, offset.fix()), note: LocalTimeNote::Exact }
        }
        LocalResult::Ambiguous(one, other) => {
            let at = instant_at(local, one.fix()).min(instant_at(local, other.fix()));
            Resolved { at, note: LocalTimeNote::Ambiguous }
        }
        LocalResult::None => {
            Resolved { at: instant_at(local, offset_before_gap(local, zone)), note: LocalTimeNote::Gap }
        }
    }
}

/// The offset that held before the gap into which `local` falls.
fn offset_before_gap(local: NaiveDateTime, zone: Tz) -> FixedOffset {
    if let Some((_, offset)) = GapInfo::new(&local, &zone).and_then(|gap| gap.begin) {
        return offset.fix();
    }
    // A gap always has a beginning. If the data ever lacks it, a day earlier lies before any gap.
    let day_before = local.checked_sub_signed(TimeDelta::days(1)).unwrap_or(local);
    zone.offset_from_utc_datetime(&day_before).fix()
}

/// Narrows `(low, high)` to neighbours, given that `keeps_low` holds at `low` and not at `high`.
fn bisect(mut low: i64, mut high: i64, keeps_low: impl Fn(i64) -> bool) -> (i64, i64) {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if keeps_low(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low, high)
}

fn offset_at_second(second: i64, zone: Tz) -> FixedOffset {
    offset_at(instant_of(second), zone)
}

fn instant_of(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Africa, America, Antarctica, Asia, Australia, Europe, Pacific};
    use rstest::rstest;

    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::plain(America::New_York, "2026-07-01T12:00:00", "2026-07-01T16:00:00Z", LocalTimeNote::Exact)]
    #[case::gap_of_an_hour(
        America::New_York,
        "2026-03-08T02:30:00",
        "2026-03-08T07:30:00Z",
        LocalTimeNote::Gap
    )]
    #[case::gap_start(America::New_York, "2026-03-08T02:00:00", "2026-03-08T07:00:00Z", LocalTimeNote::Gap)]
    #[case::gap_end(America::New_York, "2026-03-08T03:00:00", "2026-03-08T07:00:00Z", LocalTimeNote::Exact)]
    #[case::overlap(
        America::New_York,
        "2026-11-01T01:30:00",
        "2026-11-01T05:30:00Z",
        LocalTimeNote::Ambiguous
    )]
    #[case::overlap_end(
        America::New_York,
        "2026-11-01T02:00:00",
        "2026-11-01T07:00:00Z",
        LocalTimeNote::Exact
    )]
    #[case::gap_of_30_min(
        Australia::Lord_Howe,
        "2026-10-04T02:15:00",
        "2026-10-03T15:45:00Z",
        LocalTimeNote::Gap
    )]
    #[case::overlap_of_30_min(
        Australia::Lord_Howe,
        "2026-04-05T01:45:00",
        "2026-04-04T14:45:00Z",
        LocalTimeNote::Ambiguous
    )]
    #[case::gap_of_a_day(Pacific::Apia, "2011-12-30T10:00:00", "2011-12-30T20:00:00Z", LocalTimeNote::Gap)]
    #[case::gap_of_a_day_kwajalein(
        Pacific::Kwajalein,
        "1993-08-21T10:00:00",
        "1993-08-21T22:00:00Z",
        LocalTimeNote::Gap
    )]
    #[case::gap_of_three_hours(
        Antarctica::Casey,
        "2018-10-07T05:00:00",
        "2018-10-06T21:00:00Z",
        LocalTimeNote::Gap
    )]
    #[case::quarter_hours(
        Asia::Kathmandu,
        "2026-05-01T10:00:00",
        "2026-05-01T04:15:00Z",
        LocalTimeNote::Exact
    )]
    #[case::rule_change(
        America::Sao_Paulo,
        "2019-11-03T00:30:00",
        "2019-11-03T03:30:00Z",
        LocalTimeNote::Exact
    )]
    #[case::no_winter_time_any_more(
        America::Vancouver,
        "2026-12-01T09:00:00",
        "2026-12-01T16:00:00Z",
        LocalTimeNote::Exact
    )]
    #[case::no_longer_twice(
        America::Winnipeg,
        "2026-11-01T01:30:00",
        "2026-11-01T06:30:00Z",
        LocalTimeNote::Exact
    )]
    #[case::twice_before(
        America::Edmonton,
        "2025-11-02T01:30:00",
        "2025-11-02T07:30:00Z",
        LocalTimeNote::Ambiguous
    )]
    #[case::back_for_good(
        Africa::Casablanca,
        "2026-09-20T01:30:00",
        "2026-09-20T00:30:00Z",
        LocalTimeNote::Ambiguous
    )]
    #[case::after_it(Africa::Casablanca, "2026-09-20T02:00:00", "2026-09-20T02:00:00Z", LocalTimeNote::Exact)]
    #[case::when_europe_does(
        Europe::Chisinau,
        "2026-03-29T03:30:00",
        "2026-03-29T01:30:00Z",
        LocalTimeNote::Gap
    )]
    #[case::before_it(America::Sao_Paulo, "2018-11-04T00:30:00", "2018-11-04T03:30:00Z", LocalTimeNote::Gap)]
    fn resolves(#[case] zone: Tz, #[case] text: &str, #[case] at: &str, #[case] note: LocalTimeNote) {
        assert_eq!(resolve(local(text), zone), Resolved { at: utc(at), note });
    }

    #[test]
    fn a_skipped_time_moves_forward_by_the_length_of_the_gap() {
        let resolved = resolve(local("2011-12-30T10:00:00"), Pacific::Apia);
        assert_eq!(reading(resolved.at, Pacific::Apia), local("2011-12-31T10:00:00"));
    }

    #[test]
    fn changes_are_found_from_both_sides() {
        let zone = America::New_York;
        let (winter, summer) = (utc("2026-01-01T00:00:00Z"), utc("2026-07-01T00:00:00Z"));
        let change = first_change(zone, winter, summer).unwrap();
        assert_eq!(change.at, utc("2026-03-08T07:00:00Z"));
        assert_eq!(last_change(zone, winter, summer), Some(change));
        assert_eq!(first_change(zone, change.at, summer), None, "the start is not part of the span");
        assert_eq!(last_change(zone, winter, change.at), Some(change), "the end is");
    }

    #[test]
    fn a_change_that_the_data_lack_is_found() {
        let (from, until) = (utc("2026-09-01T00:00:00Z"), utc("2028-01-01T00:00:00Z"));
        let change = first_change(Africa::Casablanca, from, until).unwrap();
        assert_eq!((change.at, change.after.local_minus_utc()), (utc("2026-09-20T01:00:00Z"), 0));
        assert_eq!(last_change(Africa::Casablanca, from, until), Some(change), "and it is the last one");
        assert_eq!(first_change(America::Vancouver, from, until), None);
    }

    #[test]
    fn the_shortest_spell_of_an_offset_is_not_missed() {
        let (from, until) = (utc("2000-10-01T00:00:00Z"), utc("2000-11-01T00:00:00Z"));
        let first = first_change(America::Recife, from, until).unwrap();
        let last = last_change(America::Recife, from, until).unwrap();
        assert_eq!((first.at, last.at), (utc("2000-10-08T03:00:00Z"), utc("2000-10-15T02:00:00Z")));
    }
}
