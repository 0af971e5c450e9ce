//! Reports of providers.

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, undelivered};
use super::values::reference;
use crate::domain::attempt::{AttemptLocation, AttemptOutcome, ProviderName};
use crate::domain::disposition::AttemptReport;
use crate::domain::message_status::MessageStatus;
use crate::ids::{AttemptId, MessageId, PacketId};
use crate::ports::store::{DispositionOutcome, LocatedDisposition, SettleOutcome, SettleVerdict};

use DispositionOutcome::{Duplicate, Missing, Recorded};

/// Each report moves a sent message to where it says.
pub async fn a_report_moves_the_message(bench: &Bench) {
    for (report, status) in [
        (AttemptReport::Accepted, MessageStatus::Sent),
        (AttemptReport::Sent, MessageStatus::Sent),
        (undelivered("30003"), MessageStatus::Undelivered),
        (AttemptReport::Busy, MessageStatus::Undelivered),
        (AttemptReport::NoAnswer, MessageStatus::Undelivered),
        (AttemptReport::Machine, MessageStatus::Undelivered),
        (AttemptReport::Voicemail, MessageStatus::Delivered),
        (AttemptReport::Delivered, MessageStatus::Delivered),
        (AttemptReport::Complained, MessageStatus::Delivered),
    ] {
        let placed = bench.in_status(MessageStatus::Sent).await;
        assert_eq!(bench.report(&placed, "D-1", report.clone()).await, Recorded(status));
        assert_eq!(bench.status(&placed).await, status);
        assert_eq!(bench.attempt(&placed).await.report, Some(report));
    }
}

/// The same event is the same report, whatever else it says.
pub async fn a_repeated_event_is_a_duplicate(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    let status = MessageStatus::Undelivered;
    assert_eq!(bench.report(&placed, "D-1", undelivered("30003")).await, Recorded(status));
    assert_eq!(bench.report(&placed, "D-1", AttemptReport::Delivered).await, Duplicate(status));
    assert_eq!(bench.status(&placed).await, status);
    let pair = Bench::disposition(&placed, "D-2", AttemptReport::Delivered);
    let batch = [pair.clone(), pair];
    let outcomes = bench.store.record_dispositions(bench.company, &batch, bench.at(3)).await.answered();
    let status = MessageStatus::Delivered;
    assert_eq!(outcomes.into_vec(), [Recorded(status), Duplicate(status)]);
}

/// Only the provider that was asked reports about an attempt.
pub async fn another_provider_has_nothing_to_say(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    let mut other = Bench::disposition(&placed, "D-1", AttemptReport::Delivered);
    other.disposition.provider = ProviderName::from("another");
    let outcomes = bench.store.record_dispositions(bench.company, &[other], bench.at(3)).await.answered();
    assert_eq!(outcomes.into_vec(), [Missing]);
    assert_eq!(
        (bench.status(&placed).await, bench.attempt(&placed).await.report),
        (MessageStatus::Sent, None)
    );
}

/// A late or contradicting failure never takes back a delivery.
pub async fn reports_out_of_order_are_joined(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    let delivered = Recorded(MessageStatus::Delivered);
    assert_eq!(bench.report(&placed, "D-3", AttemptReport::Delivered).await, delivered);
    assert_eq!(bench.report(&placed, "D-2", undelivered("30003")).await, delivered);
    assert_eq!(bench.report(&placed, "D-1", AttemptReport::Sent).await, delivered);
    assert_eq!(bench.attempt(&placed).await.report, Some(AttemptReport::Delivered));
}

/// Four reports in every order: one result.
pub async fn every_order_of_reports_gives_one_result(bench: &Bench) {
    let reports = [AttemptReport::Sent, undelivered("30003"), undelivered("30005"), AttemptReport::Delivered];
    for taken in [&reports[..], &reports[..3]] {
        let (status, report) = if taken.len() == 4 {
            (MessageStatus::Delivered, AttemptReport::Delivered)
        } else {
            (MessageStatus::Undelivered, undelivered("30005"))
        };
        for order in permutations(taken.len()) {
            let placed = bench.sending().await;
            for index in &order {
                bench.report(&placed, &format!("D-{index}"), taken[*index].clone()).await;
            }
            assert_eq!(bench.status(&placed).await, status, "{order:?}");
            assert_eq!(bench.attempt(&placed).await.report, Some(report.clone()), "{order:?}");
        }
    }
}

/// A report may come before the answer of the provider is recorded, which then is late.
pub async fn a_report_before_the_settlement_wins(bench: &Bench) {
    for verdict in [accepted(), ambiguous(), SettleVerdict::Reaped] {
        let placed = bench.sending().await;
        let delivered = MessageStatus::Delivered;
        assert_eq!(bench.report(&placed, "D-1", AttemptReport::Delivered).await, Recorded(delivered));
        let before = bench.state(&placed).await;
        assert!(before.sent_at.is_some());
        assert_eq!(bench.settle(&placed, verdict).await, SettleOutcome::Stale(delivered));
        assert_eq!(bench.state(&placed).await, before);
    }
}

/// A report says that the attempt was accepted, when nobody knew and after it was given up.
pub async fn a_report_resolves_an_unknown_message(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::GivenUp, MessageStatus::Unknown).await;
    let sent = Recorded(MessageStatus::Sent);
    assert_eq!(bench.report(&placed, "D-1", AttemptReport::Accepted).await, sent);
    let state = bench.state(&placed).await;
    assert_eq!((state.held, state.detail), (false, None));
    let attempt = bench.attempt(&placed).await;
    assert_eq!(attempt.outcome, Some(AttemptOutcome::Accepted));
    assert_eq!(attempt.settled_at, Some(bench.at(3)));
}

/// Evidence about the latest attempt moves every message that has one.
pub async fn evidence_moves_what_has_ended_unsent(bench: &Bench) {
    let failed = bench.in_status(MessageStatus::Failed).await;
    assert_eq!(
        bench.report(&failed, "D-1", AttemptReport::Delivered).await,
        Recorded(MessageStatus::Delivered)
    );
    let cancelled = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&cancelled, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    bench.store.cancel_open(bench.company, cancelled.packet, bench.at(2), 1).await.answered();
    assert_eq!(bench.report(&cancelled, "D-1", AttemptReport::Sent).await, Recorded(MessageStatus::Sent));
    let queued = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&queued, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    assert_eq!(bench.report(&queued, "D-1", AttemptReport::Sent).await, Recorded(MessageStatus::Sent));
    bench.assert_refused(&queued, crate::ports::store::ClaimRefusal::NotQueued(MessageStatus::Sent)).await;
}

/// A report of an attempt that is not the latest is kept with it and moves nothing.
pub async fn a_report_of_an_older_attempt_moves_nothing(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    let before = bench.state(&second).await;
    let outcome = bench.report(&first, "D-1", AttemptReport::Delivered).await;
    assert_eq!(outcome, Recorded(MessageStatus::Sending));
    assert_eq!(bench.state(&second).await, before);
    assert_eq!(bench.attempt(&first).await.report, Some(AttemptReport::Delivered));
    assert_eq!(bench.attempt(&second).await.report, None);
}

/// The provider's id is kept from wherever it comes first.
pub async fn a_report_brings_the_reference(bench: &Bench) {
    let placed = bench.sending().await;
    for (event, name) in [("D-1", "SM1"), ("D-2", "SM2")] {
        let mut located = Bench::disposition(&placed, event, AttemptReport::Sent);
        located.disposition.reference = Some(reference(name));
        bench.store.record_dispositions(bench.company, &[located], bench.at(3)).await.answered().into_vec();
    }
    assert_eq!(bench.attempt(&placed).await.reference, Some(reference("SM1")));
}

/// Outcomes stand where their reports stood; what nobody attempted is missing.
pub async fn reports_are_answered_in_order(bench: &Bench) {
    let (one, other) = (bench.sending().await, bench.sending().await);
    let report = |placed: &Placed| Bench::disposition(placed, "D-1", AttemptReport::Sent);
    let batch: Vec<LocatedDisposition> = [
        Placed { attempt: bench.id::<AttemptId>(), ..one },
        one,
        Placed { message: bench.id::<MessageId>(), ..one },
        Placed { packet: bench.id::<PacketId>(), ..one },
        Placed { attempt: other.attempt, ..one },
        other,
    ]
    .iter()
    .map(report)
    .collect();
    let outcomes = bench.store.record_dispositions(bench.company, &batch, bench.at(3)).await.answered();
    let sent = Recorded(MessageStatus::Sent);
    assert_eq!(outcomes.into_vec(), [Missing, sent, Missing, Missing, Missing, sent]);
}

/// A callback that carries nothing but an attempt id finds its message.
pub async fn attempts_are_located(bench: &Bench) {
    let (one, other) = (bench.sending().await, bench.in_status(MessageStatus::Delivered).await);
    let ids = [one.attempt, bench.id::<AttemptId>(), other.attempt];
    let located = bench.store.locate_attempts_across_companies(&ids).await.answered();
    let at = |placed: &Placed| AttemptLocation {
        company: bench.company,
        packet: placed.packet,
        message: placed.message,
    };
    assert_eq!(located, [Some(at(&one)), None, Some(at(&other))]);
}

/// Every order of the numbers below `count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, next);
                    longer
                })
            })
            .collect();
    }
    all
}
