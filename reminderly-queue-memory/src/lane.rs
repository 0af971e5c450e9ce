//! One queue.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reminderly_core::domain::envelope::Envelope;
use reminderly_core::ports::queue::{
    Depth, Lease, LeaseOutcome, LeaseToken, MAX_DELAY, MAX_VISIBILITY, QueueName,
};

use crate::bell::{Bell, Ring};
use crate::timeline::{Item, Origin, Timeline};

/// One queue: what never changes, and the rest behind its lock.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) redrive: Option<RedrivePolicy>,
    state: Mutex<State>,
}

/// Where items go that were received too often or dead-lettered.
#[derive(Debug, Clone)]
pub(crate) struct RedrivePolicy {
    pub(crate) dead_letters: QueueName,
    pub(crate) max_receives: u32,
}

#[derive(Debug)]
pub(crate) struct State {
    /// Differs between two queues of the same name, so that no token outlives its queue.
    generation: u64,
    ready: VecDeque<Item>,
    timeline: Timeline,
    bell: Bell,
}

/// What a try to receive gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) leases: Vec<Lease>,
    /// Received too often before: these belong to the dead letters.
    pub(crate) exhausted: Vec<Item>,
    /// Items are ready, but the in-flight limit is reached.
    pub(crate) over_limit: bool,
}

/// What a receive asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Want {
    pub(crate) max: usize,
    pub(crate) visibility: Duration,
    pub(crate) in_flight_limit: u64,
    /// `None`: items are never received too often.
    pub(crate) max_receives: Option<u32>,
}

impl Lane {
    pub(crate) fn new(generation: u64, redrive: Option<RedrivePolicy>) -> Self {
        let state = State {
            generation,
            ready: VecDeque::new(),
            timeline: Timeline::default(),
            bell: Bell::default(),
        };
        Self { redrive, state: Mutex::new(state) }
    }

    /// The queue as it is at `now`.
    pub(crate) fn at(&self, now: DateTime<Utc>) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { ready, timeline, .. } = &mut *state;
        timeline.surface(now, ready);
        state
    }
}

impl State {
    pub(crate) fn put(&mut self, body: String, delay: Duration, now: DateTime<Utc>) {
        let item = Item { body, receives: 0, origin: None };
        if delay.is_zero() {
            self.ready.push_back(item);
        } else {
            self.timeline.delay(item, now + delay);
        }
        self.bell.ring();
    }

    /// Puts items as they are, ready.
    pub(crate) fn put_items(&mut self, items: impl IntoIterator<Item = Item>) {
        self.ready.extend(items);
        self.bell.ring();
    }

    pub(crate) fn take(&mut self, want: Want, now: DateTime<Utc>) -> Found {
        let mut found = Found::default();
        let expires_at = now + want.visibility.min(MAX_VISIBILITY);
        while found.leases.len() < want.max && !self.ready.is_empty() {
            if self.timeline.in_flight() >= want.in_flight_limit {
                found.over_limit = true;
                break;
            }
            let Some(mut item) = self.ready.pop_front() else { break };
            if want.max_receives.is_some_and(|max| item.receives >= max) {
                found.exhausted.push(item);
                continue;
            }
            item.receives = item.receives.saturating_add(1);
            let (envelope, receives) = (Envelope::decode(&item.body), item.receives);
            let number = self.timeline.lease(item, now, expires_at);
            let token = self.token(number);
            found.leases.push(Lease { envelope, token, receives, expires_at });
        }
        found
    }

    /// Takes the item of a lease for good; `None` if the lease has ended.
    pub(crate) fn remove(&mut self, token: &LeaseToken, in_flight_limit: u64) -> Option<Item> {
        let number = self.number(token)?;
        let was_full = self.timeline.in_flight() >= in_flight_limit;
        let (item, _) = self.timeline.end_lease(number)?;
        if was_full {
            self.bell.ring();
        }
        Some(item)
    }

    pub(crate) fn release(
        &mut self,
        token: &LeaseToken,
        delay: Duration,
        now: DateTime<Utc>,
    ) -> LeaseOutcome {
        let Some((item, _)) = self.number(token).and_then(|number| self.timeline.end_lease(number)) else {
            return LeaseOutcome::Stale;
        };
        if delay.is_zero() {
            self.ready.push_back(item);
        } else {
            self.timeline.rest(item, now + delay.min(MAX_DELAY));
        }
        self.bell.ring();
        LeaseOutcome::Done
    }

    pub(crate) fn extend(
        &mut self,
        token: &LeaseToken,
        visibility: Duration,
        now: DateTime<Utc>,
    ) -> LeaseOutcome {
        let until = |received_at: DateTime<Utc>| {
            (now + visibility.min(MAX_VISIBILITY)).min(received_at + MAX_VISIBILITY)
        };
        if !self.number(token).is_some_and(|number| self.timeline.move_lease(number, until)) {
            return LeaseOutcome::Stale;
        }
        let Self { ready, timeline, bell, .. } = self;
        timeline.surface(now, ready);
        // The lease may end earlier than before: whoever waits for its end must look again.
        bell.ring();
        LeaseOutcome::Done
    }

    /// Takes up to `limit` ready items that `chosen` wants, in order, and leaves the others in order.
    pub(crate) fn pick<T>(
        &mut self,
        limit: usize,
        mut chosen: impl FnMut(&Item) -> Option<T>,
    ) -> Vec<(T, Item)> {
        let (mut picked, mut kept) = (Vec::new(), Vec::new());
        while picked.len() < limit
            && let Some(item) = self.ready.pop_front()
        {
            match chosen(&item) {
                Some(choice) => picked.push((choice, item)),
                None => kept.push(item),
            }
        }
        kept.into_iter().rev().for_each(|item| self.ready.push_front(item));
        picked
    }

    pub(crate) fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.ready.iter().filter_map(|item| item.origin.as_deref())
    }

    pub(crate) fn depth(&self) -> Depth {
        Depth {
            ready: u64::try_from(self.ready.len()).unwrap_or(u64::MAX),
            leased: self.timeline.in_flight(),
            delayed: self.timeline.delayed(),
        }
    }

    /// When the next hidden item becomes visible, unless something else rings first.
    pub(crate) fn next_visible(&self) -> Option<DateTime<Utc>> {
        self.timeline.next()
    }

    pub(crate) fn listen(&mut self) -> Ring {
        self.bell.listen()
    }

    pub(crate) fn ring(&mut self) {
        self.bell.ring();
    }

    fn token(&self, number: u64) -> LeaseToken {
        LeaseToken(format!("{}.{number}", self.generation))
    }

    fn number(&self, token: &LeaseToken) -> Option<u64> {
        let (generation, number) = token.0.split_once('.')?;
        (generation.parse() == Ok(self.generation)).then_some(())?;
        number.parse().ok()
    }
}
