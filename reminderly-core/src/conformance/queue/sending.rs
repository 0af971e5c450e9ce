//! Sending.

use std::time::Duration;

use chrono::DateTime;

use super::QueueHarness;
use super::bench::{Bench, LONG, number, numbers};
use crate::domain::envelope::{Envelope, SealedPayload};
use crate::domain::sealed::Sealed;
use crate::ports::queue::{MAX_DELAY, MAX_ENVELOPE_BYTES, Outgoing, SendOutcome};

/// The whole way of an item.
pub async fn a_sent_item_is_received_and_acked(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([7]).await;
    let leases = bench.take(1, LONG).await;
    assert_eq!(leases[0].envelope, Ok(bench.envelope(7)));
    assert_eq!(leases[0].receives, 1);
    bench.ack_all(&leases).await;
    bench.assert_nothing_visible().await;
    bench.assert_depth(bench.name(), 0, 0, 0).await;
}

/// Outcomes stand where their items stood.
pub async fn outcomes_have_the_order_and_length_of_the_items(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let too_long = MAX_DELAY + Duration::from_secs(1);
    let items: Vec<_> =
        (0..25).map(|n| bench.outgoing(n, if n % 3 == 0 { too_long } else { Duration::ZERO })).collect();
    let outcomes = bench.queue.send(bench.name(), &items).await.expect("sends").into_vec();
    let expected: Vec<_> =
        (0..25).map(|n| if n % 3 == 0 { SendOutcome::Refused } else { SendOutcome::Sent }).collect();
    assert_eq!(outcomes, expected);
}

/// Empty in, empty out.
pub async fn empty_batches_do_nothing(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let (queue, name) = (&bench.queue, bench.name());
    assert_eq!(queue.send(name, &[]).await.expect("sends").len(), 0);
    assert_eq!(queue.ack(name, &[]).await.expect("acks").len(), 0);
    assert_eq!(queue.release(name, &[], Duration::ZERO).await.expect("releases").len(), 0);
    assert_eq!(queue.extend(name, &[], LONG).await.expect("extends").len(), 0);
}

/// The adapter cuts batches to its own limits, in every call.
pub async fn batches_of_any_size_are_taken(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send(0..33).await;
    let leases = bench.take(33, LONG).await;
    assert_eq!(numbers(&leases), (0..33).collect::<Vec<_>>());
    let tokens = super::bench::tokens(&leases);
    let extended = bench.queue.extend(bench.name(), &tokens, LONG).await.expect("extends");
    assert_eq!(extended.len(), 33);
    let released = bench.queue.release(bench.name(), &tokens, Duration::ZERO).await.expect("releases");
    assert_eq!(released.len(), 33);
    let leases = bench.take(33, LONG).await;
    bench.ack_all(&leases).await;
}

/// A delay hides an item for so long.
pub async fn a_delayed_item_comes_after_its_delay(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let items = [bench.outgoing(1, Duration::from_secs(4)), bench.outgoing(2, Duration::ZERO)];
    let outcomes = bench.queue.send(bench.name(), &items).await.expect("sends").into_vec();
    assert_eq!(outcomes, [SendOutcome::Sent, SendOutcome::Sent]);
    assert_eq!(number(&bench.take_one(LONG).await), 2);
    bench.assert_nothing_visible().await;
    bench.harness.advance(Duration::from_secs(2)).await;
    bench.assert_nothing_visible().await;
    bench.harness.advance(Duration::from_secs(2)).await;
    assert_eq!(number(&bench.take_one(LONG).await), 1);
}

/// More than 15 minutes is refused; the longest legal delay and its other neighbours are sent.
pub async fn too_long_a_delay_is_refused_alone(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let items = [
        bench.outgoing(1, Duration::ZERO),
        bench.outgoing(2, MAX_DELAY + Duration::from_secs(1)),
        bench.outgoing(3, MAX_DELAY),
    ];
    let outcomes = bench.queue.send(bench.name(), &items).await.expect("sends").into_vec();
    assert_eq!(outcomes, [SendOutcome::Sent, SendOutcome::Refused, SendOutcome::Sent]);
    assert_eq!(number(&bench.take_one(LONG).await), 1);
    bench.assert_depth(bench.name(), 0, 1, 1).await;
}

/// An envelope that no queue takes is refused; its neighbours are sent.
pub async fn too_large_an_envelope_is_refused_alone(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let sealed = Sealed { key: "k".to_owned(), text: "x".repeat(MAX_ENVELOPE_BYTES) };
    let large = Envelope::Incoming(SealedPayload { received_at: DateTime::UNIX_EPOCH, sealed });
    let items = [bench.outgoing(1, Duration::ZERO), Outgoing::from(large), bench.outgoing(3, Duration::ZERO)];
    let outcomes = bench.queue.send(bench.name(), &items).await.expect("sends").into_vec();
    assert_eq!(outcomes, [SendOutcome::Sent, SendOutcome::Refused, SendOutcome::Sent]);
    assert_eq!(numbers(&bench.take(2, LONG).await), [1, 3]);
    bench.assert_nothing_visible().await;
}
