//! A world that goes on.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::RngExt as _;
use reminderly_core::ports::queue::Depth;
use reminderly_core::services::Callbacks;

use super::World;

/// How long a provider waits before it calls again.
const CALL_AGAIN: TimeDelta = TimeDelta::seconds(30);

impl World {
    /// Polls one task that is ready; `false` if all wait for time.
    pub fn step(&mut self) -> bool {
        match &mut self.random {
            Some(random) => self.executor.step(|ready| random.random_range(0..ready)),
            None => self.executor.step(|_| 0),
        }
    }

    /// Polls until all wait for time.
    pub fn settle(&mut self) {
        self.take_callbacks();
        let mut steps = 0_u64;
        while self.step() {
            self.take_callbacks();
            steps += 1;
            assert!(steps < 1_000_000, "somebody is busy without end at {}", self.now());
        }
    }

    /// Moves the clock to whatever is next, but not beyond `limit`; `false` if `limit` is reached.
    pub fn advance(&mut self, limit: DateTime<Utc>) -> bool {
        let next = self.clock.next_wake().into_iter().chain(self.sandbox.next_callback_at()).min();
        let Some(next) = next.filter(|next| *next <= limit) else {
            self.clock.advance_to(limit);
            return false;
        };
        self.clock.advance_to(next);
        self.take_callbacks();
        true
    }

    /// Runs until this instant.
    pub fn run_until(&mut self, limit: DateTime<Utc>) {
        loop {
            self.settle();
            if !self.advance(limit) {
                self.settle();
                return;
            }
        }
    }

    /// Runs for so long.
    pub fn run_for(&mut self, duration: Duration) {
        let limit = self.now() + duration;
        self.run_until(limit);
    }

    /// Runs until every packet has ended and the sandbox has nothing more to say. Panics if that takes two days.
    pub fn run_to_end(&mut self) {
        let limit = self.now() + TimeDelta::days(2);
        loop {
            self.settle();
            if self.is_done() {
                return;
            }
            assert!(self.advance(limit), "not everything ended within two days: {:?}", self.open_packets());
        }
    }

    /// Whether every packet has ended and nobody has anything to say any more.
    pub fn is_done(&self) -> bool {
        let names = &self.settings.queues;
        let empty = |name| self.depth(name).is_none_or(|depth: Depth| depth.total() == 0);
        self.sandbox.next_callback_at().is_none()
            && self.open_packets().is_empty()
            && empty(&names.dispositions)
            && empty(&names.incoming)
    }

    /// Hands the callbacks that are due to the gateway; what it cannot take comes again.
    fn take_callbacks(&mut self) {
        let now = self.now();
        if self.sandbox.next_callback_at().is_none_or(|at| at > now) {
            return;
        }
        let callbacks = Callbacks::new(&self.ports, &self.settings);
        for callback in self.sandbox.take_callbacks(now) {
            match block_on(callbacks.accept(&callback.provider, &callback.request)) {
                Ok(_) => {
                    self.accepted_callbacks += 1;
                    if self.keeps_callbacks {
                        self.callbacks.push((now, callback));
                    }
                }
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    self.sandbox.put_back(callback, now + CALL_AGAIN);
                }
            }
        }
    }
}
