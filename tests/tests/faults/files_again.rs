//! Files with content that a campaign has had before: what was said last is what people are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::packet::PacketOrigin;
use reminderly_core::ids::PacketId;
use reminderly_core::sources::MemorySource;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// The reminder goes five minutes after a world begins.
const AT: &str = "2026-03-04 14:00";
const LATER: &str = "2026-03-04 16:30";
const TOMORROW: &str = "2026-03-05 14:00";
const NEXT_WEEK: &str = "2026-03-09 14:00";

const TWO_MINUTES: Duration = Duration::from_mins(2);

/// A world with a worker and a campaign.
fn world(document: &Value) -> (World, Campaign) {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, document);
    world.start_worker();
    (world, campaign)
}

/// Hands a file in, and gives it time to be mapped.
fn hand_in(world: &mut World, campaign: &Campaign, file: &str) -> PacketId {
    let packet = world.load(campaign.company, campaign.id, file);
    world.run_for(TWO_MINUTES);
    packet
}

/// What each person was told last.
fn told_last(world: &World) -> BTreeMap<String, String> {
    let mut accepted = world.sandbox.accepted();
    accepted.sort_by_key(|request| request.at);
    let told = |text: &str| text.split("see you ").nth(1).unwrap().split('.').next().unwrap().to_owned();
    let last =
        accepted.iter().map(|request| (request.contact.address().to_owned(), told(request.content.text())));
    last.collect()
}

fn all_told(persons: usize, time: &str) -> BTreeMap<String, String> {
    (0..persons).map(|index| (material::number(index), time.to_owned())).collect()
}

#[test]
fn who_was_told_a_time_that_is_taken_back_is_told_the_first_again() {
    let (mut world, campaign) = world(&material::document());
    let (first, second) = (material::csv(2, AT), material::csv(2, LATER));
    hand_in(&mut world, &campaign, &first);
    world.run_until(instant("2026-03-04T18:01:00Z"));
    assert_eq!(told_last(&world), all_told(2, "Wed 2:00 PM"));
    hand_in(&mut world, &campaign, &second);
    assert_eq!(told_last(&world), all_told(2, "Wed 4:30 PM"));
    hand_in(&mut world, &campaign, &first);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(told_last(&world), all_told(2, "Wed 2:00 PM"));
}

#[test]
fn what_vanished_comes_back_with_its_file() {
    let cancelling = material::document_with(&[("/mapping/vanished", json!("cancel"))]);
    let (mut world, campaign) = world(&cancelling);
    let whole = material::csv(3, TOMORROW);
    let short = format!("{}{}", material::HEADER, material::line(1, &material::number(1), TOMORROW));
    hand_in(&mut world, &campaign, &whole);
    let second = hand_in(&mut world, &campaign, &short);
    assert_eq!(world.packet(campaign.company, second).vanished.cancelled, 2);
    hand_in(&mut world, &campaign, &whole);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(told_last(&world), all_told(3, "Thu 2:00 PM"));
    assert_eq!(world.sandbox.accepted().len(), 3);
}

#[test]
fn after_a_wrong_file_the_right_one_is_handed_in_again() {
    let (mut world, campaign) = world(&material::document());
    let right = material::csv(3, TOMORROW);
    hand_in(&mut world, &campaign, &right);
    let wrong = hand_in(&mut world, &campaign, &material::csv(3, NEXT_WEEK));
    let run = world.scope(campaign.company, Action::RunCampaign);
    block_on(world.campaigns().cancel_packet(&run, wrong)).unwrap();
    hand_in(&mut world, &campaign, &right);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(told_last(&world), all_told(3, "Thu 2:00 PM"));
    assert_eq!(world.sandbox.accepted().len(), 3);
}

#[test]
fn files_that_stay_in_an_inbox_do_not_take_turns() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let minute = |minute: u32| instant(&format!("2026-03-04T17:{minute:02}:00Z"));
    let (first, second) = (material::csv(2, TOMORROW), material::csv(2, NEXT_WEEK));
    // The older one is the last by name.
    let inbox = MemorySource::new().with_file_of("z.csv", minute(1), &first).with_file_of(
        "a.csv",
        minute(2),
        &second,
    );
    world.with_inbox(company, campaign.id, Arc::new(inbox.clone()));
    let names = |world: &World| -> Vec<String> {
        let name = |origin: PacketOrigin| match origin {
            PacketOrigin::File { name, .. } => name.to_string(),
            other => panic!("{other:?}"),
        };
        world.packets(&campaign).into_iter().map(|packet| name(packet.origin)).collect()
    };
    for _ in 0..3 {
        let worker = world.start_worker();
        world.run_for(TWO_MINUTES);
        world.kill(worker);
        assert_eq!(names(&world), ["z.csv", "a.csv"]);
    }
    let third = inbox.with_file_of("b.csv", minute(3), &first);
    world.with_inbox(company, campaign.id, Arc::new(third));
    for _ in 0..2 {
        world.start_worker();
        world.run_for(TWO_MINUTES);
        assert_eq!(names(&world), ["z.csv", "a.csv", "b.csv"]);
    }
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(told_last(&world), all_told(2, "Thu 2:00 PM"));
}
