//! Rule packs and area codes, from the file to the provider's log.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::America::{Los_Angeles, New_York, Phoenix};
use chrono_tz::Tz;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::{Detail, MessageRecord};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::rules::{RulePack, RulePacks};
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::services::{CompiledCampaigns, Explain, Mapping, ServiceError, Settings};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const TEXAN: &str = "+12145550100";
const ALABAMIAN: &str = "+12055550100";
const ARIZONAN: &str = "+15205550100";
const ANGELENO: &str = "+12135550100";
const NEW_YORKER: &str = "+12125550100";
const TOLL_FREE: &str = "+18005550100";

/// Every hour of every day, as far as windows go.
fn open_always() -> (&'static str, Value) {
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    ("/schedule/windows", json!({ "default": { "days": days, "from": "00:00", "to": "00:00" } }))
}

fn day_before(at: &str) -> (&'static str, Value) {
    ("/schedule/send", json!([{ "days_before": 1, "at": at }]))
}

struct Ran {
    world: World,
    campaign: Campaign,
    /// The number, when the provider took it, and until when it may deliver; by number.
    taken: Vec<(String, DateTime<Utc>, DateTime<Utc>)>,
}

impl Ran {
    fn when(&self) -> Vec<(&str, DateTime<Utc>)> {
        self.taken.iter().map(|(number, at, _)| (number.as_str(), *at)).collect()
    }

    fn record(&self, number: &str) -> MessageRecord {
        let records = judge::records(&self.world, &self.campaign).into_iter();
        let is_to = |record: &MessageRecord| {
            record.message.contact.as_ref().is_some_and(|contact| contact.address() == number)
        };
        records.into_iter().find(is_to).unwrap()
    }

    fn explained(&self, number: &str) -> String {
        let message = self.record(number).message;
        let view = self.world.scope(self.campaign.company, Action::ViewMessages);
        let explain = Explain::new(&self.world.ports);
        block_on(explain.message(&view, message.packet, message.id)).unwrap().to_string()
    }
}

/// Runs a campaign with these changes to its end.
fn run(setup: &Setup, changes: &[(&str, Value)], (numbers, at): (&[&str], &str)) -> Ran {
    let mut world = World::new(setup);
    let company = world.company();
    let campaign = world.campaign(company, &material::document_with(changes));
    let lines = numbers.iter().enumerate().map(|(index, cell)| material::line(index, cell, at));
    let data: String = std::iter::once(material::HEADER.to_owned()).chain(lines).collect();
    world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_to_end();
    // The windows are these tests' own.
    judge::at_most_once(&world);
    judge::everything_ended(&world, &campaign);
    judge::accounted_for(&world, &campaign);
    judge::told_the_truth(&world, &campaign);
    let accepted = world.sandbox.accepted();
    let mut taken: Vec<_> = accepted
        .iter()
        .map(|request| (request.contact.address().to_owned(), request.at, request.expires_at))
        .collect();
    taken.sort();
    Ran { world, campaign, taken }
}

#[test]
fn advertising_keeps_the_hours_of_the_state() {
    // For Sunday 8 March 2026 at seven in Chicago, a day on which clocks change.
    let setup = Setup { start: instant("2026-03-08T06:00:00Z"), ..Setup::default() };
    let changes = [
        ("/time_zone", json!("America/Chicago")),
        ("/purpose", json!("marketing")),
        day_before("07:00"),
        ("/schedule/rule_packs", json!(["us_federal_hours", "us_state_hours"])),
        ("/schedule/max_lateness", json!("2d")),
        open_always(),
    ];
    let ran = run(&setup, &changes, (&[TEXAN, ALABAMIAN, ARIZONAN], "2026-03-09 15:00"));
    let expected = [
        // Monday at eight; to the appointment.
        (ALABAMIAN, "2026-03-09T13:00:00Z", "2026-03-09T20:00:00.000001Z"),
        // Sunday at noon; to nine in the evening.
        (TEXAN, "2026-03-08T17:00:00Z", "2026-03-09T02:00:00Z"),
        // Sunday at eight.
        (ARIZONAN, "2026-03-08T13:00:00Z", "2026-03-09T02:00:00Z"),
    ];
    let expected = expected.map(|(number, at, until)| (number.to_owned(), instant(at), instant(until)));
    assert_eq!(ran.taken, expected);
    let explained = ran.explained(TEXAN);
    assert!(explained.contains("but us_state_hours/tx_texts does not permit it"), "{explained}");
}

#[test]
fn a_person_is_contacted_when_it_is_day_wherever_they_may_be() {
    let setup = Setup { start: instant("2026-03-03T12:00:00Z"), ..Setup::default() };
    let changes = [
        ("/time_zone", json!("America/New_York")),
        day_before("08:00"),
        ("/schedule/area_code_zones", json!(true)),
    ];
    let ran = run(&setup, &changes, (&[ANGELENO, NEW_YORKER, TOLL_FREE], "2026-03-05 14:00"));
    let expected =
        [(NEW_YORKER, instant("2026-03-04T13:00:00Z")), (ANGELENO, instant("2026-03-04T16:00:00Z"))];
    assert_eq!(ran.when(), expected);
    for (number, at, until) in &ran.taken {
        let zones: &[Tz] = if number == ANGELENO { &[New_York, Los_Angeles] } else { &[New_York] };
        for zone in zones {
            let minute = |at: DateTime<Utc>| at.with_timezone(zone).num_seconds_from_midnight() / 60;
            assert!(minute(*at) >= 8 * 60 && minute(*until - TimeDelta::seconds(1)) < 16 * 60 + 30);
        }
    }
    let held = ran.record(TOLL_FREE).state;
    assert_eq!(held.detail, Some(Detail::Skip(SkipReason::NoLegalInstant)));
    let explained = ran.explained(ANGELENO);
    assert!(explained.contains("outside the contact window in America/Los_Angeles"), "{explained}");
}

#[test]
fn an_exempted_text_that_is_too_long_is_not_sent_and_the_rule_is_named() {
    let long = format!("Clinic: {{{{ first_name }}}}, {} STOP to opt out.", "see you soon, ".repeat(12));
    let changes = [("/messages/sms/text", json!(long)), ("/schedule/rule_packs", json!(["us_care_message"]))];
    let ran = run(&Setup::default(), &changes, (&[ARIZONAN], "2026-03-04 15:00"));
    assert_eq!(ran.taken, []);
    let state = ran.record(ARIZONAN).state;
    assert_eq!(state.status, MessageStatus::Skipped);
    assert_eq!(state.detail, Some(Detail::Skip(SkipReason::NoLegalInstant)));
    let explained = ran.explained(ARIZONAN);
    assert!(explained.contains("us_care_message/text_length does not permit it"), "{explained}");
}

#[test]
fn what_is_held_up_past_the_hours_of_a_rule_goes_the_next_morning() {
    // Planned for ten to nine in the evening; the provider asks to wait for a quarter of an hour.
    let script = json!({ "default": { "request": { "throttle": { "retry_after": "15m", "times": 1 } } } });
    let tune = |settings: &mut Settings| settings.tick = Duration::from_mins(10);
    let setup = Setup { script, tune, ..Setup::default() };
    let changes = [
        day_before("20:50"),
        ("/schedule/rule_packs", json!(["us_federal_hours"])),
        ("/schedule/max_lateness", json!("24h")),
        open_always(),
    ];
    let ran = run(&setup, &changes, (&[ARIZONAN], "2026-03-05 14:00"));
    let [(_, at, until)] = &ran.taken[..] else { panic!("{:?}", ran.taken) };
    assert_eq!(at.with_timezone(&Phoenix).to_rfc3339(), "2026-03-05T08:00:00-07:00");
    assert_eq!(*until, instant("2026-03-05T21:00:00.000001Z"), "the appointment");
}

fn afternoons() -> RulePacks {
    let pack: RulePack = serde_json::from_value(json!({
        "name": "afternoons",
        "title": "The clinic texts in the afternoon",
        "rules": [{
            "id": "texts",
            "says": "Texts from three.",
            "purposes": ["care_reminder"],
            "methods": ["sms"],
            "place": "anywhere",
            "source": "The clinic's own rule.",
            "demand": { "hours": { "week": { "mon-sun": "15:00-16:00" } } }
        }]
    }))
    .unwrap();
    RulePacks::standard().with(pack).unwrap()
}

#[test]
fn a_host_has_rules_of_its_own() {
    let setup = Setup { tune: |settings| settings.rule_packs = afternoons(), ..Setup::default() };
    let changes = [("/schedule/rule_packs", json!(["afternoons"])), day_before("11:00")];
    let ran = run(&setup, &changes, (&[ARIZONAN], "2026-03-05 14:00"));
    assert_eq!(ran.when(), [(ARIZONAN, instant("2026-03-04T22:00:00Z"))]);
    assert_eq!(ran.taken[0].2, instant("2026-03-04T23:00:00Z"));
}

#[test]
fn a_service_that_does_not_know_a_pack_sends_nothing() {
    let setup = Setup { tune: |settings| settings.rule_packs = afternoons(), ..Setup::default() };
    let world = World::new(&setup);
    let company = world.company();
    let document = material::document_with(&[("/schedule/rule_packs", json!(["afternoons"]))]);
    let campaign = world.campaign(company, &document);
    let packet = world.load(company, campaign.id, &material::csv(1, "2026-03-05 14:00"));
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
    let answer = block_on(mapping.map(&world.worker_scope(company), packet, &mut |_| {}));
    assert!(matches!(answer, Err(ServiceError::InvalidCampaign(_))), "{answer:?}");
    assert!(world.messages(company, packet).is_empty());
}
