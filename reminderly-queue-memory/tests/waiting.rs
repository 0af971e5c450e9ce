//! What is special to this adapter: a dropped receive leaves nothing leased, and many waiters share fairly.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures::executor::block_on;
use futures::future::{FutureExt as _, join, join_all};
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::ports::queue::{
    Depth, MessageQueue as _, QueueAdmin as _, QueueError, QueueName, QueueSpec,
};
use reminderly_core::testing::VirtualClock;
use reminderly_queue_memory::MemoryQueue;

const WAIT: Duration = Duration::from_secs(20);
const VISIBILITY: Duration = Duration::from_secs(30);

fn name() -> QueueName {
    QueueName::new("inbound").unwrap()
}

fn virtual_queue() -> (Arc<VirtualClock>, MemoryQueue) {
    let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
    let queue = MemoryQueue::new(Arc::<VirtualClock>::clone(&clock));
    ensure(&queue);
    (clock, queue)
}

fn ensure(queue: &MemoryQueue) {
    let spec = QueueSpec { name: name(), dead_letters: QueueName::new("dead").unwrap(), max_receives: 3 };
    block_on(queue.ensure(&spec)).unwrap();
}

#[test]
fn a_dropped_receive_leaves_nothing_leased_and_nobody_waiting() {
    let (clock, queue) = virtual_queue();
    let name = name();
    let mut receive = queue.receive(&name, 10, WAIT, VISIBILITY);
    assert!((&mut receive).now_or_never().is_none());
    assert_eq!(clock.next_wake(), Some(DateTime::UNIX_EPOCH + WAIT));
    queue.put_raw_body(&name, "late").unwrap();
    drop(receive);
    assert_eq!(clock.next_wake(), None);
    let depth = block_on(queue.depth(&name)).unwrap();
    assert_eq!(depth, Some(Depth { ready: 1, leased: 0, delayed: 0 }));
}

#[test]
fn every_waiter_gets_an_item_at_the_instant_of_its_arrival() {
    let (clock, queue) = virtual_queue();
    let name = name();
    let waiters = join_all((0..100).map(|_| queue.receive(&name, 1, WAIT, VISIBILITY)));
    let sends = async {
        for _ in 0..100 {
            queue.put_raw_body(&name, "item").unwrap();
        }
    };
    let (received, ()) = block_on(join(waiters, sends));
    assert!(received.into_iter().all(|leases| leases.unwrap().len() == 1));
    assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
}

#[test]
fn a_waiter_learns_that_its_queue_is_gone() {
    let (clock, queue) = virtual_queue();
    let name = name();
    let (received, deleted) = block_on(join(queue.receive(&name, 1, WAIT, VISIBILITY), queue.delete(&name)));
    deleted.unwrap();
    assert!(matches!(received, Err(QueueError::NoSuchQueue(_))), "{received:?}");
    assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
}

#[test]
fn threads_share_a_queue_without_losing_or_doubling() {
    const ITEMS: usize = 2_000;
    let queue = MemoryQueue::new(Arc::new(SystemClock::new()));
    ensure(&queue);
    let name = name();
    let received: usize = std::thread::scope(|scope| {
        let consumers: Vec<_> = (0..4).map(|_| scope.spawn(|| consume(&queue, &name))).collect();
        for _ in 0..ITEMS {
            queue.put_raw_body(&name, "item").unwrap();
        }
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).sum()
    });
    assert_eq!(received, ITEMS);
    assert_eq!(block_on(queue.depth(&name)).unwrap(), Some(Depth::default()));
}

/// Receives and acks until nothing comes for a while; answers how many items came.
fn consume(queue: &MemoryQueue, name: &QueueName) -> usize {
    let mut count = 0;
    loop {
        let leases = block_on(queue.receive(name, 7, Duration::from_millis(300), VISIBILITY)).unwrap();
        if leases.is_empty() {
            return count;
        }
        count += leases.len();
        let tokens: Vec<_> = leases.into_iter().map(|lease| lease.token).collect();
        assert_eq!(block_on(queue.ack(name, &tokens)).unwrap().len(), tokens.len());
    }
}
