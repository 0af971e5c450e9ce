//! Everything that a provider may do, at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use reminderly_core::clock::Clock;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message_status::MessageStatus::{
    self, Delivered, Failed, Sent, Undelivered, Unknown,
};
use reminderly_core::memory::MemoryStore;
use reminderly_providers::layers::TimeOut;
use reminderly_providers::router::MethodRouter;
use reminderly_providers::sandbox::Sandbox;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const AT: &str = "2026-03-04 14:00";

/// What becomes of the message to each well-known number.
const BECOMES: [MessageStatus; 31] = [
    Delivered,
    Sent,
    Undelivered,
    Undelivered,
    Failed,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Delivered,
    Undelivered,
    Undelivered,
    Undelivered,
    Undelivered,
    Undelivered,
    Undelivered,
];

fn everybody(setup: &Setup) {
    let mut world = World::new(setup);
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let rows =
        (0..BECOMES.len()).map(|index| material::line(index, &format!("+12025550{:03}", 100 + index), AT));
    let packet =
        world.load(company, campaign.id, &format!("{}{}", material::HEADER, rows.collect::<String>()));
    world.start_worker();
    world.run_to_end();

    judge::all_is_well(&world, &campaign);
    for (number, record) in world.messages(company, packet).iter().enumerate() {
        assert_eq!(record.state.status, BECOMES[number], "number {number}: {:?}", record.state);
    }
    // The one that is no number anybody can reach.
    let of_packet = world
        .sandbox
        .accepted()
        .iter()
        .filter(|request| !is_follow_up(&world, packet, request.message))
        .count();
    assert_eq!(of_packet, BECOMES.len() - 1);
}

fn is_follow_up(
    world: &World,
    packet: reminderly_core::ids::PacketId,
    message: reminderly_core::ids::MessageId,
) -> bool {
    let company = world.open_packets().first().map(|packet| packet.company);
    let company = company.unwrap_or_else(|| world.sandbox.accepted()[0].company);
    !world.messages(company, packet).iter().any(|record| record.message.id == message)
}

#[test]
fn every_persona_ends_as_documented() {
    everybody(&Setup::default());
}

#[test]
fn every_persona_ends_as_documented_behind_a_time_out() {
    let providers = |sandbox: &Sandbox, clock: &Arc<dyn Clock>| {
        let inner = sandbox.provider(ContactMethod::Sms);
        MethodRouter::sandbox(sandbox).with_provider(Arc::new(TimeOut::new(inner, Arc::clone(clock))))
    };
    everybody(&Setup { providers, ..Setup::default() });
}

#[test]
fn every_persona_ends_as_documented_whatever_is_polled_first() {
    everybody(&Setup { store: MemoryStore::yielding, ..Setup::default() });
}

/// A provider that cannot be asked about attempts.
fn without_look_up(sandbox: &Sandbox, _: &Arc<dyn Clock>) -> MethodRouter {
    let provider = sandbox.provider(ContactMethod::Sms);
    MethodRouter::new().with_decoder(provider.name(), sandbox.decoder()).with_provider(provider)
}

/// Three people whose first request gets no answer: nobody took it; it was taken, and reports follow; it was taken, and
/// nothing follows.
fn unanswered(
    policy: &str,
    providers: fn(&Sandbox, &Arc<dyn Clock>) -> MethodRouter,
) -> (Vec<MessageStatus>, Vec<usize>) {
    let time_out = |accepted: bool| json!({ "request": { "time_out": { "accepted": accepted } } });
    let script = json!({ "contact_points": {
        (material::number(0)): time_out(false),
        (material::number(1)): "time_out_accepted",
        (material::number(2)): time_out(true),
    } });
    let mut world = World::new(&Setup { script, providers, ..Setup::default() });
    let company = world.company();
    let document = material::document_with(&[("/unknown_outcome", Value::from(policy))]);
    let campaign = world.campaign(company, &document);
    let packet = world.load(company, campaign.id, &material::csv(3, AT));
    world.start_worker();
    world.run_to_end();
    judge::everything_ended(&world, &campaign);
    judge::accounted_for(&world, &campaign);
    judge::inside_windows(&world, &campaign);
    let times: BTreeMap<_, _> = judge::times_accepted(&world);
    let messages = world.messages(company, packet);
    let accepted = messages.iter().map(|record| times.get(&record.message.id).copied().unwrap_or(0));
    (messages.iter().map(|record| record.state.status).collect(), accepted.collect())
}

fn with_look_up(sandbox: &Sandbox, _: &Arc<dyn Clock>) -> MethodRouter {
    MethodRouter::sandbox(sandbox)
}

#[test]
fn hold_believes_nothing_but_a_report() {
    let (statuses, accepted) = unanswered("hold", with_look_up);
    assert_eq!(statuses, [Unknown, Delivered, Unknown]);
    assert_eq!(accepted, [0, 1, 1]);
}

#[test]
fn resolve_then_hold_asks_and_sends_again_on_proof_only() {
    let (statuses, accepted) = unanswered("resolve_then_hold", with_look_up);
    assert_eq!(statuses, [Sent, Delivered, Sent]);
    assert_eq!(accepted, [1, 1, 1]);
    let (statuses, accepted) = unanswered("resolve_then_hold", without_look_up);
    assert_eq!(statuses, [Unknown, Delivered, Unknown], "without a look-up there is no proof");
    assert_eq!(accepted, [0, 1, 1]);
}

#[test]
fn resolve_then_resend_once_sends_again_once_without_proof() {
    let (statuses, accepted) = unanswered("resolve_then_resend_once", without_look_up);
    assert_eq!(statuses, [Sent, Delivered, Sent]);
    assert_eq!(accepted, [1, 1, 2], "the duplicate is what the campaign allowed");
}
