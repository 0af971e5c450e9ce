//! Workers that are told to stop in the middle of sending.

use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::memory::MemoryStore;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::json;

/// Stops the worker after so many polls of sending; whether there was still something to do.
fn stopped_after(polls: usize) -> bool {
    let script =
        json!({ "default": { "mix": { "delivers": 3, "time_out": 1, "confirms": 1, "throttled": 1 } } });
    let mut world = World::new(&Setup { store: MemoryStore::yielding, script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(8, "2026-03-04 14:00"));
    let worker = world.start_worker();
    world.run_until(instant("2026-03-04T17:59:59.9Z"));
    world.advance(instant("2026-03-04T18:00:00Z"));
    let busy = (0..polls).take_while(|_| world.step()).count() == polls;
    world.shut_down(worker);
    // Whoever waits for a provider's answer waits for it.
    world.run_for(std::time::Duration::from_secs(15));
    assert_eq!(world.executor.tasks_of(worker), 0, "a loop did not end");
    assert_eq!(world.polled_queues(worker), 0);
    for record in world.messages(company, packet) {
        assert_ne!(record.state.status, MessageStatus::Sending, "left in doubt");
    }
    world.kill(worker);
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert!(judge::accepted_messages(&world).len() >= 8);
    busy
}

#[test]
fn a_shutdown_at_any_moment_leaves_nothing_in_doubt_and_a_restart_finishes() {
    let moments = (0..2_000).take_while(|polls| stopped_after(*polls)).count();
    println!("{moments} moments");
    assert!(moments > 20, "{moments}");
}
