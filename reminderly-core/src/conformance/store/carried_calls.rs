//! Calls that wait to be made again when another row takes the place of theirs.

use super::bench::{Answered as _, Bench, Placed};
use super::ledger::{Saying, saying};
use super::sending::accepted;
use crate::domain::disposition::AttemptReport;
use crate::domain::message_status::MessageStatus;
use crate::ports::store::{ClaimRefusal, PlanOutcome, SettleVerdict, VanishOutcome, Vanishing};

use MessageStatus::{Queued, Sent, Undelivered};

const STORED: PlanOutcome = PlanOutcome::Stored { duplicates: 0 };

/// A call that waits to be made again for the same time holds the natural key of its day: it is made.
pub async fn a_call_that_waits_with_the_right_time_is_made(bench: &Bench) {
    let first = called(bench, 1).await;
    bench.must_settle(&first, again(bench), Queued).await;
    for digest in [2, 3] {
        let (_, outcome) = bench.say(Saying { digest, ..saying(1) }).await;
        assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 });
        assert_eq!(bench.status(&first).await, Queued);
    }
    assert_eq!(bench.send_again(&first).await.epoch, 2);
}

/// So is one that is permitted after the row was amended.
pub async fn a_call_permitted_after_an_amendment_is_made(bench: &Bench) {
    let first = called(bench, 1).await;
    let (_, outcome) = bench.say(Saying { digest: 2, ..saying(1) }).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 });
    bench.must_settle(&first, again(bench), Queued).await;
    assert_eq!(bench.send_again(&first).await.epoch, 2);
}

/// A call about a time that is not the appointment's any more is dropped; nobody was told, so the day is free for the right one.
pub async fn a_call_with_the_wrong_time_frees_its_day(bench: &Bench) {
    for amended in [0, 1] {
        let n = bench.serial() + 100;
        let first = called(bench, n).await;
        bench.must_settle(&first, again(bench), Queued).await;
        for _ in 0..amended {
            bench.say(Saying { digest: 2, ..saying(n) }).await;
        }
        let (moved, outcome) = bench.say(Saying { hour: 60, ..saying(n) }).await;
        assert_eq!(outcome, STORED, "nobody would be reminded");
        assert_eq!(bench.status(&first).await, Undelivered);
        assert_eq!(bench.held(n).await[0].told, []);
        bench.assert_refused(&first, ClaimRefusal::NotQueued(Undelivered)).await;
        super::counters::assert_packet(bench, first.packet).await;
        bench.hand_over(moved.packet).await;
        bench.must_claim(&moved).await;
    }
}

/// If another attempt may have told the person, the day stays taken: that person is corrected instead.
pub async fn a_call_that_may_have_told_keeps_its_day(bench: &Bench) {
    let first = called(bench, 1).await;
    let (_, outcome) = bench.say(Saying { hour: 60, ..saying(1) }).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 }, "it is not decided that it told nobody");
    assert_eq!(bench.held(1).await[0].told.len(), 1);
    bench.must_settle(&first, again(bench), Queued).await;
    let now = bench.at(20);
    let terms = crate::ports::store::HandOver { now, ..bench.hand_over_terms() };
    bench.hand_over_with(first.packet, terms).await;
    let second = Placed { attempt: bench.id(), ..first };
    let claimed = bench.claim_with(&second, &Bench::terms_at(now)).await;
    assert_eq!(claimed, crate::ports::store::ClaimOutcome::Refused(ClaimRefusal::Superseded));
}

/// A call about an appointment that has vanished is dropped, and the day is free should it come back.
pub async fn a_call_about_what_vanished_frees_its_day(bench: &Bench) {
    let first = called(bench, 1).await;
    bench.must_settle(&first, again(bench), Queued).await;
    let missing_in = bench.later_file().await;
    let vanishing = Vanishing { missing_in, earlier: first.packet, after: None, limit: 100, now: bench.now };
    let outcome = bench.store.cancel_vanished(bench.company, vanishing).await.answered();
    assert_eq!(outcome, VanishOutcome::Page { cancelled: 0, next: None }, "it is not cancelled");
    assert_eq!(bench.status(&first).await, Undelivered);
    let vanished = bench.packet(missing_in).await.vanished;
    assert_eq!((vanished.appointments, vanished.cancelled), (1, 0));
    assert_eq!(bench.say(saying(1)).await.1, STORED);
}

/// A message whose row speaks for an appointment, and that reached nobody.
async fn called(bench: &Bench, n: u64) -> Placed {
    let placed = bench.say_first(saying(n)).await;
    bench.hand_over(placed.packet).await;
    let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
    bench.must_settle(&placed, accepted(), Sent).await;
    bench.report(&placed, "D-1", AttemptReport::Busy).await;
    assert_eq!(bench.status(&placed).await, Undelivered);
    placed
}

fn again(bench: &Bench) -> SettleVerdict {
    SettleVerdict::RedialPermitted { not_before: bench.at(20), legal_until: bench.at(200) }
}
