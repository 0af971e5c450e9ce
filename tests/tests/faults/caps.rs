//! How often a person is contacted, by the provider's log.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::America::Phoenix;
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::{Detail, MessageRecord};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::ids::CompanyId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::services::{Explain, Settings};
use reminderly_core::testing::QueueFaults;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const PERSONS: usize = 5;
const PER_DAY: usize = 1;
const PER_WEEK: usize = 3;

/// Messages that may be days late.
fn document(send: &Value) -> Value {
    material::document_with(&[
        ("/limits", json!({ "per_person_per_day": PER_DAY, "per_person_per_week": PER_WEEK })),
        ("/schedule/send", send.clone()),
        ("/schedule/max_lateness", json!("3d")),
    ])
}

/// A file of appointments within twelve days from the start.
fn file(random: &mut SmallRng, name: usize) -> String {
    let start = NaiveDate::from_ymd_opt(2026, 3, 3).unwrap();
    let mut text = material::HEADER.to_owned();
    for row in 0..PERSONS * 5 {
        let (person, day) = (row % PERSONS, start + TimeDelta::days(random.random_range(0..12)));
        let (cell, hour) = (material::number(person), random.random_range(12..17));
        writeln!(text, "F{name}-{row},Ann,{cell},,{day} {hour}:00,P{person}").unwrap();
    }
    text
}

/// When each number was contacted, as the provider knows.
fn contacts(world: &World) -> BTreeMap<String, Vec<NaiveDate>> {
    let mut contacts: BTreeMap<String, Vec<NaiveDate>> = BTreeMap::new();
    for request in world.sandbox.accepted() {
        let day = request.at.with_timezone(&Phoenix).date_naive();
        contacts.entry(request.contact.address().to_owned()).or_default().push(day);
    }
    contacts
}

fn assert_capped(world: &World) {
    for (number, days) in contacts(world) {
        for day in &days {
            let within = |length: i64| {
                days.iter().filter(|other| (0..length).contains(&(**other - *day).num_days())).count()
            };
            assert!(within(1) <= PER_DAY, "{number} on {day}: {days:?}");
            assert!(within(7) <= PER_WEEK, "{number} from {day}: {days:?}");
        }
    }
}

fn is_capped(record: &MessageRecord) -> bool {
    record.state.status == MessageStatus::Skipped
        && record.state.detail == Some(Detail::Skip(SkipReason::Cap))
}

struct Ran {
    accepted: usize,
    skipped_at_planning: usize,
    skipped_at_the_claim: usize,
}

/// Two campaigns of one company with the same persons, whose workers are killed, whose queue is unreliable, and one of which is
/// paused for more than a day.
fn two_campaigns(seed: u64) -> Ran {
    let tune = |settings: &mut Settings| {
        settings.rows_per_batch = 7;
        settings.tick = Duration::from_mins(30);
    };
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
    let script = json!({ "contact_points": {
        material::number(1): "server_error_accepted", material::number(2): "throttled", material::number(3): "server_error",
    } });
    let start = instant("2026-03-02T14:00:00Z");
    let mut world = World::new(&Setup {
        seed,
        store: MemoryStore::yielding,
        faults: Some(faults),
        script,
        start,
        tune,
        ..Setup::default()
    });
    world.shuffle(seed);
    let mut random = SmallRng::seed_from_u64(seed ^ 0xca95);
    let company = world.company();
    let sends = [
        json!([{ "days_before": 2, "at": "10:00" }]),
        json!([{ "days_before": 1, "at": "10:00" }, { "hours_before": 3 }]),
    ];
    let campaigns = sends.map(|send| world.campaign(company, &document(&send)));
    let load = |world: &World, random: &mut SmallRng, name: usize| {
        let campaign = &campaigns[name % campaigns.len()];
        world.load(company, campaign.id, &file(random, name));
    };
    load(&world, &mut random, 0);
    load(&world, &mut random, 1);
    for _ in 0..2 {
        world.start_worker();
    }
    let run = world.scope(company, Action::RunCampaign);
    for hours in (6..16 * 24).step_by(6) {
        for _ in 0..random.random_range(1..300) {
            world.step();
        }
        let workers = world.workers();
        world.kill(workers[random.random_range(0..workers.len())]);
        world.start_worker();
        world.run_until(start + TimeDelta::hours(hours));
        match hours {
            24 => drop(block_on(world.campaigns().pause(&run, campaigns[0].id)).unwrap()),
            48 => load(&world, &mut random, 2),
            54 => drop(block_on(world.campaigns().resume(&run, campaigns[0].id)).unwrap()),
            72 => load(&world, &mut random, 3),
            _ => {}
        }
    }
    assert_capped(&world);
    judged(&world, company, &campaigns)
}

fn judged(world: &World, company: CompanyId, campaigns: &[Campaign]) -> Ran {
    let mut ran =
        Ran { accepted: world.sandbox.accepted().len(), skipped_at_planning: 0, skipped_at_the_claim: 0 };
    let view = world.scope(company, Action::ViewMessages);
    for campaign in campaigns {
        judge::all_is_well(world, campaign);
        for record in judge::records(world, campaign).iter().filter(|record| is_capped(record)) {
            let message = &record.message;
            let explained =
                block_on(Explain::new(&world.ports).message(&view, message.packet, message.id)).unwrap();
            if explained.to_string().contains("no slot: the person's") {
                ran.skipped_at_planning += 1;
            } else {
                assert!(explained.to_string().contains("cap"), "{explained}");
                ran.skipped_at_the_claim += 1;
            }
        }
    }
    ran
}

#[test]
fn nobody_is_contacted_more_often_than_two_campaigns_allow() {
    let (mut planning, mut claim) = (0, 0);
    for seed in super::seeds(3) {
        let ran = super::with_seed(seed, || two_campaigns(seed));
        assert!(ran.accepted >= PERSONS * 2, "seed {seed}: only {}", ran.accepted);
        assert!(ran.skipped_at_planning > 0, "seed {seed}");
        planning += ran.skipped_at_planning;
        claim += ran.skipped_at_the_claim;
    }
    println!("{planning} had no slot at planning, {claim} at the claim");
    assert!(claim > 0 || std::env::var("SEED").is_ok(), "no claim ever had to move");
}

#[test]
fn the_message_nearest_to_its_appointment_goes() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let changes = [("/limits", json!({ "per_person_per_day": 1 }))];
    let mut document = material::document_with(&changes);
    document["schedule"]["send"] =
        json!([{ "days_before": 1, "at": "11:00" }, { "days_before": 0, "at": "11:00" }]);
    let campaign = world.campaign(company, &document);
    let (cell, other) = (material::number(0), material::number(1));
    // Ann has one on Thursday and one today; Bob, her brother, has her number.
    let data = format!(
        "{}K0,Ann,{cell},,2026-03-05 14:00,P0\nK1,Ann,{cell},,2026-03-04 14:00,P0\nK2,Bob,{cell},,2026-03-04 14:00,P1\nK3,Eve,{other},,2026-03-04 15:00,P2\n",
        material::HEADER
    );
    let packet = world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let of_today = |key: &str| {
        let all = world.messages(company, packet).into_iter();
        let today = all.filter(|record| {
            record.message.key.as_str() == key
                && record.state.planned_at.is_some_and(|at| at < instant("2026-03-05T07:00:00Z"))
        });
        today.map(|record| record.state.status).collect::<Vec<_>>()
    };
    assert_eq!(of_today("K0"), [MessageStatus::Skipped], "a day before");
    assert_eq!(of_today("K1"), [MessageStatus::Delivered], "on the day");
    assert_eq!(of_today("K2"), [MessageStatus::Delivered], "another person");
    assert_eq!(of_today("K3"), [MessageStatus::Delivered]);
}
