//! Planning by rule packs and in several zones.

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeDelta};
use chrono_tz::America::{Chicago, Los_Angeles, New_York, Phoenix};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_point::ContactPoint;
use crate::domain::rules::{Permission, RuleContact, RulePacks};
use crate::domain::schedule::{AreaCodeZones, ContactWindow, ContactWindows, Day, WhenClosed};

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const TEXAN: &str = "+12145550100";
const KENTUCKIAN: &str = "+15025550100";
const ARIZONAN: &str = "+15205550100";
const WEEK: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn sms(number: &str) -> ContactPoint {
    ContactPoint::parse_stored(ContactMethod::Sms, number).unwrap()
}

fn window(from: &str, to: &str) -> ContactWindow {
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    ContactWindow { days: WEEK.into(), from: time(from), to: time(to) }
}

/// One entry, a day before at this time, from seven in the morning to ten at night.
fn schedule(entry: &str) -> Schedule {
    let time = NaiveTime::parse_from_str(entry, "%H:%M").unwrap();
    Schedule {
        send: vec![SendEntry::DaysBefore { days: 1, at: Some(time) }],
        windows: ContactWindows { default: Some(window("07:00", "22:00")), by_method: BTreeMap::new() },
        ..Schedule::default()
    }
}

fn packs(names: &[&str]) -> RulePacks {
    RulePacks::standard().select(names).unwrap()
}

/// The plan of advertising to a number for an appointment in this zone.
fn plan(
    schedule: &Schedule,
    packs: &RulePacks,
    (number, local, zone): (&str, &str, Tz),
    now: &str,
) -> EntryPlan {
    let contact = sms(number);
    let zones = contact_zones(schedule, zone, &contact);
    let rules = packs.binding(&contact, Purpose::Marketing, Some(20));
    let input = PlanInput {
        schedule,
        method: ContactMethod::Sms,
        appointment: Some(&Appointment::new(local.parse().unwrap(), zone)),
        zones: &zones,
        rules: &rules,
        now: at(now),
    };
    plan_row(&input).remove(0)
}

fn instant(plan: &EntryPlan) -> Option<DateTime<Utc>> {
    match plan.outcome {
        PlanOutcome::Planned { at, legal } => {
            assert!(legal.contains(at));
            Some(at)
        }
        PlanOutcome::Skipped(reason) => {
            assert_eq!(reason, SkipReason::NoLegalInstant);
            None
        }
    }
}

/// Appointments on a Monday, so that the message falls on Sunday 10 May.
#[rstest]
#[case::later(WhenClosed::Later, "10:00", Some("2026-05-10T12:00:00-05:00"))]
#[case::earlier(WhenClosed::Earlier, "10:00", Some("2026-05-09T20:59:00-05:00"))]
#[case::nearest(WhenClosed::Nearest, "10:00", Some("2026-05-10T12:00:00-05:00"))]
#[case::skip(WhenClosed::Skip, "10:00", None)]
#[case::permitted(WhenClosed::Skip, "12:00", Some("2026-05-10T12:00:00-05:00"))]
#[case::window_closed_too(WhenClosed::Later, "06:00", Some("2026-05-10T12:00:00-05:00"))]
#[case::window_first(WhenClosed::Later, "23:00", Some("2026-05-11T09:00:00-05:00"))]
fn texas_on_sunday(#[case] when_closed: WhenClosed, #[case] entry: &str, #[case] expected: Option<&str>) {
    let schedule = Schedule { when_closed, ..schedule(entry) };
    let states = packs(&["us_state_hours"]);
    let plan = plan(&schedule, &states, (TEXAN, "2026-05-11T15:00:00", Chicago), LONG_AGO);
    assert_eq!(instant(&plan), expected.map(at));
    let named = plan.trace.rule.as_ref().map(|held| held.rule.as_str());
    assert_eq!(named, (entry != "12:00").then_some("us_state_hours/tx_texts"));
}

#[test]
fn the_legal_interval_ends_where_a_rule_does() {
    let plan = plan(
        &schedule("20:00"),
        &packs(&["us_federal_hours"]),
        (ARIZONAN, "2026-05-07T15:00:00", Phoenix),
        LONG_AGO,
    );
    let PlanOutcome::Planned { at: planned, legal } = plan.outcome else { panic!("skipped") };
    assert_eq!(planned, at("2026-05-06T20:00:00-07:00"));
    assert_eq!(
        legal,
        LegalInterval { from: at("2026-05-06T08:00:00-07:00"), until: at("2026-05-06T21:00:00-07:00") }
    );
}

#[test]
fn delivery_ends_where_a_rule_does() {
    let contact = sms(ARIZONAN);
    let federal = packs(&["us_federal_hours"]);
    let rules = federal.binding(&contact, Purpose::CareReminder, None);
    let appointment = Appointment::new("2026-05-08T15:00:00".parse().unwrap(), Phoenix);
    let until = |rules: &[_], start| {
        deliver_until(
            &schedule("20:00"),
            ContactMethod::Sms,
            Some(&appointment),
            &[Phoenix],
            rules,
            at(start),
        )
    };
    let evening = "2026-05-06T20:30:00-07:00";
    assert_eq!(until(&rules, evening), Some(at("2026-05-06T21:00:00-07:00")));
    assert_eq!(until(&[], evening), Some(at("2026-05-06T22:00:00-07:00")));
    assert_eq!(until(&rules, "2026-05-06T21:00:00-07:00"), None);
}

#[test]
fn a_late_message_waits_for_a_rule() {
    let kentucky = packs(&["us_state_hours"]);
    let who = (KENTUCKIAN, "2026-05-07T15:00:00", New_York);
    let late = plan(&schedule("12:00"), &kentucky, who, "2026-05-07T08:00:00-04:00");
    assert_eq!(instant(&late), Some(at("2026-05-07T10:00:00-04:00")));
    assert_eq!(
        late.trace.to_string().lines().last(),
        Some(
            "4. that had passed at Thu 2026-05-07 08:00 EDT, as us_state_hours/ky does not permit Thu 2026-05-07 \
             08:00 EDT; the next legal instant is Thu 2026-05-07 10:00 EDT, 22 h late, and the campaign sets no \
             limit."
        )
    );

    let contact = sms(KENTUCKIAN);
    let rules = kentucky.binding(&contact, Purpose::Marketing, None);
    let caught_up = catch_up(&LateInput {
        schedule: &schedule("12:00"),
        method: ContactMethod::Sms,
        appointment: Some(&Appointment::new(who.1.parse().unwrap(), who.2)),
        zones: &[who.2],
        rules: &rules,
        planned_at: at("2026-05-06T12:00:00-04:00"),
        now: at("2026-05-07T08:00:00-04:00"),
    });
    let CatchUp::SendAt { at: sent_at, .. } = caught_up else { panic!("too late") };
    assert_eq!(sent_at, at("2026-05-07T10:00:00-04:00"));
}

/// Rules do not hold up an answer that goes at once.
#[rstest]
#[case::at_once("2026-05-06T21:59:00-07:00", "2026-05-06T21:59:00-07:00", "2026-05-06T22:00:00.000001-07:00")]
#[case::later("2026-05-06T22:01:00-07:00", "2026-05-07T08:00:00-07:00", "2026-05-07T21:00:00-07:00")]
fn follow_ups(#[case] now: &str, #[case] sent_at: &str, #[case] until: &str) {
    let federal = packs(&["us_federal_hours"]);
    let contact = sms(ARIZONAN);
    let rules = federal.binding(&contact, Purpose::CareReminder, None);
    let incoming_at = at("2026-05-06T21:55:00-07:00");
    let found =
        follow_up_instant(&schedule("12:00"), ContactMethod::Sms, &[Phoenix], &rules, incoming_at, at(now));
    let legal = LegalInterval { from: at(sent_at), until: at(until) };
    let CatchUp::SendAt { at: found_at, legal: found_legal } = found else { panic!("too late") };
    assert_eq!((found_at, found_legal.until), (at(sent_at), legal.until));
}

/// Windows may be left out altogether; closed dates and rules hold.
#[rstest]
#[case::any_hour(&[], "2026-05-07T03:00:00-07:00", Some("2026-05-07T03:00:00-07:00"))]
#[case::closed_date(&[], "2026-05-08T03:00:00-07:00", Some("2026-05-09T00:00:00-07:00"))]
#[case::rules(&["us_federal_hours"], "2026-05-07T03:00:00-07:00", Some("2026-05-07T08:00:00-07:00"))]
#[case::both(&["us_federal_hours"], "2026-05-07T21:00:00-07:00", Some("2026-05-09T08:00:00-07:00"))]
fn without_windows(#[case] names: &[&str], #[case] now: &str, #[case] expected: Option<&str>) {
    let mut schedule = schedule("12:00");
    schedule.windows = ContactWindows::default();
    schedule.closed_dates = ["2026-05-08".parse().unwrap()].into();
    let packs = packs(names);
    let contact = sms(ARIZONAN);
    let rules = packs.binding(&contact, Purpose::Marketing, None);
    let found = catch_up(&LateInput {
        schedule: &schedule,
        method: ContactMethod::Sms,
        appointment: Some(&Appointment::new("2026-06-01T12:00:00".parse().unwrap(), Phoenix)),
        zones: &[Phoenix],
        rules: &rules,
        planned_at: at(now),
        now: at(now),
    });
    let found = match found {
        CatchUp::SendAt { at, .. } => Some(at),
        CatchUp::TooLate => None,
    };
    assert_eq!(found, expected.map(at));
}

#[rstest]
#[case::contact_zone_only(AreaCodeZones::Ignored, "+12135550100", Some("2026-05-06T08:00:00-04:00"))]
#[case::all_candidates(AreaCodeZones::Candidates, "+12135550100", Some("2026-05-06T10:00:00-04:00"))]
#[case::same_zone(AreaCodeZones::Candidates, "+12125550100", Some("2026-05-06T08:00:00-04:00"))]
// When Guam opens; it is half past six in the evening in Newfoundland.
#[case::toll_free(AreaCodeZones::Candidates, "+18005550100", Some("2026-05-06T17:00:00-04:00"))]
#[case::no_country(AreaCodeZones::Candidates, "+80012345678", None)]
fn area_codes(#[case] zones: AreaCodeZones, #[case] number: &str, #[case] expected: Option<&str>) {
    let schedule = Schedule { area_code_zones: zones, ..schedule("08:00") };
    let who = (number, "2026-05-07T15:00:00", New_York);
    let plan = plan(&schedule, &RulePacks::none(), who, LONG_AGO);
    assert_eq!(instant(&plan), expected.map(at));
    assert!(plan.trace.rule.is_none());
}

#[test]
fn no_office_hours_fit_the_whole_north_american_plan() {
    let mut schedule = Schedule { area_code_zones: AreaCodeZones::Candidates, ..schedule("08:00") };
    schedule.windows.default = Some(window("08:00", "18:00"));
    let who = ("+18005550100", "2026-05-07T15:00:00", New_York);
    assert_eq!(instant(&plan(&schedule, &RulePacks::none(), who, LONG_AGO)), None);
}

#[test]
fn the_trace_names_the_other_zone() {
    let schedule = Schedule { area_code_zones: AreaCodeZones::Candidates, ..schedule("08:00") };
    let who = ("+12135550100", "2026-05-07T15:00:00", New_York);
    let plan = plan(&schedule, &RulePacks::none(), who, LONG_AGO);
    assert_eq!(plan.trace.closed_in, Some(Los_Angeles));
    let sentence = "2. Wed 2026-05-06 08:00 EDT is outside the contact window in America/Los_Angeles, where the \
                    person may be too: it is Wed 2026-05-06 05:00 PDT there.";
    assert_eq!(plan.trace.to_string().lines().nth(1), Some(sentence));
}

#[test]
fn the_trace_names_the_rule() {
    let states = packs(&["us_federal_hours", "us_state_hours"]);
    let trace = |entry| {
        let who = (TEXAN, "2026-05-11T15:00:00", Chicago);
        plan(&schedule(entry), &states, who, LONG_AGO).trace.to_string()
    };
    assert_eq!(
        trace("10:00"),
        "1. 1 day before the appointment's date is Sun 2026-05-10 10:00 CDT.\n\
         2. Sun 2026-05-10 10:00 CDT is inside the contact window, but us_state_hours/tx_texts does not permit it.\n\
         3. the first legal instant after it is Sun 2026-05-10 12:00 CDT."
    );
    assert_eq!(
        trace("06:00"),
        "1. 1 day before the appointment's date is Sun 2026-05-10 06:00 CDT.\n\
         2. Sun 2026-05-10 06:00 CDT is outside the contact window.\n\
         3. the first legal instant after it is Sun 2026-05-10 12:00 CDT, as us_state_hours/tx_texts does not permit Sun 2026-05-10 07:00 CDT."
    );
}

#[test]
fn a_trace_of_an_older_release_is_read() {
    let who = (ARIZONAN, "2026-05-07T15:00:00", Phoenix);
    let trace = plan(&schedule("10:00"), &RulePacks::none(), who, LONG_AGO).trace;
    let json = serde_json::to_value(&trace).unwrap();
    assert!(json.get("rule").is_none() && json.get("closed_in").is_none());
    assert_eq!(serde_json::from_value::<PlanTrace>(json).unwrap(), trace);

    let held = plan(&schedule("06:00"), &packs(&["us_federal_hours"]), who, LONG_AGO).trace;
    let json = serde_json::to_value(&held).unwrap();
    assert_eq!(json["rule"]["rule"], "us_federal_hours/solicitation");
    assert_eq!(serde_json::from_value::<PlanTrace>(json).unwrap(), held);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A stricter campaign never sends at an instant that a freer one forbids, whatever moves the message.
    #[test]
    fn what_is_planned_is_permitted(
        (names, area) in (prop::sample::subsequence(vec!["us_federal_hours", "us_state_hours"], 0..=2), any::<bool>()),
        number in prop::sample::select(vec![TEXAN, KENTUCKIAN, ARIZONAN, "+12055550100", "+12705550100", "+19075550100"]),
        when_closed in prop::sample::select(vec![WhenClosed::Later, WhenClosed::Earlier, WhenClosed::Nearest]),
        (entry, day) in (0_u32..48, 0_i64..600),
    ) {
        let entry = format!("{:02}:{:02}", entry / 2, entry % 2 * 30);
        let area_code_zones = if area { AreaCodeZones::Candidates } else { AreaCodeZones::Ignored };
        let strict = Schedule { when_closed, area_code_zones, ..schedule(&entry) };
        let local = at("2026-01-01T15:00:00Z").naive_utc() + TimeDelta::days(day);
        let who = (number, &*local.format("%Y-%m-%dT%H:%M:%S").to_string(), New_York);
        let packs = packs(&names);
        let planned = plan(&strict, &packs, who, LONG_AGO);
        if let Some(found) = instant(&planned) {
            let contact = sms(number);
            let zones = contact_zones(&strict, New_York, &contact);
            for zone in &*zones {
                let time = reading(found, *zone).time();
                prop_assert!(time >= "07:00:00".parse().unwrap() && time < "22:00:00".parse().unwrap());
            }
            let asked = RuleContact { point: &contact, zones: &zones };
            let answer = packs.permitted(found, &asked, Purpose::Marketing, Some(20));
            prop_assert_eq!(answer, Permission::Yes);
            let freer = plan(&schedule(&entry), &RulePacks::none(), who, LONG_AGO);
            prop_assert_eq!(planned.trace.rule.is_some(), planned.trace.rule.as_ref().is_some_and(|held| {
                packs.permitted(held.instead_of, &asked, Purpose::Marketing, Some(20)) != Permission::Yes
            }));
            if when_closed == WhenClosed::Later {
                prop_assert!(instant(&freer).is_some_and(|free| free <= found));
            }
        }
    }
}
