//! Calls: what people press, and what happens to calls that reach nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::PhoneNumber;
use reminderly_core::domain::content::Content;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::message_status::MessageEvent;
use reminderly_core::domain::message_status::MessageStatus::{self, Delivered, Skipped, Undelivered};
use reminderly_core::domain::packet::{Draining, PacketStage};
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{
    DispositionOutcome, IncomingStore as _, LocatedDisposition, MessageStore as _, PacketStore as _,
    StageChange, UnsubscribeStore as _, WriteOutcome,
};
use reminderly_core::services::{CompiledCampaigns, Dispositions, Explain, ServiceError, Unsubscribes};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// A Wednesday; calls go from 11:00, three hours before.
const AT: &str = "2026-03-04 14:00";

/// The campaign of the other tests, by phone.
fn by_phone(changes: &[(&str, Value)]) -> Value {
    let fields = "row['Cell'] | phone('US')";
    let phone = json!({ "script": "Clinic: {{ first_name }}, see you {{ appointment_at | date('%A') }}. Press 1.",
                        "voicemail": "Please call us back, {{ first_name }}." });
    let keys = json!({ "confirm": ["1"], "cancel": ["9"], "opt_out": ["8"], "repeat": ["*"],
                       "transfer": ["0"], "transfer_to": "+15205550100" });
    let all = [
        ("/mapping/fields/phone", json!(fields)),
        ("/messages/phone", phone),
        ("/methods/order", json!(["phone"])),
        ("/responses/phone", keys),
    ];
    material::document_with(&all.into_iter().chain(changes.iter().cloned()).collect::<Vec<_>>())
}

/// What became of one call to each of these personas.
struct Outcome {
    world: World,
    campaign: Campaign,
    packet: PacketId,
    messages: Vec<MessageRecord>,
}

fn call(personas: &[&str], changes: &[(&str, Value)]) -> Outcome {
    let points = personas.iter().enumerate().map(|(index, name)| (material::number(index), json!(name)));
    let script = json!({ "contact_points": points.collect::<serde_json::Map<_, _>>() });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &by_phone(changes));
    let packet = world.load(company, campaign.id, &material::csv(personas.len(), AT));
    world.start_worker();
    world.run_to_end();
    judge::everything_ended(&world, &campaign);
    judge::accounted_for(&world, &campaign);
    judge::told_the_truth(&world, &campaign);
    judge::inside_windows(&world, &campaign);
    let messages = world.messages(company, packet);
    Outcome { world, campaign, packet, messages }
}

impl Outcome {
    fn statuses(&self) -> Vec<MessageStatus> {
        self.messages.iter().map(|record| record.state.status).collect()
    }

    /// When each message's calls were accepted.
    fn calls(&self) -> Vec<Vec<DateTime<Utc>>> {
        let mut calls: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for request in self.world.sandbox.accepted() {
            calls.entry(request.message).or_default().push(request.at);
        }
        let of = |record: &MessageRecord| calls.get(&record.message.id).cloned().unwrap_or_default();
        self.messages.iter().map(of).collect()
    }

    fn times(&self) -> Vec<usize> {
        self.calls().iter().map(Vec::len).collect()
    }

    fn reports(&self, index: usize) -> Vec<Option<AttemptReport>> {
        let id = self.messages[index].message.id;
        let attempts = block_on(self.world.store.attempts(self.campaign.company, self.packet, id));
        attempts.unwrap().into_iter().map(|attempt| attempt.report).collect()
    }
}

#[test]
fn people_answer_by_key() {
    let personas = ["presses_one", "presses_nine", "repeats_then_presses_one", "listens"];
    let outcome = call(&personas, &[]);
    assert_eq!(outcome.statuses(), [Delivered; 4]);
    let answers: Vec<_> =
        outcome.messages.iter().map(|record| record.state.response.map(|response| response.kind)).collect();
    let (confirmed, cancelled) = (Some(ResponseKind::Confirmed), Some(ResponseKind::Cancelled));
    assert_eq!(answers, [confirmed, cancelled, confirmed, None]);
    assert_eq!(outcome.times(), [1; 4]);
    let incoming = block_on(outcome.world.store.incoming(outcome.campaign.company, None, 10)).unwrap();
    assert!(
        incoming.items.iter().all(|record| !record.effect.needs_review && record.effect.follow_up.is_none())
    );
    assert_eq!(incoming.items.len(), 3, "the provider repeats by itself");
}

#[test]
fn a_key_that_opts_out_stops_calls_and_texts_to_the_number() {
    let both = [
        ("/methods", json!({ "order": ["phone", "sms"], "use": "all" })),
        ("/schedule/windows/sms", json!({ "days": ["wed"], "from": "12:00", "to": "16:00" })),
    ];
    let outcome = call(&["presses_eight"], &both);
    assert_eq!(outcome.statuses(), [Delivered, Skipped]);
}

/// The key comes when the appointment has begun: nothing is answerable any more, and the refusal counts all the same.
#[test]
fn a_key_that_opts_out_needs_no_appointment() {
    let presses = |key: &str| {
        let script = json!({ "reports": [{ "after": "8s", "report": "delivered" }],
                             "replies": [{ "after": "4h", "text": key }] });
        let script = json!({ "contact_points": { (material::number(0)): script } });
        let mut world = World::new(&Setup { script, ..Setup::default() });
        let company = world.company();
        let campaign = world.campaign(company, &by_phone(&[]));
        world.load(company, campaign.id, &material::csv(1, AT));
        world.start_worker();
        world.run_to_end();
        let number = RefusalKey::Number(PhoneNumber::parse(&material::number(0), None).unwrap());
        block_on(world.store.refused(company, &[number])).unwrap()
    };
    assert_eq!(presses("8"), [true]);
    assert_eq!(presses("1"), [false]);
}

#[test]
fn nobody_speaks_the_grammar_of_texts_with_keys() {
    // In the campaign's text messages 2 cancels; on its phone 2 is nothing.
    let script = json!({ "reports": [{ "after": "8s", "report": "delivered" }],
                         "replies": [{ "after": "20s", "text": "2" }] });
    let script = json!({ "contact_points": { (material::number(0)): script } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &by_phone(&[]));
    let packet = world.load(company, campaign.id, &material::csv(1, AT));
    world.start_worker();
    world.run_to_end();
    assert_eq!(world.messages(company, packet)[0].state.response, None);
    let incoming = block_on(world.store.incoming(company, None, 10)).unwrap();
    assert!(incoming.items[0].effect.needs_review);
}

#[test]
fn machines_are_told_or_not() {
    let outcome = call(&["voicemail", "machine"], &[]);
    assert_eq!(outcome.statuses(), [Delivered, Undelivered]);
    assert_eq!(outcome.reports(0), [Some(AttemptReport::Voicemail)]);
    assert_eq!(outcome.reports(1), [Some(AttemptReport::Machine)]);
    assert_eq!(outcome.times(), [1, 1]);
    let without = call(&["voicemail"], &[("/messages/phone", json!({ "script": "See you." }))]);
    assert_eq!((without.statuses(), without.times()), (vec![Undelivered], vec![1]));
}

#[test]
fn a_busy_line_is_called_again_by_default_and_a_ringing_phone_is_not() {
    let personas = ["busy_once", "busy", "no_answer", "no_answer_once", "failed_number"];
    let outcome = call(&personas, &[]);
    assert_eq!(outcome.statuses(), [Delivered, Undelivered, Undelivered, Undelivered, Undelivered]);
    assert_eq!(outcome.times(), [2, 3, 1, 1, 1]);
    for calls in outcome.calls() {
        for pair in calls.windows(2) {
            let pause = (pair[1] - pair[0]).to_std().unwrap();
            assert!((Duration::from_mins(10)..Duration::from_mins(12)).contains(&pause), "{pause:?}");
        }
    }
    let busy = Some(AttemptReport::Busy);
    assert_eq!(outcome.reports(0), [busy.clone(), Some(AttemptReport::Delivered)]);
    assert_eq!(outcome.reports(1), [busy.clone(), busy.clone(), busy]);
}

#[test]
fn the_campaign_says_how_often_and_how_soon() {
    let retry = json!({ "busy": { "times": 0 }, "no_answer": { "times": 1, "after": "30m" } });
    let outcome = call(&["busy_once", "no_answer", "no_answer_once"], &[("/messages/phone/retry", retry)]);
    assert_eq!(outcome.statuses(), [Undelivered, Undelivered, Delivered]);
    assert_eq!(outcome.times(), [1, 2, 2]);
}

#[test]
fn nobody_is_called_again_out_of_hours_or_too_late() {
    // The window closes before the ten minutes are over, and the appointment is today.
    let window = json!({ "days": ["wed"], "from": "11:00", "to": "11:10" });
    let outcome = call(&["busy_once"], &[("/schedule/windows/phone", window)]);
    assert_eq!((outcome.statuses(), outcome.times()), (vec![Undelivered], vec![1]));
    let retry = json!({ "busy": { "times": 5, "after": "3h" } });
    let outcome = call(&["busy_once"], &[("/messages/phone/retry", retry)]);
    assert_eq!((outcome.statuses(), outcome.times()), (vec![Undelivered], vec![1]));
}

/// A busy line, its packet complete, and the disposition that said so.
fn busy() -> (World, Campaign, PacketId, LocatedDisposition) {
    busy_under(&[])
}

fn busy_under(changes: &[(&str, Value)]) -> (World, Campaign, PacketId, LocatedDisposition) {
    let script = json!({ "contact_points": { (material::number(0)): "silent" } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &by_phone(changes));
    let packet = world.load(company, campaign.id, &material::csv(1, AT));
    world.start_worker();
    world.run_until(instant("2026-03-04T18:05:00Z"));
    assert_eq!(world.packets(&campaign)[0].stage, PacketStage::Complete);
    let record = world.messages(company, packet).remove(0);
    let attempts = block_on(world.store.attempts(company, packet, record.message.id)).unwrap();
    let disposition = Disposition {
        provider: ProviderName::from("sandbox-phone"),
        event: "busy-1".into(),
        attempt: attempts[0].id,
        reference: None,
        report: AttemptReport::Busy,
        at: world.now(),
    };
    let located = LocatedDisposition { packet, message: record.message.id, disposition };
    (world, campaign, packet, located)
}

fn record(world: &World, company: CompanyId, located: &LocatedDisposition) {
    let campaigns = CompiledCampaigns::new(Arc::clone(&world.ports.store)).into();
    let dispositions = Dispositions::new(&world.ports, &world.settings, campaigns);
    let scope = world.worker_scope(company);
    block_on(dispositions.record(&scope, std::slice::from_ref(located))).unwrap();
}

#[test]
fn a_report_that_comes_again_calls_once_more_only() {
    let (mut world, campaign, packet, located) = busy();
    let company = campaign.company;
    for event in ["busy-1", "busy-1", "busy-2"] {
        let mut again = located.clone();
        again.disposition.event = event.into();
        record(&world, company, &again);
    }
    world.run_to_end();
    judge::everything_ended(&world, &campaign);
    assert_eq!(world.sandbox.accepted().len(), 2);
    let history = block_on(world.store.history(company, packet, located.message)).unwrap();
    let redials = history.iter().filter(|entry| entry.event == MessageEvent::RedialPermitted).count();
    assert_eq!(redials, 1);
}

/// Whichever comes first: `tests/prove short dispositions --seed 483840 --count 1` found that it made a difference.
#[test]
fn busy_and_no_answer_ask_the_rule_for_no_answer_in_either_order() {
    let retry = json!({ "busy": { "times": 2, "after": "10m" }, "no_answer": { "times": 1, "after": "1h" } });
    for order in
        [[AttemptReport::Busy, AttemptReport::NoAnswer], [AttemptReport::NoAnswer, AttemptReport::Busy]]
    {
        let (world, campaign, packet, located) = busy_under(&[("/messages/phone/retry", retry.clone())]);
        for report in order.clone() {
            let mut reported = located.clone();
            reported.disposition.event = report.as_str().into();
            reported.disposition.report = report;
            record(&world, campaign.company, &reported);
        }
        let state = world.messages(campaign.company, packet).remove(0).state;
        let in_an_hour = Some(world.now() + Duration::from_hours(1));
        assert_eq!((state.status, state.not_before), (MessageStatus::Queued, in_an_hour), "{order:?}");
    }
}

#[test]
fn a_late_answer_wins_over_the_next_call() {
    let (mut world, campaign, packet, located) = busy();
    record(&world, campaign.company, &located);
    assert_eq!(world.messages(campaign.company, packet)[0].state.status, MessageStatus::Queued);
    let mut answered = located;
    (answered.disposition.event, answered.disposition.report) = ("late".into(), AttemptReport::Delivered);
    record(&world, campaign.company, &answered);
    world.run_to_end();
    assert_eq!(world.messages(campaign.company, packet)[0].state.status, Delivered);
    assert_eq!(world.sandbox.accepted().len(), 1);
    judge::all_is_well(&world, &campaign);
}

#[test]
fn nobody_is_called_again_who_opted_out_meanwhile() {
    for before in [true, false] {
        let (mut world, campaign, packet, located) = busy();
        let opt_out = |world: &World| {
            let scope = world.scope(campaign.company, Action::ManageUnsubscribes);
            let number = PhoneNumber::parse_stored(&material::number(0)).unwrap();
            let unsubscribes = Unsubscribes::new(&world.ports);
            let change = unsubscribes.change(&scope, RefusalKey::Number(number), UnsubscribeChange::OptedOut);
            assert_eq!(block_on(change).unwrap(), WriteOutcome::Applied);
        };
        if before {
            opt_out(&world);
        }
        record(&world, campaign.company, &located);
        if !before {
            opt_out(&world);
        }
        world.run_to_end();
        assert_eq!(world.messages(campaign.company, packet)[0].state.status, Undelivered);
        judge::all_is_well(&world, &campaign);
    }
}

#[test]
fn an_archived_campaign_calls_nobody_again() {
    let (mut world, campaign, packet, located) = busy();
    let scope = world.scope(campaign.company, Action::RunCampaign);
    block_on(world.campaigns().remove(&scope, campaign.id)).expect("archived");
    record(&world, campaign.company, &located);
    world.run_to_end();
    assert_eq!(world.messages(campaign.company, packet)[0].state.status, Undelivered);
    assert_eq!(world.sandbox.accepted().len(), 1);
}

#[test]
fn nobody_is_called_again_about_an_appointment_that_has_vanished() {
    for before in [true, false] {
        let (mut world, campaign, packet, located) = busy_under(&[("/mapping/vanished", json!("cancel"))]);
        if before {
            record(&world, campaign.company, &located);
        }
        let next =
            format!("{}{}", material::HEADER, material::line(1, &material::number(1), "2026-03-05 14:00"));
        let next = world.load(campaign.company, campaign.id, &next);
        world.run_until(world.now() + Duration::from_mins(2));
        let vanished = world.packet(campaign.company, next).vanished;
        // A call that is not made again is undelivered, and so not among what was cancelled.
        assert_eq!((vanished.appointments, vanished.cancelled), (1, 0));
        if !before {
            record(&world, campaign.company, &located);
        }
        world.run_to_end();
        assert_eq!(world.messages(campaign.company, packet)[0].state.status, Undelivered);
        assert_eq!(judge::times_accepted(&world)[&located.message], 1);
        judge::everything_ended(&world, &campaign);
    }
}

#[test]
fn a_call_that_a_packet_at_its_end_cannot_take_is_asked_for_again() {
    let (mut world, campaign, packet, located) = busy();
    let company = campaign.company;
    // The moment before: nothing is open, and the packet is being taken down.
    let stage = |from, to| StageChange { packet, from, to, failure: None, at: world.now() };
    let (complete, mapped, queued) = (PacketStage::Complete, PacketStage::Mapped, PacketStage::Queued);
    for (from, to) in [(complete, mapped), (mapped, queued)] {
        assert_eq!(
            block_on(world.store.change_stage(company, stage(from, to))).unwrap(),
            WriteOutcome::Applied
        );
    }
    let marked = block_on(world.store.set_draining(company, packet, Draining::Completing)).unwrap();
    assert_eq!(marked, WriteOutcome::Applied);
    let campaigns: Arc<_> = CompiledCampaigns::new(Arc::clone(&world.ports.store)).into();
    let dispositions = Dispositions::new(&world.ports, &world.settings, campaigns);
    let scope = world.worker_scope(company);
    let again = || block_on(dispositions.record(&scope, std::slice::from_ref(&located)));
    assert!(matches!(again(), Err(ServiceError::WrongState { .. })));
    assert_eq!(world.messages(company, packet)[0].state.status, Undelivered);
    let ended = block_on(world.store.change_stage(company, stage(queued, complete))).unwrap();
    assert_eq!(ended, WriteOutcome::Applied);
    assert_eq!(again().unwrap(), [DispositionOutcome::Duplicate(Undelivered)]);
    world.run_to_end();
    assert_eq!(world.sandbox.accepted().len(), 2);
    judge::everything_ended(&world, &campaign);
}

#[test]
fn the_language_of_a_message_is_explained() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let texts = json!({ "en": "See you. STOP ends.", "es": "Nos vemos. STOP termina." });
    let document = material::document_with(&[
        ("/mapping/fields/language", json!("row['Email']")),
        ("/messages/sms/text", texts),
    ]);
    let campaign = world.campaign(company, &document);
    let line = format!("K1,Ana,{},es,{AT},P1\n", material::number(0));
    let packet = world.load(company, campaign.id, &format!("{}{line}", material::HEADER));
    world.start_worker();
    world.run_to_end();
    let message = world.messages(company, packet).remove(0).message;
    assert_eq!(message.content.as_ref().map(Content::text), Some("Nos vemos. STOP termina."));
    let scope = world.scope(company, Action::ViewMessages);
    let explained = block_on(Explain::new(&world.ports).message(&scope, packet, message.id)).unwrap();
    let language = explained.decisions.iter().find(|decision| decision.rule == "language").unwrap();
    assert_eq!(language.inputs, json!({ "language": "es" }));
}
