use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveTime, Timelike as _};
use chrono_tz::America::{New_York, Phoenix};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::answers::Chance;
use crate::domain::schedule::{ContactWindow, ContactWindows, Day};

const HOUR: Duration = Duration::from_hours(1);

/// The chance of an answer in each part of three hours, in thousandths; `None` where nobody was contacted.
struct Parts([Option<u16>; 8]);

impl Parts {
    fn of(&self, hour: u8) -> Option<u16> {
        self.0[usize::from(hour / 3)]
    }
}

impl LikelyHours for Parts {
    fn knows(&self, hour: u8) -> bool {
        self.of(hour).is_some()
    }

    fn expect(&self, hour: u8) -> f64 {
        f64::from(self.of(hour).unwrap_or(500)) / 1_000.0
    }

    fn chance(&self, hour: u8) -> Chance {
        let mean = self.of(hour).unwrap_or(500);
        Chance { mean, low: mean, high: mean }
    }

    fn as_of(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

/// The rates of the parts from nine, twelve and fifteen o'clock.
fn day(rates: [Option<u16>; 3]) -> Parts {
    let [morning, noon, afternoon] = rates;
    Parts([None, None, None, morning, noon, afternoon, None, None])
}

fn schedule(at: &str, max_lateness: Option<Duration>) -> Schedule {
    let days = BTreeSet::from([Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun]);
    let window = ContactWindow { days, from: "08:00:00".parse().unwrap(), to: "19:00:00".parse().unwrap() };
    Schedule {
        send: vec![SendEntry::DaysBefore { days: 1, at: at.parse().ok() }],
        windows: ContactWindows { default: Some(window), by_method: BTreeMap::new() },
        max_lateness,
        ..Schedule::default()
    }
}

/// The plan for an appointment on a Thursday at three, by the rules alone and with hours preferred.
fn both(schedule: &Schedule, now: &str, hours: &Parts) -> (EntryPlan, EntryPlan) {
    let appointment = Appointment::new("2026-03-12T15:00:00".parse().unwrap(), Phoenix);
    let input = PlanInput {
        schedule,
        method: ContactMethod::Sms,
        appointment: Some(&appointment),
        zones: &[Phoenix],
        rules: &[],
        now: now.parse().unwrap(),
    };
    let plan = plan_row(&input).remove(0);
    let mut preferred = plan.clone();
    prefer_hour(&mut preferred, schedule, Phoenix, hours);
    (plan, preferred)
}

fn local(plan: &EntryPlan) -> String {
    let PlanOutcome::Planned { at, .. } = plan.outcome else { panic!("{plan:?}") };
    at.with_timezone(&Phoenix).format("%a %H:%M").to_string()
}

const LONG_BEFORE: &str = "2026-03-01T00:00:00Z";

#[rstest]
#[case::better_at_noon([Some(200), Some(300), None], "10:00", 8, "Wed 12:00")]
#[case::best_in_the_afternoon([Some(200), Some(300), Some(301)], "10:00", 8, "Wed 15:00")]
#[case::of_two_equal_ones_the_first([Some(200), Some(300), Some(300)], "10:00", 8, "Wed 12:00")]
#[case::no_gain([Some(300), Some(300), Some(200)], "10:00", 8, "Wed 10:00")]
#[case::never_earlier([Some(900), Some(200), None], "12:30", 8, "Wed 12:30")]
#[case::an_hour_is_to_spare([Some(200), Some(300), None], "10:00", 3, "Wed 12:00")]
#[case::no_hour_is_to_spare([Some(200), Some(300), None], "10:01", 2, "Wed 10:01")]
#[case::nobody_was_asked_then([Some(200), None, None], "10:00", 8, "Wed 10:00")]
#[case::nobody_was_asked_before([None, Some(501), None], "10:00", 8, "Wed 12:00")]
fn the_likeliest_hour_is_chosen(
    #[case] rates: [Option<u16>; 3],
    #[case] at: &str,
    #[case] lateness: u32,
    #[case] expected: &str,
) {
    let schedule = schedule(&format!("{at}:00"), Some(lateness * HOUR));
    let (plan, preferred) = both(&schedule, LONG_BEFORE, &day(rates));
    assert_eq!(local(&preferred), expected);
    assert_eq!(preferred.trace.planned_at, plan.trace.planned_at, "lateness counts from there");
}

#[test]
fn without_data_every_plan_stays_as_it_is() {
    let (plan, preferred) = both(&schedule("10:00:00", Some(8 * HOUR)), LONG_BEFORE, &Parts([None; 8]));
    assert_eq!(preferred, plan);
}

#[test]
fn what_is_late_or_may_not_be_late_stays() {
    let better = day([Some(200), Some(300), Some(400)]);
    let (plan, preferred) = both(&schedule("10:00:00", None), LONG_BEFORE, &better);
    assert_eq!(preferred, plan);
    let (plan, preferred) = both(&schedule("10:00:00", Some(8 * HOUR)), "2026-03-11T18:00:00Z", &better);
    assert_eq!((local(&plan), &preferred), ("Wed 11:00".to_owned(), &plan));
    let margin = Schedule { closing_margin: 5 * HOUR, ..schedule("10:00:00", Some(8 * HOUR)) };
    assert_eq!(local(&both(&margin, LONG_BEFORE, &better).1), "Wed 12:00", "five hours before closing");
}

#[test]
fn a_trace_tells_of_the_hour() {
    let schedule = schedule("10:00:00", Some(8 * HOUR));
    let said = |rates| both(&schedule, LONG_BEFORE, &day(rates)).1.trace.hour_sentence().unwrap();
    assert_eq!(
        said([Some(200), Some(300), None]),
        "goes at Wed 2026-03-11 12:00 MST, not at Wed 2026-03-11 10:00 MST: an answer is expected with 30.0 % (30.0 to 30.0) \
         then, and with 20.0 % (20.0 to 20.0) before."
    );
    let stays = said([Some(300), Some(200), None]);
    assert!(stays.starts_with("stays at Wed 2026-03-11 10:00 MST"), "{stays}");
}

proptest! {
    /// Whatever is known of the hours: what was planned goes, once, on the same local day of the contact zone, inside its legal
    /// interval, not earlier and not later than it may be; and nothing else does.
    #[test]
    fn an_hour_adds_nothing_and_stays_inside(
        minutes in 0_i64..40 * 24 * 60,
        entry in 0_u32..24 * 60,
        days in 0_u16..3,
        lateness in 0_u64..1_500,
        margin in 0_u64..300,
        (from, to) in (0_u32..24 * 60, 0_u32..24 * 60),
        rates in proptest::array::uniform8(proptest::option::of(0_u16..1_000)),
    ) {
        let time = |minute: u32| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        // Around the day on which the clocks of New York change.
        let start: DateTime<Utc> = "2026-02-15T00:00:00Z".parse().unwrap();
        let local = (start + TimeDelta::minutes(minutes)).with_timezone(&New_York).naive_local();
        let appointment = Appointment::new(local, New_York);
        let max_lateness = Duration::from_mins(lateness);
        let window = ContactWindow { from: time(from), to: time(to), ..schedule("10:00:00", None).windows.default.unwrap() };
        let schedule = Schedule {
            send: vec![
                SendEntry::DaysBefore { days, at: Some(time(entry)) },
                SendEntry::HoursBefore { before: 5 * HOUR },
            ],
            windows: ContactWindows { default: Some(window), by_method: BTreeMap::new() },
            closing_margin: Duration::from_mins(margin),
            ..schedule("10:00:00", Some(max_lateness))
        };
        let input = PlanInput {
            schedule: &schedule,
            method: ContactMethod::Sms,
            appointment: Some(&appointment),
            zones: &[New_York],
            rules: &[],
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let plans = plan_row(&input);
        let hours = Parts(rates);
        for plan in &plans {
            let mut preferred = plan.clone();
            prefer_hour(&mut preferred, &schedule, New_York, &hours);
            let mut again = plan.clone();
            prefer_hour(&mut again, &schedule, New_York, &hours);
            prop_assert_eq!(&again, &preferred);
            let PlanOutcome::Planned { at, legal } = plan.outcome else {
                prop_assert_eq!(&preferred, plan);
                continue;
            };
            let PlanOutcome::Planned { at: chosen, legal: kept } = preferred.outcome else {
                panic!("a message is lost: {preferred:?}");
            };
            prop_assert_eq!(kept, legal);
            prop_assert!(at <= chosen && legal.contains(chosen));
            prop_assert!(chosen - at <= TimeDelta::from_std(max_lateness).unwrap());
            prop_assert_eq!(local_day(chosen, New_York), local_day(at, New_York));
            let rate = |at: DateTime<Utc>| hours.expect(u8::try_from(at.with_timezone(&New_York).hour()).unwrap());
            prop_assert!(chosen == at || rate(chosen) > rate(at));
        }
    }
}
