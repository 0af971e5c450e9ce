//! One message for the appointments of a household, judged by the provider's log.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::{Detail, MessageRecord, Origin};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::ids::PacketId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::store::WriteOutcome;
use reminderly_core::services::{
    CompiledCampaigns, Explain, Ingest, Mapping, Prepared, Settings, Unsubscribes,
};
use reminderly_core::sources::MemorySource;
use reminderly_core::testing::QueueFaults;
use reminderly_tests::prove::crashes::{POLLS_AT_MOST, cut};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const TEXT: &str = "Clinic: {% for one in household %}{{ one.first_name }} {{ one.appointment_at | date('%a') }} \
                    {{ one.appointment_at | time('%-I:%M %p') }}{% if not loop.last %}, {% endif %}{% endfor %}. \
                    Reply 1 to confirm, 2 to cancel, STOP to opt out.";

const THANKS: &str = "Thank you for {% for one in household %}{{ one.first_name }}{% if not loop.last %} and {% endif %}{% endfor %}.";

pub(crate) fn document() -> Value {
    let mut document = material::document_with(&[
        ("/methods", json!({ "order": ["sms"], "household": "same_day" })),
        ("/messages", json!({ "sms": { "text": TEXT } })),
    ]);
    document["responses"]["follow_up"]["confirm"]["sms"] = json!(THANKS);
    document
}

/// Ann and Ben have one number and appointments on Wednesday, Eve is alone.
fn file(bens: &str) -> String {
    let (cell, other) = (material::number(0), material::number(1));
    format!(
        "{}K0,Ann,{cell},,2026-03-04 14:00,P0\nK1,Ben,{cell},,{bens},P1\nK2,Eve,{other},,2026-03-04 15:00,P2\n",
        material::HEADER
    )
}

const BENS: &str = "2026-03-04 15:00";

fn world(persona: &Value) -> (World, Campaign, PacketId) {
    let script = json!({ "contact_points": { material::number(0): persona } });
    let world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &document());
    let packet = world.load(company, campaign.id, &file(BENS));
    (world, campaign, packet)
}

fn finish(world: &mut World, campaign: &Campaign) {
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(world, campaign);
}

/// What the provider accepted for a number.
pub(crate) fn accepted(world: &World, number: usize) -> Vec<String> {
    let requests = world.sandbox.accepted().into_iter();
    let to_it = requests.filter(|request| request.contact.address() == material::number(number));
    to_it.map(|request| request.content.text().to_owned()).collect()
}

fn household(records: &[MessageRecord]) -> &MessageRecord {
    records.iter().find(|record| matches!(record.message.origin, Origin::Household { .. })).unwrap()
}

fn responses(records: &[MessageRecord]) -> BTreeMap<String, ResponseKind> {
    let answered = records
        .iter()
        .filter_map(|record| Some((record.message.key.as_str().to_owned(), record.state.response?.kind)));
    answered.collect()
}

#[test]
fn a_household_whose_line_is_busy_is_not_called_again() {
    let script =
        json!({ "contact_points": { material::number(0): "busy_once", material::number(1): "busy_once" } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(
        company,
        &material::document_with(&[
            ("/methods", json!({ "order": ["phone"], "household": "same_day" })),
            ("/messages", json!({ "phone": { "script": TEXT } })),
            ("/mapping/fields/phone", json!("row['Cell'] | phone('US')")),
            ("/schedule/windows/phone", json!({ "days": ["wed"], "from": "08:00", "to": "16:30" })),
        ]),
    );
    let packet = world.load(company, campaign.id, &file(BENS));
    world.start_worker();
    world.run_to_end();
    judge::everything_ended(&world, &campaign);
    judge::accounted_for(&world, &campaign);
    let undelivered = MessageStatus::Undelivered;
    assert_eq!(household(&world.messages(company, packet)).state.status, undelivered);
    assert_eq!(accepted(&world, 0).len(), 1, "nobody knows of whom the second call would have to speak");
    assert_eq!(accepted(&world, 1).len(), 2, "Eve is called again");
}

#[test]
fn one_request_names_both_and_one_reply_confirms_both() {
    let (mut world, campaign, packet) = world(&json!("confirms"));
    finish(&mut world, &campaign);
    let told = "Clinic: Ann Wed 2:00 PM, Ben Wed 3:00 PM. Reply 1 to confirm, 2 to cancel, STOP to opt out.";
    assert_eq!(accepted(&world, 0), [told, "Thank you for Ann and Ben."]);
    let alone = "Clinic: Eve Wed 3:00 PM. Reply 1 to confirm, 2 to cancel, STOP to opt out.";
    assert_eq!(accepted(&world, 1), [alone]);
    let first = world.sandbox.accepted().into_iter().find(|request| request.content.text() == told).unwrap();
    assert!(first.at < instant("2026-03-04T18:01:00Z"), "when the first of them is due: {}", first.at);
    let records = world.messages(campaign.company, packet);
    let confirmed = ResponseKind::Confirmed;
    assert_eq!(responses(&records), [("K0".to_owned(), confirmed), ("K1".to_owned(), confirmed)].into());
    let (household, ben) = (household(&records), &records[1]);
    assert_eq!(ben.state.detail, Some(Detail::Skip(SkipReason::Grouped)));
    let view = world.scope(campaign.company, Action::ViewMessages);
    let explained = |id| block_on(Explain::new(&world.ports).message(&view, packet, id)).unwrap().to_string();
    let why = explained(ben.message.id);
    assert!(why.contains(&format!("told by message {}", household.message.id)), "{why}");
    assert!(explained(household.message.id).contains("rows 1, 2"));
}

/// A number of the question means one of them, and the last all.
#[test]
fn other_words_are_asked_about() {
    let asked = "You have more than one appointment. Which one do you mean? Reply 1 for Wed Mar 4, 2:00 PM, \
                 2 for Wed Mar 4, 3:00 PM, 3 for all of them.";
    for (number, cancelled) in [("2", &["K1"][..]), ("3", &["K0", "K1"])] {
        let replies =
            json!([{ "after": "5s", "text": "I can't make it" }, { "after": "2m", "text": number }]);
        let persona = json!({ "reports": [{ "after": "1s", "report": "delivered" }], "replies": replies });
        let (mut world, campaign, packet) = world(&persona);
        finish(&mut world, &campaign);
        assert!(accepted(&world, 0).contains(&asked.to_owned()), "{:?}", accepted(&world, 0));
        let records = world.messages(campaign.company, packet);
        let expected = cancelled.iter().map(|key| ((*key).to_owned(), ResponseKind::Cancelled)).collect();
        assert_eq!(responses(&records), expected, "{number}");
    }
}

#[test]
fn a_child_whose_appointment_moves_is_told_alone() {
    let (mut world, campaign, packet) = world(&json!("delivers"));
    world.start_worker();
    world.run_until(instant("2026-03-04T17:58:00Z"));
    world.load(campaign.company, campaign.id, &file("2026-03-05 15:00"));
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let told = accepted(&world, 0);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("Ann Wed") && !told[0].contains("Ben"), "{told:?}");
    assert!(told[1].contains("Ben Thu") && !told[1].contains("Ann"), "{told:?}");
    let records = world.messages(campaign.company, packet);
    assert_eq!(household(&records).state.detail, Some(Detail::Skip(SkipReason::Superseded)));
}

/// Both were told by one message: who moves afterwards is corrected alone.
#[test]
fn a_child_who_moves_after_the_message_is_corrected_alone() {
    let (mut world, campaign, _) = world(&json!("delivers"));
    world.start_worker();
    world.run_until(instant("2026-03-04T18:30:00Z"));
    world.load(campaign.company, campaign.id, &file("2026-03-05 15:00"));
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let told = accepted(&world, 0);
    assert!(told[0].contains("Ann Wed") && told[0].contains("Ben Wed"), "{told:?}");
    assert!(told[1].contains("Ben Thu") && !told[1].contains("Ann"), "{told:?}");
    assert!(told.iter().skip(1).all(|text| !text.contains("Ann")), "{told:?}");
}

#[test]
fn a_person_who_refuses_is_left_out() {
    let (mut world, campaign, packet) = world(&json!("delivers"));
    world.start_worker();
    world.run_until(instant("2026-03-04T17:58:00Z"));
    let refuse = world.scope(campaign.company, Action::ManageUnsubscribes);
    let person = RefusalKey::Person(PersonKey::new("P1").unwrap());
    let unsubscribes = Unsubscribes::new(&world.ports);
    let refused = unsubscribes.change(&refuse, person, UnsubscribeChange::OptedOut);
    assert_eq!(block_on(refused).unwrap(), WriteOutcome::Applied);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let told = accepted(&world, 0);
    assert!(told.len() == 1 && told[0].contains("Ann") && !told[0].contains("Ben"), "{told:?}");
    let records = world.messages(campaign.company, packet);
    for record in [household(&records), &records[1]] {
        assert_eq!(record.state.detail, Some(Detail::Skip(SkipReason::Unsubscribed)));
    }
}

#[test]
fn what_the_provider_refuses_is_tried_for_each() {
    let (mut world, campaign, packet) = world(&json!("invalid"));
    finish(&mut world, &campaign);
    assert!(accepted(&world, 0).is_empty());
    let failed = world.messages(campaign.company, packet).into_iter();
    let failed = failed.filter(|record| record.state.status == MessageStatus::Failed).count();
    assert_eq!(failed, 3, "the household's, and each of its own");
}

#[test]
fn a_throttled_household_is_told_once() {
    let (mut world, campaign, _) = world(&json!("throttled"));
    finish(&mut world, &campaign);
    assert_eq!(accepted(&world, 0).len(), 1);
}

#[test]
fn a_text_that_is_too_long_for_two_is_sent_for_each() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let mut document = document();
    document["limits"] = json!({ "sms_segments": 1 });
    document["messages"]["sms"]["text"] = json!(format!(
        "{TEXT} {{{{ 'We look forward to seeing you at Main St.' | truncate(200) }}}} {{% for one in household %}}{{{{ one.first_name }}}} please bring your card. {{% endfor %}}"
    ));
    let campaign = world.campaign(company, &document);
    world.load(company, campaign.id, &file(BENS));
    finish(&mut world, &campaign);
    let told = accepted(&world, 0);
    assert!(
        told.len() == 2 && told.iter().all(|text| !text.contains("Ann") || !text.contains("Ben")),
        "{told:?}"
    );
}

/// Households of two to four, whose children have names of their own.
fn households(count: usize) -> String {
    let mut text = material::HEADER.to_owned();
    for household in 0..count {
        for child in 0..2 + household % 3 {
            let (cell, hour) = (material::number(household), 12 + child);
            writeln!(
                text,
                "K{household}-{child},N{household}x{child}y,{cell},,2026-03-04 {hour}:30,P{household}-{child}"
            )
            .unwrap();
        }
    }
    text
}

/// Nobody was named in two accepted requests; answers how many households were told at once.
fn named_once(world: &World, count: usize) -> usize {
    let requests: Vec<String> = (0..count).flat_map(|number| accepted(world, number)).collect();
    let reminders: Vec<&String> = requests.iter().filter(|text| text.starts_with("Clinic")).collect();
    for household in 0..count {
        for child in 0..2 + household % 3 {
            let name = format!("N{household}x{child}y");
            let times = reminders.iter().filter(|text| text.contains(&name)).count();
            assert!(times <= 1, "{name} was told {times} times");
        }
    }
    reminders.iter().filter(|text| text.contains("x0y") && text.contains("x1y")).count()
}

#[test]
fn mapping_households_may_be_dropped_at_any_poll() {
    let tune = |settings: &mut Settings| settings.rows_per_batch = 3;
    let setup = || Setup { store: MemoryStore::yielding, tune, ..Setup::default() };
    for polls in 0..POLLS_AT_MOST {
        let mut world = World::new(&setup());
        let company = world.company();
        let mut document = document();
        document["limits"] = json!({ "per_person_per_day": 1 });
        let campaign = world.campaign(company, &document);
        let source = MemorySource::new().with_file("visits.csv", households(3));
        let (scope, operate) = (world.scope(company, Action::Ingest), world.worker_scope(company));
        let ingest = Ingest::new(&world.ports, &world.settings);
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
        let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
        let Prepared::New(packet) =
            block_on(ingest.prepare(&scope, campaign.id, &source, "visits.csv")).unwrap()
        else {
            panic!("it is new")
        };
        block_on(ingest.load(&scope, packet.id, &source, &mut |_| {})).unwrap();
        let finished = cut(&world, polls, mapping.map(&operate, packet.id, &mut |_| {})).is_some();
        finish(&mut world, &campaign);
        assert_eq!(named_once(&world, 3), 3, "after {polls} polls");
        assert_eq!(world.sandbox.accepted().len(), 3, "after {polls} polls");
        if finished {
            assert!(polls >= 15, "{polls}");
            return;
        }
    }
    panic!("still not finished");
}

/// Whatever the provider, the queue and the workers do, nobody is told twice.
#[test]
fn nobody_of_a_household_is_told_twice() {
    const COUNT: usize = 12;
    for seed in super::seeds(6) {
        super::with_seed(seed, || {
            let faults = QueueFaults {
                duplicate: 0.3,
                reorder: 0.3,
                lose: 0.1,
                delay: 0.2,
                fail: 0.1,
                refuse: 0.05,
                over_limit: 0.05,
                lose_answer: 0.05,
                lose_payloads: false,
            };
            let script = json!({ "default": { "mix": {
                "delivers": 3, "confirms": 2, "cancels": 2, "stops": 1, "time_out_accepted": 2, "time_out": 2, "lost_answer": 2,
                "throttled": 1, "server_error": 1, "server_error_accepted": 1, "invalid": 1
            } } });
            let tune = |settings: &mut Settings| {
                settings.rows_per_batch = 7;
                settings.tick = Duration::from_secs(20);
            };
            let mut world = World::new(&Setup {
                seed,
                store: MemoryStore::yielding,
                faults: Some(faults),
                script,
                tune,
                ..Setup::default()
            });
            world.shuffle(seed);
            let mut random = SmallRng::seed_from_u64(seed ^ 0x40e5);
            let company = world.company();
            let campaign = world.campaign(company, &document());
            world.load(company, campaign.id, &households(COUNT));
            world.start_worker();
            world.start_worker();
            for minutes in (5..360).step_by(15) {
                for _ in 0..random.random_range(1..200) {
                    world.step();
                }
                let workers = world.workers();
                world.kill(workers[random.random_range(0..workers.len())]);
                world.start_worker();
                let until = instant("2026-03-04T17:55:00Z") + TimeDelta::minutes(minutes);
                world.run_until(until);
            }
            world.run_to_end();
            judge::all_is_well(&world, &campaign);
            let told = named_once(&world, COUNT);
            assert!(told >= 3, "only {told} households were told at once");
        });
    }
}
