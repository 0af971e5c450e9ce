//! What people answer.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::access::{Action, Actor, Grants, authorize};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::{ContactPoint, EmailAddress, PhoneNumber};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::report::IncomingCounts;
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::ids::{IdSourceExt as _, PacketId};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::callback::CallbackError;
use reminderly_core::ports::provider::{OutboundMessage, SendDeadline};
use reminderly_core::ports::store::{IncomingStore as _, ReportStore as _, WriteOutcome};
use reminderly_core::services::{Callbacks, CompiledCampaigns, IncomingMessages, ServiceError, Unsubscribes};
use reminderly_providers::sandbox::{Sandbox, SandboxSettings};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const AT: &str = "2026-03-04 14:00";

/// People with these replies, to the end.
fn told(replies: &[(&str, Value)], data: &str, changes: &[(&str, Value)]) -> (World, Campaign, PacketId) {
    let people: serde_json::Map<String, Value> = replies
        .iter()
        .map(|(number, replies)| {
            (
                (*number).to_owned(),
                json!({ "reports": [{ "after": "1s", "report": "delivered" }], "replies": replies }),
            )
        })
        .collect();
    let script = json!({ "contact_points": people });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document_with(changes));
    let packet = world.load(company, campaign.id, data);
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    (world, campaign, packet)
}

fn counts(world: &World, campaign: &Campaign) -> IncomingCounts {
    block_on(world.store.incoming_counts(campaign.company)).unwrap()
}

fn responses(world: &World, campaign: &Campaign, packet: PacketId) -> Vec<Option<ResponseKind>> {
    let messages = world.messages(campaign.company, packet);
    messages.iter().map(|record| record.state.response.map(|response| response.kind)).collect()
}

fn texts_to(world: &World, number: &str) -> Vec<String> {
    let accepted = world.sandbox.accepted();
    let to = accepted.iter().filter(|request| request.contact.address() == number);
    to.map(|request| request.content.text().to_owned()).collect()
}

#[test]
fn each_kind_of_reply_has_its_effect() {
    use ResponseKind::{Cancelled, Confirmed, RescheduleWanted};

    let numbers: Vec<String> = (0..6).map(material::number).collect();
    let says = ["1", "2", "3", "STOP", "START", "hm, who is this?"];
    let replies: Vec<_> = numbers
        .iter()
        .zip(says)
        .map(|(number, text)| (number.as_str(), json!([{ "after": "2m", "text": text }])))
        .collect();
    let (world, campaign, packet) = told(&replies, &material::csv(6, AT), &[]);
    let expected = [Some(Confirmed), Some(Cancelled), Some(RescheduleWanted), None, None, None];
    assert_eq!(responses(&world, &campaign, packet), expected);
    let counted = IncomingCounts {
        opt_out: 1,
        opt_in: 1,
        help: 0,
        confirm: 1,
        cancel: 1,
        reschedule: 1,
        answer: 0,
        unclear: 1,
        needs_review: 1,
    };
    assert_eq!(counts(&world, &campaign), counted);
    assert_eq!(texts_to(&world, &numbers[0])[1..], ["Thank you, Name0."]);
    assert_eq!(texts_to(&world, &numbers[1])[1..], ["We have cancelled it, Name1."]);
    assert_eq!(texts_to(&world, &numbers[3]).len(), 1, "the provider confirms a STOP, we do not");
}

#[test]
fn two_people_on_one_number_are_asked_and_the_answer_is_tied_to_the_right_one() {
    let number = material::number(0);
    let data = format!(
        "{}{}{}",
        material::HEADER,
        material::line(0, &number, "2026-03-04 14:30"),
        material::line(1, &number, "2026-03-04 14:00"),
    );
    let replies = json!([{ "after": "40m", "text": "1" }, { "after": "50m", "text": "2" }]);
    let (world, campaign, packet) = told(&[(&number, replies)], &data, &[]);
    let texts = texts_to(&world, &number);
    assert!(texts[2].contains("1 for Wed Mar 4, 2:00 PM, 2 for Wed Mar 4, 2:30 PM"), "{texts:?}");
    assert_eq!(responses(&world, &campaign, packet), [Some(ResponseKind::Confirmed), None]);
    assert_eq!(texts[3], "Thank you, Name0.");
}

/// A number after a newer reminder answers that reminder, not yesterday's question: taken for its answer, it would cancel an
/// appointment that the person confirms.
#[test]
fn a_question_is_overtaken_by_the_next_reminder() {
    let number = material::number(0);
    let data = format!(
        "{}{}{}",
        material::HEADER,
        material::line(0, &number, "2026-03-05 14:30"),
        material::line(1, &number, "2026-03-05 14:00"),
    );
    let send = ("/schedule/send", json!([{ "days_before": 1, "at": "11:00" }, { "hours_before": 3 }]));
    let replies = json!([{ "after": "40m", "text": "2" }, { "after": "1475m", "text": "1" }]);
    let (world, campaign, packet) = told(&[(&number, replies)], &data, &[send]);
    let asked =
        texts_to(&world, &number).iter().filter(|text| text.contains("Which one do you mean?")).count();
    assert_eq!(asked, 2, "each of the two answers fits two appointments");
    assert_eq!(responses(&world, &campaign, packet), [None; 4]);
}

/// A survey's answer is kept with its message, confirms nothing, and ends no reminder; a word that stands for it opens no way
/// around an opt-out.
#[test]
fn a_campaigns_own_answer_is_tied_and_counted() {
    let numbers: Vec<String> = (0..3).map(material::number).collect();
    let says = [&["5", "4", "so so"][..], &["5", "2"], &["5 but stop texting me"]];
    let replies: Vec<_> = numbers
        .iter()
        .zip(says)
        .map(|(number, texts)| {
            let texts: Vec<Value> = (2..)
                .zip(texts)
                .map(|(minutes, text)| json!({ "after": format!("{minutes}m"), "text": text }))
                .collect();
            (number.as_str(), json!(texts))
        })
        .collect();
    let answers = json!({ "5": "positive", "4": "positive", "So-so": "neutral" });
    let (world, campaign, packet) = told(&replies, &material::csv(3, AT), &[("/responses/answers", answers)]);
    let neutral = ResponseKind::Answer("neutral".parse().unwrap());
    assert_eq!(
        responses(&world, &campaign, packet),
        [Some(neutral), Some(ResponseKind::Cancelled), None],
        "the last word counts, and an answer about the appointment over any other"
    );
    let counted = counts(&world, &campaign);
    assert_eq!((counted.answer, counted.cancel, counted.opt_out), (4, 1, 1));
    assert_eq!(counted.needs_review, 0, "saying the same again needs nobody's look");
    assert_eq!(texts_to(&world, &numbers[0]).len(), 1, "no follow-up");
}

/// Two machines that answer each other would never stop.
#[test]
fn an_automatic_reply_is_not_answered_for_ever() {
    let number = material::number(0);
    let replies: Vec<Value> = (2..17)
        .map(|minutes| json!({ "after": format!("{minutes}m"), "text": "I am out of office" }))
        .collect();
    let sorry = ("/responses/follow_up/unclear", json!({ "sms": "We did not understand that." }));
    let data = material::csv(1, "2026-03-04 16:00");
    let (world, campaign, _) = told(&[(&number, json!(replies))], &data, &[sorry]);
    let counts = counts(&world, &campaign);
    assert_eq!((counts.unclear, counts.needs_review), (15, 15), "all are recorded");
    assert_eq!(texts_to(&world, &number).len(), 1 + 10, "the reminder and ten answers");
}

/// What of a person is refused who said STOP by text message on the day of `start`: number, e-mail address, person. First in a
/// company of which any campaign names the rules on revocation, then in one whose only such campaign is archived.
fn refused_after_a_stop(start: &str) -> [[bool; 3]; 2] {
    let number = material::number(0);
    let replies = json!({ (number.clone()): { "replies": [{ "after": "2m", "text": "STOP" }] } });
    let script = json!({ "contact_points": replies });
    let mut world = World::new(&Setup { script, start: instant(start), ..Setup::default() });
    let today = instant(start).date_naive();
    let row = format!("{}K0,Name0,{number},ann@example.com,{today} 14:00,P0\n", material::HEADER);
    let with_rules = material::document_with(&[("/schedule/rule_packs", json!(["us_revocation"]))]);
    let by_all = material::document_with(&[("/methods/use", json!("all"))]);
    let companies = [(); 2].map(|()| {
        let company = world.company();
        let sending = world.campaign(company, &by_all);
        let silent = world.campaign(company, &with_rules);
        world.load(company, sending.id, &row);
        (sending, silent)
    });
    let scope = world.scope(companies[1].0.company, Action::RunCampaign);
    block_on(world.campaigns().remove(&scope, companies[1].1.id)).unwrap();
    world.start_worker();
    world.run_to_end();
    let email = ContactPoint::Email(EmailAddress::parse("ann@example.com").unwrap());
    let sms = ContactPoint::Sms(PhoneNumber::parse(&number, None).unwrap());
    let person = RefusalKey::Person(PersonKey::new("P0").unwrap());
    let keys = [sms.refusal_key(), email.refusal_key(), person];
    companies.map(|(sending, _)| {
        judge::all_is_well(&world, &sending);
        let refused = block_on(world.ports.store.refused(sending.company, &keys)).unwrap();
        refused.try_into().unwrap()
    })
}

/// The rule is about the caller: it is enough that a campaign of which the person knows nothing names it.
#[test]
fn an_opt_out_covers_the_person_from_the_day_of_the_rule() {
    let (said, all) = ([true, false, false], [true; 3]);
    assert_eq!(refused_after_a_stop("2027-01-29T17:55:00Z"), [said, said]);
    assert_eq!(refused_after_a_stop("2027-02-01T17:55:00Z"), [all, said]);
}

/// A provider's clock that is ahead must not let an old START overtake a refusal that comes after it.
#[test]
fn a_reply_from_the_future_counts_as_of_now() {
    let (world, campaign, _) = told(&[], &material::csv(1, AT), &[]);
    let (company, ports) = (campaign.company, &world.ports);
    let from = ContactPoint::Sms(PhoneNumber::parse(&material::number(0), None).unwrap());
    let key = from.refusal_key();
    let start = Incoming {
        provider: "sandbox-sms".into(),
        account: world.sandbox.account(company),
        event: "early".into(),
        from,
        text: "START".into(),
        at: world.now() + TimeDelta::hours(1),
    };
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let incoming = IncomingMessages::new(ports, &world.settings, compiled);
    let worker = authorize(Actor::Worker, Action::Operate, company, &Grants::default()).unwrap();
    block_on(incoming.receive(&worker, &start)).unwrap();
    let scope = world.scope(company, Action::ManageUnsubscribes);
    let unsubscribes = Unsubscribes::new(ports);
    let changed = block_on(unsubscribes.change(&scope, key.clone(), UnsubscribeChange::OptedOut)).unwrap();
    assert_eq!(changed, WriteOutcome::Applied);
    assert_eq!(block_on(ports.store.refused(company, &[key])).unwrap(), [true]);
}

#[test]
fn a_cancellation_ends_the_later_reminders() {
    let number = material::number(0);
    let send = ("/schedule/send", json!([{ "days_before": 1, "at": "11:00" }, { "hours_before": 3 }]));
    let replies = json!([{ "after": "2m", "text": "2" }]);
    let (world, campaign, packet) =
        told(&[(&number, replies)], &material::csv(2, "2026-03-05 14:00"), &[send]);
    let states: Vec<_> = world
        .messages(campaign.company, packet)
        .into_iter()
        .map(|record| (record.state.status, record.state.detail))
        .collect();
    let delivered = (MessageStatus::Delivered, None);
    let answered = (MessageStatus::Skipped, Some(Detail::Skip(SkipReason::Answered)));
    assert_eq!(states, [delivered.clone(), answered, delivered.clone(), delivered]);
}

#[test]
fn a_reply_after_the_teardown_is_taken_and_answered() {
    let number = material::number(0);
    let replies = json!([{ "after": "90m", "text": "1" }]);
    let script = json!({ "contact_points": { (number.clone()): { "replies": replies } } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(1, AT));
    world.start_worker();
    world.run_until(instant("2026-03-04T18:30:00Z"));
    assert_eq!(world.packet(company, packet).stage, PacketStage::Complete);
    assert_eq!(world.open_packets(), []);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(responses(&world, &campaign, packet), [Some(ResponseKind::Confirmed)]);
    assert_eq!(texts_to(&world, &number).len(), 2);
}

/// A world in which everything has been sent, and what the sandbox has to say, not yet taken in.
fn with_callbacks_to_come(store: fn() -> MemoryStore) -> (World, Campaign, PacketId) {
    let script = json!({ "default": {
        "reports": [{ "after": "0s", "report": "sent" }, { "after": "2m", "report": "delivered" }],
        "replies": [{ "after": "2m", "text": "1" }]
    } });
    let mut world = World::new(&Setup { script, store, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(3, AT));
    world.start_worker();
    world.run_until(instant("2026-03-04T18:01:00Z"));
    (world, campaign, packet)
}

#[test]
fn a_callback_that_comes_twice_counts_once() {
    let (mut world, campaign, packet) = with_callbacks_to_come(MemoryStore::new);
    let callbacks = Callbacks::new(&world.ports, &world.settings);
    world.clock.advance_to(instant("2026-03-04T18:02:00Z"));
    let taken = world.sandbox.take_callbacks(world.now());
    assert_eq!(taken.len(), 6);
    for _ in 0..3 {
        for callback in &taken {
            block_on(callbacks.accept(&callback.provider, &callback.request)).unwrap();
        }
    }
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(counts(&world, &campaign).total(), 3);
    assert_eq!(responses(&world, &campaign, packet), [Some(ResponseKind::Confirmed); 3]);
    assert_eq!(world.sandbox.accepted_count(), 6, "each answer was answered once");
}

#[test]
fn a_report_may_come_before_our_own_record_of_the_answer() {
    let (mut world, campaign, packet) = with_callbacks_to_come(MemoryStore::yielding);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let messages = world.messages(campaign.company, packet);
    assert!(messages.iter().all(|record| record.state.status == MessageStatus::Delivered));
}

#[test]
fn a_forged_callback_is_refused_and_leaves_nothing() {
    let (world, campaign, _) = with_callbacks_to_come(MemoryStore::new);
    let callbacks = Callbacks::new(&world.ports, &world.settings);
    world.clock.advance_to(instant("2026-03-04T18:02:00Z"));
    for callback in world.sandbox.take_callbacks(world.now()) {
        let mut forged = callback.request.clone();
        *forged.body.last_mut().unwrap() ^= 1;
        let mut unsigned = callback.request.clone();
        unsigned.headers.clear();
        for request in [forged, unsigned] {
            let refused = block_on(callbacks.accept(&callback.provider, &request)).unwrap_err();
            assert!(
                matches!(refused, ServiceError::Callback(CallbackError::NotGenuine { .. })),
                "{refused:?}"
            );
        }
    }
    for queue in [&world.settings.queues.incoming, &world.settings.queues.dispositions] {
        assert_eq!(world.depth(queue).unwrap().total(), 0);
    }
    assert_eq!(block_on(world.store.incoming(campaign.company, None, 9)).unwrap().items, []);
}

#[test]
fn a_report_about_an_unknown_attempt_is_kept_for_three_days() {
    let (mut world, campaign, _) = with_callbacks_to_come(MemoryStore::new);
    world.run_to_end();
    // Another sandbox with the same keys knows an attempt that nobody here does.
    let stranger = Sandbox::new(
        Arc::<reminderly_core::testing::VirtualClock>::clone(&world.clock),
        SandboxSettings { keys: vec![world.webhook_key.clone()], ..SandboxSettings::default() },
    );
    let request = world.sandbox.accepted()[0].clone();
    let message = OutboundMessage {
        attempt: world.ports.ids.next(world.now()),
        message: request.message,
        company: campaign.company,
        contact: request.contact,
        content: request.content,
        expires_at: world.now() + TimeDelta::hours(1),
    };
    let start = world.clock.monotonic();
    let deadline = SendDeadline {
        start_by: start.plus(Duration::from_secs(1)),
        answer_by: start.plus(Duration::from_secs(9)),
    };
    let provider = stranger.provider(message.contact.method());
    block_on(provider.send(&[message], deadline)).unwrap().into_vec();
    let callbacks = Callbacks::new(&world.ports, &world.settings);
    world.run_for(Duration::from_secs(1));
    for callback in stranger.take_callbacks(world.now()) {
        block_on(callbacks.accept(&callback.provider, &callback.request)).unwrap();
    }
    world.run_for(Duration::from_hours(72) - Duration::from_mins(1));
    let dispositions = world.settings.queues.dispositions.clone();
    let dead = world.settings.queues.dead_letters.clone();
    assert_eq!(world.depth(&dispositions).unwrap().total(), 1, "it is kept");
    assert_eq!(world.queue.dead_letter_reasons(&dead).unwrap(), Vec::<String>::new());
    world.run_for(Duration::from_mins(30));
    assert_eq!(world.depth(&dispositions).unwrap().total(), 0);
    let reasons = world.queue.dead_letter_reasons(&dead).unwrap();
    assert_eq!(reasons, ["its attempt was not found for 72 hours"]);
}
