//! Campaigns that cannot be read any more: their host does not know a rule pack that it knew.

use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::rules::{RulePack, RulePacks};
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::UnsubscribeStore as _;
use reminderly_core::services::Settings;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// Reminders go at eleven, five minutes after a world begins.
const AT: &str = "2026-03-04 14:00";
const LATER: &str = "2026-03-04 16:00";

/// When those of the first have gone, and nothing else.
const SENT: &str = "2026-03-04T18:01:00Z";

/// What the host's own pack says does not matter here.
fn own_pack() -> RulePacks {
    let pack: RulePack = serde_json::from_value(json!({
        "name": "house_rules",
        "title": "The clinic's own",
        "rules": [{
            "id": "texts",
            "says": "At any hour.",
            "purposes": ["care_reminder"],
            "methods": ["sms", "phone"],
            "place": "anywhere",
            "source": "The clinic.",
            "demand": { "hours": { "week": { "mon-sun": "00:00-24:00" } } }
        }]
    }))
    .unwrap();
    RulePacks::standard().with(pack).unwrap()
}

fn setup(script: Value) -> Setup {
    let tune = |settings: &mut Settings| {
        settings.rule_packs = own_pack();
        settings.tick = Duration::from_mins(1);
    };
    Setup { script, tune, ..Setup::default() }
}

fn named(changes: &[(&'static str, Value)]) -> Value {
    let packs = ("/schedule/rule_packs", json!(["house_rules"]));
    material::document_with(&changes.iter().cloned().chain([packs]).collect::<Vec<_>>())
}

/// The host starts again, with these packs.
fn restart(world: &mut World, packs: RulePacks) {
    for process in world.workers() {
        world.kill(process);
    }
    world.settings.rule_packs = packs;
    world.start_worker();
}

fn is_refused(world: &World, company: CompanyId, number: &str) -> bool {
    let key = ContactPoint::Sms(PhoneNumber::parse_stored(number).unwrap()).refusal_key();
    block_on(world.store.refused(company, &[key])).unwrap() == [true]
}

fn texts_to(world: &World, number: &str) -> usize {
    world.sandbox.accepted().iter().filter(|request| request.contact.address() == number).count()
}

#[test]
fn who_answers_stop_to_a_campaign_that_cannot_be_read_is_heard() {
    let replies = |text: &str| json!({ "replies": [{ "after": "5m", "text": text }] });
    let numbers: Vec<String> = (0..3).map(material::number).collect();
    let script = json!({ "contact_points": {
        &numbers[0]: replies("STOP"), &numbers[1]: replies("1"), &numbers[2]: replies("what?")
    } });
    let mut world = World::new(&setup(script));
    let company = world.company();
    let campaign = world.campaign(company, &named(&[]));
    let packet = world.load(company, campaign.id, &material::csv(3, AT));
    world.start_worker();
    world.run_until(instant(SENT));
    restart(&mut world, RulePacks::standard());
    world.run_for(Duration::from_mins(20));
    assert!(is_refused(&world, company, &numbers[0]));
    assert!(!is_refused(&world, company, &numbers[1]));
    let answered = world.messages(company, packet);
    let answered = answered.iter().filter(|record| record.state.response.is_some()).count();
    assert_eq!(answered, 1, "its words mean what they meant");
    assert_eq!(
        numbers.iter().map(|number| texts_to(&world, number)).collect::<Vec<_>>(),
        [1, 1, 1],
        "nobody is answered in its name"
    );
}

#[test]
fn a_campaign_that_cannot_be_read_sends_nothing_until_it_can() {
    let mut world = World::new(&setup(json!({})));
    let company = world.company();
    let campaign = world.campaign(company, &named(&[]));
    let (early, late) = (material::number(0), material::number(1));
    let rows = [material::line(0, &early, AT), material::line(1, &late, LATER)].concat();
    let packet = world.load(company, campaign.id, &format!("{}{rows}", material::HEADER));
    world.start_worker();
    world.run_until(instant(SENT));
    restart(&mut world, RulePacks::standard());
    world.run_until(instant("2026-03-04T20:30:00Z"));
    assert_eq!(
        (texts_to(&world, &early), texts_to(&world, &late)),
        (1, 0),
        "it was due at eight in the evening UTC"
    );
    restart(&mut world, own_pack());
    world.run_to_end();
    assert_eq!(texts_to(&world, &late), 1);
    let statuses: Vec<_> = world.messages(company, packet).iter().map(|record| record.state.status).collect();
    assert_eq!(statuses, [MessageStatus::Delivered; 2]);
    judge::all_is_well(&world, &campaign);
}

/// By phone, to people whose line is busy.
fn calls() -> Value {
    let phone = json!({ "script": "Clinic: see you. Press 1.", "voicemail": "Please call us back." });
    named(&[
        ("/mapping/fields/phone", json!("row['Cell'] | phone('US')")),
        ("/messages/phone", phone),
        ("/methods/order", json!(["phone"])),
    ])
}

#[test]
fn a_campaign_that_cannot_be_read_holds_up_nobodys_reports() {
    let (busy, complains) = (material::number(0), material::number(1));
    let after = |report: &str| json!({ "reports": [{ "after": "5m", "report": report }] });
    let script = json!({ "contact_points": { &busy: after("busy"), &complains: after("complained") } });
    let mut world = World::new(&setup(script));
    // The reports of the one come in the same batch as those of the other, before them.
    let of_company = |world: &mut World, document: &Value, index: usize| -> (CompanyId, Campaign) {
        world.clock.advance_to(world.now() + chrono::TimeDelta::milliseconds(2));
        let company = world.company();
        let campaign = world.campaign(company, document);
        let row = material::line(index, &material::number(index), AT);
        world.load(company, campaign.id, &format!("{}{row}", material::HEADER));
        (company, campaign)
    };
    let (first, unreadable) = of_company(&mut world, &calls(), 0);
    let (second, readable) = of_company(&mut world, &material::document(), 1);
    world.start_worker();
    world.run_until(instant(SENT));
    restart(&mut world, RulePacks::standard());
    world.run_to_end();
    assert!(first < second);
    assert!(is_refused(&world, second, &complains), "a complaint is a refusal");
    let called = judge::records(&world, &unreadable);
    assert_eq!(called[0].state.status, MessageStatus::Undelivered, "it is not called again");
    judge::all_is_well(&world, &readable);
}
