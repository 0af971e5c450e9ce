//! The in-flight limit: how many items may be received and not settled.

use std::time::Duration;

use super::QueueHarness;
use super::bench::{Bench, LONG, not_applicable};
use crate::ports::queue::QueueError;

/// Without wait the limit is an error, with wait it is silence: as on SQS.
pub async fn the_in_flight_limit_stops_receives(harness: &dyn QueueHarness) {
    let Some((bench, limit)) = bench_with_limit(harness).await else { return };
    bench.send(0..=limit).await;
    let _leases = bench.take(count(limit), LONG).await;
    let error = bench.queue.receive(bench.name(), 1, Duration::ZERO, LONG).await.expect_err("over the limit");
    assert!(matches!(&error, QueueError::OverLimit(queue) if queue == bench.name()), "{error:?}");
    assert!(error.is_transient());
    let wait = Duration::from_secs(2);
    let (leases, _) = bench.timed(bench.queue.receive(bench.name(), 1, wait, LONG)).await;
    assert_eq!(leases.expect("receives"), []);
    bench.assert_depth(bench.name(), 1, limit, 0).await;
}

/// Settled items no longer count; items that rest after a release do.
pub async fn an_ack_makes_room_under_the_in_flight_limit(harness: &dyn QueueHarness) {
    let Some((bench, limit)) = bench_with_limit(harness).await else { return };
    bench.send(0..limit + 5).await;
    let leases = bench.take(count(limit), LONG).await;
    bench.release(&leases[0], LONG).await;
    let over = bench.queue.receive(bench.name(), 1, Duration::ZERO, LONG).await;
    assert!(matches!(over, Err(QueueError::OverLimit(_))), "{over:?}");
    bench.ack_all(&leases[1..3]).await;
    let more = bench.queue.receive(bench.name(), 10, Duration::ZERO, LONG).await.expect("receives");
    assert_eq!(more.len(), 2);
}

async fn bench_with_limit(harness: &dyn QueueHarness) -> Option<(Bench<'_>, u64)> {
    let Some(limit) = harness.in_flight_limit() else {
        not_applicable("the in-flight limit is too high to be reached");
        return None;
    };
    Some((Bench::new(harness).await, limit))
}

fn count(limit: u64) -> usize {
    usize::try_from(limit).expect("a limit of at most 1,000")
}
