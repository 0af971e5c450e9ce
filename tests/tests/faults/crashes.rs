//! Workers that are dropped, wherever they stand.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::memory::MemoryStore;
use reminderly_core::services::Settings;
use reminderly_core::sources::MemorySource;
use reminderly_tests::prove::crashes;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::json;

const AT: &str = "2026-03-04 14:00";

fn yielding() -> Setup {
    let script = json!({ "default": { "mix": {
        "delivers": 4, "confirms": 2, "cancels": 1, "time_out_accepted": 1, "time_out": 1, "lost_answer": 1
    } } });
    Setup { store: MemoryStore::yielding, script, ..Setup::default() }
}

/// Those that touch what is sent, and at least how many polls they have. `tests/prove` tries all use cases, and pairs.
const USE_CASES: [(&str, usize); 6] = [
    ("loading a file", 20),
    ("mapping", 30),
    ("dispatch", 15),
    ("a round of a worker", 60),
    ("taking in reports", 10),
    ("taking in replies", 60),
];

#[test]
fn a_use_case_may_be_dropped_at_any_poll() {
    for (name, at_least) in USE_CASES {
        let case = crashes::all().into_iter().find(|case| case.name == name).unwrap();
        let polls = crashes::at_every_poll(&case);
        println!("{name}: {polls} polls");
        assert!(polls >= at_least, "{name}: {polls}");
    }
}

/// Three workers that are killed and replaced again and again, in an order that the seed draws.
fn crash_schedule(seed: u64) -> usize {
    let tune = |settings: &mut Settings| {
        settings.rows_per_batch = 10;
        settings.tick = Duration::from_mins(1);
    };
    let mut world = World::new(&Setup { seed, tune, ..yielding() });
    world.shuffle(seed);
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let source = Arc::new(MemorySource::new().with_file("visits.csv", material::csv(30, AT)));
    world.with_inbox(company, campaign.id, source);
    for _ in 0..3 {
        world.start_worker();
    }
    let mut random = SmallRng::seed_from_u64(seed ^ 0xc4a5);
    let limit = world.now() + TimeDelta::hours(1);
    let mut crashes = 0;
    while crashes < 12 {
        for _ in 0..random.random_range(1..400) {
            if !world.step() && !world.advance(limit) {
                break;
            }
        }
        let workers = world.workers();
        world.kill(workers[random.random_range(0..workers.len())]);
        crashes += 1;
        world.start_worker();
    }
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert!(judge::accepted_messages(&world).len() >= 28, "seed {seed}");
    crashes
}

#[test]
fn three_workers_that_crash_at_random_send_everything_once() {
    let crashes: usize = super::seeds(200).map(|seed| super::with_seed(seed, || crash_schedule(seed))).sum();
    println!("{crashes} crashes");
}
