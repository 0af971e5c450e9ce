//! Queues: making, measuring, removing, and how they are kept apart.

use std::time::Duration;

use super::QueueHarness;
use super::bench::{Bench, LONG, numbers};
use crate::ports::queue::{LeaseOutcome, LeaseToken, QueueError, QueueName};

/// Each item is counted once.
pub async fn a_depth_counts_ready_leased_and_delayed(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.assert_depth(bench.name(), 0, 0, 0).await;
    bench.send(0..6).await;
    bench.assert_depth(bench.name(), 6, 0, 0).await;
    let delayed = [bench.outgoing(7, LONG)];
    assert_eq!(bench.queue.send(bench.name(), &delayed).await.expect("sends").len(), 1);
    let leases = bench.take(3, LONG).await;
    bench.assert_depth(bench.name(), 3, 3, 1).await;
    bench.ack_all(&leases[..1]).await;
    assert_eq!(bench.release(&leases[1], Duration::ZERO).await, LeaseOutcome::Done);
    bench.assert_depth(bench.name(), 4, 1, 1).await;
}

/// Absence is not an error.
pub async fn a_missing_queue_has_no_depth(harness: &dyn QueueHarness) {
    let bench = Bench::without_queue(harness, 5);
    assert_eq!(bench.admin.depth(bench.name()).await.expect("measures"), None);
}

/// Queues are listed by the beginning of their names, until they are deleted. Others may be there.
pub async fn queues_are_listed_by_prefix(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let (mine, letters) = (bench.name(), &bench.spec.dead_letters);
    assert!(listed(&bench, mine.as_str()).await.contains(mine));
    assert!(!listed(&bench, letters.as_str()).await.contains(mine), "another beginning");
    let half = mine.as_str().split_at(mine.as_str().len() / 2).0;
    let all = listed(&bench, half).await;
    assert!(all.contains(mine) && all.iter().all(|name| name.as_str().starts_with(half)));
    bench.admin.delete(mine).await.expect("deletes");
    assert!(!listed(&bench, mine.as_str()).await.contains(mine));
}

async fn listed(bench: &Bench<'_>, prefix: &str) -> Vec<QueueName> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = bench.admin.list(prefix, after).await.expect("lists");
        names.extend(page.items);
        after = page.next;
        if after.is_none() {
            return names;
        }
    }
}

/// A second ensure changes nothing.
pub async fn an_ensured_queue_keeps_its_content(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send(0..3).await;
    let leases = bench.take(1, LONG).await;
    bench.admin.ensure(&bench.spec).await.expect("ensures again");
    bench.assert_depth(bench.name(), 2, 1, 0).await;
    bench.ack_all(&leases).await;
}

/// The dead-letter queue is made too.
pub async fn an_ensured_queue_has_dead_letters(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.assert_depth(&bench.spec.dead_letters, 0, 0, 0).await;
}

/// What is gone can be deleted again, and so can what never was.
pub async fn a_delete_is_idempotent(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    bench.admin.delete(bench.name()).await.expect("deletes");
    bench.admin.delete(bench.name()).await.expect("deletes again");
    let never = Bench::without_queue(harness, 5);
    never.admin.delete(never.name()).await.expect("deletes what never was");
}

/// Every call tells a missing queue from an empty one.
pub async fn calls_on_a_missing_queue_say_so(harness: &dyn QueueHarness) {
    let bench = Bench::without_queue(harness, 5);
    let (queue, name) = (&bench.queue, bench.name());
    let token = LeaseToken("any".to_owned());
    let tokens = [token.clone()];
    let results = [
        ("send", queue.send(name, &[bench.envelope(1).into()]).await.map(drop)),
        ("receive", queue.receive(name, 10, Duration::ZERO, LONG).await.map(drop)),
        ("receive with wait", queue.receive(name, 10, Duration::from_secs(2), LONG).await.map(drop)),
        ("ack", queue.ack(name, &tokens).await.map(drop)),
        ("release", queue.release(name, &tokens, Duration::ZERO).await.map(drop)),
        ("extend", queue.extend(name, &tokens, LONG).await.map(drop)),
        ("dead_letter", queue.dead_letter(name, &token, "test").await.map(drop)),
        ("redrive", bench.admin.redrive(name, 10).await.map(drop)),
    ];
    for (call, result) in results {
        assert!(matches!(&result, Err(QueueError::NoSuchQueue(gone)) if gone == name), "{call}: {result:?}");
    }
}

/// A name is free again a minute after its queue was deleted, and the new queue is empty.
pub async fn a_deleted_name_is_blocked_for_a_minute(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    if !bench.can_wait(Duration::from_secs(61)) {
        return;
    }
    bench.send([1]).await;
    bench.admin.delete(bench.name()).await.expect("deletes");
    let error = bench.admin.ensure(&bench.spec).await.expect_err("the name is blocked");
    let QueueError::DeletedRecently { queue, .. } = &error else { panic!("{error:?}") };
    assert_eq!(queue, bench.name());
    assert!(error.is_transient());
    let retry_after = error.retry_after().expect("says when");
    assert!((1..=60).contains(&retry_after.as_secs()), "{retry_after:?}");
    harness.advance(retry_after).await;
    bench.admin.ensure(&bench.spec).await.expect("the name is free");
    bench.assert_depth(bench.name(), 0, 0, 0).await;
}

/// Items and leases of one queue are nothing in another.
pub async fn queues_do_not_see_each_other(harness: &dyn QueueHarness) {
    let (one, other) = (Bench::new(harness).await, Bench::new(harness).await);
    one.send([1]).await;
    other.send([2]).await;
    let leases = one.take(1, LONG).await;
    assert_eq!(numbers(&leases), [1]);
    one.assert_nothing_visible().await;
    assert_eq!(other.release(&leases[0], Duration::ZERO).await, LeaseOutcome::Stale);
    one.admin.delete(one.name()).await.expect("deletes");
    assert_eq!(numbers(&other.take(1, LONG).await), [2]);
}
