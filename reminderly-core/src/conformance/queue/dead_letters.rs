//! Dead letters and their way back.

use std::time::Duration;

use super::QueueHarness;
use super::bench::{Bench, LONG, SHORT, number, numbers};
use crate::ports::queue::LeaseOutcome;

/// The item goes from its queue to the dead letters, and the reason goes with it.
pub async fn a_dead_letter_moves_with_its_reason(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(bench.dead_letter(&lease, "payload does not open").await, LeaseOutcome::Done);
    bench.assert_depth(bench.name(), 0, 0, 0).await;
    bench.assert_depth(&bench.spec.dead_letters, 1, 0, 0).await;
    assert_eq!(harness.dead_letter_reasons(&bench.spec.dead_letters).await, ["payload does not open"]);
    let letters = bench.take_from(&bench.spec.dead_letters, 1, LONG).await;
    assert_eq!(numbers(&letters), [1]);
}

/// Who has lost the lease cannot take the item from its new holder.
pub async fn a_stale_lease_makes_no_dead_letter(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let old = bench.take_one(SHORT).await;
    harness.advance(SHORT).await;
    let new = bench.take_one(LONG).await;
    assert_eq!(bench.dead_letter(&old, "late").await, LeaseOutcome::Stale);
    bench.assert_depth(&bench.spec.dead_letters, 0, 0, 0).await;
    bench.ack_all(&[new]).await;
}

/// The guard against consumers that crash.
pub async fn an_item_received_too_often_moves_to_the_dead_letters(harness: &dyn QueueHarness) {
    let bench = Bench::with_max_receives(harness, 2).await;
    bench.send([1]).await;
    for receives in 1..=2 {
        let lease = bench.take_one(LONG).await;
        assert_eq!(lease.receives, receives);
        assert_eq!(bench.release(&lease, Duration::ZERO).await, LeaseOutcome::Done);
    }
    bench.assert_nothing_visible().await;
    let letters = bench.take_from(&bench.spec.dead_letters, 1, LONG).await;
    assert_eq!(numbers(&letters), [1]);
    bench.assert_depth(bench.name(), 0, 0, 0).await;
}

/// A letter goes back to where it came from and starts anew.
pub async fn a_redriven_letter_returns_to_its_queue(harness: &dyn QueueHarness) {
    let bench = Bench::with_max_receives(harness, 1).await;
    bench.send([1, 2]).await;
    let leases = bench.take(2, LONG).await;
    assert_eq!(bench.dead_letter(&leases[0], "by hand").await, LeaseOutcome::Done);
    assert_eq!(bench.release(&leases[1], Duration::ZERO).await, LeaseOutcome::Done);
    bench.assert_nothing_visible().await;
    bench.assert_depth(&bench.spec.dead_letters, 2, 0, 0).await;
    assert_eq!(bench.admin.redrive(&bench.spec.dead_letters, 10).await.expect("redrives"), 2);
    bench.assert_depth(&bench.spec.dead_letters, 0, 0, 0).await;
    let leases = bench.take(2, LONG).await;
    assert_eq!(numbers(&leases), [1, 2]);
    assert!(leases.iter().all(|lease| lease.receives == 1), "{leases:?}");
    bench.ack_all(&leases).await;
}

/// The limit is a limit; the next call goes on, and an empty queue is no error.
pub async fn a_redrive_moves_no_more_than_its_limit(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send(0..15).await;
    for lease in bench.take(15, LONG).await {
        assert_eq!(bench.dead_letter(&lease, "test").await, LeaseOutcome::Done);
    }
    let mut moved = Vec::new();
    for limit in [0, 12, 12, 12] {
        moved.push(bench.admin.redrive(&bench.spec.dead_letters, limit).await.expect("redrives"));
    }
    assert_eq!(moved, [0, 12, 3, 0]);
    assert_eq!(numbers(&bench.take(15, LONG).await), (0..15).collect::<Vec<_>>());
}

/// Nothing is lost because its queue is.
pub async fn a_letter_without_its_queue_stays(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(bench.dead_letter(&lease, "test").await, LeaseOutcome::Done);
    bench.admin.delete(bench.name()).await.expect("deletes");
    assert_eq!(bench.admin.redrive(&bench.spec.dead_letters, 10).await.expect("redrives"), 0);
    let letters = bench.take_from(&bench.spec.dead_letters, 1, LONG).await;
    assert_eq!(number(&letters[0]), 1);
}

/// A poison that was put aside stays aside, and does not stop the letters behind it.
pub async fn an_undecodable_letter_stays(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    harness.send_raw(bench.name(), "poison").await;
    let poison = bench.take_one(LONG).await;
    assert_eq!(bench.dead_letter(&poison, "no envelope").await, LeaseOutcome::Done);
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(bench.dead_letter(&lease, "test").await, LeaseOutcome::Done);
    assert_eq!(bench.admin.redrive(&bench.spec.dead_letters, 1).await.expect("redrives"), 1);
    assert_eq!(number(&bench.take_one(LONG).await), 1);
    bench.assert_depth(&bench.spec.dead_letters, 1, 0, 0).await;
}

/// The last permitted receive is worth as much as the first.
pub async fn the_last_receives_are_settled_as_any_other(harness: &dyn QueueHarness) {
    let bench = Bench::with_max_receives(harness, 1).await;
    bench.send([1]).await;
    let lease = bench.take_one(SHORT).await;
    assert_eq!(bench.extend(&lease, SHORT).await, LeaseOutcome::Done);
    bench.ack_all(&[lease]).await;
    harness.advance(SHORT).await;
    bench.assert_nothing_visible().await;
    bench.assert_depth(&bench.spec.dead_letters, 0, 0, 0).await;
}
