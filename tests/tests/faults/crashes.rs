//! Workers that are dropped, wherever they stand.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::TimeDelta;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::ids::PacketId;
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::{
    CompiledCampaigns, Dispatch, Dispositions, IncomingMessages, Ingest, Mapping, Prepared, Settings,
    shutdown,
};
use reminderly_core::sources::MemorySource;
use reminderly_tests::executor::Stepper;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::json;

/// No use case that is tested here takes more polls.
pub(super) const POLLS_AT_MOST: usize = 2_000;

const AT: &str = "2026-03-04 14:00";

/// Polls `future` so often and drops it; whether it was ready before. Time goes on when it waits for time.
pub(super) fn cut<T>(world: &World, polls: usize, future: impl Future<Output = T> + Send) -> Option<T> {
    let mut stepper = Stepper::new(future);
    for _ in 0..polls {
        if let Poll::Ready(value) = stepper.poll() {
            return Some(value);
        }
        if !stepper.is_woken()
            && let Some(wake) = world.clock.next_wake()
        {
            world.clock.advance_to(wake);
        }
    }
    None
}

/// Does `work` in worlds of their own, dropping it after 0, 1, 2, … polls until it comes to its end; answers how many polls
/// there were to drop it at. Each world is then finished by a worker and judged.
fn at_every_poll(setup: &Setup, work: impl Fn(&mut World, &Campaign, usize) -> bool) -> usize {
    for polls in 0..POLLS_AT_MOST {
        let mut world = World::new(setup);
        let company = world.company();
        let campaign = world.campaign(company, &material::document());
        let finished = work(&mut world, &campaign, polls);
        world.start_worker();
        world.run_to_end();
        judge::all_is_well(&world, &campaign);
        assert!(judge::accepted_messages(&world).len() >= 7, "the faults stopped, and so did the sending");
        if finished {
            return polls;
        }
    }
    panic!("still not finished after {POLLS_AT_MOST} polls");
}

fn yielding() -> Setup {
    let script = json!({ "default": { "mix": {
        "delivers": 4, "confirms": 2, "cancels": 1, "time_out_accepted": 1, "time_out": 1, "lost_answer": 1
    } } });
    Setup { yielding: true, script, ..Setup::default() }
}

/// A packet whose messages are in its queue and due, with nobody to send them.
fn queued(world: &mut World, campaign: &Campaign) -> PacketId {
    let packet = world.load(campaign.company, campaign.id, &material::csv(8, AT));
    let process = world.new_process();
    let (worker, _pollers) = world.idle_worker(process);
    world.clock.advance_to(world.now() + TimeDelta::minutes(5));
    for _ in 0..3 {
        assert!(cut(world, POLLS_AT_MOST, worker.round()).unwrap().is_ok());
        // Its pollers never get to run.
        world.kill(process);
    }
    assert!(world.depth(&QueueName::of_packet(packet)).unwrap().total() > 0);
    packet
}

#[test]
fn dispatch_may_be_dropped_at_any_poll() {
    let polls = at_every_poll(&yielding(), |world, campaign, polls| {
        let packet = queued(world, campaign);
        let dispatch = Dispatch::new(&world.ports, &world.settings);
        let (_trigger, shutdown) = shutdown();
        let queue = QueueName::of_packet(packet);
        cut(world, polls, dispatch.poll(&queue, Duration::ZERO, &shutdown)).is_some()
    });
    println!("dispatch: {polls} polls");
    assert!(polls >= 4, "{polls}");
}

#[test]
fn a_round_may_be_dropped_at_any_poll() {
    for minutes in [0, 6] {
        let polls = at_every_poll(&yielding(), |world, campaign, polls| {
            world.load(campaign.company, campaign.id, &material::csv(8, AT));
            world.clock.advance_to(world.now() + TimeDelta::minutes(minutes));
            let process = world.new_process();
            let (worker, _pollers) = world.idle_worker(process);
            // The first rounds set the packet up, the later ones feed it.
            let mut left = polls;
            for _ in 0..3 {
                let mut used = 0;
                let round = futures::future::poll_fn({
                    let mut round = Box::pin(worker.round());
                    let used = &mut used;
                    move |context| {
                        *used += 1;
                        round.as_mut().poll(context).map(drop)
                    }
                });
                if cut(world, left, round).is_none() {
                    world.kill(process);
                    return false;
                }
                left -= used;
            }
            world.kill(process);
            true
        });
        println!("round: {polls} polls");
        assert!(polls >= 60, "{polls}");
    }
}

#[test]
fn loading_and_mapping_may_be_dropped_at_any_poll() {
    let setup = Setup { tune: |settings| settings.rows_per_batch = 3, ..yielding() };
    let polls = at_every_poll(&setup, |world, campaign, polls| {
        let data = material::csv(8, AT);
        let source = Arc::new(MemorySource::new().with_file("visits.csv", &data));
        world.with_inbox(campaign.company, campaign.id, Arc::<MemorySource>::clone(&source));
        let scope = world.scope(campaign.company, Action::Ingest);
        let operate = world.worker_scope(campaign.company);
        let ingest = Ingest::new(&world.ports, &world.settings);
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
        let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
        let work = async {
            let prepared = ingest.prepare(&scope, campaign.id, &*source, "visits.csv").await.unwrap();
            let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) = prepared;
            ingest.load(&scope, packet.id, &*source, &mut |_| {}).await.unwrap();
            mapping.map(&operate, packet.id, &mut |_| {}).await.unwrap();
        };
        cut(world, polls, work).is_some()
    });
    println!("load and map: {polls} polls");
    assert!(polls >= 30, "{polls}");
}

#[test]
fn taking_in_dispositions_and_replies_may_be_dropped_at_any_poll() {
    let setup = Setup {
        yielding: true,
        script: json!({ "default": { "mix": { "confirms": 2, "cancels": 1, "stops": 1, "complains": 1 } } }),
        ..Setup::default()
    };
    for dispositions in [true, false] {
        let polls = at_every_poll(&setup, |world, campaign, polls| {
            world.load(campaign.company, campaign.id, &material::csv(8, AT));
            let sender = world.start_worker();
            world.run_until(reminderly_tests::world::instant("2026-03-04T18:00:10Z"));
            world.kill(sender);
            // Everything that people have to say comes in while nobody works.
            world.run_for(Duration::from_mins(15));
            let (trigger, shutdown) = shutdown();
            let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
            let incoming = IncomingMessages::new(&world.ports, &world.settings, Arc::clone(&campaigns));
            let reports = Dispositions::new(&world.ports, &world.settings, campaigns);
            let work = async {
                let loops = async {
                    if dispositions { reports.run(&shutdown).await } else { incoming.run(&shutdown).await }
                };
                let stop = async {
                    world.clock_passed(Duration::from_secs(1)).await;
                    trigger.fire();
                };
                futures::future::join(loops, stop).await;
            };
            cut(world, polls, work).is_some()
        });
        println!("{}: {polls} polls", if dispositions { "dispositions" } else { "incoming" });
        assert!(polls >= 6, "{polls}");
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
