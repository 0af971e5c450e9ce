//! The adapter.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use reminderly_core::batch::Outcomes;
use reminderly_core::clock::Clock;
use reminderly_core::ports::queue::{
    Lease, LeaseOutcome, LeaseToken, MAX_DELAY, MAX_ENVELOPE_BYTES, MAX_WAIT, MessageQueue, Outgoing,
    QueueError, QueueName, SendOutcome,
};

use crate::bell::Ring;
use crate::directory::Directory;
use crate::lane::{Found, Lane, State, Want};
use crate::timeline::{Item, Origin};

/// The most items of one queue that may be in flight on SQS: received and not settled
/// ([quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html)).
pub const IN_FLIGHT_LIMIT: u64 = 120_000;

/// Queues in memory; see the [crate] for what is modelled.
#[derive(Debug)]
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    in_flight_limit: u64,
    directory: RwLock<Directory>,
}

impl MemoryQueue {
    /// No queues yet, and [`IN_FLIGHT_LIMIT`] for each to come.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_in_flight_limit(clock, IN_FLIGHT_LIMIT)
    }

    /// As [`new`](Self::new), with another in-flight limit per queue, in items.
    pub fn with_in_flight_limit(clock: Arc<dyn Clock>, limit: u64) -> Self {
        Self { clock, in_flight_limit: limit, directory: RwLock::default() }
    }

    /// Puts a body as it is, ready to be received: the way to show a consumer a body that is no envelope.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoSuchQueue`] if there is no such queue.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use reminderly_core::clock::SystemClock;
    /// use reminderly_core::ports::queue::{MessageQueue as _, QueueAdmin as _, QueueName, QueueSpec};
    /// use reminderly_queue_memory::MemoryQueue;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # futures::executor::block_on(async {
    /// let queue = MemoryQueue::new(Arc::new(SystemClock::new()));
    /// let (name, dead_letters) = (QueueName::new("inbound")?, QueueName::new("dead")?);
    /// queue.ensure(&QueueSpec { name: name.clone(), dead_letters, max_receives: 3 }).await?;
    /// queue.put_raw_body(&name, "no envelope")?;
    /// let leases = queue.receive(&name, 1, Duration::ZERO, Duration::from_secs(30)).await?;
    /// assert!(leases[0].envelope.is_err());
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn put_raw_body(&self, queue: &QueueName, body: impl Into<String>) -> Result<(), QueueError> {
        let now = self.now();
        self.lane(queue)?.at(now).put(body.into(), Duration::ZERO, now);
        Ok(())
    }

    /// Why each dead letter that can be received now is one, oldest first.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoSuchQueue`] if there is no such queue.
    pub fn dead_letter_reasons(&self, dead_letters: &QueueName) -> Result<Vec<String>, QueueError> {
        let lane = self.lane(dead_letters)?;
        let state = lane.at(self.now());
        Ok(state.origins().map(|origin| origin.reason.clone()).collect())
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    // Never holds the lock of the directory while it takes that of a lane: `redrive` nests them the other way.
    pub(crate) fn find(&self, queue: &QueueName) -> Option<Arc<Lane>> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).find(queue)
    }

    pub(crate) fn lane(&self, queue: &QueueName) -> Result<Arc<Lane>, QueueError> {
        self.find(queue).ok_or_else(|| QueueError::NoSuchQueue(queue.clone()))
    }

    pub(crate) fn change_directory<T>(&self, change: impl FnOnce(&mut Directory, DateTime<Utc>) -> T) -> T {
        let now = self.now();
        change(&mut self.directory.write().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// One look at the queue: what it gives now, and when to look again.
    fn look(&self, queue: &QueueName, max: usize, visibility: Duration) -> Result<Look, QueueError> {
        let lane = self.lane(queue)?;
        // Without its dead-letter queue, an item comes again and again, as on SQS.
        let dead_letters = lane
            .redrive
            .as_ref()
            .and_then(|policy| Some((self.find(&policy.dead_letters)?, policy.max_receives)));
        let max_receives = dead_letters.as_ref().map(|(_, max)| *max);
        let want = Want { max, visibility, in_flight_limit: self.in_flight_limit, max_receives };
        let now = self.now();
        let (Found { leases, exhausted, over_limit }, nothing) = {
            let mut state = lane.at(now);
            let found = state.take(want, now);
            let nothing = found.leases.is_empty().then(|| (state.listen(), state.next_visible()));
            (found, nothing)
        };
        if let Some((dead_letters, max)) = dead_letters
            && !exhausted.is_empty()
        {
            let reason = format!("received {max} times and never settled");
            let letters = exhausted.into_iter().map(|item| letter(item, queue, &reason));
            dead_letters.at(now).put_items(letters);
        }
        Ok(match nothing {
            Some((ring, next_visible)) => Look::Nothing { over_limit, ring, next_visible },
            None => Look::Leases(leases),
        })
    }

    fn settle(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        mut settle: impl FnMut(&mut State, &LeaseToken, DateTime<Utc>) -> LeaseOutcome,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        if leases.is_empty() {
            return Ok(Vec::new().into());
        }
        let (lane, now) = (self.lane(queue)?, self.now());
        let mut state = lane.at(now);
        Ok(leases.iter().map(|token| settle(&mut state, token, now)).collect())
    }
}

#[async_trait]
impl MessageQueue for MemoryQueue {
    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<Outcomes<SendOutcome>, QueueError> {
        if items.is_empty() {
            return Ok(Vec::new().into());
        }
        let lane = self.lane(queue)?;
        let bodies: Vec<_> = items.iter().map(acceptable_body).collect();
        let now = self.now();
        let mut state = lane.at(now);
        Ok(items
            .iter()
            .zip(bodies)
            .map(|(item, body)| match body {
                Some(body) => {
                    state.put(body, item.delay, now);
                    SendOutcome::Sent
                }
                None => SendOutcome::Refused,
            })
            .collect())
    }

    async fn receive(
        &self,
        queue: &QueueName,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        let deadline = self.now() + wait.min(MAX_WAIT);
        loop {
            let (over_limit, ring, next_visible) = match self.look(queue, max, visibility)? {
                Look::Leases(leases) => return Ok(leases),
                Look::Nothing { over_limit, ring, next_visible } => (over_limit, ring, next_visible),
            };
            if over_limit && wait.is_zero() {
                return Err(QueueError::OverLimit(queue.clone()));
            }
            if max == 0 || self.now() >= deadline {
                return Ok(Vec::new());
            }
            let wake_at = next_visible.map_or(deadline, |next| next.min(deadline));
            // Whichever it was, the next look finds out.
            match select(ring, self.clock.sleep_until(wake_at)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    async fn ack(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.settle(queue, leases, |state, token, _| {
            state.remove(token, self.in_flight_limit).map_or(LeaseOutcome::Stale, |_| LeaseOutcome::Done)
        })
    }

    async fn release(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        delay: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.settle(queue, leases, |state, token, now| state.release(token, delay, now))
    }

    async fn extend(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        visibility: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.settle(queue, leases, |state, token, now| state.extend(token, visibility, now))
    }

    async fn dead_letter(
        &self,
        queue: &QueueName,
        lease: &LeaseToken,
        reason: &str,
    ) -> Result<LeaseOutcome, QueueError> {
        let (lane, now) = (self.lane(queue)?, self.now());
        let policy = lane.redrive.as_ref().ok_or_else(|| refused("this queue has no dead-letter queue"))?;
        let dead_letters = self.lane(&policy.dead_letters)?;
        let removed = lane.at(now).remove(lease, self.in_flight_limit);
        let Some(item) = removed else { return Ok(LeaseOutcome::Stale) };
        dead_letters.at(now).put_items([letter(item, queue, reason)]);
        Ok(LeaseOutcome::Done)
    }
}

pub(crate) fn refused(why: &'static str) -> QueueError {
    QueueError::Refused { source: why.into() }
}

/// What one look at a queue gave.
enum Look {
    Leases(Vec<Lease>),
    Nothing { over_limit: bool, ring: Ring, next_visible: Option<DateTime<Utc>> },
}

fn acceptable_body(item: &Outgoing) -> Option<String> {
    let body = item.envelope.encode().ok()?;
    (item.delay <= MAX_DELAY && body.len() <= MAX_ENVELOPE_BYTES).then_some(body)
}

fn letter(item: Item, queue: &QueueName, reason: &str) -> Item {
    let origin = Origin { queue: queue.clone(), reason: reason.to_owned() };
    Item { body: item.body, receives: 0, origin: Some(Box::new(origin)) }
}
