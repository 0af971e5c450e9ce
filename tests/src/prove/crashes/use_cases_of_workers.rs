//! The use cases that workers carry out, and finish when one of them dies.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::sweep::{OverdueClaims, StalledPackets, StrayQueues, UnknownOutcomes};
use reminderly_core::services::{
    CompiledCampaigns, Dispatch, Dispositions, Enqueue, Fleet, Forecasts, IncomingMessages, Mapping, shutdown,
};
use serde_json::{Value, json};

use super::use_cases::{
    ROWS, Ready, UseCase, answering, arrived, claimed, due, in_small_batches, loaded, mapped, next_file,
    over, pairs, queued, take_in, told, yielding,
};
use crate::material;
use crate::world::{Setup, World};

/// All but those of whom nobody will ever know whether they went, or who answered before.
const NEARLY_ALL: std::ops::RangeInclusive<usize> = ROWS - 1..=2 * ROWS;

/// Every use case of workers.
pub(super) fn all() -> Vec<UseCase> {
    let case = |name, setup: fn() -> Setup, prepare, work| UseCase {
        name,
        setup,
        document: material::document,
        prepare,
        work,
        is_repeated: false,
        sent: NEARLY_ALL,
    };
    let vanishing = || material::document_with(&[("/mapping/vanished", json!("cancel"))]);
    let capped = || material::document_with(&[("/limits", json!({ "per_person_per_day": 1 }))]);
    vec![
        case("loading a file", in_small_batches, arrived, take_in),
        case("mapping", in_small_batches, loaded, map),
        UseCase { document: capped, ..case("mapping with caps", in_small_batches, loaded, map) },
        UseCase {
            document: household,
            sent: ROWS / 2 - 1..=ROWS,
            ..case("mapping households", in_small_batches, pairs, map)
        },
        UseCase { document: vanishing, ..case("mapping the next file", in_small_batches, next_file, map) },
        case("setting up", yielding, mapped, tend),
        case("feeding", yielding, due, feed),
        case("dispatch", yielding, queued, dispatch),
        case("sweeping", yielding, claimed, sweep),
        case("taking in reports", answering, told, report),
        case("taking in replies", answering, told, reply),
        case("taking down", yielding, over, tend_again),
        case("forecasting", yielding, due, forecast),
        case("a round of a worker", yielding, due, round),
        case("a first round of a worker", yielding, loaded, round),
    ]
}

/// One message for two.
fn household() -> Value {
    let text = "{% for one in household %}{{ one.first_name }} {{ one.appointment_at | time('%-I:%M %p') }} {% endfor %}";
    let methods = json!({ "order": ["sms"], "household": "same_day" });
    material::document_with(&[("/methods", methods), ("/messages", json!({ "sms": { "text": text } }))])
}

fn map(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
    let (scope, packet) = (world.worker_scope(campaign.company), ready.packet());
    Box::pin(async move {
        mapping.map(&scope, packet, &mut |_| {}).await.expect("mapped");
    })
}

fn tend(world: &World, _: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (worker, pollers) = world.idle_worker(ready.process);
    drop(worker);
    let fleet = Fleet::new(&world.ports, &world.settings, pollers);
    let scope = world.platform_scope();
    Box::pin(async move {
        fleet.tend(&scope).await.expect("tended");
    })
}

/// A packet ends in several rounds.
fn tend_again(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let rounds: Vec<_> = (0..3).map(|_| tend(world, campaign, ready)).collect();
    Box::pin(async move {
        for round in rounds {
            round.await;
        }
    })
}

fn feed(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let enqueue = Enqueue::new(&world.ports, &world.settings, campaigns);
    let (scope, packet) = (world.worker_scope(campaign.company), ready.packet());
    Box::pin(async move {
        enqueue.feed(&scope, packet).await.expect("fed");
        enqueue.next_due(&scope, packet).await.expect("read");
    })
}

fn dispatch(world: &World, _: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let dispatch = Dispatch::new(&world.ports, &world.settings);
    let queue = QueueName::of_packet(ready.packet());
    Box::pin(async move {
        let (_trigger, shutdown) = shutdown();
        // Its queue may be gone, once all is done.
        let _ = dispatch.poll(&queue, Duration::ZERO, &shutdown).await;
    })
}

fn sweep(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let overdue = OverdueClaims::new(&world.ports, &world.settings);
    let unknown = UnknownOutcomes::new(&world.ports, &world.settings, campaigns);
    let stalled = StalledPackets::new(&world.ports);
    let strays = StrayQueues::new(&world.ports);
    let scope = world.platform_scope();
    Box::pin(async move {
        overdue.sweep(&scope).await.expect("swept");
        unknown.sweep(&scope).await.expect("swept");
        stalled.sweep(&scope).await.expect("swept");
        strays.sweep(&scope).await.expect("swept");
    })
}

fn report(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let reports = Dispositions::new(&world.ports, &world.settings, campaigns);
    let clock = Arc::clone(&world.clock);
    Box::pin(async move {
        let (trigger, shutdown) = shutdown();
        let stop = async {
            clock.sleep_until(clock.now() + Duration::from_secs(1)).await;
            trigger.fire();
        };
        futures::future::join(reports.run(&shutdown), stop).await;
    })
}

fn reply(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let incoming = IncomingMessages::new(&world.ports, &world.settings, campaigns);
    let clock = Arc::clone(&world.clock);
    Box::pin(async move {
        let (trigger, shutdown) = shutdown();
        let stop = async {
            clock.sleep_until(clock.now() + Duration::from_secs(1)).await;
            trigger.fire();
        };
        futures::future::join(incoming.run(&shutdown), stop).await;
    })
}

fn forecast(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let forecasts = Forecasts::new(&world.ports, &world.settings, campaigns);
    let scope = world.platform_scope();
    Box::pin(async move {
        forecasts.look(&scope).await.expect("looked");
    })
}

fn round(world: &World, _: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (worker, pollers) = world.idle_worker(ready.process);
    Box::pin(async move {
        let _pollers = pollers;
        for _ in 0..2 {
            worker.round().await.expect("a round");
        }
    })
}
