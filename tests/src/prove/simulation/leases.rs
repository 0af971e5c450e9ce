//! A queue that counts leases that ended while somebody still worked on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reminderly_core::batch::Outcomes;
use reminderly_core::ports::queue::{
    Lease, LeaseOutcome, LeaseToken, MessageQueue, Outgoing, QueueError, QueueName, SendOutcome,
};

/// Counts leases that had ended when they were settled or extended.
#[derive(Debug)]
pub(super) struct CountedLeases {
    inner: Arc<dyn MessageQueue>,
    lost: Arc<AtomicU64>,
}

impl CountedLeases {
    pub(super) fn new(inner: Arc<dyn MessageQueue>, lost: &Arc<AtomicU64>) -> Self {
        Self { inner, lost: Arc::clone(lost) }
    }

    fn count(&self, outcomes: Outcomes<LeaseOutcome>) -> Outcomes<LeaseOutcome> {
        let lost = outcomes.iter().filter(|outcome| **outcome == LeaseOutcome::Stale).count();
        self.lost.fetch_add(lost as u64, Ordering::Relaxed);
        outcomes
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl MessageQueue for CountedLeases {
    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<Outcomes<SendOutcome>, QueueError> {
        self.inner.send(queue, items).await
    }

    async fn receive(
        &self,
        queue: &QueueName,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        self.inner.receive(queue, max, wait, visibility).await
    }

    async fn ack(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        Ok(self.count(self.inner.ack(queue, leases).await?))
    }

    async fn release(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        delay: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        Ok(self.count(self.inner.release(queue, leases, delay).await?))
    }

    async fn extend(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        visibility: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        Ok(self.count(self.inner.extend(queue, leases, visibility).await?))
    }

    async fn dead_letter(
        &self,
        queue: &QueueName,
        lease: &LeaseToken,
        reason: &str,
    ) -> Result<LeaseOutcome, QueueError> {
        self.inner.dead_letter(queue, lease, reason).await
    }
}
