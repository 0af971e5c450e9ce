//! A queue whose calls give way, as those of a service do: a caller that is dropped in between learns nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use reminderly_core::batch::Outcomes;
use reminderly_core::ports::queue::{
    Lease, LeaseOutcome, LeaseToken, MessageQueue, Outgoing, QueueError, QueueName, SendOutcome,
};

/// Gives way once before and once after each call takes effect.
#[derive(Debug)]
pub struct YieldingQueue(pub Arc<dyn MessageQueue>);

impl YieldingQueue {
    async fn around<T>(
        &self,
        call: impl Future<Output = Result<T, QueueError>> + Send,
    ) -> Result<T, QueueError> {
        GiveWay::default().await;
        let answer = call.await;
        GiveWay::default().await;
        answer
    }
}

#[derive(Default)]
struct GiveWay {
    has_given: bool,
}

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.has_given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl MessageQueue for YieldingQueue {
    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<Outcomes<SendOutcome>, QueueError> {
        self.around(self.0.send(queue, items)).await
    }

    async fn receive(
        &self,
        queue: &QueueName,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        self.around(self.0.receive(queue, max, wait, visibility)).await
    }

    async fn ack(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.around(self.0.ack(queue, leases)).await
    }

    async fn release(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        delay: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.around(self.0.release(queue, leases, delay)).await
    }

    async fn extend(
        &self,
        queue: &QueueName,
        leases: &[LeaseToken],
        visibility: Duration,
    ) -> Result<Outcomes<LeaseOutcome>, QueueError> {
        self.around(self.0.extend(queue, leases, visibility)).await
    }

    async fn dead_letter(
        &self,
        queue: &QueueName,
        lease: &LeaseToken,
        reason: &str,
    ) -> Result<LeaseOutcome, QueueError> {
        self.around(self.0.dead_letter(queue, lease, reason)).await
    }
}
