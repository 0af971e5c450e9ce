//! The unsubscribe register.

use super::bench::{Answered as _, Bench};
use super::values::{email, number, person};
use crate::domain::incoming::IncomingRecord;
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ports::store::{IncomingOutcome, StoreError, WriteOutcome};

use UnsubscribeChange::{OptedIn, OptedOut};
use WriteOutcome::{Applied, Stale};

/// Keys of every kind are refused, each for itself, by position.
pub async fn refused_keys_are_told_by_position(bench: &Bench) {
    let keys = [
        RefusalKey::Number(number(1)),
        email(1).refusal_key(),
        RefusalKey::Person(person(1)),
        RefusalKey::Number(number(2)),
    ];
    bench.opt_out(keys[0].clone()).await;
    bench.opt_out(keys[2].clone()).await;
    let asked = [keys[3].clone(), keys[2].clone(), keys[1].clone(), keys[0].clone(), keys[2].clone()];
    let refused = bench.store.refused(bench.company, &asked).await.answered();
    assert_eq!(refused, [false, true, false, true, true]);
}

/// What changes nothing is stale and not stored.
pub async fn a_repeated_will_is_stale(bench: &Bench) {
    let key = RefusalKey::Number(number(1));
    let events = [
        bench.will(key.clone(), OptedIn, 0),
        bench.will(key.clone(), OptedOut, 1),
        bench.will(key.clone(), OptedOut, 2),
        bench.will(key.clone(), OptedIn, 3),
        bench.will(key.clone(), OptedIn, 4),
    ];
    assert_eq!(bench.tell(&events).await, [Stale, Applied, Stale, Applied, Stale]);
    let stored = bench.store.unsubscribe_events(bench.company, &key).await.answered();
    assert_eq!(stored, [events[1].clone(), events[3].clone()]);
    assert_eq!(bench.store.refused(bench.company, &[key]).await.answered(), [false]);
}

/// Where a will comes from is kept.
pub async fn the_source_of_a_will_is_kept(bench: &Bench) {
    let sources = [
        UnsubscribeSource::Provider,
        UnsubscribeSource::Reply(bench.id()),
        UnsubscribeSource::Operator(bench.id()),
    ];
    for (n, source) in (1..).zip(sources) {
        let key = RefusalKey::Person(person(n));
        let event = Unsubscribe { source, ..bench.will(key.clone(), OptedOut, 1) };
        assert_eq!(bench.tell(std::slice::from_ref(&event)).await, [Applied]);
        assert_eq!(bench.store.unsubscribe_events(bench.company, &key).await.answered(), [event]);
    }
}

/// Of two events on one key the later one stands, whichever is recorded first; of one instant the opt-out.
pub async fn the_later_will_stands_in_every_order(bench: &Bench) {
    let wills = [(OptedOut, 1), (OptedIn, 2), (OptedOut, 3)];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (n, order) in (1..).zip(orders) {
        let key = RefusalKey::Number(number(n));
        for index in order {
            let (change, minutes): (_, i64) = wills[index];
            bench.tell(&[bench.will(key.clone(), change, minutes)]).await;
        }
        assert_eq!(bench.store.refused(bench.company, &[key]).await.answered(), [true], "{order:?}");
    }
}

/// A START that arrives after the STOP that followed it lifts nothing.
pub async fn a_late_opt_in_lifts_no_later_opt_out(bench: &Bench) {
    let key = RefusalKey::Number(number(1));
    assert_eq!(bench.tell(&[bench.will(key.clone(), OptedOut, 5)]).await, [Applied]);
    assert_eq!(bench.tell(&[bench.will(key.clone(), OptedIn, 4)]).await, [Stale]);
    assert_eq!(bench.tell(&[bench.will(key.clone(), OptedIn, 5)]).await, [Stale], "a tie is an opt-out");
    assert_eq!(bench.store.refused(bench.company, std::slice::from_ref(&key)).await.answered(), [true]);
    assert_eq!(bench.tell(&[bench.will(key.clone(), OptedIn, 6)]).await, [Applied]);
    assert_eq!(bench.tell(&[bench.will(key.clone(), OptedOut, 6)]).await, [Applied], "a tie is an opt-out");
    assert_eq!(bench.store.refused(bench.company, &[key]).await.answered(), [true]);
}

/// Whoever wrote an opt-in that lies ahead had a clock that was ahead: a refusal that comes after it is one.
pub async fn an_opt_in_that_lies_ahead_hides_no_opt_out(bench: &Bench) {
    let key = RefusalKey::Number(number(1));
    let is_refused =
        async || bench.store.refused(bench.company, std::slice::from_ref(&key)).await.answered() == [true];
    assert_eq!(bench.tell_at(0, &[bench.will(key.clone(), OptedOut, 0)]).await, [Applied]);
    assert_eq!(bench.tell_at(60, &[bench.will(key.clone(), OptedIn, 60)]).await, [Applied]);
    assert_eq!(bench.tell_at(61, &[bench.will(key.clone(), OptedOut, 10)]).await, [Stale], "it comes late");
    assert!(!is_refused().await);
    assert_eq!(bench.tell_at(12, &[bench.will(key.clone(), OptedOut, 10)]).await, [Applied]);
    assert!(is_refused().await);
    assert_eq!(bench.tell_at(60, &[bench.will(key.clone(), OptedIn, 60)]).await, [Stale], "it comes again");
    assert!(is_refused().await);
    assert_eq!(bench.tell_at(61, &[bench.will(key.clone(), OptedIn, 61)]).await, [Applied]);
    let mut stop = IncomingRecord { recorded_at: bench.at(13), ..bench.incoming(1) };
    stop.effect.unsubscribes = vec![bench.will(key.clone(), OptedOut, 13)];
    assert_eq!(bench.take_in(stop).await, IncomingOutcome::Recorded);
    assert!(is_refused().await);
}

/// Nobody has refused what nobody has heard of.
pub async fn an_unknown_key_is_not_refused(bench: &Bench) {
    let key = RefusalKey::Number(number(1));
    assert_eq!(bench.store.refused(bench.company, std::slice::from_ref(&key)).await.answered(), [false]);
    assert_eq!(bench.store.unsubscribe_events(bench.company, &key).await.answered(), []);
}

/// Without a company there is no register.
pub async fn a_register_needs_its_company(bench: &Bench) {
    let event = bench.will(RefusalKey::Number(number(1)), OptedOut, 1);
    let outcome = bench.store.record_unsubscribes(bench.id(), &[event], bench.now).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}
