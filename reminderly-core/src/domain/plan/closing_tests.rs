//! What `closing_margin` leaves until a window closes.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::America::Phoenix;
use proptest::prelude::*;

use super::*;
use crate::domain::schedule::{ContactWindow, ContactWindows, Day, WhenClosed};

const MINUTE: Duration = Duration::from_mins(1);

/// Weekdays from eight to half past four; closed at the base instant, which is at seven in the evening.
fn schedule(when_closed: WhenClosed, margin: Duration) -> Schedule {
    let days = BTreeSet::from([Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri]);
    let window = ContactWindow { days, from: "08:00:00".parse().unwrap(), to: "16:30:00".parse().unwrap() };
    Schedule {
        send: vec![SendEntry::DaysBefore { days: 2, at: "19:00:00".parse().ok() }],
        windows: ContactWindows { default: Some(window), by_method: BTreeMap::new() },
        when_closed,
        closing_margin: margin,
        ..Schedule::default()
    }
}

fn plan(schedule: &Schedule, appointment: &str) -> EntryPlan {
    let appointment = Appointment::new(appointment.parse().unwrap(), Phoenix);
    let input = PlanInput {
        schedule,
        method: ContactMethod::Sms,
        appointment: Some(&appointment),
        zones: &[Phoenix],
        rules: &[],
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
    };
    plan_row(&input).remove(0)
}

fn planned(plan: &EntryPlan) -> String {
    let PlanOutcome::Planned { at, .. } = plan.outcome else { panic!("{plan:?}") };
    at.with_timezone(&Phoenix).format("%a %H:%M").to_string()
}

/// An appointment on a Friday.
const FRIDAY: &str = "2026-03-13T15:00:00";

#[test]
fn earlier_leaves_the_margin_until_closing() {
    for (margin, at) in [(0, "Wed 16:29"), (1, "Wed 16:29"), (10, "Wed 16:20"), (95, "Wed 14:55")] {
        assert_eq!(
            planned(&plan(&schedule(WhenClosed::Earlier, margin * MINUTE), FRIDAY)),
            at,
            "{margin} min"
        );
    }
}

#[test]
fn a_shorter_window_is_used_from_its_first_minute_on() {
    let day = Duration::from_hours(24);
    assert_eq!(planned(&plan(&schedule(WhenClosed::Earlier, day), FRIDAY)), "Wed 08:00");
}

#[test]
fn a_base_that_is_legal_keeps_its_minute() {
    let mut late = schedule(WhenClosed::Earlier, 10 * MINUTE);
    late.send = vec![SendEntry::DaysBefore { days: 2, at: "16:29:00".parse().ok() }];
    assert_eq!(planned(&plan(&late, FRIDAY)), "Wed 16:29");
}

#[test]
fn later_knows_no_margin_and_nearest_compares_what_it_would_take() {
    let later = schedule(WhenClosed::Later, 10 * MINUTE);
    assert_eq!(planned(&plan(&later, FRIDAY)), "Thu 08:00");
    let mut nearest = schedule(WhenClosed::Nearest, Duration::ZERO);
    nearest.send = vec![SendEntry::DaysBefore { days: 2, at: "00:10:00".parse().ok() }];
    assert_eq!(planned(&plan(&nearest, FRIDAY)), "Tue 16:29");
    nearest.closing_margin = 30 * MINUTE;
    assert_eq!(planned(&plan(&nearest, FRIDAY)), "Wed 08:00");
}

#[test]
fn a_trace_tells_what_was_left() {
    let trace = plan(&schedule(WhenClosed::Earlier, 10 * MINUTE), FRIDAY).trace;
    let said = trace.to_string();
    let expected =
        "the last legal minute before it that leaves 10 min until closing is Wed 2026-03-11 16:20 MST.";
    assert!(said.contains(expected), "{said}");
    let trace = plan(&schedule(WhenClosed::Earlier, Duration::from_hours(24)), FRIDAY).trace;
    assert_eq!(trace.closing_margin, None, "so much is not left");
}

proptest! {
    /// A margin moves a message within the interval that it would have without: earlier by at most the margin, to a whole
    /// minute.
    #[test]
    fn a_margin_changes_no_interval(minutes in 0_u64..2_000, day in 9_u32..28, hour in 0_u32..24) {
        let appointment = format!("2026-03-{day:02}T{hour:02}:30:00");
        for when_closed in [WhenClosed::Earlier, WhenClosed::Nearest] {
            let without = plan(&schedule(when_closed, Duration::ZERO), &appointment).outcome;
            let with = plan(&schedule(when_closed, u32::try_from(minutes).unwrap() * MINUTE), &appointment).outcome;
            let (PlanOutcome::Planned { at: last, legal }, PlanOutcome::Planned { at, legal: also }) = (without, with) else {
                prop_assert_eq!(without, with);
                continue;
            };
            if when_closed == WhenClosed::Earlier {
                prop_assert_eq!(legal, also);
                prop_assert!(at <= last && legal.contains(at));
                prop_assert!(last - at <= TimeDelta::from_std(u32::try_from(minutes).unwrap() * MINUTE).unwrap());
            }
            prop_assert!(also.contains(at) && at.timestamp() % 60 == 0);
        }
    }
}
