//! The right to ask a provider for some messages.

use std::sync::Arc;

use super::limits::Limit;
use super::scheduler::Scheduler;
use crate::clock::Monotonic;

/// The right to ask for so many messages. Dropping it before [`start`](Self::start) gives it back; dropping it after that
/// counts as if all had been asked for.
#[derive(Debug)]
pub(in crate::services) struct Permit<'a> {
    scheduler: &'a Scheduler,
    limits: Arc<[Limit]>,
    messages: u64,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was asked for.
    Held,
    /// Requests start before this point.
    Started(Monotonic),
    Finished,
}

impl<'a> Permit<'a> {
    pub(super) fn new(scheduler: &'a Scheduler, limits: &Arc<[Limit]>, messages: u64) -> Self {
        Self { scheduler, limits: Arc::clone(limits), messages, phase: Phase::Held }
    }

    /// For how many messages it is.
    pub(in crate::services) const fn messages(&self) -> u64 {
        self.messages
    }

    /// Requests for so many of the messages start now, each before `by`; the rest is given back.
    pub(in crate::services) fn start(&mut self, messages: u64, by: Monotonic) {
        let messages = messages.min(self.messages);
        let rest = self.messages - messages;
        self.messages = messages;
        self.phase = Phase::Started(by);
        self.change(|limits, scheduler| {
            scheduler.with(|state, now, wakers| {
                state.change(limits, now, wakers, |window| {
                    window.give_back(rest);
                    window.start(messages, by);
                });
            });
        });
    }

    /// For so many of the messages a request may have been made; for the others surely none was.
    pub(in crate::services) fn finish(mut self, made: u64) {
        self.end(made);
    }

    fn end(&mut self, made: u64) {
        let messages = self.messages;
        let phase = std::mem::replace(&mut self.phase, Phase::Finished);
        self.change(|limits, scheduler| {
            scheduler.with(|state, now, wakers| {
                state.change(limits, now, wakers, |window| match phase {
                    Phase::Held => window.give_back(messages),
                    Phase::Started(by) => window.finish(messages, made, by, now),
                    Phase::Finished => {}
                });
            });
        });
    }

    fn change(&self, change: impl FnOnce(&[Limit], &Scheduler)) {
        if !self.limits.is_empty() {
            change(&self.limits, self.scheduler);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.phase != Phase::Finished {
            self.end(self.messages);
        }
    }
}
