//! The host's callback endpoint, on a bad network.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::ids::{AttemptId, CompanyId, IdSourceExt as _};
use reminderly_core::ports::callback::CallbackRequest;
use reminderly_core::services::{Callbacks, ServiceError};
use reminderly_providers::sandbox::SandboxCallback;
use serde_json::{Value, json};

use super::schedule::{Faults, Schedule};
use crate::world::World;

/// How long a provider waits before it calls again.
const CALL_AGAIN: TimeDelta = TimeDelta::seconds(30);

/// What is told of attempts that nobody has made.
const STRANGE: &str = "report about an attempt that nobody knows";

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

/// Takes what the sandbox has to say to the services.
#[derive(Debug)]
pub(super) struct Gateway {
    random: SmallRng,
    faults: Faults,
    /// The reports that were taken, by attempt.
    pub(super) reports: BTreeMap<AttemptId, Vec<AttemptReport>>,
    /// What people wrote and was taken, by event, as it was taken first.
    pub(super) heard: BTreeMap<String, Heard>,
    /// Those of which the gateway does not know whether its queue has taken them, by attempt.
    pub(super) in_doubt: BTreeMap<AttemptId, Vec<AttemptReport>>,
    pub(super) injected: BTreeMap<&'static str, u64>,
    pub(super) violations: Vec<String>,
}

impl Gateway {
    pub(super) fn new(schedule: &Schedule) -> Self {
        let kinds = ["callback late", "callback doubled", "callback lost", "callback forged", STRANGE];
        Self {
            random: SmallRng::seed_from_u64(schedule.seed ^ 0xca11),
            faults: schedule.faults,
            reports: BTreeMap::new(),
            heard: BTreeMap::new(),
            in_doubt: BTreeMap::new(),
            injected: kinds.map(|kind| (kind, 0)).into(),
            violations: Vec::new(),
        }
    }

    pub(super) fn calm(&mut self) {
        self.faults = Faults::default();
    }

    /// Takes the callbacks that are due.
    pub(super) fn pump(&mut self, world: &World, now: DateTime<Utc>) {
        if world.sandbox.next_callback_at().is_none_or(|at| at > now) {
            return;
        }
        let callbacks = Callbacks::new(&world.ports, &world.settings);
        for callback in world.sandbox.take_callbacks(now) {
            self.take(world, &callbacks, callback, now);
        }
    }

    fn take(&mut self, world: &World, callbacks: &Callbacks, callback: SandboxCallback, now: DateTime<Utc>) {
        let Faults {
            late_callbacks,
            doubled_callbacks,
            lost_callbacks,
            forged_callbacks,
            strange_callbacks,
            ..
        } = self.faults;
        let (report, heard) = (report(&callback.request.body), heard(world, &callback.request.body, now));
        if self.happens(late_callbacks, "callback late") {
            let wait = TimeDelta::seconds(self.random.random_range(1..600));
            world.sandbox.put_back(callback, now + wait);
            return;
        }
        // What people write is not lost: nobody could know of it.
        if report.is_some() && self.happens(lost_callbacks, "callback lost") {
            return;
        }
        if self.happens(forged_callbacks, "callback forged") {
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
        if report.is_some() && self.happens(strange_callbacks, STRANGE) {
            let answer = block_on(callbacks.accept(&callback.provider, &strange(world, &callback.request)));
            if let Err(error) = answer.map(drop)
                && !error.is_transient()
            {
                self.violations
                    .push(format!("a report about an attempt that nobody knows was refused: {error}"));
            }
        }
        let times = 1 + u32::from(self.happens(doubled_callbacks, "callback doubled"));
        for _ in 0..times {
            match block_on(callbacks.accept(&callback.provider, &callback.request)) {
                Ok(_) => {
                    if let Some((attempt, report)) = &report {
                        self.reports.entry(*attempt).or_default().push(report.clone());
                    }
                    if let Some((event, heard)) = &heard {
                        self.heard.entry(event.clone()).or_insert_with(|| heard.clone());
                    }
                }
                Err(error) if error.is_transient() => {
                    if let Some((attempt, report)) = report {
                        self.in_doubt.entry(attempt).or_default().push(report);
                    }
                    world.sandbox.put_back(callback.clone(), now + CALL_AGAIN);
                    return;
                }
                Err(error) => self.violations.push(format!("a genuine callback was refused: {error}")),
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

/// The same report about an attempt that nobody has made, as genuine.
fn strange(world: &World, request: &CallbackRequest) -> CallbackRequest {
    let mut body: Value = serde_json::from_slice(&request.body).expect("a report");
    let attempt: AttemptId = world.ports.ids.next(world.now());
    let event = format!("strange-{attempt}");
    body["report_v1"]["attempt"] = json!(attempt);
    body["report_v1"]["event"] = json!(event);
    let body = body.to_string().into_bytes();
    let headers = world.webhook_key.sign(&event, world.now(), &body);
    CallbackRequest { headers, body, ..request.clone() }
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
