use chrono::NaiveTime;
use chrono_tz::{America, Asia, Europe, Pacific};
use rstest::rstest;

use super::*;
use crate::domain::schedule::Day;

const WEEK: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

fn window(days: &[Day], from: &str, to: &str) -> ContactWindow {
    let time = |text: &str| text.parse::<NaiveTime>().unwrap();
    ContactWindow { days: days.iter().copied().collect(), from: time(from), to: time(to) }
}

fn closed(dates: &[&str]) -> BTreeSet<NaiveDate> {
    dates.iter().map(|date| date.parse().unwrap()).collect()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn far() -> DateTime<Utc> {
    DateTime::<Utc>::MAX_UTC
}

#[test]
fn an_interval_is_half_open() {
    let interval = LegalInterval { from: at("2026-05-01T08:00:00Z"), until: at("2026-05-01T17:00:00Z") };
    let instants = ["07:59:59.999999", "08:00:00", "16:59:59.999999", "17:00:00"];
    let contained = instants.map(|time| interval.contains(at(&format!("2026-05-01T{time}Z"))));
    assert_eq!(contained, [false, true, true, false]);
}

#[test]
fn a_search_ends_where_dates_end() {
    let none = closed(&[]);
    let times = LegalTimes::always(&none, &[Tz::UTC], None);
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let day = TimeDelta::days(1);
    assert_eq!(times.first_at_or_after(last - day, last), Some(last - day));
    assert_eq!(times.last_minute_before(first + day, first), Some(first + day - TimeDelta::minutes(1)));
}

#[rstest]
#[case::first_instant("2026-05-01T20:00:00Z", true)]
#[case::before_it("2026-05-01T19:59:59.999999Z", false)]
#[case::past_midnight_belongs_to_friday("2026-05-02T01:30:00Z", true)]
#[case::end_is_strict("2026-05-02T02:00:00Z", false)]
#[case::just_before_the_end("2026-05-02T01:59:59.999999Z", true)]
#[case::thursday_night("2026-05-01T01:30:00Z", false)]
fn a_window_past_midnight_belongs_to_the_day_on_which_it_starts(#[case] instant: &str, #[case] legal: bool) {
    let friday_night = window(&[Day::Fri], "20:00:00", "02:00:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&friday_night, &none, &[Tz::UTC], None);
    assert_eq!(times.is_legal(at(instant)), legal);
    assert_eq!(times.interval_at(at(instant)).is_some(), legal);
}

#[test]
fn a_closed_date_closes_the_night_after_it_and_not_the_night_before() {
    let nights = window(&WEEK, "20:00:00", "02:00:00");
    let christmas = closed(&["2026-12-25"]);
    let times = LegalTimes::new(&nights, &christmas, &[Tz::UTC], None);
    assert!(times.is_legal(at("2026-12-25T01:00:00Z")));
    assert!(!times.is_legal(at("2026-12-26T01:00:00Z")));
}

#[test]
fn equal_times_last_the_whole_day() {
    let mondays = window(&[Day::Mon], "08:00:00", "08:00:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&mondays, &none, &[Tz::UTC], None);
    let interval = times.interval_at(at("2026-05-04T12:00:00Z")).unwrap();
    assert_eq!(
        interval,
        LegalInterval { from: at("2026-05-04T08:00:00Z"), until: at("2026-05-05T08:00:00Z") }
    );
}

#[test]
fn a_window_that_never_closes_is_cut_two_days_away() {
    let always = window(&WEEK, "00:00:00", "00:00:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&always, &none, &[Tz::UTC], None);
    let interval = times.interval_at(at("2026-05-04T12:00:00Z")).unwrap();
    assert_eq!(
        interval,
        LegalInterval { from: at("2026-05-02T00:00:00Z"), until: at("2026-05-07T00:00:00Z") }
    );
}

#[test]
fn a_window_whose_start_is_skipped_opens_after_the_gap() {
    let early = window(&WEEK, "02:30:00", "04:00:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&early, &none, &[America::New_York], None);
    let opens = times.first_at_or_after(at("2026-03-08T05:00:00Z"), far());
    assert_eq!(opens, Some(at("2026-03-08T07:00:00Z")));
    let interval = times.interval_at(at("2026-03-08T07:15:00Z")).unwrap();
    assert_eq!(
        interval,
        LegalInterval { from: at("2026-03-08T07:00:00Z"), until: at("2026-03-08T08:00:00Z") }
    );
}

#[test]
fn a_window_that_is_skipped_altogether_does_not_open() {
    let swallowed = window(&WEEK, "02:15:00", "02:45:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&swallowed, &none, &[America::New_York], None);
    let opens = times.first_at_or_after(at("2026-03-08T05:00:00Z"), far());
    assert_eq!(opens, Some(at("2026-03-09T06:15:00Z")));
    let last = times.last_minute_before(at("2026-03-09T05:00:00Z"), DateTime::<Utc>::MIN_UTC);
    assert_eq!(last, Some(at("2026-03-07T07:44:00Z")));
}

#[test]
fn a_window_that_the_clock_shows_twice_is_legal_twice() {
    let repeated = window(&WEEK, "01:15:00", "01:45:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&repeated, &none, &[America::New_York], None);
    let first = times.interval_at(at("2026-11-01T05:20:00Z")).unwrap();
    assert_eq!(first, LegalInterval { from: at("2026-11-01T05:15:00Z"), until: at("2026-11-01T05:45:00Z") });
    assert_eq!(times.first_at_or_after(first.until, far()), Some(at("2026-11-01T06:15:00Z")));
    let before = times.last_minute_before(at("2026-11-01T06:15:00Z"), DateTime::<Utc>::MIN_UTC);
    assert_eq!(before, Some(at("2026-11-01T05:44:00Z")));
}

#[test]
fn an_interval_goes_on_over_a_change_of_the_clock() {
    let nights = window(&WEEK, "20:00:00", "04:00:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&nights, &none, &[America::New_York], None);
    let spring = LegalInterval { from: at("2026-03-08T01:00:00Z"), until: at("2026-03-08T08:00:00Z") };
    let autumn = LegalInterval { from: at("2026-11-01T00:00:00Z"), until: at("2026-11-01T09:00:00Z") };
    for instant in ["2026-03-08T03:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T07:59:00Z"] {
        assert_eq!(times.interval_at(at(instant)), Some(spring), "{instant}");
    }
    for instant in ["2026-11-01T00:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"] {
        assert_eq!(times.interval_at(at(instant)), Some(autumn), "{instant}");
    }
}

#[test]
fn a_skipped_day_has_no_window() {
    let days = window(&WEEK, "09:00:00", "17:00:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&days, &none, &[Pacific::Apia], None);
    // Thursday ends at 17:00-10:00; the clock goes from its midnight to Saturday's.
    let opens = times.first_at_or_after(at("2011-12-30T03:00:00Z"), far());
    assert_eq!(opens, Some(at("2011-12-30T19:00:00Z")));
}

#[test]
fn every_zone_must_agree() {
    let office = window(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri], "08:00:00", "16:30:00");
    let none = closed(&[]);
    let zones = [America::New_York, America::Los_Angeles];
    let times = LegalTimes::new(&office, &none, &zones, None);
    let interval = times.interval_at(at("2026-05-04T16:00:00Z")).unwrap();
    assert_eq!(
        interval,
        LegalInterval { from: at("2026-05-04T15:00:00Z"), until: at("2026-05-04T20:30:00Z") }
    );
    assert_eq!(times.first_at_or_after(at("2026-05-01T21:00:00Z"), far()), Some(interval.from));
    let last = times.last_minute_before(at("2026-05-04T12:00:00Z"), DateTime::<Utc>::MIN_UTC);
    assert_eq!(last, Some(at("2026-05-01T20:29:00Z")));
}

#[test]
fn a_date_closed_in_one_of_two_zones_is_closed() {
    let always = window(&WEEK, "00:00:00", "00:00:00");
    let christmas = closed(&["2026-12-25"]);
    let zones = [Europe::London, Asia::Kathmandu];
    let times = LegalTimes::new(&always, &christmas, &zones, None);
    // Closed from midnight in Kathmandu until the next one in London.
    assert!(times.is_legal(at("2026-12-24T18:14:59Z")));
    assert!(!times.is_legal(at("2026-12-24T18:15:00Z")));
    assert_eq!(times.first_at_or_after(at("2026-12-24T18:15:00Z"), far()), Some(at("2026-12-26T00:00:00Z")));
}

#[test]
fn the_latest_instant_is_legal_itself() {
    let office = window(&WEEK, "08:00:00", "16:30:00");
    let none = closed(&[]);
    let latest = at("2026-05-04T09:00:30Z");
    let times = LegalTimes::new(&office, &none, &[Tz::UTC], Some(latest));
    assert!(times.is_legal(latest));
    assert_eq!(times.first_at_or_after(latest, far()), Some(latest));
    assert_eq!(times.interval_at(latest).unwrap().until, at("2026-05-04T09:00:30.000001Z"));
    assert_eq!(times.interval_at(at("2026-05-04T09:00:30.000001Z")), None);
    assert_eq!(times.first_at_or_after(at("2026-05-04T09:00:31Z"), far()), None);
    let last = times.last_minute_before(at("2026-05-05T00:00:00Z"), DateTime::<Utc>::MIN_UTC);
    assert_eq!(last, Some(at("2026-05-04T09:00:00Z")));
}

#[test]
fn the_last_minute_is_whole_and_strictly_before() {
    let odd = window(&WEEK, "08:00:00", "12:00:30");
    let none = closed(&[]);
    let times = LegalTimes::new(&odd, &none, &[Tz::UTC], None);
    let before = |text| times.last_minute_before(at(text), DateTime::<Utc>::MIN_UTC);
    assert_eq!(before("2026-05-04T13:00:00Z"), Some(at("2026-05-04T12:00:00Z")));
    assert_eq!(before("2026-05-04T12:00:00Z"), Some(at("2026-05-04T11:59:00Z")));
    assert_eq!(before("2026-05-04T08:00:00Z"), Some(at("2026-05-03T12:00:00Z")));
    assert_eq!(times.last_minute_before(at("2026-05-04T08:00:00Z"), at("2026-05-03T12:00:01Z")), None);
}

#[rstest]
#[case::no_zone(window(&WEEK, "00:00:00", "00:00:00"), &[])]
#[case::no_day(window(&[], "00:00:00", "00:00:00"), &[Tz::UTC])]
#[case::no_common_hour(
    window(&WEEK, "08:00:00", "16:00:00"),
    &[Tz::UTC, Asia::Tokyo, America::Los_Angeles]
)]
fn nothing_is_legal(#[case] window: ContactWindow, #[case] zones: &[Tz]) {
    let none = closed(&[]);
    let times = LegalTimes::new(&window, &none, zones, None);
    let now = at("2026-05-04T12:00:00Z");
    assert!(!times.is_legal(now));
    assert_eq!(times.interval_at(now), None);
    assert_eq!(times.first_at_or_after(now, far()), None);
    assert_eq!(times.last_minute_before(now, DateTime::<Utc>::MIN_UTC), None);
}

#[test]
fn the_ends_of_time_are_not_legal_but_harmless() {
    let office = window(&WEEK, "08:00:00", "16:30:00");
    let none = closed(&[]);
    let times = LegalTimes::new(&office, &none, &[America::New_York], None);
    for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let _ = (times.is_legal(end), times.interval_at(end));
        let _ =
            (times.first_at_or_after(end, far()), times.last_minute_before(end, DateTime::<Utc>::MIN_UTC));
    }
}
