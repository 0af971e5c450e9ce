//! Calls that send at once, and what became of them.

mod people;

use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::access::{Action, CompanyScope};
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::one_liner::OneLiner;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::row::{RowFault, RowNumber};
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::services::{
    CallProgress, CallRepetition, CallRow, OnDemand, OnDemandCall, OnDemandOutcome, OnDemandReceipt,
    ServiceError,
};
use reminderly_tests::executor::Process;
use reminderly_tests::world::callers::{key, line};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(5);

struct Case {
    world: World,
    campaign: Campaign,
    scope: CompanyScope,
    on_demand: OnDemand,
    worker: Process,
}

impl Case {
    fn new(script: Value, document: &Value) -> Self {
        let mut world = World::new(&Setup { script, ..Setup::default() });
        let company = world.company();
        let campaign = world.campaign(company, document);
        let scope = world.scope(company, Action::SendOnDemand);
        let worker = world.start_worker();
        world.settle();
        let on_demand = world.on_demand(worker);
        Self { world, campaign, scope, on_demand, worker }
    }

    fn plain() -> Self {
        Self::new(json!({}), &material::on_demand())
    }

    fn try_send(&self, call: &OnDemandCall) -> Result<OnDemandReceipt, ServiceError> {
        block_on(self.on_demand.send(&self.scope, self.campaign.id, call))
    }

    fn send(&self, call: &OnDemandCall) -> OnDemandReceipt {
        self.try_send(call).unwrap()
    }

    fn outcome(&mut self, receipt: &OnDemandReceipt, until: CallProgress, wait: Duration) -> OnDemandOutcome {
        let (on_demand, scope) = (self.on_demand.clone(), self.scope);
        self.world.drive(on_demand.outcome(&scope, receipt.packet, until, wait)).unwrap()
    }

    /// The texts that went to somebody.
    fn texts_to(&self, index: usize) -> Vec<String> {
        let (accepted, number) = (self.world.sandbox.accepted(), material::number(index));
        let to = accepted.iter().filter(|request| request.contact.address() == number);
        to.map(|request| request.content.text().to_owned()).collect()
    }

    fn run(&self) -> CompanyScope {
        self.world.scope(self.campaign.company, Action::RunCampaign)
    }

    fn end(mut self) {
        self.world.run_to_end();
        judge::all_is_well(&self.world, &self.campaign);
    }
}

fn row(index: usize, cell: &str) -> CallRow {
    let cells = [("Key", format!("K{index}")), ("Name", format!("Name{index}")), ("Cell", cell.to_owned())];
    let empty = ["Email", "Person"].map(|column| (column, String::new()));
    cells.into_iter().chain(empty).map(|(column, cell)| (column.to_owned(), cell)).collect()
}

fn statuses(outcome: &OnDemandOutcome) -> Vec<MessageStatus> {
    outcome.messages.iter().map(|message| message.status).collect()
}

#[test]
fn a_one_liner_leaves_at_the_instant_of_the_call() {
    let mut case = Case::plain();
    let called_at = case.world.now();
    let receipt = case.send(&line(0));
    assert_eq!((receipt.repetition, receipt.stage), (CallRepetition::First, PacketStage::Queued));
    assert_eq!((receipt.rows.planned, receipt.campaign), (1, CampaignState::Active));
    case.world.settle();
    assert_eq!(case.texts_to(0), ["Clinic: Name0, your order is ready. STOP to opt out."]);
    assert!(case.world.sandbox.accepted().iter().all(|request| request.at == called_at));
    let outcome = case.outcome(&receipt, CallProgress::Settled, SOON);
    assert_eq!(case.world.now(), called_at, "it was settled already");
    assert_eq!((outcome.progress, statuses(&outcome)), (CallProgress::Settled, vec![MessageStatus::Sent]));
    let message = &outcome.messages[0];
    assert_eq!((message.row, &message.detail), (Some(RowNumber(1)), &None));
    assert!(message.reference.is_some() && message.sent_at == Some(called_at));

    let outcome = case.outcome(&receipt, CallProgress::Reported, Duration::from_mins(5));
    assert_eq!(
        (outcome.progress, statuses(&outcome)),
        (CallProgress::Reported, vec![MessageStatus::Delivered])
    );
    case.end();
}

#[test]
fn a_text_of_the_callers_goes_word_by_word_by_either_method() {
    let mut case = Case::plain();
    let sms = OneLiner::sms(material::number(0)).with_text("Bring {{ name }} & 5 %.");
    let email = OneLiner::email("ann@example.com").with_subject_and_text("Moved", "To 5 Main St.");
    let receipts =
        [("a", sms), ("b", email)].map(|(name, line)| case.send(&OnDemandCall::one_liner(key(name), line)));
    case.world.settle();
    assert_eq!(case.texts_to(0), ["Bring {{ name }} & 5 %."]);
    let accepted = case.world.sandbox.accepted();
    let email = accepted.iter().find(|request| request.contact.address() == "ann@example.com").unwrap();
    assert_eq!(email.content.text(), "To 5 Main St.");
    for receipt in receipts {
        assert_eq!(statuses(&case.outcome(&receipt, CallProgress::Settled, SOON)), [MessageStatus::Sent]);
    }
    case.end();
}

#[test]
fn bad_rows_are_named_and_their_neighbours_go() {
    let mut case = Case::plain();
    let mut nameless = row(1, &material::number(1));
    nameless.insert("Key".to_owned(), String::new());
    let rows = vec![
        row(0, &material::number(0)),
        nameless,
        row(2, "quince"),
        row(3, ""),
        row(4, &material::number(4)),
    ];
    let receipt = case.send(&OnDemandCall::rows(key("batch"), rows));
    let faults: Vec<_> =
        receipt.rejected.iter().map(|row| (row.row, row.column.as_deref(), row.code)).collect();
    assert_eq!(faults, [(RowNumber(2), Some("Key"), RowFault::MissingValue)]);
    assert_eq!((receipt.rows.read, receipt.rows.planned, receipt.rows.failed), (5, 2, 1));
    let outcome = case.outcome(&receipt, CallProgress::Settled, SOON);
    assert_eq!(outcome.rejected, receipt.rejected);
    let of = |row| outcome.messages.iter().filter(move |message| message.row == Some(RowNumber(row)));
    assert!([1, 5].iter().all(|row| of(*row).all(|message| message.status == MessageStatus::Sent)));
    let reasons: Vec<_> = of(3).chain(of(4)).map(|message| message.detail.clone()).collect();
    let invalid = Some(Detail::Skip(SkipReason::InvalidContactPoint));
    let none = Some(Detail::Skip(SkipReason::NoContactPoint));
    assert_eq!(reasons, [invalid, none.clone(), none.clone(), none]);
    assert_eq!((case.texts_to(0).len(), case.texts_to(4).len()), (1, 1));
    case.end();
}

#[test]
fn the_same_call_again_is_the_same_packet_and_another_content_is_an_error() {
    let mut case = Case::plain();
    let first = case.send(&line(0));
    case.world.settle();
    for _ in 0..3 {
        let again = case.send(&line(0));
        assert_eq!((again.packet, again.repetition), (first.packet, CallRepetition::Repeated));
        case.world.run_for(Duration::from_mins(1));
    }
    let other = OnDemandCall { key: line(0).key, content: line(1).content };
    let refused = case.try_send(&other).unwrap_err();
    assert!(matches!(refused, ServiceError::KeyReused { packet } if packet == first.packet), "{refused:?}");
    assert!(!refused.is_transient());
    assert_eq!((case.texts_to(0).len(), case.texts_to(1).len()), (1, 0));
    assert_eq!(case.world.packets(&case.campaign).len(), 1);
    case.end();
}

#[test]
fn a_call_stays_made_when_the_campaign_no_longer_fits_it() {
    let mut case = Case::plain();
    let call =
        OnDemandCall::one_liner(key("a"), OneLiner::sms(material::number(0)).with_field("Name", "Ann"));
    let first = case.send(&call);
    let mut document = material::on_demand();
    document["mapping"]["fields"]["first_name"] = json!("row['First'] | default('Hello')");
    let edit = case.world.scope(case.campaign.company, Action::EditCampaign);
    block_on(case.world.campaigns().edit(&edit, case.campaign.id, 1, &document.to_string())).unwrap();
    assert_eq!(case.send(&call).packet, first.packet);
    let refused = case.try_send(&OnDemandCall { key: key("b"), content: call.content.clone() }).unwrap_err();
    assert!(matches!(refused, ServiceError::InvalidCall(_)), "{refused:?}");
    let other_content =
        OnDemandCall::one_liner(key("a"), OneLiner::sms(material::number(1)).with_field("Name", "Ann"));
    assert!(matches!(case.try_send(&other_content).unwrap_err(), ServiceError::KeyReused { .. }));
    block_on(case.world.campaigns().remove(&case.run(), case.campaign.id)).unwrap();
    assert_eq!(case.send(&call).packet, first.packet);
    let new = OnDemandCall::one_liner(key("c"), OneLiner::sms(material::number(3)));
    let new = case.try_send(&new).unwrap_err();
    assert!(matches!(new, ServiceError::WrongState { state: "archived", .. }), "{new:?}");
    case.world.settle();
    case.end();
}

#[test]
fn what_is_refused_leaves_nothing() {
    let case = Case::new(json!({}), &material::on_demand());
    let bad = [
        OnDemandCall::rows(key("a"), Vec::new()),
        OnDemandCall::rows(key("a"), vec![row(0, ""); 1_001]),
        OnDemandCall::rows(key("a"), vec![CallRow::new()]),
        OnDemandCall::one_liner(key("a"), OneLiner::sms("quince")),
        OnDemandCall::one_liner(key("a"), OneLiner::sms(material::number(0)).with_text("x".repeat(70_000))),
    ];
    for call in bad {
        let refused = case.try_send(&call).unwrap_err();
        assert!(matches!(refused, ServiceError::InvalidCall(_)), "{refused:?}");
    }
    assert_eq!(case.world.packets(&case.campaign), []);
    // The key is still free.
    let receipt = case.send(&OnDemandCall { key: key("a"), ..line(0) });
    assert_eq!(receipt.repetition, CallRepetition::First);
    case.end();
}

#[test]
fn a_campaign_that_is_not_active_takes_calls_and_sends_nothing_until_it_is() {
    let mut case = Case::plain();
    block_on(case.world.campaigns().pause(&case.run(), case.campaign.id)).unwrap();
    let receipt = case.send(&line(0));
    assert_eq!((receipt.campaign, receipt.stage), (CampaignState::Paused, PacketStage::Mapped));
    let start = case.world.now();
    let outcome = case.outcome(&receipt, CallProgress::Settled, SOON);
    assert_eq!(case.world.now() - start, TimeDelta::seconds(5), "it waits as long as it is asked to");
    assert_eq!((outcome.progress, statuses(&outcome)), (CallProgress::Open, vec![MessageStatus::Planned]));
    assert_eq!(outcome.messages[0].not_before, Some(start));
    assert_eq!(case.world.sandbox.accepted_count(), 0);
    block_on(case.world.campaigns().resume(&case.run(), case.campaign.id)).unwrap();
    let outcome = case.outcome(&receipt, CallProgress::Settled, Duration::from_mins(1));
    assert_eq!(statuses(&outcome), [MessageStatus::Sent]);

    // What waits for longer than the campaign allows is not worth sending any more.
    block_on(case.world.campaigns().pause(&case.run(), case.campaign.id)).unwrap();
    let receipt = case.send(&line(1));
    case.world.run_for(Duration::from_hours(5));
    block_on(case.world.campaigns().resume(&case.run(), case.campaign.id)).unwrap();
    let outcome = case.outcome(&receipt, CallProgress::Settled, Duration::from_mins(1));
    assert_eq!(outcome.messages[0].detail, Some(Detail::Skip(SkipReason::PastDue)));
    case.end();
}

#[test]
fn a_cancelled_call_may_be_made_again() {
    let mut case = Case::plain();
    block_on(case.world.campaigns().pause(&case.run(), case.campaign.id)).unwrap();
    let first = case.send(&line(0));
    block_on(case.world.campaigns().cancel_packet(&case.run(), first.packet)).unwrap();
    let outcome = case.outcome(&first, CallProgress::Reported, Duration::from_mins(1));
    assert_eq!((outcome.stage, statuses(&outcome)), (PacketStage::Cancelled, vec![MessageStatus::Cancelled]));
    block_on(case.world.campaigns().resume(&case.run(), case.campaign.id)).unwrap();
    let second = case.send(&line(0));
    assert_ne!(first.packet, second.packet);
    assert_eq!(second.repetition, CallRepetition::First);
    case.world.settle();
    assert_eq!(case.texts_to(0).len(), 1);
    case.end();
}

#[test]
fn windows_of_the_campaign_hold_for_calls() {
    let mut document = material::on_demand();
    document["schedule"]["windows"] =
        json!({ "default": { "days": ["wed"], "from": "11:00", "to": "16:30" } });
    let mut case = Case::new(json!({}), &document);
    let receipt = case.send(&line(0));
    let outcome = case.outcome(&receipt, CallProgress::Settled, SOON);
    assert_eq!(outcome.progress, CallProgress::Open);
    let opens = reminderly_tests::world::instant("2026-03-04T18:00:00Z");
    assert_eq!(outcome.messages[0].not_before, Some(opens));
    let outcome = case.outcome(&receipt, CallProgress::Settled, Duration::from_mins(10));
    assert_eq!(statuses(&outcome), [MessageStatus::Sent]);
    // Their own zone counts: in Tokyo it is Thursday.
    let own = OneLiner::sms(material::number(1)).with_time_zone("Asia/Tokyo");
    let receipt = case.send(&OnDemandCall::one_liner(key("tokyo"), own));
    let outcome = case.outcome(&receipt, CallProgress::Open, SOON);
    let opens = reminderly_tests::world::instant("2026-03-11T02:00:00Z");
    assert_eq!(outcome.messages[0].not_before, Some(opens));
}

#[test]
fn rows_of_an_ordinary_campaign_are_planned_as_those_of_a_file() {
    let mut case = Case::new(json!({}), &material::document());
    let mut visit = row(0, &material::number(0));
    visit.insert("At".to_owned(), "2026-03-04 15:00".to_owned());
    let receipt = case.send(&OnDemandCall::rows(key("visits"), vec![visit.clone()]));
    let outcome = case.outcome(&receipt, CallProgress::Settled, SOON);
    // Three hours before, in Phoenix.
    let planned = reminderly_tests::world::instant("2026-03-04T19:00:00Z");
    assert_eq!(outcome.messages[0].not_before, Some(planned));
    let outcome = case.outcome(&receipt, CallProgress::Settled, Duration::from_hours(2));
    assert_eq!(outcome.messages[0].sent_at, Some(planned));
    // The same appointment in another call, or in a file, is a duplicate that day.
    let again = case.send(&OnDemandCall::rows(key("visits, again"), vec![visit]));
    let outcome = case.outcome(&again, CallProgress::Settled, SOON);
    assert_eq!(outcome.messages[0].detail, Some(Detail::Skip(SkipReason::Duplicate)));
    case.end();
}

#[test]
fn what_a_call_brought_vanishes_with_the_next_file_that_does_not_name_it() {
    let document = material::document_with(&[("/mapping/vanished", json!("cancel"))]);
    let mut case = Case::new(json!({}), &document);
    let receipts = [0, 1].map(|index| {
        let mut visit = row(index, &material::number(index));
        visit.insert("At".to_owned(), "2026-03-04 15:00".to_owned());
        case.send(&OnDemandCall::rows(key(&format!("visit {index}")), vec![visit]))
    });
    // A one-liner is about nothing that a file could name.
    let one_liner = OneLiner::sms(material::number(2)).with_text("See you.");
    let one_liner = one_liner.with_field("Key", "K2").with_field("At", "2026-03-04 15:00");
    let aside = case.send(&OnDemandCall::one_liner(key("aside"), one_liner));
    case.world.run_for(Duration::from_secs(10));
    let line = format!("K0,Name0,{},,2026-03-04 15:00,\n", material::number(0));
    let file = format!("{}{line}", material::HEADER);
    let next = case.world.load(case.campaign.company, case.campaign.id, &file);
    case.world.run_for(Duration::from_mins(2));
    let vanished = case.world.packet(case.campaign.company, next).vanished;
    assert_eq!((vanished.appointments, vanished.cancelled), (1, 1));
    let [named, unnamed] = receipts;
    let status = |receipt: &OnDemandReceipt| {
        case.world.messages(case.campaign.company, receipt.packet)[0].state.status
    };
    let (planned, cancelled) = (MessageStatus::Planned, MessageStatus::Cancelled);
    assert_eq!([&named, &unnamed, &aside].map(status), [planned, cancelled, planned]);
    case.end();
}

#[test]
fn an_outcome_is_told_of_calls_only() {
    let case = Case::new(json!({}), &material::document());
    let company = case.campaign.company;
    let packet = case.world.load(company, case.campaign.id, &material::csv(1, "2026-03-04 14:00"));
    for action in [Action::SendOnDemand, Action::ViewMessages] {
        let scope = case.world.scope(company, action);
        let answer = block_on(case.on_demand.outcome(&scope, packet, CallProgress::Open, SOON));
        assert!(matches!(answer, Err(ServiceError::NotFound { what: "call" })), "{answer:?}");
    }
}

#[test]
fn an_outcome_that_is_slow_is_told_as_far_as_it_is() {
    let script = json!({ "default": "hangs" });
    let mut case = Case::new(script, &material::on_demand());
    let receipt = case.send(&line(0));
    let start = case.world.now();
    let outcome = case.outcome(&receipt, CallProgress::Settled, Duration::from_secs(2));
    assert_eq!(case.world.now() - start, TimeDelta::seconds(2));
    assert_eq!((outcome.progress, statuses(&outcome)), (CallProgress::Open, vec![MessageStatus::Sending]));
    // Dropping it changes nothing.
    drop(case.on_demand.outcome(&case.scope, receipt.packet, CallProgress::Settled, SOON));
    let outcome = case.outcome(&receipt, CallProgress::Settled, Duration::from_mins(5));
    assert_eq!(statuses(&outcome), [MessageStatus::Unknown]);
    assert!(outcome.messages[0].detail.is_some());
    let outcome = case.outcome(&receipt, CallProgress::Reported, Duration::from_hours(20));
    assert_eq!(outcome.progress, CallProgress::Reported);
    case.end();
}

#[test]
fn workers_end_the_packets_of_calls() {
    let mut case = Case::plain();
    for index in 0..20 {
        case.send(&line(index));
    }
    assert_eq!(case.world.polled_queues(case.worker), 20);
    case.world.run_to_end();
    assert_eq!(case.world.polled_queues(case.worker), 0);
    assert_eq!(judge::accepted_messages(&case.world).len(), 20);
    case.end();
}
