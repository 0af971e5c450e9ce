//! One method after the other.

use std::collections::BTreeMap;

use futures::executor::block_on;
use reminderly_core::domain::access::Action;

use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message::{Detail, MessageRecord};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::json;

const NUMBER: &str = "+15202340000";

/// A person with a number and an address whose appointment is at 14:00, with a text message at 11:00 and an e-mail half an
/// hour later.
fn climb(persona: &str) -> (World, Campaign, Vec<MessageRecord>) {
    let script = json!({ "contact_points": { NUMBER: persona } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let methods = json!({ "order": ["sms", "email"], "use": "ladder", "ladder_wait": "30m" });
    let campaign = world.campaign(company, &material::document_with(&[("/methods", methods)]));
    let data = format!("{}K0,Ann,{NUMBER},ann@example.com,2026-03-04 14:00,P0\n", material::HEADER);
    let packet = world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let records = world.messages(company, packet);
    (world, campaign, records)
}

/// When the provider first accepted a message of each method, in minutes after 11:00.
fn accepted(world: &World) -> BTreeMap<ContactMethod, i64> {
    let start = instant("2026-03-04T18:00:00Z");
    let mut first = BTreeMap::new();
    for request in world.sandbox.accepted() {
        first.entry(request.method).or_insert((request.at - start).num_minutes());
    }
    first
}

fn detail(records: &[MessageRecord], method: ContactMethod) -> (MessageStatus, Option<Detail>) {
    let of_method = |record: &&MessageRecord| record.message.method == method;
    let record = records.iter().find(of_method).unwrap();
    (record.state.status, record.state.detail.clone())
}

#[test]
fn who_does_not_answer_is_tried_by_the_next_method() {
    let (world, _, _) = climb("delivers");
    assert_eq!(accepted(&world), BTreeMap::from([(ContactMethod::Sms, 0), (ContactMethod::Email, 30)]));
}

#[test]
fn who_answers_is_left_alone() {
    let (world, _, records) = climb("confirms");
    assert_eq!(accepted(&world), BTreeMap::from([(ContactMethod::Sms, 0)]));
    let answered = (MessageStatus::Skipped, Some(Detail::Skip(SkipReason::Answered)));
    assert_eq!(detail(&records, ContactMethod::Email), answered);
}

#[test]
fn who_unsubscribes_by_text_message_gets_the_e_mail_all_the_same() {
    let (world, _, _) = climb("stops");
    assert_eq!(accepted(&world), BTreeMap::from([(ContactMethod::Sms, 0), (ContactMethod::Email, 30)]));
}

#[test]
fn a_permanent_failure_brings_the_next_method_at_once() {
    for persona in ["invalid", "landline", "undelivered"] {
        let (world, _, _) = climb(persona);
        let mail = accepted(&world)[&ContactMethod::Email];
        assert!(mail < 3, "{persona}: {mail} minutes");
    }
}

#[test]
fn an_unknown_outcome_counts_as_sent() {
    let (world, _, _) = climb("time_out_accepted");
    let mail = accepted(&world)[&ContactMethod::Email];
    assert_eq!(mail, 30);
}

#[test]
fn a_pause_delays_the_rungs_and_skips_none() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let methods = json!({ "order": ["sms", "email"], "use": "ladder", "ladder_wait": "30m" });
    let campaign = world.campaign(company, &material::document_with(&[("/methods", methods)]));
    let scope = world.scope(company, Action::RunCampaign);
    block_on(world.campaigns().pause(&scope, campaign.id)).unwrap();
    let data = format!("{}K0,Ann,{NUMBER},ann@example.com,2026-03-04 14:00,P0\n", material::HEADER);
    world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_until(instant("2026-03-04T18:20:00Z"));
    block_on(world.campaigns().resume(&scope, campaign.id)).unwrap();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let accepted = accepted(&world);
    assert!((20..22).contains(&accepted[&ContactMethod::Sms]), "{accepted:?}");
    let apart = accepted[&ContactMethod::Email] - accepted[&ContactMethod::Sms];
    assert!((29..32).contains(&apart), "the wait starts when the rung below goes: {accepted:?}");
}

#[test]
fn who_opted_out_with_the_carrier_is_not_called_on_that_number_but_gets_the_e_mail() {
    let script = json!({ "contact_points": { NUMBER: "opted_out" } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let methods = json!({ "order": ["sms", "phone", "email"], "use": "ladder", "ladder_wait": "10m" });
    let calls = json!({ "script": "Hello {{ first_name }}." });
    let number = json!("row['Cell'] | phone('US')");
    let changes = [("/methods", methods), ("/messages/phone", calls), ("/mapping/fields/phone", number)];
    let campaign = world.campaign(company, &material::document_with(&changes));
    let row =
        |appointment: &str| format!("{}K0,Ann,{NUMBER},ann@example.com,{appointment},P0\n", material::HEADER);
    let first = world.load(company, campaign.id, &row("2026-03-04 14:00"));
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(accepted(&world).keys().collect::<Vec<_>>(), [&ContactMethod::Email]);
    let unsubscribed = (MessageStatus::Skipped, Some(Detail::Skip(SkipReason::Unsubscribed)));
    assert_eq!(detail(&world.messages(company, first), ContactMethod::Phone), unsubscribed);
    let second = world.load(company, campaign.id, &row("2026-03-05 14:00"));
    world.run_to_end();
    for method in [ContactMethod::Sms, ContactMethod::Phone] {
        assert_eq!(detail(&world.messages(company, second), method), unsubscribed, "{method}");
    }
    let refused = world.sandbox.requests() - world.sandbox.accepted().len() as u64;
    assert_eq!(refused, 1, "the provider was asked once and for all");
}
