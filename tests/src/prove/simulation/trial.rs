//! A schedule, carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use reminderly_core::domain::envelope::Envelope;
use reminderly_core::domain::packet::Packet;
use reminderly_core::ids::AttemptId;
use reminderly_core::memory::Backup;
use reminderly_core::ports::queue::MessageQueue as _;
use reminderly_core::ports::store::MessageStore as _;
use serde_json::Value;

use super::breakage::Breakage;
use super::deployment::Deployment;
use super::errands::Errands;
use super::gateway::Gateway;
use super::schedule::{Deed, FAULTS_FOR, Schedule};
use crate::world::World;

/// How long everything may take to end once nothing goes wrong any more.
const ENDS_WITHIN: TimeDelta = TimeDelta::hours(48);

/// How long all workers go on after the last fault, before one is left.
const ALL_GO_ON: TimeDelta = TimeDelta::minutes(10);

/// By then every report has come that was taken before, whatever its copy was delayed by.
const REPORTED_WITHIN: TimeDelta = TimeDelta::minutes(45);

/// How long that one stays awake: what is held for a day does not need it all the time.
pub(super) const AWAKE_FOR: TimeDelta = TimeDelta::hours(2);

/// Then it sleeps so long, if nothing is due before,
const SLEEPS_FOR: TimeDelta = TimeDelta::minutes(50);

/// takes in what has come
const TAKES_IN: TimeDelta = TimeDelta::minutes(1);

/// and stays awake for so long.
const WAKES_FOR: TimeDelta = TimeDelta::minutes(5);

/// What the services seal reports as.
const SEALED_AS: &str = "reminderly/disposition/1";

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
    pub(super) errands: Errands,
    /// The events of what people wrote to the host's own code.
    pub(super) written: BTreeSet<String>,
    pub(super) backup: Option<(DateTime<Utc>, Backup)>,
    /// The attempts of which a report waits, or is set aside, at the end.
    pub(super) left_over: BTreeSet<AttemptId>,
    at_this_instant: u64,
}

impl<'a> Trial<'a> {
    /// Carries the schedule out.
    pub(super) fn of(schedule: &'a Schedule, breakage: &dyn Breakage) -> Self {
        let deployment = Deployment::new(schedule, breakage);
        let mut trial = Self {
            schedule,
            errands: Errands::new(deployment.ports_of_host()),
            written: BTreeSet::new(),
            deployment,
            gateway: Gateway::new(schedule),
            done: BTreeMap::new(),
            ended_at: None,
            violations: Vec::new(),
            backup: None,
            left_over: BTreeSet::new(),
            at_this_instant: 0,
        };
        trial.carry_out();
        trial.left_over = trial.left_over();
        trial.violations.append(&mut trial.gateway.violations);
        trial.violations.extend(trial.errands.failures().all());
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
        self.perform(&Deed::Redrive);
        self.run_until(start + FAULTS_FOR + ALL_GO_ON);
        // Those that were in flight when the others came back.
        self.perform(&Deed::Redrive);
        self.deployment.keep_one();
        self.run_to_end(start + FAULTS_FOR + AWAKE_FOR);
        while self.ended_at.is_none() && self.world().now() < start + FAULTS_FOR + ENDS_WITHIN {
            self.deployment.stop_all();
            self.run_until(self.next_awakening());
            self.deployment.start(0);
            // What came while it slept is taken in first.
            self.run_until(self.world().now() + TAKES_IN);
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

    pub(super) fn world(&self) -> &World {
        &self.deployment.world
    }

    pub(super) fn count(&mut self, what: &'static str, times: u64) {
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

    /// Reports about attempts that nobody knows wait for days; everything else comes to its end.
    fn is_done(&self) -> bool {
        let world = self.world();
        let names = &world.settings.queues;
        let empty = |name| world.depth(name).is_none_or(|depth| depth.total() == 0);
        world.sandbox.next_callback_at().is_none()
            && world.open_packets().is_empty()
            && empty(&names.incoming)
            && world.stray_queues().is_empty()
            && self.errands.are_done()
            && (empty(&names.dispositions) || self.only_strangers_wait())
    }

    /// Reads what waits, for which an hour passes in which nobody works.
    fn left_over(&self) -> BTreeSet<AttemptId> {
        let (world, hour) = (self.world(), TimeDelta::hours(1));
        let (queue, names) = (&world.queue, &world.settings.queues);
        world.clock.advance_to(world.now() + hour);
        let visibility = hour.to_std().expect("a length of time");
        let take = |name| block_on(queue.receive(name, 1_000, Duration::ZERO, visibility));
        let batches = [&names.dispositions, &names.dead_letters].into_iter().flat_map(|name| {
            let batch = move || take(name).ok().filter(|leases| !leases.is_empty());
            std::iter::from_fn(batch).flatten()
        });
        batches.filter_map(|lease| reported_attempt(world, lease.envelope.ok()?)).collect()
    }

    /// Whether what waits among the reports can only be about attempts that nobody knows.
    fn only_strangers_wait(&self) -> bool {
        let are_told_of = self.schedule.is_restored() || self.gateway.has_told_of_strangers();
        let last = self.gateway.last_taken.max(Some(self.schedule.start + FAULTS_FOR));
        are_told_of && last.is_some_and(|last| self.world().now() >= last + REPORTED_WITHIN)
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
}

/// The attempt that a sealed report is about.
fn reported_attempt(world: &World, envelope: Envelope) -> Option<AttemptId> {
    let Envelope::Disposition(payload) = envelope else { return None };
    let opened = world.ports.sealer.open(SEALED_AS, &payload.sealed).expect("a payload of ours");
    let report: Value = serde_json::from_slice(&opened).expect("a report");
    serde_json::from_value(report["disposition"]["attempt"].clone()).ok()
}
