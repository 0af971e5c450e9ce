use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use chrono_tz::America;
use proptest::prelude::*;

use super::*;
use crate::domain::schedule::{ContactWindow, ContactWindows, Day, WhenClosed};

const HOUR: Duration = Duration::from_hours(1);
const ZONE: Tz = America::New_York;
const METHODS: [ContactMethod; 3] = [ContactMethod::Sms, ContactMethod::Email, ContactMethod::Phone];

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn window(from: &str, to: &str) -> ContactWindow {
    let days = BTreeSet::from([Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri]);
    ContactWindow { days, from: from.parse().unwrap(), to: to.parse().unwrap() }
}

fn schedule(send: &[SendEntry]) -> Schedule {
    Schedule {
        send: send.to_vec(),
        windows: ContactWindows {
            default: Some(window("08:00:00", "16:30:00")),
            by_method: BTreeMap::from([(ContactMethod::Phone, window("10:00:00", "19:00:00"))]),
        },
        closed_dates: BTreeSet::new(),
        when_closed: WhenClosed::Later,
        min_notice: HOUR,
        max_lateness: Some(HOUR),
        ..Schedule::default()
    }
}

/// The outcomes of a ladder of all methods, rung by rung, for one entry.
fn climb(schedule: &Schedule, appointment: &str, now: &str) -> Vec<PlanOutcome> {
    let appointment = Appointment::new(appointment.parse().unwrap(), ZONE);
    let plans = plans(schedule, Some(&appointment), at(now), 2 * HOUR);
    plans.iter().map(|entries| entries[0].outcome).collect()
}

fn plans(
    schedule: &Schedule,
    appointment: Option<&Appointment>,
    now: DateTime<Utc>,
    wait: Duration,
) -> Vec<Vec<EntryPlan>> {
    let zones = [ZONE];
    let rungs = METHODS
        .map(|method| PlanInput { schedule, method, appointment, zones: &zones, rules: &[], now }.into());
    plan_ladder(&rungs, wait)
}

fn planned(outcomes: &[PlanOutcome]) -> Vec<Result<String, SkipReason>> {
    let local = |outcome: &PlanOutcome| match outcome {
        PlanOutcome::Planned { at, .. } => Ok(at.with_timezone(&ZONE).format("%a %H:%M").to_string()),
        PlanOutcome::Skipped(reason) => Err(*reason),
    };
    outcomes.iter().map(local).collect()
}

fn times(instants: [&str; 3]) -> Vec<Result<String, SkipReason>> {
    instants.map(|instant| Ok(instant.to_owned())).to_vec()
}

#[test]
fn rungs_follow_each_other() {
    let schedule = schedule(&[SendEntry::DaysBefore { days: 1, at: "10:00:00".parse().ok() }]);
    let outcomes = climb(&schedule, "2026-03-11T15:00:00", "2026-03-01T00:00:00Z");
    assert_eq!(planned(&outcomes), times(["Tue 10:00", "Tue 12:00", "Tue 14:00"]));
}

#[test]
fn a_rung_waits_for_its_window() {
    let schedule = schedule(&[SendEntry::DaysBefore { days: 2, at: "16:00:00".parse().ok() }]);
    let outcomes = climb(&schedule, "2026-03-12T15:00:00", "2026-03-01T00:00:00Z");
    assert_eq!(planned(&outcomes), times(["Tue 16:00", "Wed 08:00", "Wed 10:00"]));
}

#[test]
fn the_first_rung_moves_so_that_all_fit_before_the_appointment() {
    let schedule = schedule(&[SendEntry::HoursBefore { before: 3 * HOUR }]);
    let outcomes = climb(&schedule, "2026-03-11T15:00:00", "2026-03-01T00:00:00Z");
    assert_eq!(planned(&outcomes), times(["Wed 10:00", "Wed 12:00", "Wed 14:00"]));
}

#[test]
fn what_does_not_fit_any_more_is_left_out() {
    let schedule = schedule(&[SendEntry::HoursBefore { before: 3 * HOUR }]);
    let outcomes = climb(&schedule, "2026-03-11T15:00:00", "2026-03-11T11:00:00-04:00");
    let expected = [Ok("Wed 11:00".to_owned()), Ok("Wed 13:00".to_owned()), Err(SkipReason::NoLegalInstant)];
    assert_eq!(planned(&outcomes), expected);
}

#[test]
fn the_next_rung_takes_the_place_of_one_without_a_legal_instant() {
    let mut schedule = schedule(&[SendEntry::HoursBefore { before: 20 * HOUR }]);
    schedule.windows.by_method.insert(
        ContactMethod::Sms,
        ContactWindow { days: [Day::Sun].into(), ..window("08:00:00", "09:00:00") },
    );
    schedule.when_closed = WhenClosed::Later;
    let outcomes = climb(&schedule, "2026-03-11T10:00:00", "2026-03-10T09:00:00-04:00");
    let expected = [Err(SkipReason::NoLegalInstant), Ok("Tue 14:00".to_owned()), Ok("Tue 16:00".to_owned())];
    assert_eq!(planned(&outcomes), expected);
}

#[test]
fn a_rung_that_comes_too_late_leaves_the_others_their_time() {
    let schedule = schedule(&[SendEntry::DaysBefore { days: 1, at: "10:00:00".parse().ok() }]);
    let outcomes = climb(&schedule, "2026-03-11T15:00:00", "2026-03-10T11:30:00-04:00");
    let expected = [Err(SkipReason::PastDue), Ok("Tue 12:00".to_owned()), Ok("Tue 14:00".to_owned())];
    assert_eq!(planned(&outcomes), expected);
}

/// A ladder for an appointment on Wednesday that is due on Tuesday at ten, planned at half past eleven on Tuesday, where its first
/// rung told the person something at this instant, or none.
fn climb_again(told_at: Option<&str>, lost: Option<SkipReason>) -> Vec<PlanOutcome> {
    let mut schedule = schedule(&[SendEntry::DaysBefore { days: 1, at: "10:00:00".parse().ok() }]);
    schedule.max_lateness = Some(4 * HOUR);
    let appointment = Appointment::new("2026-03-11T15:00:00".parse().unwrap(), ZONE);
    let (zones, now) = ([ZONE], at("2026-03-10T11:30:00-04:00"));
    let mut rungs: Vec<LadderRung<'_>> = METHODS
        .iter()
        .map(|method| PlanInput {
            schedule: &schedule,
            method: *method,
            appointment: Some(&appointment),
            zones: &zones,
            rules: &[],
            now,
        })
        .map(LadderRung::from)
        .collect();
    (rungs[0].told_at, rungs[0].lost) = (told_at.map(at), lost);
    plan_ladder(&rungs, 2 * HOUR).iter().map(|entries| entries[0].outcome).collect()
}

#[test]
fn the_wait_counts_from_when_the_person_was_told() {
    let late = climb_again(None, None);
    assert_eq!(planned(&late), times(["Tue 11:30", "Tue 13:30", "Tue 15:30"]));
    let told = climb_again(Some("2026-03-10T10:05:00-04:00"), None);
    assert_eq!(planned(&told), times(["Tue 11:30", "Tue 12:05", "Tue 14:05"]));
    let before = climb_again(Some("2026-03-10T09:00:00-04:00"), None);
    assert_eq!(before, late, "what was told before the ladder was due was another reminder");
}

#[test]
fn a_rung_that_is_lost_counts_only_where_it_told_the_person() {
    let lost = Some(SkipReason::InvalidContactPoint);
    let skipped = Err(SkipReason::InvalidContactPoint);
    let told = climb_again(Some("2026-03-10T10:05:00-04:00"), lost);
    assert_eq!(planned(&told), [skipped.clone(), Ok("Tue 12:05".to_owned()), Ok("Tue 14:05".to_owned())]);
    let untold = climb_again(None, lost);
    assert_eq!(planned(&untold), [skipped, Ok("Tue 11:30".to_owned()), Ok("Tue 13:30".to_owned())]);
}

#[test]
fn a_ladder_may_have_begun_with_any_of_its_methods() {
    let mut schedule = schedule(&[SendEntry::DaysBefore { days: 1, at: "09:00:00".parse().ok() }]);
    schedule.windows.by_method.insert(ContactMethod::Sms, window("12:00:00", "16:30:00"));
    let appointment = Appointment::new("2026-03-11T15:00:00".parse().unwrap(), ZONE);
    let (zones, now) = ([ZONE], at("2026-03-01T00:00:00Z"));
    let inputs = [ContactMethod::Sms, ContactMethod::Email].map(|method| PlanInput {
        schedule: &schedule,
        method,
        appointment: Some(&appointment),
        zones: &zones,
        rules: &[],
        now,
    });
    let nine = Some(at("2026-03-10T09:00:00-04:00"));
    assert_eq!(earliest_starts(&inputs, Some(HOUR)), [nine], "the e-mail, had the text message been refused");
    assert_eq!(earliest_starts(&inputs[..1], None), [Some(at("2026-03-10T12:00:00-04:00"))]);
    // Two days would have to lie between them.
    let early = earliest_starts(&inputs, Some(48 * HOUR));
    assert_eq!(early, [Some(at("2026-03-09T14:00:00-04:00"))]);
}

#[test]
fn on_demand_there_is_nothing_to_fit_before() {
    let schedule = schedule(&[SendEntry::Now]);
    let plans = plans(&schedule, None, at("2026-03-10T11:30:00-04:00"), HOUR);
    let outcomes: Vec<_> = plans.iter().map(|entries| entries[0].outcome).collect();
    assert_eq!(planned(&outcomes), times(["Tue 11:30", "Tue 12:30", "Tue 13:30"]));
}

#[test]
fn entries_of_one_day_make_one_ladder() {
    let noon = SendEntry::DaysBefore { days: 1, at: "12:00:00".parse().ok() };
    let schedule = schedule(&[SendEntry::DaysBefore { days: 1, at: "09:00:00".parse().ok() }, noon]);
    let appointment = Appointment::new("2026-03-12T15:00:00".parse().unwrap(), ZONE);
    let plans = plans(&schedule, Some(&appointment), at("2026-03-01T00:00:00Z"), HOUR);
    for rung in &plans {
        assert_eq!(rung[0].outcome, PlanOutcome::Skipped(SkipReason::Duplicate));
        assert_eq!(rung[0].trace.duplicate_of, Some(1));
        assert!(matches!(rung[1].outcome, PlanOutcome::Planned { .. }));
    }
}

#[test]
fn a_trace_tells_of_the_ladder() {
    let schedule = schedule(&[SendEntry::HoursBefore { before: 3 * HOUR }]);
    let appointment = Appointment::new("2026-03-11T15:00:00".parse().unwrap(), ZONE);
    let plans = plans(&schedule, Some(&appointment), at("2026-03-01T00:00:00Z"), 2 * HOUR);
    let last = |rung: usize| plans[rung][0].trace.sentences().pop().unwrap();
    let moved = "rung 1 of 3: moved, so that the rungs above fit before the appointment; latest Wed 2026-03-11 10:00 EDT.";
    assert_eq!(last(0), (PlanRule::Ladder, moved.to_owned()));
    let above = "rung 2 of 3: goes if the rung below fails, or has no answer after 2 h.";
    assert_eq!(last(1), (PlanRule::Ladder, above.to_owned()));
}

proptest! {
    /// Whatever the appointment, the wait and the instant of planning: every rung that goes is legal, leaves the least notice
    /// and comes at least the wait after the one below it.
    #[test]
    fn rungs_are_legal_and_apart(
        minutes in 0_i64..30 * 24 * 60,
        ahead in 0_i64..10 * 24 * 60,
        wait in 1_u64..600,
        before in 1_u64..4 * 24,
    ) {
        let now = at("2026-03-01T00:00:00Z") + TimeDelta::minutes(minutes);
        let local = (now + TimeDelta::minutes(ahead)).with_timezone(&ZONE).naive_local();
        let appointment = Appointment::new(local.with_time_at_minute(), ZONE);
        let schedule = schedule(&[SendEntry::HoursBefore { before: Duration::from_hours(before) }]);
        let wait = Duration::from_mins(wait);
        let zones = [ZONE];
        let mut below: Option<DateTime<Utc>> = None;
        for (method, plans) in METHODS.into_iter().zip(plans(&schedule, Some(&appointment), now, wait)) {
            let PlanOutcome::Planned { at, legal } = plans[0].outcome else { continue };
            let times = legal_times(&schedule, method, &zones, &[], latest(&schedule, Some(&appointment))).unwrap();
            prop_assert!(times.is_legal(at) && legal.contains(at));
            prop_assert!(at >= now && at + HOUR <= appointment.at);
            prop_assert!(below.is_none_or(|below| at - below >= TimeDelta::from_std(wait).unwrap()));
            below = Some(at);
        }
    }
}

/// Appointments are written to the minute.
trait ToTheMinute {
    fn with_time_at_minute(self) -> Self;
}

impl ToTheMinute for NaiveDateTime {
    fn with_time_at_minute(self) -> Self {
        use chrono::Timelike as _;
        let time = self.time();
        self.date().and_time(NaiveTime::from_hms_opt(time.hour(), time.minute(), 0).unwrap())
    }
}
