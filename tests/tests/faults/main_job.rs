//! Nothing goes wrong.

use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::ports::queue::QueueName;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::json;

#[test]
fn two_hundred_rows_go_out_and_everything_is_torn_down() {
    let script =
        json!({ "default": { "mix": { "delivers": 60, "undelivered": 10, "confirms": 20, "cancels": 10 } } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(200, "2026-03-04 14:00"));
    let worker = world.start_worker();
    world.run_for(std::time::Duration::from_mins(1));
    let queue = QueueName::of_packet(packet);
    assert!(world.depth(&queue).is_some(), "the packet has a queue while it waits");
    assert_eq!(world.polled_queues(worker), 1);

    world.run_to_end();

    judge::all_is_well(&world, &campaign);
    assert_eq!(world.packet(company, packet).stage, PacketStage::Complete);
    assert_eq!(world.polled_queues(worker), 0);
    assert_eq!(world.depth(&queue), None);
    let statuses = judge::statuses(&world, &campaign);
    let follow_ups = world.sandbox.accepted().len() - 200;
    assert!((20..100).contains(&follow_ups), "{follow_ups} answers were answered");
    assert!(statuses[&MessageStatus::Undelivered] > 5);
    assert_eq!(statuses.values().sum::<usize>(), 200 + follow_ups);
}
