//! The use cases, each with what must be there before it begins.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use futures::future::BoxFuture;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::ids::PacketId;
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::{CompiledCampaigns, Dispatch, Ingest, Mapping, Prepared, shutdown};
use reminderly_core::sources::MemorySource;
use reminderly_providers::sandbox::SandboxCallback;
use serde_json::{Value, json};

use super::harness::{POLLS_AT_MOST, cut};
use super::{use_cases_of_hosts, use_cases_of_workers};
use crate::executor::{Process, Stepper};
use crate::material;
use crate::world::{Setup, World, instant};

/// Appointments whose reminders go five minutes after a world begins.
pub(super) const AT: &str = "2026-03-04 14:00";

/// Rows of a file.
pub(super) const ROWS: usize = 8;

/// A use case of the services.
pub struct UseCase {
    /// What it does.
    pub name: &'static str,
    /// The world in which it happens; the seed is added.
    pub setup: fn() -> Setup,
    /// The campaign.
    pub document: fn() -> Value,
    /// What must be there before.
    pub prepare: fn(&mut World, &Campaign) -> Ready,
    /// The use case. Whatever error it meets is one that its caller lives with.
    pub work: fn(&World, &Campaign, &Ready) -> BoxFuture<'static, ()>,
    /// Its caller repeats it until it is told that it is done; otherwise a worker finishes what is left.
    pub is_repeated: bool,
    /// How many messages go in the end.
    pub sent: RangeInclusive<usize>,
}

impl fmt::Debug for UseCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UseCase").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is there before a use case begins.
#[derive(Debug, Default)]
pub struct Ready {
    /// The process that it runs in.
    pub process: Process,
    /// The packet that it is about.
    pub packet: Option<PacketId>,
    /// The file that it reads.
    pub source: Option<Arc<MemorySource>>,
    /// The callbacks that it takes.
    pub callbacks: Vec<SandboxCallback>,
}

impl Ready {
    /// The packet that the use case is about.
    pub(super) fn packet(&self) -> PacketId {
        self.packet.expect("a packet")
    }
}

/// Every use case.
pub fn all() -> Vec<UseCase> {
    use_cases_of_workers::all().into_iter().chain(use_cases_of_hosts::all()).collect()
}

/// A store that gives way around its calls, and providers that are seldom well.
pub(super) fn yielding() -> Setup {
    let script = json!({ "default": { "mix": {
        "delivers": 4, "confirms": 2, "cancels": 1, "time_out_accepted": 1, "time_out": 1, "lost_answer": 1
    } } });
    Setup { yielding: true, script, ..Setup::default() }
}

/// The same with small batches.
pub(super) fn in_small_batches() -> Setup {
    Setup { tune: |settings| settings.rows_per_batch = 3, ..yielding() }
}

/// People who answer.
pub(super) fn answering() -> Setup {
    let script = json!({ "default": { "mix": { "confirms": 2, "cancels": 1, "stops": 1, "complains": 1 } } });
    Setup { script, ..yielding() }
}

/// Nothing.
pub(super) fn nothing(_: &mut World, _: &Campaign) -> Ready {
    Ready::default()
}

/// A packet that is loaded.
pub(super) fn loaded(world: &mut World, campaign: &Campaign) -> Ready {
    let packet = world.load(campaign.company, campaign.id, &material::csv(ROWS, AT));
    Ready { packet: Some(packet), ..Ready::default() }
}

/// A packet that is loaded, of whose rows two have one number each.
pub(super) fn pairs(world: &mut World, campaign: &Campaign) -> Ready {
    let mut text = material::HEADER.to_owned();
    (0..ROWS).for_each(|index| text.push_str(&material::line(index, &material::number(index / 2), AT)));
    let packet = world.load(campaign.company, campaign.id, &text);
    Ready { packet: Some(packet), ..Ready::default() }
}

/// A packet that is mapped.
pub(super) fn mapped(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    map(world, campaign, ready.packet());
    ready
}

pub(super) fn map(world: &World, campaign: &Campaign, packet: PacketId) {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
    let scope = world.worker_scope(campaign.company);
    block_on(mapping.map(&scope, packet, &mut |_| {})).expect("mapped");
}

/// A packet whose first file was mapped, and a second that moves, amends and no longer names appointments.
pub(super) fn next_file(world: &mut World, campaign: &Campaign) -> Ready {
    mapped(world, campaign);
    let mut text = material::HEADER.to_owned();
    for index in 1..ROWS {
        let at = if index % 3 == 0 { "2026-03-04 15:00" } else { AT };
        let line = material::line(index, &material::number(index), at);
        text.push_str(&if index % 3 == 1 { line.replace("Name", "Miss ") } else { line });
    }
    world.clock.advance_to(world.now() + TimeDelta::seconds(1));
    let packet = world.load(campaign.company, campaign.id, &text);
    Ready { packet: Some(packet), ..Ready::default() }
}

/// A packet that is set up and whose messages are due.
pub(super) fn due(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
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

/// A packet that was sent; what people and providers have to say waits at the gateway.
pub(super) fn sent(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    let sender = world.start_worker();
    world.run_until(instant("2026-03-04T18:00:00.9Z"));
    world.kill(sender);
    world.clock.advance_to(world.now() + TimeDelta::minutes(15));
    let callbacks = world.sandbox.take_callbacks(world.now());
    Ready { callbacks, ..ready }
}

/// A packet that was sent; what people and providers have to say waits in the queues.
pub(super) fn told(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    let sender = world.start_worker();
    world.run_until(instant("2026-03-04T18:00:10Z"));
    world.kill(sender);
    world.run_for(Duration::from_mins(15));
    ready
}

/// A packet of which nothing is open, and that has not ended.
pub(super) fn over(world: &mut World, campaign: &Campaign) -> Ready {
    let ready = loaded(world, campaign);
    let sender = world.start_worker();
    world.run_until(instant("2026-03-04T18:00:10Z"));
    world.kill(sender);
    ready
}

/// A file that nobody has taken in.
pub(super) fn arrived(world: &mut World, campaign: &Campaign) -> Ready {
    let source = Arc::new(MemorySource::new().with_file("visits.csv", material::csv(ROWS, AT)));
    world.with_inbox(campaign.company, campaign.id, Arc::<MemorySource>::clone(&source));
    Ready { source: Some(source), ..Ready::default() }
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

/// Takes a file in; a later try goes on.
pub(super) fn take_in(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(campaign.company, Action::Ingest);
    let (id, source) = (campaign.id, ready.source.clone().expect("a file"));
    Box::pin(async move {
        let prepared = ingest.prepare(&scope, id, &*source, "visits.csv").await.expect("prepared");
        let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) = prepared;
        ingest.load(&scope, packet.id, &*source, &mut |_| {}).await.expect("loaded");
    })
}
