//! Receiving and waiting for something to receive.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::join;

use super::QueueHarness;
use super::bench::{Bench, LONG, SHORT, number, numbers, tokens};
use crate::domain::envelope::{ENVELOPE_VERSION, Undecodable};

const WAIT: Duration = Duration::from_secs(12);

/// `max` is a maximum; the rest stays.
pub async fn a_receive_gives_at_most_as_many_as_asked(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send(0..15).await;
    let none = bench.queue.receive(bench.name(), 0, Duration::ZERO, LONG).await.expect("receives");
    assert_eq!(none, []);
    let some = bench.queue.receive(bench.name(), 4, Duration::ZERO, LONG).await.expect("receives");
    assert!(some.len() <= 4, "asked for 4, got {}", some.len());
    let more = bench.queue.receive(bench.name(), 11, Duration::ZERO, LONG).await.expect("receives");
    assert!(more.len() <= 11, "asked for 11, got {}", more.len());
    let rest = bench.take(15 - some.len() - more.len(), LONG).await;
    assert_eq!(numbers(&[some, more, rest].concat()), (0..15).collect::<Vec<_>>());
}

/// A send ends the wait.
pub async fn a_long_poll_returns_when_something_arrives(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let later = async {
        harness.advance(Duration::from_secs(2)).await;
        bench.send([1]).await;
    };
    let receive = bench.queue.receive(bench.name(), 10, WAIT, LONG);
    let ((leases, ()), took) = bench.timed(join(receive, later)).await;
    assert_eq!(numbers(&leases.expect("receives")), [1]);
    assert!((2..8).contains(&took.as_secs()), "returned after {took:?}");
}

/// The end of a delay ends the wait.
pub async fn a_long_poll_returns_when_something_becomes_visible(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let item = bench.outgoing(1, Duration::from_secs(3));
    assert_eq!(bench.queue.send(bench.name(), &[item]).await.expect("sends").len(), 1);
    let (leases, took) = bench.timed(bench.queue.receive(bench.name(), 10, WAIT, LONG)).await;
    assert_eq!(numbers(&leases.expect("receives")), [1]);
    assert!((2..9).contains(&took.as_secs()), "returned after {took:?}");
}

/// The end of somebody's lease ends the wait, also when that lease was cut short meanwhile.
pub async fn a_long_poll_returns_when_a_lease_ends(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    let lease = bench.take_one(LONG).await;
    let later = async {
        harness.advance(Duration::from_secs(1)).await;
        let outcomes = bench.queue.extend(bench.name(), &tokens(&[lease]), Duration::from_secs(2)).await;
        assert_eq!(outcomes.expect("extends").len(), 1);
    };
    let receive = bench.queue.receive(bench.name(), 10, WAIT, LONG);
    let ((leases, ()), took) = bench.timed(join(receive, later)).await;
    assert_eq!(numbers(&leases.expect("receives")), [1]);
    assert!((2..9).contains(&took.as_secs()), "returned after {took:?}");
}

/// Nothing in time is an empty vector.
pub async fn a_long_poll_ends_empty(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let wait = Duration::from_secs(2);
    let (leases, took) = bench.timed(bench.queue.receive(bench.name(), 10, wait, LONG)).await;
    assert_eq!(leases.expect("receives"), []);
    assert!((1..7).contains(&took.as_secs()), "returned after {took:?}");
}

/// A receive that nobody waits for any more takes nothing for longer than its visibility.
pub async fn a_dropped_receive_loses_nothing(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let visibility = Duration::from_secs(2);
    let mut receive = bench.queue.receive(bench.name(), 10, WAIT, visibility);
    assert!((&mut receive).now_or_never().is_none(), "returned early from an empty queue");
    bench.send([1]).await;
    drop(receive);
    assert_eq!(number(&bench.take_one(LONG).await), 1);
}

/// One bad body fails neither the call nor its neighbours, and can be settled as any other.
pub async fn an_undecodable_body_is_a_value(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    bench.send([1]).await;
    harness.send_raw(bench.name(), "no envelope").await;
    bench.send([2]).await;
    let leases = bench.take(3, SHORT).await;
    let (good, bad): (Vec<_>, Vec<_>) = leases.into_iter().partition(|lease| lease.envelope.is_ok());
    assert_eq!(numbers(&good), [1, 2]);
    let [poison] = &bad[..] else { panic!("one poison expected: {bad:?}") };
    assert!(matches!(poison.envelope, Err(Undecodable::Malformed { .. })), "{:?}", poison.envelope);
    bench.ack_all(&bad).await;
    bench.ack_all(&good).await;
    bench.assert_depth(bench.name(), 0, 0, 0).await;
}

/// What a newer release wrote is kept apart from what nobody wrote.
pub async fn an_unknown_version_is_a_value(harness: &dyn QueueHarness) {
    let bench = Bench::new(harness).await;
    let body = bench.envelope(1).encode().expect("encodes");
    let found = ENVELOPE_VERSION + 1;
    let newer = body.replacen(&format!("\"v\":{ENVELOPE_VERSION}"), &format!("\"v\":{found}"), 1);
    assert_ne!(newer, body);
    harness.send_raw(bench.name(), &newer).await;
    let lease = bench.take_one(LONG).await;
    assert_eq!(lease.envelope, Err(Undecodable::UnknownVersion { found }));
}
