//! What became of attempts.

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good};
use super::values::reference;
use crate::domain::attempt::{AttemptOutcome, ReturnReason};
use crate::domain::message::Detail;
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::unsubscribe::{Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ids::{MessageId, PacketId};
use crate::ports::store::{SettleOutcome, SettleVerdict, Settlement, StoreError};

/// Accepted → sent, with the provider's id.
pub async fn an_accepted_message_is_sent(bench: &Bench) {
    let placed = bench.sending().await;
    let verdict = SettleVerdict::Accepted { reference: Some(reference("SM1")) };
    bench.must_settle(&placed, verdict, MessageStatus::Sent).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.sent_at, state.detail, state.attempts), (Some(bench.at(2)), None, 1));
    assert!(!MessageStatus::Sent.is_open());
    let attempt = bench.attempt(&placed).await;
    assert_eq!(attempt.outcome, Some(AttemptOutcome::Accepted));
    assert_eq!((attempt.reference, attempt.settled_at), (Some(reference("SM1")), Some(bench.at(2))));
}

/// Refused for now → queued, not before the instant that the provider or the back-off names; it counts.
pub async fn a_message_refused_for_now_is_queued(bench: &Bench) {
    let placed = bench.sending().await;
    let verdict = SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before: bench.at(15) };
    bench.must_settle(&placed, verdict, MessageStatus::Queued).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.not_before, state.copy_until, state.attempts), (Some(bench.at(15)), None, 1));
    assert_eq!(state.legal_until, Some(bench.at(240)));
    assert_eq!(outcome(bench, &placed).await, Some(AttemptOutcome::Refused { code: "30001".to_owned() }));
}

/// Refused for good → failed, with the code.
pub async fn a_message_refused_for_good_fails(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, refused_for_good(), MessageStatus::Failed).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.detail, state.sent_at), (Some(Detail::Code("21211".to_owned())), None));
    assert_eq!(outcome(bench, &placed).await, Some(AttemptOutcome::Refused { code: "21211".to_owned() }));
}

/// Refused because the person opted out with the provider → failed, and nothing more goes to the contact point, by whatever
/// method.
pub async fn an_opt_out_with_the_provider_is_recorded(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, opted_out(), MessageStatus::Failed).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.detail, state.sent_at), (Some(Detail::Code("21610".to_owned())), None));
    assert_eq!(outcome(bench, &placed).await, Some(AttemptOutcome::Refused { code: "21610".to_owned() }));
    assert_refused_with_the_provider(bench, &placed).await;
    assert_eq!(bench.settle(&placed, opted_out()).await, SettleOutcome::Stale(MessageStatus::Failed));
    assert_refused_with_the_provider(bench, &placed).await;
}

/// What the person has told the provider counts, although the attempt is not the latest any more.
pub async fn an_opt_out_of_an_older_attempt_is_recorded(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    bench.send_again(&first).await;
    assert_eq!(bench.settle(&first, opted_out()).await, SettleOutcome::Stale(MessageStatus::Sending));
    assert_refused_with_the_provider(bench, &first).await;
}

async fn assert_refused_with_the_provider(bench: &Bench, placed: &Placed) {
    let record = bench.store.message(bench.company, placed.packet, placed.message).await.answered();
    let key = record.and_then(|record| record.message.contact).expect("a contact point").refusal_key();
    let events = bench.store.unsubscribe_events(bench.company, &key).await.answered();
    let (change, source) = (UnsubscribeChange::OptedOut, UnsubscribeSource::Provider);
    assert_eq!(events, [Unsubscribe { key: key.clone(), change, source, at: bench.at(2) }]);
    assert_eq!(bench.store.refused(bench.company, &[key]).await.answered(), [true]);
}

/// Returned → queued, and nothing counts but the number.
pub async fn a_returned_message_spends_no_attempt(bench: &Bench) {
    for reason in
        [ReturnReason::TooLate, ReturnReason::Throttled, ReturnReason::Unreachable, ReturnReason::Interrupted]
    {
        let placed = bench.sending().await;
        let verdict = SettleVerdict::Returned { reason, not_before: bench.at(4) };
        bench.must_settle(&placed, verdict, MessageStatus::Queued).await;
        let state = bench.state(&placed).await;
        assert_eq!((state.attempts, state.epoch, state.not_before), (0, 1, Some(bench.at(4))));
        assert_eq!(outcome(bench, &placed).await, Some(AttemptOutcome::Returned { reason }));
    }
}

/// Ambiguous → unknown, and open.
pub async fn an_ambiguous_message_is_unknown(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, ambiguous(), MessageStatus::Unknown).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.detail.clone(), state.held), (Some(Detail::Code("timeout".to_owned())), false));
    assert!(state.is_open());
    assert_eq!(outcome(bench, &placed).await, Some(AttemptOutcome::Unknown { code: "timeout".to_owned() }));
}

/// Reaped → unknown, never queued.
pub async fn a_reaped_message_is_unknown(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, SettleVerdict::Reaped, MessageStatus::Unknown).await;
    assert!(matches!(outcome(bench, &placed).await, Some(AttemptOutcome::Unknown { .. })));
    assert!(bench.state(&placed).await.is_open());
}

/// The worker that was presumed dead knows after all.
pub async fn late_answers_count_after_a_reap(bench: &Bench) {
    let for_now = SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before: bench.at(15) };
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.at(4) };
    for (verdict, status, attempts) in [
        (accepted(), MessageStatus::Sent, 1),
        (for_now, MessageStatus::Queued, 1),
        (refused_for_good(), MessageStatus::Failed, 1),
        (returned, MessageStatus::Queued, 0),
        (ambiguous(), MessageStatus::Unknown, 1),
    ] {
        let placed = bench.sending().await;
        bench.must_settle(&placed, SettleVerdict::Reaped, MessageStatus::Unknown).await;
        bench.must_settle(&placed, verdict, status).await;
        assert_eq!(bench.state(&placed).await.attempts, attempts, "{status}");
    }
}

/// Found by a look-up → sent, when it was accepted.
pub async fn a_found_message_is_sent(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&placed, found(bench), MessageStatus::Sent).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.sent_at, state.detail), (Some(bench.at(1)), None));
    let attempt = bench.attempt(&placed).await;
    assert_eq!(attempt.outcome, Some(AttemptOutcome::Accepted));
    assert_eq!(attempt.reference, Some(reference("SM9")));
}

/// Proven absent → queued, at once.
pub async fn a_message_proven_absent_is_queued(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
    assert_eq!(outcome(bench, &placed).await, Some(AttemptOutcome::Absent));
    let state = bench.state(&placed).await;
    assert_eq!((state.not_before, state.detail, state.attempts), (Some(bench.at(2)), None, 1));
    assert_eq!(bench.send_again(&placed).await.epoch, 2);
}

/// A permitted resend → queued; that nobody knows about the first attempt stays on record.
pub async fn a_permitted_resend_is_queued(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    assert!(matches!(outcome(bench, &placed).await, Some(AttemptOutcome::Unknown { .. })));
    assert_eq!(bench.send_again(&placed).await.epoch, 2);
}

/// Given up → unknown for good: closed.
pub async fn a_message_given_up_is_held(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::GivenUp, MessageStatus::Unknown).await;
    let state = bench.state(&placed).await;
    assert!(state.held && !state.is_open());
    let counts = bench.store.packet_counts(bench.company, placed.packet).await.answered();
    assert_eq!((counts.open, counts.in_status(MessageStatus::Unknown)), (0, 1));
    assert_eq!(counts.ledger().gaps(), []);
}

/// Evidence moves what was given up.
pub async fn a_held_message_is_moved_by_evidence(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::GivenUp, MessageStatus::Unknown).await;
    bench.must_settle(&placed, found(bench), MessageStatus::Sent).await;
    assert!(!bench.state(&placed).await.held);
}

/// Nothing but evidence moves what was given up: its packet may have ended.
pub async fn a_held_message_stays_held_without_evidence(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, SettleVerdict::Reaped, MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::GivenUp, MessageStatus::Unknown).await;
    let held = bench.state(&placed).await;
    for (event, verdict) in verdicts(bench) {
        let evidence =
            matches!(event, MessageEvent::Accepted | MessageEvent::Found | MessageEvent::RefusedForGood);
        if !evidence {
            let outcome = bench.settle(&placed, verdict).await;
            assert_eq!(outcome, SettleOutcome::Stale(MessageStatus::Unknown), "{event}");
            assert_eq!(bench.state(&placed).await, held, "{event}");
        }
    }
}

/// Every verdict in every status: by the transition table, and by nothing else.
pub async fn settlements_follow_the_transition_table(bench: &Bench) {
    for status in MessageStatus::ALL {
        for (event, verdict) in verdicts(bench) {
            let placed = bench.in_status(status).await;
            let before = bench.state(&placed).await;
            let outcome = bench.settle(&placed, verdict).await;
            let after = bench.state(&placed).await;
            // Without an attempt there is nothing to settle.
            let to = status.after(event).filter(|_| placed.epoch > 0);
            let expected = to.map_or(SettleOutcome::Stale(status), SettleOutcome::Applied);
            assert_eq!((outcome, after.status), (expected, to.unwrap_or(status)), "{event} in {status}");
            if to.is_none() {
                assert_eq!(after, before, "{event} in {status}");
            }
        }
    }
}

/// Only the holder of the latest claim settles. That an older attempt was accepted is kept with it.
pub async fn an_older_attempt_settles_nothing(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    for (_, verdict) in verdicts(bench) {
        assert_eq!(bench.settle(&first, verdict).await, SettleOutcome::Stale(MessageStatus::Sending));
    }
    let ahead = Placed { epoch: 3, ..second };
    assert_eq!(bench.settle(&ahead, accepted()).await, SettleOutcome::Stale(MessageStatus::Sending));
    bench.must_settle(&second, accepted(), MessageStatus::Sent).await;
    assert_eq!(outcome(bench, &first).await, Some(AttemptOutcome::Accepted));
}

/// A repeated settlement changes nothing.
pub async fn a_repeated_settlement_is_stale(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, accepted(), MessageStatus::Sent).await;
    let before = bench.state(&placed).await;
    assert_eq!(bench.settle(&placed, accepted()).await, SettleOutcome::Stale(MessageStatus::Sent));
    assert_eq!(bench.settle(&placed, refused_for_good()).await, SettleOutcome::Stale(MessageStatus::Sent));
    assert_eq!(bench.state(&placed).await, before);
    assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Accepted));
}

/// Messages are settled where they are, in order.
pub async fn settlements_are_answered_in_order(bench: &Bench) {
    let (one, other) = (bench.sending().await, bench.sending().await);
    let settlement = |message, verdict| Settlement { message, epoch: 1, verdict, at: bench.at(2) };
    let batch = [
        settlement(bench.id::<MessageId>(), accepted()),
        settlement(one.message, accepted()),
        settlement(other.message, accepted()),
        settlement(one.message, accepted()),
    ];
    let outcomes = bench.store.settle(bench.company, one.packet, &batch).await.answered().into_vec();
    let expected = [
        SettleOutcome::Missing,
        SettleOutcome::Applied(MessageStatus::Sent),
        SettleOutcome::Missing,
        SettleOutcome::Stale(MessageStatus::Sent),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(bench.status(&other).await, MessageStatus::Sending);
}

/// A packet that does not exist says so.
pub async fn a_missing_packet_settles_nothing(bench: &Bench) {
    let outcome = bench.store.settle(bench.company, bench.id::<PacketId>(), &[]).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

/// Every transition is an entry, and each goes on where the last one ended.
pub async fn a_history_is_a_chain(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    bench.must_settle(&second, accepted(), MessageStatus::Sent).await;
    let history = bench.store.history(bench.company, first.packet, first.message).await.answered();
    let events: Vec<_> = history.iter().map(|entry| (entry.event, entry.epoch)).collect();
    let expected = [
        (MessageEvent::HandedOver, 0),
        (MessageEvent::Claimed, 1),
        (MessageEvent::Ambiguous, 1),
        (MessageEvent::ProvenAbsent, 1),
        (MessageEvent::HandedOver, 1),
        (MessageEvent::Claimed, 2),
        (MessageEvent::Accepted, 2),
    ];
    assert_eq!(events, expected);
    let mut status = MessageStatus::Planned;
    for entry in &history {
        assert_eq!((entry.from, entry.from.after(entry.event)), (status, Some(entry.to)));
        assert!(!entry.reason.is_empty());
        status = entry.to;
    }
    assert_eq!(history[2].reason, "timeout", "the code is the reason");
    assert_eq!(history[6].at, bench.at(2));
}

fn opted_out() -> SettleVerdict {
    SettleVerdict::OptedOut { code: "21610".to_owned() }
}

fn found(bench: &Bench) -> SettleVerdict {
    SettleVerdict::Found { reference: reference("SM9"), accepted_at: bench.at(1) }
}

fn verdicts(bench: &Bench) -> [(MessageEvent, SettleVerdict); 11] {
    let not_before = bench.at(4);
    [
        (MessageEvent::Accepted, accepted()),
        (MessageEvent::RefusedForNow, SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before }),
        (MessageEvent::RefusedForGood, refused_for_good()),
        (MessageEvent::Returned, SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before }),
        (MessageEvent::Ambiguous, ambiguous()),
        (MessageEvent::Reaped, SettleVerdict::Reaped),
        (MessageEvent::Found, found(bench)),
        (MessageEvent::ProvenAbsent, SettleVerdict::ProvenAbsent),
        (MessageEvent::ResendPermitted, SettleVerdict::ResendPermitted),
        (
            MessageEvent::RedialPermitted,
            SettleVerdict::RedialPermitted { not_before, legal_until: bench.at(200) },
        ),
        (MessageEvent::GivenUp, SettleVerdict::GivenUp),
    ]
}

async fn outcome(bench: &Bench, placed: &Placed) -> Option<AttemptOutcome> {
    bench.attempt(placed).await.outcome
}
