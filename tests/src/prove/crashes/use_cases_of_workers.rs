//! The use cases that workers carry out, and finish when one of them dies.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::envelope::Slice;
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::sweep::{OverdueClaims, StalledPackets, StrayQueues, UnknownOutcomes};
use reminderly_core::services::{CompiledCampaigns, Dispatch, Enqueue, Fleet, Forecasts, Mapping, shutdown};
use serde_json::{Value, json};

use super::judges;
use super::preparations::{
    busy_people, claimed, due, loaded, mapped, next_file, over, overtaken, pairs, queued,
};
use super::use_cases::{Ready, UseCase, in_a_second, in_small_batches};
use crate::material;
use crate::world::World;

/// Every use case of workers.
pub(super) fn all() -> Vec<UseCase> {
    mapping().into_iter().chain(sending()).collect()
}

fn mapping() -> [UseCase; 5] {
    let covers = &["Mapping::map"];
    let case =
        |name, prepare| UseCase { setup: in_small_batches, ..UseCase::new(name, covers, prepare, map) };
    let after_two = |name, prepare| UseCase {
        document: vanishing,
        judge: |world, campaign, _| {
            judges::told_as_the_second_file_says(world);
            judges::heard_and_answered_once(world, campaign);
        },
        ..case(name, prepare)
    };
    [
        case("mapping", loaded),
        UseCase {
            document: || material::document_with(&[("/limits", json!({ "per_person_per_day": 1 }))]),
            judge: |world, campaign, _| {
                judges::each_person_told_once(world);
                judges::heard_and_answered_once(world, campaign);
            },
            ..case("mapping with caps", busy_people)
        },
        UseCase {
            document: household,
            judge: |world, campaign, _| {
                judges::each_household_told_once(world);
                judges::heard_and_answered_once(world, campaign);
            },
            ..case("mapping households", pairs)
        },
        after_two("mapping the next file", next_file),
        after_two("mapping a file that the next has overtaken", overtaken),
    ]
}

fn sending() -> [UseCase; 10] {
    let sweeps =
        &["OverdueClaims::sweep", "UnknownOutcomes::sweep", "StalledPackets::sweep", "StrayQueues::sweep"];
    let rounds = &["Worker::round", "Worker::intake_round", "Worker::sweep_round", "Worker::sending_round"];
    let loops = &[
        "Worker::run",
        "Worker::run_intake",
        "Worker::run_sending",
        "Worker::run_sweeps",
        "Dispatch::run",
        "InProcessPollers::stop_all",
    ];
    [
        UseCase::new("setting up", &["Fleet::tend"], mapped, tend),
        UseCase::new("feeding", &["Enqueue::feed", "Enqueue::next_due"], due, feed),
        UseCase::new("dispatch", &["Dispatch::poll"], queued, dispatch),
        UseCase::new("dispatching a slice", &["Dispatch::dispatch_slice"], queued, dispatch_slice),
        UseCase::new("sweeping", sweeps, claimed, sweep),
        UseCase::new("taking down", &["Fleet::tend"], over, tend_again),
        UseCase::new("forecasting", &["Forecasts::look", "Forecasts::packet"], due, forecast),
        UseCase::new("a round of a worker", rounds, due, round),
        UseCase::new("a first round of a worker", rounds, loaded, round),
        UseCase::new("the loops of a worker", loops, due, run),
    ]
}

/// A campaign whose rows are cancelled when the next file does not name them.
pub(super) fn vanishing() -> Value {
    material::document_with(&[("/mapping/vanished", json!("cancel"))])
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

/// What a host does that has queues of its own.
fn dispatch_slice(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let dispatch = Dispatch::new(&world.ports, &world.settings);
    let scope = world.worker_scope(campaign.company);
    let messages = world.messages(campaign.company, ready.packet());
    let slice = Slice {
        company: campaign.company,
        campaign: campaign.id,
        packet: ready.packet(),
        method: ContactMethod::Sms,
        closes_at: None,
        messages: messages.iter().map(|record| record.message.id).collect(),
    };
    Box::pin(async move {
        dispatch.dispatch_slice(&scope, &slice).await.expect("dispatched");
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

fn forecast(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let forecasts = Forecasts::new(&world.ports, &world.settings, campaigns);
    let (scope, view) = (world.platform_scope(), world.scope(campaign.company, Action::ViewReports));
    let packet = ready.packet();
    Box::pin(async move {
        forecasts.look(&scope).await.expect("looked");
        forecasts.packet(&view, packet).await.expect("forecast");
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

/// Everything that a worker does within a second, with its pollers.
fn run(world: &World, _: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (worker, pollers) = world.idle_worker(ready.process);
    let (shutdown, stop) = in_a_second(world);
    Box::pin(async move {
        let (ran, ()) = futures::future::join(worker.run(&shutdown), stop).await;
        ran.expect("it runs");
        pollers.stop_all().await;
    })
}
