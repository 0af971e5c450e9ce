//! More messages than a queue should hold.

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::ports::queue::QueueName;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};

const ROWS: usize = 20_000;
const MAX_COPIES: usize = 1_000;

/// Runs to the end and answers the largest number of messages that had a copy, and of slices in the queue.
#[test]
fn twenty_thousand_due_messages_are_handed_over_a_thousand_at_a_time() {
    let setup = Setup { tune: |settings| settings.max_copies = MAX_COPIES, ..Setup::default() };
    let mut world = World::new(&setup);
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(ROWS, "2026-03-04 14:00"));
    let queue = QueueName::of_packet(packet);
    world.start_worker();
    let limit = world.now() + chrono::TimeDelta::hours(1);
    let run = world.scope(company, Action::RunCampaign);
    let (mut paused_at, mut deepest) = (None, 0);
    while world.sandbox.accepted_count() < ROWS as u64 {
        if !world.step() {
            assert!(world.advance(limit), "stuck at {}", world.sandbox.accepted_count());
        }
        let slices = world.depth(&queue).map_or(0, reminderly_core::ports::queue::Depth::total);
        deepest = deepest.max(slices);
        assert!(slices <= MAX_COPIES as u64 / 100 + 1, "{slices} slices are in the queue");
        if paused_at.is_none() && world.sandbox.accepted_count() > 5_000 {
            block_on(world.campaigns().pause(&run, campaign.id)).unwrap();
            let before = world.sandbox.accepted_count();
            paused_at = Some(before);
            world.run_for(std::time::Duration::from_mins(2));
            assert_eq!(world.sandbox.accepted_count(), before, "the pause acts at once");
            block_on(world.campaigns().resume(&run, campaign.id)).unwrap();
        }
    }
    assert!(paused_at.is_some() && deepest >= 5);
    world.run_to_end();
    judge::at_most_once(&world);
    judge::everything_ended(&world, &campaign);
    judge::accounted_for(&world, &campaign);
}
