//! A queue that doubles, reorders, loses and delays items and loses answers.

use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::ports::queue::{QueueAdmin as _, QueueName};
use reminderly_core::testing::{InjectedFaults, QueueFaults};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::json;

const FAULTS: QueueFaults = QueueFaults {
    duplicate: 0.2,
    reorder: 0.5,
    lose: 0.2,
    delay: 0.2,
    fail: 0.1,
    refuse: 0.05,
    over_limit: 0.05,
    lose_answer: 0.1,
    lose_payloads: false,
};

fn run(seed: u64) -> InjectedFaults {
    let script = json!({ "default": { "mix": {
        "delivers": 4, "confirms": 2, "cancels": 1, "stops": 1, "time_out": 1, "lost_answer": 1, "throttled": 1
    } } });
    let mut world = World::new(&Setup {
        seed,
        faults: Some(FAULTS),
        script,
        tune: |settings| settings.tick = Duration::from_mins(1),
        ..Setup::default()
    });
    world.shuffle(seed);
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    for batch in 0..4 {
        // Files of their own, so that there are several slices to lose.
        let rows: String = (0..10)
            .map(|row| {
                material::line(batch * 10 + row, &material::number(batch * 10 + row), "2026-03-04 14:00")
            })
            .collect();
        world.load(company, campaign.id, &format!("{}{rows}", material::HEADER));
    }
    world.start_worker();
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert!(judge::accepted_messages(&world).len() >= 36, "seed {seed}: the faults stopped the sending");
    world.faulty.as_ref().unwrap().injected()
}

#[test]
fn nothing_is_lost_and_nothing_goes_twice() {
    let mut sum = InjectedFaults::default();
    for seed in super::seeds(100) {
        let injected = super::with_seed(seed, || run(seed));
        sum.duplicates += injected.duplicates;
        sum.reorders += injected.reorders;
        sum.losses += injected.losses;
        sum.delays += injected.delays;
        sum.lost_answers += injected.lost_answers;
    }
    println!("{sum:?}");
    let fired = [sum.duplicates, sum.reorders, sum.losses, sum.delays, sum.lost_answers];
    assert!(fired.iter().all(|count| *count > 0), "a kind of fault never fired: {sum:?}");
}

#[test]
fn a_queue_that_is_deleted_while_in_use_is_made_again() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(8, "2026-03-04 14:00"));
    world.start_worker();
    world.run_for(Duration::from_mins(1));
    let queue = QueueName::of_packet(packet);
    block_on(world.queue.delete(&queue)).unwrap();
    world.run_for(Duration::from_mins(3));
    assert_eq!(world.depth(&queue), None, "nobody needs it before a message is due");
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(judge::accepted_messages(&world).len(), 8);
}
