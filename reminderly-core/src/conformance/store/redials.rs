//! Calls that reached nobody, made again.

use super::bench::{Answered as _, Bench, Placed};
use super::safety::works_again;
use super::sending::{accepted, refused_for_good};
use super::values::reference;
use crate::domain::attempt::AttemptOutcome;
use crate::domain::disposition::AttemptReport;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::response::ResponseKind;
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::{
    ClaimRefusal, CloseVerdict, DispositionOutcome, IncomingOutcome, PlanOutcome, SettleOutcome,
    SettleVerdict, WriteOutcome,
};

use MessageStatus::{Delivered, Queued, Sending, Sent, Undelivered, Unknown};

/// A call that reached nobody, and may be made again → queued for that instant; the attempt counts.
pub async fn a_call_may_be_made_again(bench: &Bench) {
    let placed = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&placed, again(bench), Queued).await;
    let state = bench.state(&placed).await;
    assert_eq!((state.attempts, state.epoch, state.redialled), (1, 1, true));
    assert_eq!((state.not_before, state.legal_until), (Some(bench.at(20)), Some(bench.at(200))));
    assert!(state.is_open());
    assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Redialled));
    let counts = bench.store.packet_counts(bench.company, placed.packet).await.answered();
    assert_eq!((counts.open, counts.in_status(Undelivered)), (1, 0));
    assert_eq!(counts.ledger().gaps(), []);
    bench.assert_refused(&placed, ClaimRefusal::NotYet).await;
    let second = bench.send_again(&placed).await;
    assert_eq!(second.epoch, 2);
    bench.must_settle(&second, accepted(), Sent).await;
    let outcome = bench.report(&second, "D-2", AttemptReport::Delivered).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Delivered));
}

/// One permission makes one call, however often it is recorded.
pub async fn a_call_is_made_again_once(bench: &Bench) {
    let placed = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&placed, again(bench), Queued).await;
    assert_eq!(bench.settle(&placed, again(bench)).await, SettleOutcome::Stale(Queued));
    let second = bench.send_again(&placed).await;
    assert_eq!(bench.settle(&placed, again(bench)).await, SettleOutcome::Stale(Sending));
    bench.must_settle(&second, accepted(), Sent).await;
    bench.report(&second, "D-2", AttemptReport::Busy).await;
    assert_eq!(bench.settle(&placed, again(bench)).await, SettleOutcome::Stale(Undelivered));
    bench.must_settle(&second, again(bench), Queued).await;
}

/// What was known of the call when the next one was permitted does not stop that one.
pub async fn old_news_leave_the_next_call(bench: &Bench) {
    let placed = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&placed, again(bench), Queued).await;
    let before = bench.state(&placed).await;
    for (event, report) in [("D-2", AttemptReport::Sent), ("D-3", AttemptReport::Busy)] {
        let outcome = bench.report(&placed, event, report).await;
        assert_eq!(outcome, DispositionOutcome::Recorded(Queued));
    }
    let found = SettleVerdict::Found { reference: reference("SM9"), accepted_at: bench.at(1) };
    for verdict in [accepted(), found] {
        assert_eq!(bench.settle(&placed, verdict).await, SettleOutcome::Stale(Queued));
    }
    assert_eq!(bench.state(&placed).await, before);
    assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Redialled));
}

/// Who answered after all is not called again.
pub async fn a_late_answer_stops_the_next_call(bench: &Bench) {
    for report in [AttemptReport::Delivered, AttemptReport::Voicemail] {
        let placed = called(bench, AttemptReport::NoAnswer).await;
        bench.must_settle(&placed, again(bench), Queued).await;
        let outcome = bench.report(&placed, "D-2", report).await;
        assert_eq!(outcome, DispositionOutcome::Recorded(Delivered));
        bench.assert_refused(&placed, ClaimRefusal::NotQueued(Delivered)).await;
        assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Accepted));
    }
}

/// A report that says more than the one that led to the next call withdraws it: another rule may hold now, and permit another.
pub async fn more_than_the_report_stops_the_next_call(bench: &Bench) {
    let placed = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&placed, again(bench), Queued).await;
    let outcome = bench.report(&placed, "D-2", AttemptReport::NoAnswer).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Undelivered));
    bench.assert_refused(&placed, ClaimRefusal::NotQueued(Undelivered)).await;
    assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Accepted));
    bench.must_settle(&placed, again(bench), Queued).await;
    assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Redialled));
}

/// A call that was permitted and dropped stays so, whatever more is reported: nobody asks a rule for it again.
pub async fn a_dropped_call_is_not_permitted_by_more(bench: &Bench) {
    let placed = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&placed, again(bench), Queued).await;
    assert_eq!(bench.close(&placed, CloseVerdict::Expired).await, WriteOutcome::Applied);
    let outcome = bench.report(&placed, "D-2", AttemptReport::NoAnswer).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Undelivered));
    assert_eq!(bench.attempt(&placed).await.outcome, Some(AttemptOutcome::Redialled));
}

/// While the next call is in work it decides; once it was not made, an answer to the first one counts.
pub async fn an_answer_to_an_earlier_call_counts_while_none_is_in_work(bench: &Bench) {
    let first = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&first, again(bench), Queued).await;
    let second = bench.send_again(&first).await;
    let outcome = bench.report(&first, "D-2", AttemptReport::NoAnswer).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Sending));
    let returned = SettleVerdict::Returned {
        reason: crate::domain::attempt::ReturnReason::Throttled,
        not_before: bench.at(30),
    };
    bench.must_settle(&second, returned, Queued).await;
    let outcome = bench.report(&first, "D-3", AttemptReport::NoAnswer).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Queued));
    let outcome = bench.report(&first, "D-4", AttemptReport::Delivered).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Delivered));
}

/// An answer to the first call that comes while the next one is in work ends it when that one reaches nobody.
pub async fn an_answer_to_an_earlier_call_stops_the_one_after_the_next(bench: &Bench) {
    let first = called(bench, AttemptReport::Busy).await;
    bench.must_settle(&first, again(bench), Queued).await;
    let second = bench.send_again(&first).await;
    let outcome = bench.report(&first, "D-2", AttemptReport::Delivered).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Sending));
    let refused = SettleVerdict::RefusedForNow { code: "busy".to_owned(), not_before: bench.at(30) };
    bench.must_settle(&second, refused, Delivered).await;
    bench.assert_refused(&second, ClaimRefusal::NotQueued(Delivered)).await;
}

/// A call is not made again of which an earlier one was accepted, whatever became of the latest.
pub async fn a_call_is_not_made_again_if_an_earlier_one_was_accepted(bench: &Bench) {
    let (first, second) = works_again(bench).await;
    assert_eq!(bench.settle(&first, accepted()).await, SettleOutcome::Stale(Sending));
    bench.must_settle(&second, accepted(), Sent).await;
    let outcome = bench.report(&second, "D-1", AttemptReport::Busy).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Undelivered));
    bench.must_settle(&second, again(bench), Sent).await;
    bench.assert_refused(&second, ClaimRefusal::NotQueued(Sent)).await;
}

/// A call that is permitted and not made leaves the message undelivered, with its natural key: the first one was made.
pub async fn a_call_that_is_not_made_leaves_the_message_undelivered(bench: &Bench) {
    for case in 0..4 {
        let placed = called(bench, AttemptReport::NoAnswer).await;
        bench.must_settle(&placed, again(bench), Queued).await;
        match case {
            0 => {
                let skipped = CloseVerdict::Skipped(SkipReason::Unsubscribed);
                assert_eq!(bench.close(&placed, skipped).await, WriteOutcome::Applied);
            }
            1 => assert_eq!(bench.close(&placed, CloseVerdict::Expired).await, WriteOutcome::Applied),
            2 => {
                let cancelled = bench.store.cancel_open(bench.company, placed.packet, bench.at(2), 10).await;
                assert_eq!(cancelled.answered(), 1);
            }
            _ => {
                let second = bench.send_again(&placed).await;
                bench.must_settle(&second, refused_for_good(), Undelivered).await;
            }
        }
        assert_eq!(bench.status(&placed).await, Undelivered, "case {case}");
        let counts = bench.store.packet_counts(bench.company, placed.packet).await.answered();
        assert_eq!((counts.open, counts.ledger().gaps()), (0, Vec::new()), "case {case}");
        let packet = bench.loaded(1).await;
        let same = vec![bench.message(packet, 1, placed.n)];
        assert_eq!(
            bench.plan(packet, 0, 1, same).await,
            PlanOutcome::Stored { duplicates: 1 },
            "case {case}"
        );
    }
}

/// A call that was permitted and is being made is in work like any other: nothing but its own outcome moves the message.
pub async fn a_call_in_work_is_not_dropped(bench: &Bench) {
    for in_work in [Sending, Unknown] {
        let placed = called(bench, AttemptReport::Busy).await;
        bench.must_settle(&placed, again(bench), Queued).await;
        let second = bench.send_again(&placed).await;
        if in_work == Unknown {
            bench.must_settle(&second, SettleVerdict::Reaped, Unknown).await;
        } else {
            let answer = bench.answer(&second, ResponseKind::Cancelled, 4);
            assert_eq!(bench.take_in(answer).await, IncomingOutcome::Recorded);
        }
        for verdict in [CloseVerdict::Skipped(SkipReason::Superseded), CloseVerdict::Expired] {
            assert_eq!(bench.close(&second, verdict).await, WriteOutcome::Stale, "{verdict:?}");
        }
        assert_eq!(bench.status(&second).await, in_work);
        bench.must_settle(&second, accepted(), Sent).await;
    }
}

/// A packet that ends takes no call, or nobody would make it; one that has ended goes on first.
pub async fn a_packet_that_ends_takes_no_call(bench: &Bench) {
    let placed = called(bench, AttemptReport::Busy).await;
    bench.drain(placed.packet, Draining::Completing).await;
    assert_eq!(bench.settle(&placed, again(bench)).await, SettleOutcome::Stale(Undelivered));
    let (queued, complete) = (PacketStage::Queued, PacketStage::Complete);
    assert_eq!(bench.change_stage(placed.packet, queued, complete).await, WriteOutcome::Applied);
    assert_eq!(bench.settle(&placed, again(bench)).await, SettleOutcome::Stale(Undelivered));
    let reopened = bench.change_stage(placed.packet, complete, PacketStage::Mapped).await;
    assert_eq!(reopened, WriteOutcome::Applied);
    let open = bench.store.open_packets_across_companies(None, 100_000).await.answered();
    assert!(open.items.iter().any(|packet| packet.id == placed.packet));
    bench.must_settle(&placed, again(bench), Queued).await;
    bench.assert_refused(&placed, ClaimRefusal::PacketClosed).await;
    assert_eq!(bench.change_stage(placed.packet, PacketStage::Mapped, queued).await, WriteOutcome::Applied);
    assert_eq!(bench.send_again(&placed).await.epoch, 2);
}

/// A message that was accepted, and of which this is reported.
async fn called(bench: &Bench, report: AttemptReport) -> Placed {
    let placed = bench.in_status(Sent).await;
    let outcome = bench.report(&placed, "D-1", report).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(Undelivered));
    placed
}

fn again(bench: &Bench) -> SettleVerdict {
    SettleVerdict::RedialPermitted { not_before: bench.at(20), legal_until: bench.at(200) }
}
