//! The suite of the queue port under a virtual clock: for the adapter, and for the decorator without faults.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use reminderly_core::clock::Clock;
use reminderly_core::conformance::queue::QueueHarness;
use reminderly_core::ids::{IdSource as _, SeededIds};
use reminderly_core::ports::queue::{MessageQueue, QueueAdmin, QueueName};
use reminderly_core::testing::{FaultyQueue, QueueFaults, VirtualClock};
use reminderly_queue_memory::MemoryQueue;
use uuid::Uuid;

const IN_FLIGHT_LIMIT: u64 = 40;

mod memory_queue {
    reminderly_core::queue_conformance!(super::Harness::new());
}

mod faulty_queue {
    reminderly_core::queue_conformance!(super::Harness::decorated());
}

#[derive(Debug)]
struct Harness {
    clock: Arc<VirtualClock>,
    queue: Arc<MemoryQueue>,
    decorated: Arc<dyn MessageQueue>,
    ids: SeededIds,
}

impl Harness {
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
        let queue =
            Arc::new(MemoryQueue::with_in_flight_limit(Arc::<VirtualClock>::clone(&clock), IN_FLIGHT_LIMIT));
        let decorated = Arc::<MemoryQueue>::clone(&queue);
        Self { clock, queue, decorated, ids: SeededIds::new(1) }
    }

    fn decorated() -> Self {
        let plain = Self::new();
        let decorated = Arc::new(FaultyQueue::new(plain.queue(), QueueFaults::default(), 1));
        Self { decorated, ..plain }
    }
}

#[async_trait]
impl QueueHarness for Harness {
    fn queue(&self) -> Arc<dyn MessageQueue> {
        Arc::clone(&self.decorated)
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
