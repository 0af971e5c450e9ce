//! Schedules and rules of hosts, and what is planned by them.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America::New_York;
use chrono_tz::Tz;
use reminderly_core::domain::appointment::Appointment;
use reminderly_core::domain::campaign::definition::Purpose;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, EmailAddress, PhoneNumber};
use reminderly_core::domain::mapping::check;
use reminderly_core::domain::plan::{PlanInput, PlanOutcome, plan_row};
use reminderly_core::domain::rules::{BoundRule, DayHours, RulePack, RulePacks};
use reminderly_core::domain::schedule::{Schedule, SendEntry};
use serde_json::Value;

use super::text;
use crate::material;
use crate::world::instant;

/// Where the person is. Its clocks go forward on the day before the appointment.
const ZONE: Tz = New_York;

static DOCUMENT: LazyLock<Value> = LazyLock::new(material::document);

static NOW: LazyLock<DateTime<Utc>> = LazyLock::new(|| instant("2026-03-01T00:00:00Z"));

/// Monday, 9 March 2026, 09:15.
static APPOINTMENT: LazyLock<Appointment> =
    LazyLock::new(|| Appointment::new(instant("2026-03-09T09:15:00Z").naive_utc(), ZONE));

static CONTACTS: LazyLock<[ContactPoint; 3]> = LazyLock::new(|| {
    let number = PhoneNumber::parse("+12122340001", None).expect("a number");
    let address = EmailAddress::parse("ann@example.com").expect("an address");
    [ContactPoint::Sms(number.clone()), ContactPoint::Email(address), ContactPoint::Phone(number)]
});

/// By a schedule that a campaign may have, messages are planned in legal hours, with the notice that it wants.
pub(super) fn schedule(bytes: &[u8]) {
    let Ok(schedule) = serde_json::from_slice(bytes) else { return };
    let mut document = DOCUMENT.clone();
    document["schedule"] = schedule;
    let Ok(campaign) = check(&document.to_string()) else { return };
    let definition = campaign.definition();
    for contact in &*CONTACTS {
        let rules = campaign.rule_packs().binding(contact, definition.purpose, None);
        plan(&definition.schedule, contact.method(), &rules);
    }
}

/// What is kept of a pack comes back, and what is planned under it is what its rules permit.
pub(super) fn rule_pack(bytes: &[u8]) {
    let Ok(pack) = serde_json::from_str::<RulePack>(&text(bytes)) else { return };
    let kept = serde_json::to_string(&pack).expect("a pack can be kept");
    assert_eq!(serde_json::from_str::<RulePack>(&kept).ok().as_ref(), Some(&pack));
    let packs = RulePacks::none().with(pack).expect("no other has its name");
    let schedule = Schedule {
        send: vec![
            SendEntry::DaysBefore { days: 2, at: None },
            SendEntry::HoursBefore { before: Duration::from_hours(3) },
        ],
        ..Schedule::default()
    };
    for contact in &*CONTACTS {
        for purpose in [Purpose::CareReminder, Purpose::Informational, Purpose::Marketing] {
            plan(&schedule, contact.method(), &packs.binding(contact, purpose, Some(100)));
        }
    }
}

fn plan(schedule: &Schedule, method: ContactMethod, rules: &[BoundRule<'_>]) {
    let input =
        PlanInput { schedule, method, appointment: Some(&APPOINTMENT), zones: &[ZONE], rules, now: *NOW };
    let plans = plan_row(&input);
    assert_eq!(plans.len(), schedule.send.len());
    assert_eq!(plan_row(&input), plans);
    let notice = TimeDelta::from_std(schedule.min_notice).expect("a document allows no more");
    for plan in plans {
        let PlanOutcome::Planned { at, legal } = plan.outcome else { continue };
        assert!(legal.contains(at) && at >= *NOW, "{at} in {legal:?}");
        assert!(at <= APPOINTMENT.at - notice, "{at} is too late");
        let local = at.with_timezone(&ZONE).naive_local();
        for rule in rules {
            let hours = rule.hours_on(local.date());
            assert!(
                hours.is_some_and(|hours| is_within(hours, &local.format("%H:%M").to_string())),
                "{local}"
            );
        }
    }
}

/// By the texts of the hours, which sort as they follow each other.
fn is_within(hours: DayHours, clock: &str) -> bool {
    hours.to_string().split_once('-').is_some_and(|(from, to)| from <= clock && clock < to)
}
