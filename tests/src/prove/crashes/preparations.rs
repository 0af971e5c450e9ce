//! What is there before a use case begins.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::ids::PacketId;
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::{CompiledCampaigns, Dispatch, Ingest, Mapping, Prepared, shutdown};
use reminderly_core::sources::MemorySource;

use super::harness::{POLLS_AT_MOST, cut};
use super::judges::said;
use super::use_cases::Ready;
use crate::executor::Stepper;
use crate::material;
use crate::world::{World, instant};

/// Appointments whose reminders go five minutes after a world begins.
pub(super) const AT: &str = "2026-03-04 14:00";

/// Appointments whose reminders go an hour later.
pub(super) const LATER: &str = "2026-03-04 15:00";

/// Appointments of the next day.
const TOMORROW: &str = "2026-03-05 14:00";

/// Rows of a file.
pub(super) const ROWS: usize = 8;

/// Of the rows' persons the first so many refuse, where there are some who do.
pub(super) const REFUSING: usize = 5;

/// The name of a file.
pub(super) const FILE: &str = "visits.csv";

/// Nothing.
pub(super) fn nothing(_: &mut World, _: &Campaign) -> Ready {
    Ready::default()
}

/// A packet that is loaded.
pub(super) fn loaded(world: &mut World, campaign: &Campaign) -> Ready {
    Ready::of(world.load(campaign.company, campaign.id, &material::csv(ROWS, AT)))
}

/// A file of as many rows, each of whose lines is made from its index.
fn file(line: impl Fn(usize) -> String) -> String {
    (0..ROWS).map(line).fold(material::HEADER.to_owned(), |text, line| text + &line)
}

/// A packet that is loaded, of whose rows two have one number each.
pub(super) fn pairs(world: &mut World, campaign: &Campaign) -> Ready {
    let text = file(|index| material::line(index, &material::number(index / 2), AT));
    Ready::of(world.load(campaign.company, campaign.id, &text))
}

/// A packet that is loaded, of whose rows two are about appointments of one person on one day.
pub(super) fn busy_people(world: &mut World, campaign: &Campaign) -> Ready {
    let text = file(|index| {
        let at = if index % 2 == 0 { AT } else { LATER };
        let line = material::line(index, &material::number(index / 2), at);
        line.replace(&format!("P{index}"), &format!("P{}", index / 2))
    });
    Ready::of(world.load(campaign.company, campaign.id, &text))
}

/// A packet that is mapped.
pub(super) fn mapped(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    map(world, campaign, ready.packet());
    ready
}

fn map(world: &World, campaign: &Campaign, packet: PacketId) {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
    let scope = world.worker_scope(campaign.company);
    block_on(mapping.map(&scope, packet, &mut |_| {})).expect("mapped");
}

/// A file that moves every third appointment of the first, amends every third, and no longer names the first row.
fn second_file() -> String {
    let mut text = material::HEADER.to_owned();
    for index in 1..ROWS {
        let at = if index % 3 == 0 { LATER } else { AT };
        let line = material::line(index, &material::number(index), at);
        text.push_str(&if index % 3 == 1 { line.replace("Name", "Miss ") } else { line });
    }
    text
}

/// A packet whose first file was mapped, and a [second](second_file).
pub(super) fn next_file(world: &mut World, campaign: &Campaign) -> Ready {
    mapped(world, campaign);
    world.clock.advance_to(world.now() + TimeDelta::seconds(1));
    Ready::of(world.load(campaign.company, campaign.id, &second_file()))
}

/// A packet that a [second](second_file) has overtaken: that one is mapped.
pub(super) fn overtaken(world: &mut World, campaign: &Campaign) -> Ready {
    let first = loaded(world, campaign);
    world.clock.advance_to(world.now() + TimeDelta::seconds(1));
    let second = world.load(campaign.company, campaign.id, &second_file());
    map(world, campaign, second);
    first
}

/// A packet that is set up and whose messages are due.
pub(super) fn due(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    rounds(world, 2);
    world.clock.advance_to(world.now() + TimeDelta::minutes(5));
    ready
}

/// The same with a packet of whose messages every other is due an hour later.
pub(super) fn half_due(world: &mut World, campaign: &Campaign) -> Ready {
    let at = |index| if index % 2 == 0 { AT } else { LATER };
    let text = file(|index| material::line(index, &material::number(index), at(index)));
    let ready = Ready::of(world.load(campaign.company, campaign.id, &text));
    rounds(world, 2);
    world.clock.advance_to(world.now() + TimeDelta::minutes(5));
    ready
}

/// A packet whose messages are in its queue and due, with nobody to send them.
pub(super) fn queued(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    world.clock.advance_to(world.now() + TimeDelta::minutes(5));
    rounds(world, 3);
    assert!(world.depth(&QueueName::of_packet(ready.packet())).is_some_and(|depth| depth.total() > 0));
    ready
}

/// A packet whose claims nobody will settle.
pub(super) fn claimed(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = queued(world, campaign);
    let dispatch = Dispatch::new(&world.ports, &world.settings);
    let (_trigger, shutdown) = shutdown();
    let queue = QueueName::of_packet(ready.packet());
    let mut stepper = Stepper::new(dispatch.poll(&queue, Duration::ZERO, &shutdown));
    while world.sandbox.requests() == 0 {
        assert!(stepper.poll().is_pending(), "nothing was sent");
    }
    drop(stepper);
    world.clock.advance_to(world.now() + TimeDelta::minutes(2));
    ready
}

/// A packet of which nothing is open, and that has not ended.
pub(super) fn over(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    send(world);
    ready
}

/// A packet that was sent; what people and providers have to say waits at the gateway.
pub(super) fn sent(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    let sender = world.start_worker();
    world.run_until(instant("2026-03-04T18:00:00.9Z"));
    world.kill(sender);
    world.clock.advance_to(world.now() + TimeDelta::minutes(15));
    let callbacks = world.sandbox.take_callbacks(world.now());
    let events = callbacks.iter().map(|callback| said(world, world.now(), callback)).collect();
    Ready { callbacks, events, ..ready }
}

/// A packet that was sent; what people and providers have to say waits in the queues.
pub(super) fn told(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = over(world, campaign);
    world.run_for(Duration::from_mins(15));
    ready
}

/// The same of appointments of the next day, when there is another reminder.
pub(super) fn told_once_of_two(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = Ready::of(world.load(campaign.company, campaign.id, &material::csv(ROWS, TOMORROW)));
    send(world);
    world.run_for(Duration::from_mins(15));
    assert_eq!(world.sandbox.accepted().len(), ROWS, "the first reminders have gone");
    // Until the second ones a day passes in which nothing happens.
    world.settings.tick = Duration::from_mins(30);
    world.settings.poll_wait = world.settings.tick;
    ready
}

/// Lets a worker send what is due.
fn send(world: &mut World) {
    let sender = world.start_worker();
    world.run_until(instant("2026-03-04T18:00:10Z"));
    world.kill(sender);
}

/// A file that nobody has taken in.
pub(super) fn arrived(world: &mut World, campaign: &Campaign) -> Ready {
    inbox(world, campaign, MemorySource::new().with_file(FILE, material::csv(ROWS, AT)))
}

/// Two files that nobody has taken in: the [second](second_file) speaks for the first.
pub(super) fn both_arrived(world: &mut World, campaign: &Campaign) -> Ready {
    let ago = |minutes| world.now() - TimeDelta::minutes(minutes);
    // By name they would come in the other order.
    let source = MemorySource::new().with_file_of("b.csv", ago(20), material::csv(ROWS, AT)).with_file_of(
        "a.csv",
        ago(10),
        second_file(),
    );
    inbox(world, campaign, source)
}

fn inbox(world: &mut World, campaign: &Campaign, source: MemorySource) -> Ready {
    let source = Arc::new(source);
    world.with_inbox(campaign.company, campaign.id, Arc::<MemorySource>::clone(&source));
    Ready { source: Some(source), ..Ready::default() }
}

/// A packet that has failed because its file went when a part of it was loaded, and the file, which is back.
pub(super) fn failed(world: &mut World, campaign: &Campaign) -> Ready {
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(campaign.company, Action::Ingest);
    let source = MemorySource::new().with_file(FILE, material::csv(ROWS, AT));
    let prepared = block_on(ingest.prepare(&scope, campaign.id, &source, FILE)).expect("prepared");
    let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) = prepared;
    let packet = packet.id;
    let mut stepper = Stepper::new(async {
        let _ = ingest.load(&scope, packet, &source, &mut |_| {}).await;
    });
    while world.packet(campaign.company, packet).rows.read == 0 {
        assert!(stepper.poll().is_pending(), "nothing was loaded");
    }
    drop(stepper);
    block_on(ingest.load(&scope, packet, &MemorySource::new(), &mut |_| {})).expect_err("no file");
    let found = world.packet(campaign.company, packet);
    assert!(found.stage == PacketStage::Failed && found.rows.read < ROWS as u64, "{found:?}");
    Ready { source: Some(Arc::new(source)), ..Ready::of(packet) }
}

/// Rounds of a worker whose pollers never get to run.
fn rounds(world: &mut World, count: usize) {
    for _ in 0..count {
        let process = world.new_process();
        let (worker, _pollers) = world.idle_worker(process);
        assert!(cut(world, POLLS_AT_MOST, worker.round()).is_some_and(|round| round.is_ok()));
        world.kill(process);
    }
}
