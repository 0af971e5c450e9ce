//! Drawn reports of real calls in drawn orders, through store and service: with the worker's own settlement among them, reports
//! that come again, and further calls.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::attempt::{Attempt, ProviderName};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::{IdSourceExt as _, MessageId, PacketId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, HandOver, LocatedDisposition, MaxCopies, MessageStore as _,
    PacketStore as _, SettleVerdict, Settlement, StageChange,
};
use reminderly_core::services::{CompiledCampaigns, Dispositions};
use serde_json::json;

use super::table::Ranks;
use crate::material;
use crate::prove::{Proof, Violation};
use crate::world::{Setup, World};

/// How many orders of a set are tried.
const ORDERS: usize = 24;
/// How many calls of a message are followed.
const CALLS: usize = 3;
/// Longer than the wait for a further call, and all of them within the window and the lateness of the campaign.
const UNTIL_NEXT: TimeDelta = TimeDelta::minutes(75);

/// One thing that happens to an attempt.
#[derive(Debug, Clone)]
enum Event {
    /// What the worker that made the call knows.
    Settled(SettleVerdict),
    /// A report, with its number: the same number is the same report.
    Reported(usize, AttemptReport),
}

/// A deployment with one call in progress for each order that is tried.
struct Bench {
    seed: u64,
    world: World,
    campaign: Campaign,
    packet: PacketId,
    service: Dispositions,
    messages: Vec<MessageId>,
}

/// What the campaign permits.
#[derive(Debug, Clone, Copy)]
struct Redials {
    busy: usize,
    no_answer: usize,
}

/// Draws what is reported of calls; every order of it must give one result, and the one that the rules name.
pub(super) fn compare(seed: u64, ranks: &Ranks) -> Proof {
    let mut random = SmallRng::seed_from_u64(seed);
    let redials = Redials { busy: random.random_range(0..3), no_answer: random.random_range(0..3) };
    let mut bench = Bench::new(seed, redials);
    let mut proof = Proof::default();
    let mut earlier: Vec<AttemptReport> = Vec::new();
    for call in 0..CALLS {
        let reports = draw(&mut random);
        let Some(greatest) = ranks.greatest(&reports).cloned() else { break };
        let wait = redials.wait(&earlier, &greatest);
        let status = if wait.is_some() { Some(MessageStatus::Queued) } else { ranks.status(&greatest) };
        let due = wait.map(|wait| bench.world.now() + wait);
        let expected = Ended { status, due, report: Some(greatest.clone()) };
        let settled = verdict(&mut random);
        let orders: Vec<Vec<Event>> =
            bench.messages.iter().map(|_| ordered(&reports, settled.as_ref(), &mut random)).collect();
        for (index, order) in orders.iter().enumerate() {
            bench.happen(index, call, order);
            let found = bench.result(index);
            proof.count += 1;
            if found != expected {
                let what = format!(
                    "call {call} after {earlier:?} under {redials:?}: {order:?} gives {found:?}, not {expected:?}"
                );
                proof.violations.push(Violation { at: format!("seed {seed}"), what });
            }
        }
        if !proof.violations.is_empty() || due.is_none() {
            break;
        }
        *proof.fired.entry("call made again").or_default() += 1;
        earlier.push(greatest);
        bench.next_call();
    }
    proof
}

/// Where a message is after its reports: when its next call is due, and what the latest one was.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    status: Option<MessageStatus>,
    due: Option<DateTime<Utc>>,
    report: Option<AttemptReport>,
}

impl Redials {
    /// How long after this call the next one is due, if the campaign permits one.
    fn wait(self, earlier: &[AttemptReport], latest: &AttemptReport) -> Option<TimeDelta> {
        let (permitted, wait) = match latest {
            AttemptReport::Busy => (self.busy, TimeDelta::minutes(10)),
            AttemptReport::NoAnswer => (self.no_answer, TimeDelta::hours(1)),
            _ => return None,
        };
        let made = earlier.iter().filter(|report| *report == latest).count();
        (made < permitted).then_some(wait)
    }
}

/// Some reports; most calls reach nobody, or nothing more could happen to them.
fn draw(random: &mut SmallRng) -> Vec<AttemptReport> {
    use AttemptReport::{Accepted, Busy, Complained, Delivered, Machine, NoAnswer, Sent, Voicemail};
    let failed = |code: &str| AttemptReport::Undelivered { code: code.into() };
    let nobody = [Accepted, Sent, Busy, NoAnswer, Busy, NoAnswer, failed("30003"), failed("expired")];
    let any = [Sent, Machine, Voicemail, Delivered, Complained, Busy, NoAnswer, failed("30005")];
    let pool = if random.random_bool(0.75) { &nobody } else { &any };
    (0..random.random_range(2..6)).map(|_| pool[random.random_range(0..pool.len())].clone()).collect()
}

/// What the worker says of its call, if it lives to say anything.
fn verdict(random: &mut SmallRng) -> Option<SettleVerdict> {
    match random.random_range(0..5) {
        0..=1 => Some(SettleVerdict::Accepted { reference: None }),
        2 => Some(SettleVerdict::Ambiguous { code: "timeout".to_owned() }),
        3 => Some(SettleVerdict::Reaped),
        _ => None,
    }
}

/// An order, in which some reports come again.
fn ordered(reports: &[AttemptReport], settled: Option<&SettleVerdict>, random: &mut SmallRng) -> Vec<Event> {
    let reported =
        reports.iter().cloned().enumerate().map(|(number, report)| Event::Reported(number, report));
    let mut order: Vec<Event> = reported.clone().chain(settled.cloned().map(Event::Settled)).collect();
    order.extend(reported.filter(|_| random.random_bool(0.3)));
    order.shuffle(random);
    order
}

impl Bench {
    fn new(seed: u64, redials: Redials) -> Self {
        let world = World::new(&Setup { seed, ..Setup::default() });
        let company = world.company();
        let retry = json!({
            "busy": { "times": redials.busy, "after": "10m" },
            "no_answer": { "times": redials.no_answer, "after": "1h" }
        });
        let document = material::document_with(&[
            ("/mapping/fields/phone", json!("row['Cell'] | phone('US')")),
            ("/messages/phone", json!({ "script": "See you. Press 1.", "retry": retry })),
            ("/methods/order", json!(["phone"])),
            ("/responses/phone", json!({ "confirm": ["1"], "cancel": ["9"], "opt_out": ["8"] })),
        ]);
        let campaign = world.campaign(company, &document);
        let from = world.now() + TimeDelta::minutes(5);
        let legal = LegalInterval { from, until: from + TimeDelta::hours(5) };
        let packet = world.plant_calls(&campaign, 1, ORDERS, |_| legal);
        let raised = StageChange {
            packet,
            from: PacketStage::Mapped,
            to: PacketStage::Queued,
            failure: None,
            at: world.now(),
        };
        let _ = block_on(world.store.change_stage(company, raised)).expect("changed");
        world.clock.advance_to(from);
        let terms = HandOver {
            now: world.now(),
            copy_until: world.now() + TimeDelta::days(1),
            limit: ORDERS,
            max_copies: MaxCopies::each(ORDERS),
        };
        let _ = block_on(world.store.hand_over(company, packet, terms)).expect("handed over");
        let messages = world.messages(company, packet).iter().map(|record| record.message.id).collect();
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
        let service = Dispositions::new(&world.ports, &world.settings, campaigns);
        let bench = Self { seed, world, campaign, packet, service, messages };
        bench.claim();
        bench
    }

    /// A call of every message begins.
    fn claim(&self) {
        let now = self.world.now();
        let requests: Vec<ClaimRequest> = self
            .messages
            .iter()
            .map(|message| ClaimRequest { message: *message, attempt: self.world.ports.ids.next(now) })
            .collect();
        let terms = ClaimTerms {
            now,
            start_by: now + TimeDelta::seconds(1),
            answer_by: now + TimeDelta::seconds(11),
            provider: provider(),
            method: ContactMethod::Phone,
        };
        let claimed = block_on(self.world.store.claim(self.campaign.company, self.packet, &requests, &terms));
        for outcome in claimed.expect("claimed") {
            assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "seed {}: {outcome:?}", self.seed);
        }
    }

    fn next_call(&mut self) {
        self.world.clock.advance_to(self.world.now() + UNTIL_NEXT);
        self.claim();
    }

    /// What happens to the latest call of a message, in this order.
    fn happen(&self, index: usize, call: usize, order: &[Event]) {
        let (company, now) = (self.campaign.company, self.world.now());
        let (message, attempt) = (self.messages[index], self.latest(index));
        let scope = self.world.worker_scope(company);
        for event in order {
            match event {
                Event::Settled(verdict) => {
                    let settlement =
                        Settlement { message, epoch: attempt.epoch, verdict: verdict.clone(), at: now };
                    let _ = block_on(self.world.store.settle(company, self.packet, &[settlement]))
                        .expect("settled");
                }
                Event::Reported(number, report) => {
                    let disposition = Disposition {
                        provider: provider(),
                        event: format!("{call}-{number}").into(),
                        attempt: attempt.id,
                        reference: None,
                        report: report.clone(),
                        at: now,
                    };
                    let located = LocatedDisposition { packet: self.packet, message, disposition };
                    block_on(self.service.record(&scope, &[located])).expect("recorded");
                }
            }
        }
    }

    fn result(&self, index: usize) -> Ended {
        let stored = self.world.store.message(self.campaign.company, self.packet, self.messages[index]);
        let state = block_on(stored).expect("read").map(|record| record.state);
        let status = state.as_ref().map(|state| state.status);
        let due = state.filter(|_| status == Some(MessageStatus::Queued)).and_then(|state| state.not_before);
        Ended { status, due, report: self.latest(index).report }
    }

    fn latest(&self, index: usize) -> Attempt {
        let stored = self.world.store.attempts(self.campaign.company, self.packet, self.messages[index]);
        block_on(stored).expect("read").pop().expect("an attempt")
    }
}

fn provider() -> ProviderName {
    ProviderName::from("sandbox-phone")
}
