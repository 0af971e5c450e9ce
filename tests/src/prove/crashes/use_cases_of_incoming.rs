//! The use cases that take in what providers report and people write.

use std::sync::Arc;

use futures::future::BoxFuture;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::ports::callback::CallbackEvent;
use reminderly_core::ports::store::LocatedDisposition;
use reminderly_core::services::{Callbacks, CompiledCampaigns, Dispositions, IncomingMessages};
use serde_json::{Map, Value, json};

use super::judges;
use super::preparations::{REFUSING, sent, told, told_once_of_two};
use super::use_cases::{Ready, UseCase, answering, in_a_second, yielding};
use crate::material;
use crate::world::{Setup, World};

/// Every use case of what comes in.
pub(super) fn all() -> Vec<UseCase> {
    let case = |name, covers, prepare, work| UseCase {
        setup: answering,
        ..UseCase::new(name, covers, prepare, work)
    };
    vec![
        case("taking in reports", &["Dispositions::run", "Dispositions::record"], told, report),
        case("taking in replies", &["IncomingMessages::run", "IncomingMessages::receive"], told, reply),
        UseCase {
            setup: refusing,
            document: two_reminders,
            judge: |world, campaign, _| {
                judges::no_second_to_those_who_refused(world);
                judges::heard_and_answered_once(world, campaign);
            },
            ..case("taking in refusals", &["IncomingMessages::run"], told_once_of_two, reply)
        },
        UseCase {
            is_repeated: true,
            judge: callbacks_heard,
            ..case("taking callbacks", &["Callbacks::ensure_queues", "Callbacks::accept"], sent, accept)
        },
        UseCase {
            is_repeated: true,
            judge: callbacks_heard,
            ..case(
                "taking in without queues",
                &["IncomingMessages::receive", "Dispositions::record"],
                sent,
                take_in,
            )
        },
    ]
}

fn callbacks_heard(world: &World, campaign: &Campaign, ready: &Ready) {
    judges::told_once(world);
    judges::all_heard_and_answered_once(world, campaign, &ready.events);
}

/// People of whom the first refuse, in one way or the other.
fn refusing() -> Setup {
    let refusal = |index| if index % 2 == 0 { "stops" } else { "complains" };
    let refusing: Map<String, Value> =
        (0..REFUSING).map(|index| (material::number(index), json!(refusal(index)))).collect();
    Setup { script: json!({ "contact_points": refusing }), ..yielding() }
}

/// One the day before, and one on the day.
fn two_reminders() -> Value {
    let send = json!([{ "days_before": 1, "at": "11:00" }, { "hours_before": 3 }]);
    material::document_with(&[("/schedule/send", send)])
}

fn report(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let reports = Dispositions::new(&world.ports, &world.settings, campaigns);
    let (shutdown, stop) = in_a_second(world);
    Box::pin(async move {
        futures::future::join(reports.run(&shutdown), stop).await;
    })
}

fn reply(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let incoming = IncomingMessages::new(&world.ports, &world.settings, campaigns);
    let (shutdown, stop) = in_a_second(world);
    Box::pin(async move {
        futures::future::join(incoming.run(&shutdown), stop).await;
    })
}

fn accept(world: &World, _: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let service = Callbacks::new(&world.ports, &world.settings);
    let callbacks = ready.callbacks.clone();
    Box::pin(async move {
        service.ensure_queues().await.expect("queues");
        for callback in callbacks {
            service.accept(&callback.provider, &callback.request).await.expect("taken");
        }
    })
}

/// What a host does that has no queue before it.
fn take_in(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let incoming = IncomingMessages::new(&world.ports, &world.settings, Arc::clone(&campaigns));
    let reports = Dispositions::new(&world.ports, &world.settings, campaigns);
    let (scope, store) = (world.worker_scope(campaign.company), Arc::clone(&world.ports.store));
    let events = ready.events.clone();
    Box::pin(async move {
        for event in events {
            match event {
                CallbackEvent::Incoming(message) => {
                    incoming.receive(&scope, &message).await.expect("received");
                }
                CallbackEvent::Disposition(disposition) => {
                    let found = store.locate_attempts_across_companies(&[disposition.attempt]).await;
                    let place = found.expect("read")[0].expect("an attempt");
                    let (packet, message) = (place.packet, place.message);
                    let located = LocatedDisposition { packet, message, disposition };
                    reports.record(&scope, &[located]).await.expect("recorded");
                }
            }
        }
    })
}
