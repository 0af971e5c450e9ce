//! The host's callback endpoint, on a bad network.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::ids::{AttemptId, CompanyId, IdSourceExt as _};
use reminderly_core::ports::callback::CallbackRequest;
use reminderly_core::services::{Callbacks, Ports, ServiceError};
use reminderly_providers::sandbox::SandboxCallback;
use serde_json::{Value, json};

use super::schedule::{CallbackFaults, Schedule};
use crate::world::World;
use crate::yielding_queue::YieldingQueue;

/// How long a provider waits before it calls again.
const CALL_AGAIN: TimeDelta = TimeDelta::seconds(30);

/// What is told of attempts that nobody has made.
const STRANGE: &str = "report about an attempt that nobody knows";

/// What the endpoint takes half, or without being heard.
const GIVEN_UP: &str = "callback given up";

/// What no endpoint ever hears of.
const LOST_STOP: &str = "stop that only the carrier heard";

/// What a person wrote, as it came over the wire.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) company: CompanyId,
    pub(super) from: ContactPoint,
    pub(super) text: String,
    /// When the person wrote it.
    pub(super) written: DateTime<Utc>,
    /// When the endpoint took it.
    pub(super) at: DateTime<Utc>,
}

impl Heard {
    pub(super) fn is_stop(&self) -> bool {
        match self.from.method() {
            ContactMethod::Phone => self.text == "8",
            ContactMethod::Sms | ContactMethod::Email => self.text == "STOP",
        }
    }
}

/// Takes what the sandbox has to say to the services.
#[derive(Debug)]
pub(super) struct Gateway {
    random: SmallRng,
    faults: CallbackFaults,
    /// The reports that were taken, by attempt.
    pub(super) reports: BTreeMap<AttemptId, Vec<AttemptReport>>,
    /// When something was taken last.
    pub(super) last_taken: Option<DateTime<Utc>>,
    /// What people wrote and was taken, by event, as it was taken first.
    pub(super) heard: BTreeMap<String, Heard>,
    /// Who told only the carrier to stop, and which company.
    pub(super) unheard: BTreeSet<(CompanyId, ContactPoint)>,
    /// The events of which it is not known whether the queue has taken them.
    pub(super) perhaps_heard: BTreeSet<String>,
    /// The same of reports, by attempt.
    pub(super) in_doubt: BTreeMap<AttemptId, Vec<AttemptReport>>,
    /// The attempts that nobody has made of which a report was taken.
    pub(super) strangers: BTreeSet<AttemptId>,
    pub(super) injected: BTreeMap<&'static str, u64>,
    pub(super) violations: Vec<String>,
}

impl Gateway {
    pub(super) fn new(schedule: &Schedule) -> Self {
        let kinds = [
            "callback late",
            "callback doubled",
            "callback lost",
            "callback forged",
            GIVEN_UP,
            LOST_STOP,
            STRANGE,
        ];
        Self {
            random: SmallRng::seed_from_u64(schedule.seed ^ 0xca11),
            faults: schedule.faults.callbacks,
            reports: BTreeMap::new(),
            last_taken: None,
            heard: BTreeMap::new(),
            unheard: BTreeSet::new(),
            perhaps_heard: BTreeSet::new(),
            in_doubt: BTreeMap::new(),
            strangers: BTreeSet::new(),
            injected: kinds.map(|kind| (kind, 0)).into(),
            violations: Vec::new(),
        }
    }

    pub(super) fn calm(&mut self) {
        self.faults = CallbackFaults::default();
    }

    /// Takes the callbacks that are due.
    pub(super) fn pump(&mut self, world: &World, now: DateTime<Utc>) {
        if world.sandbox.next_callback_at().is_none_or(|at| at > now) {
            return;
        }
        let queue = Arc::new(YieldingQueue(Arc::clone(&world.ports.queue)));
        let callbacks = Callbacks::new(&Ports { queue, ..world.ports.clone() }, &world.settings);
        for callback in world.sandbox.take_callbacks(now) {
            self.take(world, &callbacks, callback, now);
        }
    }

    fn take(&mut self, world: &World, callbacks: &Callbacks, callback: SandboxCallback, now: DateTime<Utc>) {
        let faults = self.faults;
        let (report, heard) = (report(&callback.request.body), heard(world, &callback.request.body, now));
        if self.happens(faults.late, "callback late") {
            let wait = TimeDelta::seconds(self.random.random_range(1..600));
            world.sandbox.put_back(callback, now + wait);
            return;
        }
        if report.is_some() && self.happens(faults.lost, "callback lost") {
            return;
        }
        // What else people write is not lost: nobody could know of it.
        if let Some((event, heard)) = &heard
            && !self.perhaps_heard.contains(event)
            && (heard.from.method(), heard.is_stop()) == (ContactMethod::Sms, true)
            && self.happens(faults.lost_stop, LOST_STOP)
        {
            world.sandbox.opt_out(heard.company, heard.from.clone());
            self.unheard.insert((heard.company, heard.from.clone()));
            return;
        }
        if self.happens(faults.forged, "callback forged") {
            self.forge(callbacks, &callback);
        }
        if report.is_some() && self.happens(faults.strange, STRANGE) {
            self.tell_of_a_stranger(world, callbacks, &callback);
        }
        if self.random.random::<f64>() < faults.given_up
            && is_given_up(
                self.random.random_range(1..5),
                callbacks.accept(&callback.provider, &callback.request),
            )
        {
            *self.injected.entry(GIVEN_UP).or_default() += 1;
            self.doubt(report, heard.map(|(event, _)| event));
            world.sandbox.put_back(callback, now + CALL_AGAIN);
            return;
        }
        let times = 1 + u32::from(self.happens(faults.doubled, "callback doubled"));
        for _ in 0..times {
            match block_on(callbacks.accept(&callback.provider, &callback.request)) {
                Ok(_) => {
                    self.last_taken = Some(now);
                    if let Some((attempt, report)) = &report {
                        self.reports.entry(*attempt).or_default().push(report.clone());
                    }
                    if let Some((event, heard)) = &heard {
                        self.heard.entry(event.clone()).or_insert_with(|| heard.clone());
                    }
                }
                Err(error) if error.is_transient() => {
                    self.doubt(report, heard.map(|(event, _)| event));
                    world.sandbox.put_back(callback, now + CALL_AGAIN);
                    return;
                }
                Err(error) => self.violations.push(format!("a genuine callback was refused: {error}")),
            }
        }
    }

    /// The provider does not know whether its callback was taken.
    fn doubt(&mut self, report: Option<(AttemptId, AttemptReport)>, event: Option<String>) {
        if let Some((attempt, report)) = report {
            self.in_doubt.entry(attempt).or_default().push(report);
        }
        self.perhaps_heard.extend(event);
    }

    fn forge(&mut self, callbacks: &Callbacks, callback: &SandboxCallback) {
        let mut forged = callback.request.clone();
        let position = self.random.random_range(0..forged.body.len().max(1));
        if let Some(byte) = forged.body.get_mut(position) {
            *byte ^= 1;
        }
        let answer = block_on(callbacks.accept(&callback.provider, &forged));
        if !matches!(answer, Err(ServiceError::Callback(_))) {
            self.violations.push(format!("a forged callback was taken: {answer:?}"));
        }
    }

    fn tell_of_a_stranger(&mut self, world: &World, callbacks: &Callbacks, callback: &SandboxCallback) {
        let (attempt, request) = strange(world, &callback.request);
        match block_on(callbacks.accept(&callback.provider, &request)) {
            Ok(_) => {
                self.strangers.insert(attempt);
            }
            Err(error) if error.is_transient() => {}
            Err(error) => {
                let what = format!("a report about an attempt that nobody knows was refused: {error}");
                self.violations.push(what);
            }
        }
    }

    pub(super) fn has_told_of_strangers(&self) -> bool {
        self.injected.get(STRANGE).is_some_and(|times| *times > 0)
    }

    fn happens(&mut self, probability: f64, what: &'static str) -> bool {
        let happens = self.random.random::<f64>() < probability;
        *self.injected.entry(what).or_default() += u64::from(happens);
        happens
    }
}

/// Polls a future so often, and drops it. Whether it had not come to its end; if it had, it is told again.
fn is_given_up(times: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..times).all(|_| future.as_mut().poll(&mut context).is_pending())
}

/// The same report about an attempt that nobody has made, as genuine.
fn strange(world: &World, request: &CallbackRequest) -> (AttemptId, CallbackRequest) {
    let mut body: Value = serde_json::from_slice(&request.body).expect("a report");
    let attempt: AttemptId = world.ports.ids.next(world.now());
    let event = format!("strange-{attempt}");
    body["report_v1"]["attempt"] = json!(attempt);
    body["report_v1"]["event"] = json!(event);
    let body = body.to_string().into_bytes();
    let headers = world.webhook_key.sign(&event, world.now(), &body);
    (attempt, CallbackRequest { headers, body, ..request.clone() })
}

/// What a person writes in a callback of the sandbox, with its event.
fn heard(world: &World, body: &[u8], at: DateTime<Utc>) -> Option<(String, Heard)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let incoming = body.get("incoming_v1")?;
    let text = |field: &str| Some(incoming.get(field)?.as_str()?.to_owned());
    let from = serde_json::from_value(incoming.get("from")?.clone()).ok()?;
    let company = world.sandbox.company_of(&text("account")?)?;
    let written = serde_json::from_value(incoming.get("at")?.clone()).ok()?;
    Some((text("event")?, Heard { company, from, text: text("text")?, written, at }))
}

/// What a callback of the sandbox reports.
fn report(body: &[u8]) -> Option<(AttemptId, AttemptReport)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let report = body.get("report_v1")?;
    let attempt = serde_json::from_value(report.get("attempt")?.clone()).ok()?;
    Some((attempt, serde_json::from_value(report.get("report")?.clone()).ok()?))
}
