//! The use cases that take files in.

use futures::future::BoxFuture;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::services::{Ingest, Prepared};

use super::judges;
use super::preparations::{FILE, arrived, both_arrived, failed};
use super::use_cases::{Ready, UseCase, in_small_batches};
use super::use_cases_of_workers::vanishing;
use crate::material;
use crate::world::World;

/// Every use case of files.
pub(super) fn all() -> Vec<UseCase> {
    let taking_both_in = UseCase {
        name: "taking in what is found",
        covers: &["Ingest::discover", "Ingest::prepare_found", "Ingest::load"],
        setup: in_small_batches,
        document: vanishing,
        prepare: both_arrived,
        work: take_in_found,
        is_repeated: false,
        judge: |world, campaign, _| {
            judges::files_taken_once(world, campaign, &["b.csv", "a.csv"]);
            judges::told_as_the_second_file_says(world);
            judges::heard_and_answered_once(world, campaign);
        },
    };
    vec![
        UseCase {
            name: "loading a file",
            covers: &["Ingest::prepare", "Ingest::load"],
            document: material::document,
            prepare: arrived,
            work: take_in,
            judge: one_file_taken_and_told,
            ..taking_both_in
        },
        UseCase {
            name: "an inbox's round of a worker",
            covers: &["Worker::intake_round"],
            work: intake,
            ..taking_both_in
        },
        UseCase {
            name: "resuming a packet",
            covers: &["Ingest::resume", "Ingest::load"],
            document: material::document,
            prepare: failed,
            work: resume,
            is_repeated: true,
            judge: one_file_taken_and_told,
            ..taking_both_in
        },
        taking_both_in,
    ]
}

fn one_file_taken_and_told(world: &World, campaign: &Campaign, ready: &Ready) {
    judges::files_taken_once(world, campaign, &[FILE]);
    judges::each_row_told_once(world, campaign, ready);
}

/// Takes a file in; a later try goes on.
fn take_in(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(campaign.company, Action::Ingest);
    let (id, source) = (campaign.id, ready.source());
    Box::pin(async move {
        let prepared = ingest.prepare(&scope, id, &*source, FILE).await.expect("prepared");
        let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) = prepared;
        ingest.load(&scope, packet.id, &*source, &mut |_| {}).await.expect("loaded");
    })
}

/// Takes in what is new. What an earlier try has prepared is not new: that is left to a worker.
fn take_in_found(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(campaign.company, Action::Ingest);
    let (id, source) = (campaign.id, ready.source());
    Box::pin(async move {
        for file in ingest.discover(&scope, id, &*source).await.expect("discovered") {
            let prepared = ingest.prepare_found(&scope, id, &*source, &file).await.expect("prepared");
            let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) = prepared;
            ingest.load(&scope, packet.id, &*source, &mut |_| {}).await.expect("loaded");
        }
    })
}

fn intake(world: &World, _: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (worker, pollers) = world.idle_worker(ready.process);
    Box::pin(async move {
        let _pollers = pollers;
        worker.intake_round().await.expect("a round");
    })
}

fn resume(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(campaign.company, Action::Ingest);
    let (packet, source) = (ready.packet(), ready.source());
    Box::pin(async move {
        // Once it is resumed, a repetition is refused.
        let _ = ingest.resume(&scope, packet).await;
        ingest.load(&scope, packet, &*source, &mut |_| {}).await.expect("loaded");
    })
}
