//! The suite of the queue port, under a virtual clock.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use reminderly_core::clock::Clock;
use reminderly_core::conformance::queue::QueueHarness;
use reminderly_core::ids::{IdSource as _, SeededIds};
use reminderly_core::ports::queue::{MessageQueue, QueueAdmin, QueueName};
use reminderly_core::testing::VirtualClock;
use reminderly_queue_memory::MemoryQueue;
use uuid::Uuid;

const IN_FLIGHT_LIMIT: u64 = 40;

reminderly_core::queue_conformance!(Harness::new());

#[derive(Debug)]
struct Harness {
    clock: Arc<VirtualClock>,
    queue: Arc<MemoryQueue>,
    ids: SeededIds,
}

impl Harness {
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
        let queue =
            Arc::new(MemoryQueue::with_in_flight_limit(Arc::<VirtualClock>::clone(&clock), IN_FLIGHT_LIMIT));
        Self { clock, queue, ids: SeededIds::new(1) }
    }
}

#[async_trait]
impl QueueHarness for Harness {
    fn queue(&self) -> Arc<dyn MessageQueue> {
        Arc::<MemoryQueue>::clone(&self.queue)
    }

    fn admin(&self) -> Arc<dyn QueueAdmin> {
        Arc::<MemoryQueue>::clone(&self.queue)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<VirtualClock>::clone(&self.clock)
    }

    async fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    fn patience(&self) -> Duration {
        Duration::MAX
    }

    async fn send_raw(&self, queue: &QueueName, body: &str) {
        self.queue.put_raw_body(queue, body).unwrap();
    }

    async fn dead_letter_reasons(&self, dead_letters: &QueueName) -> Vec<String> {
        self.queue.dead_letter_reasons(dead_letters).unwrap()
    }

    fn in_flight_limit(&self) -> Option<u64> {
        Some(IN_FLIGHT_LIMIT)
    }

    fn tells_stale_acks(&self) -> bool {
        true
    }

    fn unique(&self) -> Uuid {
        self.ids.next_uuid(self.clock.now())
    }
}
