use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use chrono_tz::{America, Asia};
use rstest::rstest;

use super::*;
use crate::domain::schedule::{ContactWindow, ContactWindows, Day, WhenClosed};

const HOUR: Duration = Duration::from_hours(1);
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn time(text: &str) -> NaiveTime {
    text.parse().unwrap()
}

fn window(days: &[Day], from: &str, to: &str) -> ContactWindow {
    ContactWindow { days: days.iter().copied().collect(), from: time(from), to: time(to) }
}

fn days_before(days: u16, at: &str) -> SendEntry {
    SendEntry::DaysBefore { days, at: Some(time(at)) }
}

/// The schedule of the design's example, with these entries.
fn schedule(send: &[SendEntry]) -> Schedule {
    let weekdays = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
    Schedule {
        send: send.to_vec(),
        windows: ContactWindows {
            default: Some(window(&weekdays, "08:00:00", "16:30:00")),
            by_method: BTreeMap::from([(ContactMethod::Phone, window(&weekdays, "10:00:00", "19:00:00"))]),
        },
        closed_dates: BTreeSet::from(["2026-12-25".parse().unwrap()]),
        when_closed: WhenClosed::Later,
        min_notice: HOUR,
        max_lateness: Some(4 * HOUR),
        ..Schedule::default()
    }
}

fn plan(schedule: &Schedule, local: &str, zone: Tz, now: &str) -> Vec<EntryPlan> {
    let appointment = Appointment::new(local.parse().unwrap(), zone);
    let method = ContactMethod::Sms;
    plan_row(&PlanInput {
        schedule,
        method,
        appointment: Some(&appointment),
        zones: &[zone],
        rules: &[],
        now: at(now),
    })
}

fn instant(plan: &EntryPlan) -> Result<DateTime<Utc>, SkipReason> {
    match plan.outcome {
        PlanOutcome::Planned { at, legal } => {
            assert!(legal.contains(at));
            Ok(at)
        }
        PlanOutcome::Skipped(reason) => Err(reason),
    }
}

fn only(schedule: &Schedule, local: &str, zone: Tz) -> Result<DateTime<Utc>, SkipReason> {
    instant(&plan(schedule, local, zone, LONG_AGO)[0])
}

#[test]
fn new_york_in_the_night_of_the_gap() {
    let schedule = schedule(&[days_before(1, "02:30:00")]);
    let plan = plan(&schedule, "2026-03-09T09:15:00", America::New_York, LONG_AGO).remove(0);
    assert_eq!(plan.trace.base_at, at("2026-03-08T03:30:00-04:00"));
    assert_eq!(plan.trace.base_note, LocalTimeNote::Gap);
    assert_eq!(instant(&plan), Ok(at("2026-03-09T08:00:00-04:00")));
    let latest = at("2026-03-09T08:15:00.000001-04:00");
    let PlanOutcome::Planned { legal, .. } = plan.outcome else { panic!("{plan:?}") };
    assert_eq!(legal, LegalInterval { from: at("2026-03-09T08:00:00-04:00"), until: latest });
}

/// The notice bounds the start of a request, not its delivery: started at the last instant, a message still has time.
#[rstest]
#[case::bound_by_notice(
    "2026-03-09T09:15:00",
    "2026-03-09T08:15:00-04:00",
    Some("2026-03-09T09:15:00.000001-04:00")
)]
#[case::bound_by_the_window(
    "2026-03-11T09:15:00",
    "2026-03-10T16:29:00-04:00",
    Some("2026-03-10T16:30:00-04:00")
)]
#[case::closed("2026-03-11T09:15:00", "2026-03-10T16:30:00-04:00", None)]
fn delivery_ends(#[case] local: &str, #[case] start: &str, #[case] expected: Option<&str>) {
    let (zone, schedule) = (America::New_York, schedule(&[]));
    let appointment = Appointment::new(local.parse().unwrap(), zone);
    let until = deliver_until(&schedule, ContactMethod::Sms, Some(&appointment), &[zone], &[], at(start));
    assert_eq!(until, expected.map(at));
}

#[test]
fn phoenix_after_christmas() {
    let schedule = schedule(&[days_before(1, "10:00:00")]);
    let outcome = only(&schedule, "2026-12-26T09:00:00", America::Phoenix);
    assert_eq!(outcome, Err(SkipReason::NoLegalInstant));
}

#[test]
fn kathmandu_in_a_new_york_campaign() {
    let schedule = schedule(&[days_before(2, "10:00:00")]);
    let outcome = only(&schedule, "2026-05-07T09:00:00", Asia::Kathmandu);
    assert_eq!(outcome, Ok(at("2026-05-05T10:00:00+05:45")));
}

#[rstest]
#[case::saturday("2026-05-02T01:30:00", Ok(at("2026-05-02T01:30:00Z")))]
#[case::friday("2026-05-01T01:30:00", Err(SkipReason::NoLegalInstant))]
fn a_window_past_midnight_on_friday(
    #[case] local: &str,
    #[case] expected: Result<DateTime<Utc>, SkipReason>,
) {
    let mut schedule = schedule(&[SendEntry::DaysBefore { days: 0, at: None }]);
    schedule.windows.default = Some(window(&[Day::Fri], "20:00:00", "02:00:00"));
    schedule.min_notice = Duration::ZERO;
    assert_eq!(only(&schedule, local, Tz::UTC), expected);
}

#[rstest]
#[case::exactly_enough_notice("2026-05-06T09:00:00", Ok(at("2026-05-06T08:00:00Z")))]
#[case::a_minute_less("2026-05-06T08:59:00", Err(SkipReason::NoLegalInstant))]
fn notice(#[case] local: &str, #[case] expected: Result<DateTime<Utc>, SkipReason>) {
    assert_eq!(only(&schedule(&[days_before(0, "07:00:00")]), local, Tz::UTC), expected);
}

#[rstest]
#[case::later(WhenClosed::Later, "16:30:00", Ok(at("2026-05-06T08:00:00Z")))]
#[case::earlier(WhenClosed::Earlier, "16:30:00", Ok(at("2026-05-05T16:29:00Z")))]
#[case::skip(WhenClosed::Skip, "16:30:00", Err(SkipReason::NoLegalInstant))]
#[case::legal_anyway(WhenClosed::Skip, "16:29:59", Ok(at("2026-05-05T16:29:59Z")))]
#[case::nearest_is_earlier(WhenClosed::Nearest, "20:00:00", Ok(at("2026-05-05T16:29:00Z")))]
#[case::nearest_is_later(WhenClosed::Nearest, "07:00:00", Ok(at("2026-05-05T08:00:00Z")))]
#[case::tie_goes_to_the_earlier(WhenClosed::Nearest, "00:14:30", Ok(at("2026-05-04T16:29:00Z")))]
#[case::just_past_the_tie(WhenClosed::Nearest, "00:14:31", Ok(at("2026-05-05T08:00:00Z")))]
fn closed(
    #[case] when_closed: WhenClosed,
    #[case] base: &str,
    #[case] expected: Result<DateTime<Utc>, SkipReason>,
) {
    let mut schedule = schedule(&[days_before(1, base)]);
    schedule.when_closed = when_closed;
    assert_eq!(only(&schedule, "2026-05-06T12:00:00", Tz::UTC), expected);
}

#[test]
fn nearest_takes_the_only_one_there_is() {
    let mut schedule = schedule(&[days_before(0, "07:00:00")]);
    schedule.when_closed = WhenClosed::Nearest;
    assert_eq!(only(&schedule, "2026-05-06T08:30:00", Tz::UTC), Ok(at("2026-05-05T16:29:00Z")));
}

#[rstest]
#[case::not_late("2026-05-05T10:00:00Z", Ok(at("2026-05-05T10:00:00Z")))]
#[case::late("2026-05-05T12:00:00Z", Ok(at("2026-05-05T12:00:00Z")))]
#[case::as_late_as_allowed("2026-05-05T14:00:00Z", Ok(at("2026-05-05T14:00:00Z")))]
#[case::later_than_allowed("2026-05-05T14:00:00.000001Z", Err(SkipReason::PastDue))]
#[case::after_the_appointment("2026-05-07T10:00:00Z", Err(SkipReason::PastDue))]
fn lateness(#[case] now: &str, #[case] expected: Result<DateTime<Utc>, SkipReason>) {
    let schedule = schedule(&[days_before(1, "10:00:00")]);
    let plans = plan(&schedule, "2026-05-06T12:00:00", Tz::UTC, now);
    assert_eq!(instant(&plans[0]), expected);
}

#[test]
fn without_a_limit_a_late_message_goes_at_the_next_opening() {
    let mut schedule = schedule(&[days_before(5, "10:00:00")]);
    schedule.max_lateness = None;
    let plan = plan(&schedule, "2026-05-06T12:00:00", Tz::UTC, "2026-05-05T20:00:00Z").remove(0);
    assert_eq!(instant(&plan), Ok(at("2026-05-06T08:00:00Z")));
    assert_eq!(plan.trace.lateness(), Some(118 * HOUR));
}

#[test]
fn dispatch_asks_the_same_rule() {
    let schedule = schedule(&[]);
    let appointment = Appointment::new("2026-05-06T12:00:00".parse().unwrap(), Tz::UTC);
    let planned_at = at("2026-05-05T16:00:00Z");
    let late = |now| LateInput {
        schedule: &schedule,
        method: ContactMethod::Phone,
        appointment: Some(&appointment),
        zones: &[Tz::UTC],
        rules: &[],
        planned_at,
        now,
    };
    let CatchUp::SendAt { at: sent_at, legal } = catch_up(&late(at("2026-05-05T18:59:00Z"))) else {
        panic!("three hours late are within four")
    };
    assert_eq!((sent_at, legal.until), (at("2026-05-05T18:59:00Z"), at("2026-05-05T19:00:00Z")));
    assert_eq!(catch_up(&late(at("2026-05-05T19:00:00Z"))), CatchUp::TooLate);
}

fn base_of(entry: SendEntry, appointment: &Appointment) -> Resolved {
    let schedule = schedule(&[entry]);
    let zones = [appointment.zone];
    let input = PlanInput {
        schedule: &schedule,
        method: ContactMethod::Sms,
        appointment: Some(appointment),
        zones: &zones,
        rules: &[],
        now: DateTime::UNIX_EPOCH,
    };
    base(entry, &input, appointment.zone).unwrap().1
}

#[test]
fn hours_elapse_over_a_change_of_the_clock() {
    let schedule = schedule(&[SendEntry::HoursBefore { before: 24 * HOUR }]);
    let outcome = only(&schedule, "2026-11-02T10:00:00", America::New_York);
    // Sunday 10:00 EST is closed; the point is the base.
    assert_eq!(outcome, Ok(at("2026-11-02T08:00:00-05:00")));
    let appointment = Appointment::new("2026-11-01T10:00:00".parse().unwrap(), America::New_York);
    let base = base_of(SendEntry::HoursBefore { before: 24 * HOUR }, &appointment);
    assert_eq!(base.at, at("2026-10-31T11:00:00-04:00"));
    let base = base_of(SendEntry::DaysBefore { days: 1, at: None }, &appointment);
    assert_eq!(base.at, at("2026-10-31T10:00:00-04:00"));
}

#[test]
fn what_is_sent_on_demand_goes_now() {
    let schedule = Schedule { max_lateness: None, ..schedule(&[SendEntry::Now]) };
    let plan_at = |now: &str| {
        let zones = [America::New_York];
        let method = ContactMethod::Sms;
        let plans = plan_row(&PlanInput {
            schedule: &schedule,
            method,
            appointment: None,
            zones: &zones,
            rules: &[],
            now: at(now),
        });
        let PlanOutcome::Planned { at, .. } = plans[0].outcome else { panic!("skipped") };
        at
    };
    assert_eq!(plan_at("2026-03-10T10:00:00-04:00"), at("2026-03-10T10:00:00-04:00"));
    assert_eq!(
        plan_at("2026-03-10T22:00:00-04:00"),
        at("2026-03-11T08:00:00-04:00"),
        "a window holds if there is one"
    );
}

#[test]
fn an_entry_that_counts_from_an_appointment_needs_one() {
    let schedule = schedule(&[SendEntry::DaysBefore { days: 1, at: None }]);
    let zones = [America::New_York];
    let (method, now) = (ContactMethod::Sms, at(LONG_AGO));
    let plans = plan_row(&PlanInput {
        schedule: &schedule,
        method,
        appointment: None,
        zones: &zones,
        rules: &[],
        now,
    });
    assert_eq!(plans[0].outcome, PlanOutcome::Skipped(SkipReason::NoLegalInstant));
}

#[test]
fn days_count_from_the_written_date() {
    // The appointment's own time is skipped; a day before is not.
    let appointment = Appointment::new("2026-03-08T02:30:00".parse().unwrap(), America::New_York);
    let day_of = base_of(SendEntry::DaysBefore { days: 0, at: None }, &appointment);
    assert_eq!((day_of.at, day_of.note), (appointment.at, LocalTimeNote::Gap));
    let day_before = base_of(SendEntry::DaysBefore { days: 1, at: None }, &appointment);
    assert_eq!(day_before, Resolved { at: at("2026-03-07T02:30:00-05:00"), note: LocalTimeNote::Exact });
}

#[test]
fn on_one_local_day_the_nearest_to_the_appointment_stays() {
    let send =
        [days_before(2, "10:00:00"), SendEntry::HoursBefore { before: 3 * HOUR }, days_before(0, "08:30:00")];
    let plans = plan(&schedule(&send), "2026-05-06T12:00:00", Tz::UTC, LONG_AGO);
    let instants: Vec<_> = plans.iter().map(instant).collect();
    let (first, nearest) = (at("2026-05-04T10:00:00Z"), at("2026-05-06T09:00:00Z"));
    assert_eq!(instants, [Ok(first), Ok(nearest), Err(SkipReason::Duplicate)]);
    assert_eq!(plans[2].trace.duplicate_of, Some(1));
}

#[test]
fn at_the_same_instant_the_later_entry_stays() {
    let send = [days_before(1, "10:00:00"), days_before(1, "10:00:00")];
    let plans = plan(&schedule(&send), "2026-05-06T12:00:00", Tz::UTC, LONG_AGO);
    assert_eq!(instant(&plans[0]), Err(SkipReason::Duplicate));
    assert_eq!(instant(&plans[1]), Ok(at("2026-05-05T10:00:00Z")));
}

#[test]
fn one_that_is_skipped_takes_no_day() {
    let send = [days_before(0, "08:30:00"), days_before(0, "11:30:00")];
    let plans = plan(&schedule(&send), "2026-05-06T12:00:00", Tz::UTC, LONG_AGO);
    assert_eq!(instant(&plans[0]), Ok(at("2026-05-06T08:30:00Z")));
    assert_eq!(instant(&plans[1]), Err(SkipReason::NoLegalInstant));
}

#[test]
fn without_a_window_or_a_zone_nothing_is_legal() {
    let mut schedule = schedule(&[days_before(1, "10:00:00")]);
    let appointment = Appointment::new("2026-05-06T12:00:00".parse().unwrap(), Tz::UTC);
    let input = PlanInput {
        schedule: &schedule,
        method: ContactMethod::Sms,
        appointment: Some(&appointment),
        zones: &[],
        rules: &[],
        now: at(LONG_AGO),
    };
    assert_eq!(instant(&plan_row(&input)[0]), Err(SkipReason::NoLegalInstant));
    schedule.windows.default = None;
    assert_eq!(only(&schedule, "2026-05-06T12:00:00", Tz::UTC), Err(SkipReason::NoLegalInstant));
}

#[rstest]
#[case::at_once("2026-05-05T22:00:00Z", "2026-05-05T22:00:00Z", "2026-05-05T22:05:00.000001Z")]
#[case::in_the_fifth_minute("2026-05-05T22:05:00Z", "2026-05-05T22:05:00Z", "2026-05-05T22:05:00.000001Z")]
#[case::after_it("2026-05-05T22:05:00.000001Z", "2026-05-06T08:00:00Z", "2026-05-06T16:30:00Z")]
fn follow_ups(#[case] now: &str, #[case] sent_at: &str, #[case] until: &str) {
    let incoming_at = at("2026-05-05T22:00:00Z");
    let follow_up =
        follow_up_instant(&schedule(&[]), ContactMethod::Sms, &[Tz::UTC], &[], incoming_at, at(now));
    let legal = LegalInterval { from: at(sent_at), until: at(until) };
    assert_eq!(follow_up, CatchUp::SendAt { at: at(sent_at), legal });
}

#[test]
fn a_follow_up_just_before_the_window_has_its_time_too() {
    let (incoming_at, now) = (at("2026-05-06T07:58:00Z"), at("2026-05-06T07:59:00Z"));
    let follow_up = follow_up_instant(&schedule(&[]), ContactMethod::Sms, &[Tz::UTC], &[], incoming_at, now);
    let legal = LegalInterval { from: now, until: at("2026-05-06T16:30:00Z") };
    assert_eq!(follow_up, CatchUp::SendAt { at: now, legal });
}

#[test]
fn the_trace_says_why_then() {
    let schedule = schedule(&[days_before(1, "02:30:00")]);
    let plan = plan(&schedule, "2026-03-09T09:15:00", America::New_York, "2026-03-09T12:10:00Z").remove(0);
    let expected = "\
        1. 1 day before the appointment's date is 2026-03-08 02:30, which clocks in America/New_York skip: \
        Sun 2026-03-08 03:30 EDT.\n\
        2. Sun 2026-03-08 03:30 EDT is outside the contact window.\n\
        3. the first legal instant after it is Mon 2026-03-09 08:00 EDT.\n\
        4. that had passed at Mon 2026-03-09 08:10 EDT; the next legal instant is Mon 2026-03-09 08:10 EDT, \
        10 min late, within the 4 h allowed.";
    assert_eq!(plan.trace.to_string(), expected);
    let names: Vec<_> = plan.trace.sentences().iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(names, ["base_instant", "legal_instant", "when_closed", "lateness"]);
}

#[test]
fn the_local_day_is_that_of_the_zone() {
    assert_eq!(local_day(at("2026-05-05T20:00:00Z"), Asia::Kathmandu), "2026-05-06".parse().unwrap());
}
