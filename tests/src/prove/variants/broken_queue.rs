//! A poller that acks what it receives before it is settled, in a deployment that trusts its queue.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::envelope::Envelope;
use reminderly_core::ports::queue::{
    Lease, LeaseOutcome, LeaseToken, MessageQueue, Outgoing, QueueError, QueueName, SendOutcome,
};
use reminderly_core::ports::store::Store;
use reminderly_core::testing::{HookedStore, VirtualClock};

use super::broken_store::CopiesLiveForEver;
use crate::prove::simulation::Breakage;

/// Acks on receipt. What a worker has in hand that dies is gone then, as nobody makes another copy.
#[derive(Debug, Default)]
pub(super) struct AcksFirst;

impl Breakage for AcksFirst {
    fn store(&self, store: Arc<dyn Store>, _: &Arc<VirtualClock>) -> Arc<dyn Store> {
        Arc::new(HookedStore::new(store, Arc::new(CopiesLiveForEver)))
    }

    fn queue(&self, queue: Arc<dyn MessageQueue>) -> Arc<dyn MessageQueue> {
        Arc::new(AckingQueue(queue))
    }
}

#[derive(Debug)]
struct AckingQueue(Arc<dyn MessageQueue>);

#[async_trait]
impl MessageQueue for AckingQueue {
    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<Outcomes<SendOutcome>, QueueError> {
        self.0.send(queue, items).await
    }

    async fn receive(
        &self,
        queue: &QueueName,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        let leases = self.0.receive(queue, max, wait, visibility).await?;
        let outbound = leases.iter().filter(|lease| matches!(lease.envelope, Ok(Envelope::Outbound(_))));
        let tokens: Vec<LeaseToken> = outbound.map(|lease| lease.token.clone()).collect();
        if !tokens.is_empty() {
            self.0.ack(queue, &tokens).await?.into_vec();
        }
        Ok(leases)
    }

    async fn ack(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.0.ack(queue, leases).await
    }

    async fn release(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        delay: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.0.release(queue, leases, delay).await
    }

    async fn extend(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        visibility: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.0.extend(queue, leases, visibility).await
    }

    async fn dead_letter(
        &self,
        queue: &QueueName,
        lease: &LeaseToken,
        reason: &str,
    ) -> Result<LeaseOutcome, QueueError> {
        self.0.dead_letter(queue, lease, reason).await
    }
}
