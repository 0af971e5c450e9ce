//! The searches against an oracle that asks every minute, and knows the rule only by its words.

use chrono::{Datelike, NaiveTime, Timelike};
use chrono_tz::{Africa, America, Asia, Australia, Pacific};
use proptest::prelude::*;

use super::*;
use crate::domain::local_time::resolve;
use crate::domain::schedule::Day;

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const SPAN_MINUTES: i32 = 4 * 24 * 60;
const ZONES: [Tz; 8] = [
    Australia::Lord_Howe,
    Pacific::Apia,
    Asia::Kathmandu,
    America::St_Johns,
    America::New_York,
    Africa::Casablanca,
    Asia::Gaza,
    Tz::UTC,
];

/// Days around which some clock of `ZONES` changes.
const CHANGES: [&str; 9] = [
    "2026-03-08",
    "2026-11-01",
    "2026-10-04",
    "2026-04-05",
    "2021-04-04",
    "2020-09-27",
    "2026-02-15",
    "2027-03-14",
    "2029-01-14",
];

#[derive(Debug, Clone)]
struct Case {
    window: ContactWindow,
    closed_dates: BTreeSet<NaiveDate>,
    zones: Vec<Tz>,
    latest: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
}

impl Case {
    fn times(&self) -> LegalTimes<'_> {
        LegalTimes::new(&self.window, &self.closed_dates, &self.zones, self.latest)
    }

    /// Rule 2, word for word.
    fn legal(&self, at: DateTime<Utc>) -> bool {
        let (from, to) = (seconds(self.window.from), seconds(self.window.to));
        let open_on = |day: NaiveDate| {
            self.window.days.contains(&Day::from(day.weekday())) && !self.closed_dates.contains(&day)
        };
        let in_zone = |zone: &Tz| {
            let local = reading(at, *zone);
            let (today, shown) = (local.date(), seconds(local.time()));
            let started_today = shown >= from && (shown < to || from >= to) && open_on(today);
            let started_yesterday = from >= to && shown < to && open_on(today.pred_opt().unwrap());
            started_today || started_yesterday
        };
        self.zones.iter().all(in_zone) && self.latest.is_none_or(|latest| at <= latest)
    }
}

fn seconds(time: NaiveTime) -> u32 {
    time.num_seconds_from_midnight()
}

fn cases() -> impl Strategy<Value = Case> {
    let time = prop_oneof![
        (0_u32..96).prop_map(|quarter| quarter * 900),
        (0_u32..1440).prop_map(|minute| minute * 60),
        Just(0),
        Just(2 * 3600),
    ];
    let days = prop_oneof![Just(127_u8), Just(31_u8), any::<u8>()];
    let start = prop_oneof![
        3 => (0..CHANGES.len(), -2_i64 * 86_400..2 * 86_400).prop_map(|(change, shift)| {
            let day: NaiveDate = CHANGES[change].parse().unwrap();
            day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::seconds(shift)
        }),
        1 => (1_577_836_800_i64..1_893_456_000).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap()),
    ];
    let zones = prop::collection::vec(0..ZONES.len(), 1..3);
    let closed = prop::collection::btree_set(-4_i64..5, 0..3);
    let latest = prop::option::weighted(0.3, -86_400_i64..3 * 86_400);
    ((time.clone(), time, days), start, any::<bool>(), zones, closed, latest).prop_map(
        |((from, to, days), start, whole, zones, closed, latest)| {
            let at = if whole { start - TimeDelta::seconds(start.timestamp().rem_euclid(60)) } else { start };
            let clock = |second| NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap();
            let week = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
            Case {
                window: ContactWindow {
                    days: week.into_iter().filter(|day| days & (1 << (*day as u8)) != 0).collect(),
                    from: clock(from),
                    to: clock(to),
                },
                closed_dates: closed
                    .into_iter()
                    .map(|shift| at.date_naive() + TimeDelta::days(shift))
                    .collect(),
                zones: zones.into_iter().map(|zone| ZONES[zone]).collect(),
                latest: latest.map(|shift| at + TimeDelta::seconds(shift)),
                at,
            }
        },
    )
}

fn next_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    minute_before(at) + MINUTE * 2 - if at.timestamp() % 60 == 0 { TimeDelta::zero() } else { MINUTE }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_legal_instant_is_the_one_that_a_scan_finds(case in cases()) {
        // Windows and changes of clocks fall on whole minutes, so legality starts at `at` or on one.
        let horizon = case.at + MINUTE * SPAN_MINUTES;
        let minutes = std::iter::successors(Some(case.at), |at| Some(next_minute(*at)));
        let scanned = minutes.take_while(|at| *at <= horizon).find(|at| case.legal(*at));
        prop_assert_eq!(case.times().first_at_or_after(case.at, horizon), scanned);
        prop_assert_eq!(case.times().is_legal(case.at), case.legal(case.at));
    }

    #[test]
    fn the_last_legal_minute_is_the_one_that_a_scan_finds(case in cases()) {
        let start = case.at - MINUTE * SPAN_MINUTES;
        let minutes = std::iter::successors(Some(minute_before(case.at)), |at| Some(*at - MINUTE));
        let scanned = minutes.take_while(|at| *at >= start).find(|at| case.legal(*at));
        prop_assert_eq!(case.times().last_minute_before(case.at, start), scanned);
    }

    #[test]
    fn an_interval_is_legal_throughout_and_ends_where_legality_does(case in cases()) {
        let tick = TimeDelta::microseconds(1);
        let found = case.times().interval_at(case.at);
        prop_assert_eq!(found.is_some(), case.legal(case.at));
        if let Some(interval) = found {
            prop_assert!(interval.contains(case.at));
            let minutes = std::iter::successors(Some(interval.from), |at| Some(next_minute(*at)));
            for at in minutes.take_while(|at| *at < interval.until) {
                prop_assert!(case.legal(at), "not legal at {}", at);
            }
            prop_assert!(case.legal(interval.until - tick));
            let cut_after = interval.until - case.at >= INTERVAL_REACH;
            let cut_before = case.at - interval.from >= INTERVAL_REACH;
            prop_assert!(cut_after || !case.legal(interval.until), "goes on after {}", interval.until);
            prop_assert!(cut_before || !case.legal(interval.from - tick), "legal before {}", interval.from);
        }
    }

    #[test]
    fn a_resolved_time_is_shown_by_the_clock_unless_it_is_skipped(
        minute in 26_300_000_i64..31_500_000,
        zone in 0..ZONES.len(),
    ) {
        use crate::domain::local_time::LocalTimeNote;
        let zone = ZONES[zone];
        let local = DateTime::from_timestamp(minute * 60, 0).unwrap().naive_utc();
        let resolved = resolve(local, zone);
        match resolved.note {
            LocalTimeNote::Exact | LocalTimeNote::Ambiguous => {
                prop_assert_eq!(reading(resolved.at, zone), local);
            }
            LocalTimeNote::Gap => prop_assert!(reading(resolved.at, zone) > local),
        }
    }
}
