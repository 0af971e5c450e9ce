//! A schedule, carried out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::packet::Packet;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::memory::Backup;
use reminderly_core::ports::queue::{QueueAdmin as _, QueueName};
use reminderly_core::ports::store::MessageStore as _;
use reminderly_core::services::{
    CompiledCampaigns, IncomingMessages, OnDemandCall, RestoreFence, ServiceError, Unsubscribes,
};

use super::breakage::Breakage;
use super::deployment::Deployment;
use super::documents::{self, RowDraft};
use super::gateway::Gateway;
use super::schedule::{Deed, FAULTS_FOR, Schedule, Way};
use crate::executor::Process;
use crate::world::World;

/// The process of the host's own tasks.
const HOST: Process = 0;

/// How long everything may take to end once nothing goes wrong any more.
const ENDS_WITHIN: TimeDelta = TimeDelta::hours(48);

/// How long all workers go on after the last fault, before one is left.
const ALL_GO_ON: TimeDelta = TimeDelta::minutes(10);

/// How long that one stays awake: what is held for a day does not need it all the time.
pub(super) const AWAKE_FOR: TimeDelta = TimeDelta::hours(2);

/// Then it sleeps so long, if nothing is due before,
const SLEEPS_FOR: TimeDelta = TimeDelta::minutes(50);

/// and wakes for so long.
const WAKES_FOR: TimeDelta = TimeDelta::minutes(5);

/// Polls at one instant, beyond which somebody is busy without end.
const BUSY: u64 = 300_000;

/// A schedule that was carried out, with all that there is to judge it by.
pub(super) struct Trial<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) deployment: Deployment,
    pub(super) gateway: Gateway,
    /// How often each deed was done, and what else must happen.
    pub(super) done: BTreeMap<&'static str, u64>,
    /// When everybody had ended; `None` if somebody had not after 48 hours.
    pub(super) ended_at: Option<DateTime<Utc>>,
    /// What went wrong on the way.
    pub(super) violations: Vec<String>,
    failures: Arc<Mutex<Vec<String>>>,
    backup: Option<(DateTime<Utc>, Backup)>,
    at_this_instant: u64,
}

impl<'a> Trial<'a> {
    /// Carries the schedule out.
    pub(super) fn of(schedule: &'a Schedule, breakage: &dyn Breakage) -> Self {
        let mut trial = Self {
            schedule,
            deployment: Deployment::new(schedule, breakage),
            gateway: Gateway::new(schedule),
            done: BTreeMap::new(),
            ended_at: None,
            violations: Vec::new(),
            failures: Arc::default(),
            backup: None,
            at_this_instant: 0,
        };
        trial.carry_out();
        trial.violations.append(&mut trial.gateway.violations);
        trial.violations.append(&mut trial.failures.lock().unwrap_or_else(PoisonError::into_inner));
        trial
    }

    fn carry_out(&mut self) {
        let start = self.schedule.start;
        for timed in &self.schedule.deeds {
            self.run_until(start + timed.after.min(FAULTS_FOR));
            self.perform(&timed.deed);
        }
        self.run_until(start + FAULTS_FOR);
        self.deployment.calm();
        self.gateway.calm();
        for worker in 0..self.schedule.workers {
            self.deployment.start(worker);
        }
        self.resume_all();
        self.call_again();
        if self.schedule.is_restored() {
            self.release();
        }
        self.run_until(start + FAULTS_FOR + ALL_GO_ON);
        self.deployment.keep_one();
        self.run_to_end(start + FAULTS_FOR + AWAKE_FOR);
        while self.ended_at.is_none() && self.world().now() < start + FAULTS_FOR + ENDS_WITHIN {
            self.deployment.stop_all();
            self.run_until(self.next_awakening());
            self.deployment.start(0);
            self.run_to_end(self.world().now() + WAKES_FOR);
        }
    }

    /// No later than the next message is due.
    fn next_awakening(&self) -> DateTime<Utc> {
        let (world, now) = (self.world(), self.world().now());
        let due = |packet: &Packet| block_on(world.store.next_due(packet.company, packet.id)).expect("read");
        let first = world.open_packets().iter().filter_map(due).min();
        first.unwrap_or(DateTime::<Utc>::MAX_UTC).clamp(now, now + SLEEPS_FOR)
    }

    fn world(&self) -> &World {
        &self.deployment.world
    }

    fn count(&mut self, what: &'static str, times: u64) {
        *self.done.entry(what).or_default() += times;
    }

    fn run_until(&mut self, limit: DateTime<Utc>) {
        while self.advance(limit) {}
    }

    fn run_to_end(&mut self, limit: DateTime<Utc>) {
        loop {
            if self.is_done() {
                self.ended_at = Some(self.world().now());
                return;
            }
            if !self.advance(limit) {
                return;
            }
        }
    }

    /// Reports about forgotten attempts wait for days; everything else comes to its end.
    fn is_done(&self) -> bool {
        let world = self.world();
        let names = &world.settings.queues;
        let empty = |name| world.depth(name).is_none_or(|depth| depth.total() == 0);
        world.sandbox.next_callback_at().is_none()
            && world.open_packets().is_empty()
            && empty(&names.incoming)
            && world.stray_queues().is_empty()
            && (self.schedule.is_restored() || empty(&names.dispositions))
    }

    /// Polls until all wait for time, and moves the clock to whatever is next; `false` if that is beyond `limit`.
    fn advance(&mut self, limit: DateTime<Utc>) -> bool {
        let now = self.world().now();
        self.gateway.pump(&self.deployment.world, now);
        while self.deployment.world.step() {
            self.at_this_instant += 1;
            if self.at_this_instant > BUSY {
                self.violations.push(format!("somebody is busy without end at {now}"));
                self.deployment.kill_all();
                return false;
            }
        }
        self.at_this_instant = 0;
        let world = self.world();
        let next = world.clock.next_wake().into_iter().chain(world.sandbox.next_callback_at()).min();
        let next = next.filter(|next| *next <= limit);
        world.clock.advance_to(next.unwrap_or(limit));
        next.is_some()
    }

    /// Does something of the host's, as a task of its own; what fails for good is a violation.
    fn spawn(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<(), ServiceError>> + Send + 'static,
    ) {
        let failures = Arc::clone(&self.failures);
        self.world().executor.spawn(HOST, async move {
            match work.await {
                // It came too late, or too early.
                Ok(()) | Err(ServiceError::WrongState { .. } | ServiceError::NotFound { .. }) => {}
                Err(error) => {
                    failures
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(format!("{what}: {error:?}"));
                }
            }
        });
    }

    fn perform(&mut self, deed: &Deed) {
        match deed {
            Deed::File { campaign, number, rows } => {
                let name = format!("c{campaign}-{number:02}.csv");
                let text = documents::file(rows, self.schedule.zone);
                self.deployment.files[*campaign].arrive(&name, &text);
                self.count("file arrived", 1);
            }
            Deed::Call { campaign, worker, row } => self.call(*campaign, *worker, row),
            Deed::OptOut { company, cell, way } => self.opt_out(*company, cell, *way),
            Deed::Pause { .. } | Deed::Resume { .. } | Deed::Archive { .. } | Deed::CancelPacket { .. } => {
                self.rule(deed);
            }
            Deed::Kill { worker } => {
                let killed = self.deployment.kill(*worker);
                self.count("worker killed", killed.into());
            }
            Deed::Stop { worker } => {
                let stopped = self.deployment.stop(*worker);
                self.count("worker told to stop", stopped.into());
            }
            Deed::Start { worker } => {
                self.deployment.start(*worker);
                self.count("worker replaced", 1);
            }
            Deed::Jump { worker, to } => self.deployment.jump(*worker, *to),
            Deed::BackUp => self.backup = Some((self.world().now(), self.world().store.back_up())),
            Deed::Restore => self.restore(),
            Deed::Release => self.release(),
            Deed::DeleteQueue { .. } | Deed::Poison { .. } | Deed::Redrive => self.meddle(deed),
        }
    }

    fn call(&mut self, campaign: usize, worker: usize, row: &RowDraft) {
        let Some(process) = self.deployment.process(worker) else { return };
        let campaign = &self.deployment.campaigns[campaign];
        let call = on_demand_call(row);
        let on_demand = self.world().on_demand(process);
        let scope = self.world().scope(campaign.company, Action::SendOnDemand);
        let (id, failures) = (campaign.id, Arc::clone(&self.failures));
        self.world().executor.spawn(process, async move {
            match on_demand.send(&scope, id, &call).await {
                Ok(_)
                | Err(ServiceError::WrongState { .. } | ServiceError::Store(_) | ServiceError::Queue(_)) => {}
                Err(error) => {
                    failures.lock().unwrap_or_else(PoisonError::into_inner).push(format!("call: {error:?}"));
                }
            }
        });
        self.count("call on demand", 1);
    }

    /// A campaign that stays paused stays open.
    fn resume_all(&mut self) {
        for campaign in 0..self.schedule.campaigns.len() {
            if self.schedule.has(|deed| matches!(deed, Deed::Pause { campaign: of } if *of == campaign)) {
                self.rule(&Deed::Resume { campaign });
            }
        }
    }

    /// Whoever was told of a failure calls again, until it is known that the call is stored.
    fn call_again(&mut self) {
        if self.schedule.is_restored() {
            return;
        }
        for timed in &self.schedule.deeds {
            if let Deed::Call { campaign, worker, row } = &timed.deed {
                self.call(*campaign, *worker, row);
            }
        }
    }

    fn opt_out(&mut self, company: usize, cell: &str, way: Way) {
        let world = self.world();
        let company = self.deployment.companies[company];
        let number = PhoneNumber::parse(cell, None).expect("a number");
        let contact = ContactPoint::Sms(number);
        match way {
            Way::Operator => {
                let scope = world.scope(company, Action::ManageUnsubscribes);
                let service = Unsubscribes::new(&world.ports);
                let key = contact.refusal_key();
                self.spawn("opt-out by an operator", async move {
                    service.change(&scope, key, UnsubscribeChange::OptedOut).await.map(drop)
                });
                self.count("opt-out by an operator", 1);
            }
            Way::Reply => {
                let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
                let service = IncomingMessages::new(&world.ports, &world.settings, campaigns);
                let scope = world.worker_scope(company);
                let incoming = Incoming {
                    provider: "sandbox-sms".into(),
                    account: world.sandbox.account(company),
                    event: format!("stop-{}", world.now()).into(),
                    from: contact,
                    text: "Stop.".into(),
                    at: world.now(),
                };
                self.spawn("opt-out by a reply", async move {
                    service.receive(&scope, &incoming).await.map(drop)
                });
                self.count("opt-out by a reply", 1);
            }
        }
    }

    fn rule(&mut self, deed: &Deed) {
        let (Deed::Pause { campaign }
        | Deed::Resume { campaign }
        | Deed::Archive { campaign }
        | Deed::CancelPacket { campaign }) = deed
        else {
            return;
        };
        let campaign = self.deployment.campaigns[*campaign].clone();
        let service = self.world().campaigns();
        let scope = self.world().scope(campaign.company, Action::RunCampaign);
        let newest =
            self.world().packets(&campaign).into_iter().rev().find(|packet| !packet.stage.is_closed());
        let deed = deed.clone();
        let what = match deed {
            Deed::Pause { .. } => "campaign paused",
            Deed::Resume { .. } => "campaign resumed",
            Deed::Archive { .. } => "campaign archived",
            _ => "packet cancelled",
        };
        if matches!(deed, Deed::CancelPacket { .. }) && newest.is_none() {
            return;
        }
        self.spawn(what, async move {
            match (deed, newest) {
                (Deed::Pause { .. }, _) => service.pause(&scope, campaign.id).await.map(drop),
                (Deed::Resume { .. }, _) => service.resume(&scope, campaign.id).await.map(drop),
                (Deed::Archive { .. }, _) => service.remove(&scope, campaign.id).await.map(drop),
                (_, Some(packet)) => service.cancel_packet(&scope, packet.id).await.map(drop),
                _ => Ok(()),
            }
        });
        self.count(what, 1);
    }

    fn restore(&mut self) {
        let Some((at, backup)) = self.backup.take() else { return };
        self.deployment.kill_all();
        self.deployment.world.kill(HOST);
        self.world().store.restore(&backup);
        self.deployment.witness.forget_since(at);
        let world = self.world();
        let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
        let raised = block_on(async {
            let last = fence.last(&scope).await?;
            fence.raise(&scope, last.epoch).await
        });
        if let Err(error) = raised {
            self.violations.push(format!("raise: {error:?}"));
        }
        for worker in 0..self.schedule.workers {
            self.deployment.start(worker);
        }
        self.count("store restored", 1);
    }

    fn release(&mut self) {
        let world = self.world();
        let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
        self.spawn("release", async move { fence.release_all(&scope).await.map(drop) });
    }

    fn meddle(&mut self, deed: &Deed) {
        let world = self.world();
        let queue_of = |campaign: usize| {
            let packets = world.packets(&self.deployment.campaigns[campaign]).into_iter().rev();
            let mut queues = packets.map(|packet| QueueName::of_packet(packet.id));
            queues.find(|queue| world.depth(queue).is_some())
        };
        match deed {
            Deed::DeleteQueue { campaign } => {
                if let Some(queue) = queue_of(*campaign) {
                    block_on(world.queue.delete(&queue)).expect("deleted");
                    self.count("queue deleted while in use", 1);
                }
            }
            Deed::Poison { campaign } => {
                if let Some(queue) = queue_of(*campaign) {
                    for body in ["", "{\"outbound_v9\":{}}", "\u{fffe}nonsense"] {
                        world.queue.put_raw_body(&queue, body).expect("put");
                    }
                    self.count("poison in a queue", 1);
                }
            }
            Deed::Redrive => {
                let letters = &world.settings.queues.dead_letters;
                let moved = block_on(world.queue.redrive(letters, 1_000)).expect("redriven");
                self.count("dead letters came back", 1 + moved);
            }
            _ => {}
        }
    }
}

/// The call that brings this row.
fn on_demand_call(row: &RowDraft) -> OnDemandCall {
    let RowDraft { key, name, cell, email, person, .. } = row;
    let cells = [("Key", key), ("Name", name), ("Cell", cell), ("Email", email), ("Person", person)];
    let cells = cells.into_iter().map(|(column, value)| (column.to_owned(), value.clone())).collect();
    OnDemandCall::rows(CallKey::new(key).expect("a key"), vec![cells])
}
