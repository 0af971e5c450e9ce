//! Leases: how they begin, last and end.

use std::time::Duration;

use super::QueueHarness;
use super::bench::{Bench, LONG, SHORT, number};
use crate::ports::queue::{Lease, LeaseOutcome, LeaseToken, MAX_VISIBILITY};

/// Whoever received an item has it alone.
pub async fn a_leased_item_is_invisible(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let _lease = bench.take_one(SHORT).await;
    bench.assert_nothing_visible().await;
    harness.advance(SHORT / 2).await;
    bench.assert_nothing_visible().await;
}

/// A consumer that crashes loses nothing.
pub async fn an_unsettled_item_comes_again(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let first = bench.take_one(SHORT).await;
    harness.advance(SHORT).await;
    let second = bench.take_one(LONG).await;
    assert_eq!((number(&first), number(&second)), (1, 1));
    assert_eq!((first.receives, second.receives), (1, 2));
    assert_ne!(first.token, second.token);
    bench.ack_all(&[second]).await;
}

/// `expires_at` is never later than reality: at that instant the copy is visible, and not much earlier.
pub async fn a_lease_lasts_until_it_says(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let clock = harness.clock();
    bench.send([1]).await;
    let lease = bench.take_one(SHORT).await;
    let left = (lease.expires_at - clock.now()).to_std().expect("the lease has just begun");
    assert!(left <= SHORT, "lasts {left:?} from now, asked for {SHORT:?}");
    harness.advance(left / 2).await;
    bench.assert_nothing_visible().await;
    harness.advance(left / 2).await;
    assert_eq!(bench.take_one(LONG).await.receives, 2);
}

/// An ack that comes too late removes nothing.
pub async fn a_stale_ack_is_harmless(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let (old, new) = received_twice(&bench).await;
    let outcomes = bench.ack(&[old]).await;
    if harness.tells_stale_acks() {
        assert_eq!(outcomes, [LeaseOutcome::Stale]);
    }
    assert_eq!(bench.release(&new, Duration::ZERO).await, LeaseOutcome::Done);
    assert_eq!(bench.take_one(LONG).await.receives, 3);
}

/// A release that comes too late shows nothing.
pub async fn a_stale_release_is_harmless(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let (old, new) = received_twice(&bench).await;
    assert_eq!(bench.release(&old, Duration::ZERO).await, LeaseOutcome::Stale);
    bench.assert_nothing_visible().await;
    bench.ack_all(&[new]).await;
}

/// An extend that comes too late changes nothing.
pub async fn a_stale_extend_is_harmless(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let (old, new) = received_twice(&bench).await;
    assert_eq!(bench.extend(&old, Duration::from_secs(1)).await, LeaseOutcome::Stale);
    harness.advance(Duration::from_secs(2)).await;
    bench.assert_nothing_visible().await;
    bench.ack_all(&[new]).await;
}

/// A token of nothing settles nothing, and its neighbours in the batch are settled.
pub async fn an_unknown_lease_is_stale(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    let batch = [LeaseToken("no such lease".to_owned()), lease.token.clone()];
    let outcomes = bench.queue.extend(bench.name(), &batch, LONG).await.expect("extends").into_vec();
    assert_eq!(outcomes, [LeaseOutcome::Stale, LeaseOutcome::Done]);
    let outcomes = bench.queue.ack(bench.name(), &batch).await.expect("acks").into_vec();
    assert_eq!(outcomes, [LeaseOutcome::Stale, LeaseOutcome::Done]);
}

/// An ack is idempotent: the second one finds nothing to do.
pub async fn a_second_ack_is_stale(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let leases = [bench.take_one(LONG).await];
    bench.ack_all(&leases).await;
    let outcomes = bench.ack(&leases).await;
    if harness.tells_stale_acks() {
        assert_eq!(outcomes, [LeaseOutcome::Stale]);
    }
    bench.assert_nothing_visible().await;
}

/// A release without delay gives the item to the next receive; the receive was counted.
pub async fn a_released_item_comes_at_once(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(bench.release(&lease, Duration::ZERO).await, LeaseOutcome::Done);
    assert_eq!(bench.take_one(LONG).await.receives, 2);
}

/// A release with delay hides the item for so long, which is shorter than the lease was.
pub async fn a_released_item_comes_after_its_delay(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(bench.release(&lease, SHORT).await, LeaseOutcome::Done);
    bench.assert_nothing_visible().await;
    harness.advance(SHORT / 2).await;
    bench.assert_nothing_visible().await;
    harness.advance(SHORT / 2).await;
    assert_eq!(bench.take_one(LONG).await.receives, 2);
}

/// After a release, the old token has no power over the next lease.
pub async fn a_released_lease_is_over(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let old = bench.take_one(LONG).await;
    assert_eq!(bench.release(&old, Duration::ZERO).await, LeaseOutcome::Done);
    let new = bench.take_one(LONG).await;
    assert_eq!(bench.extend(&old, Duration::from_secs(1)).await, LeaseOutcome::Stale);
    bench.ack_all(&[new]).await;
}

/// An extended lease can be acked after its first end.
pub async fn an_extended_lease_lasts_longer(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(SHORT).await;
    harness.advance(SHORT / 2).await;
    assert_eq!(bench.extend(&lease, SHORT).await, LeaseOutcome::Done);
    harness.advance(SHORT / 4 * 3).await;
    bench.assert_nothing_visible().await;
    bench.ack_all(&[lease]).await;
    harness.advance(SHORT).await;
    bench.assert_nothing_visible().await;
}

/// "From now" may be earlier than before.
pub async fn a_shortened_lease_ends_early(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(bench.extend(&lease, SHORT).await, LeaseOutcome::Done);
    harness.advance(SHORT).await;
    let again = bench.take_one(LONG).await;
    assert_eq!(bench.extend(&again, Duration::ZERO).await, LeaseOutcome::Done);
    assert_eq!(bench.take_one(LONG).await.receives, 3);
}

/// However often it is extended, a lease ends 12 hours after the receipt; asking for more is no error.
pub async fn a_lease_ends_twelve_hours_after_the_receipt(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(MAX_VISIBILITY * 2).await;
    assert_eq!(bench.extend(&lease, MAX_VISIBILITY * 2).await, LeaseOutcome::Done);
    if !bench.can_wait(MAX_VISIBILITY) {
        return;
    }
    let hour = Duration::from_hours(1);
    harness.advance(hour * 11).await;
    bench.assert_nothing_visible().await;
    assert_eq!(bench.extend(&lease, hour * 2).await, LeaseOutcome::Done);
    harness.advance(hour).await;
    assert_eq!(bench.take_one(LONG).await.receives, 2);
}

/// An item whose first lease has ended and whose second has begun.
async fn received_twice(bench: &Bench<'_>) -> (Lease, Lease) {
    bench.send([1]).await;
    let old = bench.take_one(SHORT).await;
    bench.harness.advance(SHORT).await;
    let new = bench.take_one(LONG).await;
    assert_ne!(old.token, new.token);
    (old, new)
}
