//! Messages that go only when another method has brought nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good, undelivered};
use super::values::own_answer;
use crate::domain::attempt::ReturnReason;
use crate::domain::contact_method::ContactMethod;
use crate::domain::disposition::AttemptReport;
use crate::domain::message::{Detail, LadderPlace};
use crate::domain::message_status::MessageStatus;
use crate::domain::person::PersonKey;
use crate::domain::response::ResponseKind;
use crate::domain::skip_reason::SkipReason;
use crate::ids::MessageId;
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimTerms, CloseVerdict, HandOver, IncomingOutcome, PlanOutcome,
    SettleOutcome, SettleVerdict, Snooze, SnoozeUntil, WriteOutcome,
};

/// How long a rung may stay unanswered: an hour.
const WAIT_MINUTES: i64 = 60;

/// The next noon.
const NEXT_DAY: i64 = 24 * 60;

/// While the rung below waits to be sent, the one above waits too: the wait starts when that one goes.
pub async fn a_rung_waits_for_the_one_below_to_go(bench: &Bench) {
    let (_, mail) = ladder(bench).await;
    assert_eq!(claim_mail(bench, &mail, bench.now).await, waits_until(bench.at(WAIT_MINUTES)));
}

/// A rung that was sent may be answered for the wait, and then the next one goes.
pub async fn a_rung_waits_for_an_answer_to_the_one_below(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let text = sent(bench, &text).await;
    let until = bench.state(&text).await.sent_at.expect("sent") + TimeDelta::minutes(WAIT_MINUTES);
    assert_eq!(claim_mail(bench, &mail, until - TimeDelta::milliseconds(1)).await, waits_until(until));
    assert!(matches!(claim_mail(bench, &mail, until).await, ClaimOutcome::Claimed(_)));
}

/// What may have arrived counts as sent when it was claimed.
pub async fn an_unknown_rung_may_be_answered(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let text = claimed(bench, &text).await;
    bench.must_settle(&text, ambiguous(), MessageStatus::Unknown).await;
    let until = bench.attempt(&text).await.claimed_at + TimeDelta::minutes(WAIT_MINUTES);
    assert_eq!(claim_mail(bench, &mail, bench.now).await, waits_until(until));
    assert!(matches!(claim_mail(bench, &mail, until).await, ClaimOutcome::Claimed(_)));
}

/// A definite refusal lets the next rung jump: it is due, to be planned again, and then waits for nothing.
pub async fn a_rung_jumps_when_the_one_below_fails(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let text = claimed(bench, &text).await;
    bench.must_settle(&text, refused_for_good(), MessageStatus::Failed).await;
    assert_jumped(bench, &mail).await;
    let until = SnoozeUntil::Planned { not_before: bench.at(2), legal_until: bench.at(240) };
    let again = Snooze { message: mail.message, until, reason: "planned again".into(), at: bench.at(2) };
    bench.store.snooze(bench.company, mail.packet, &[again]).await.answered().into_vec();
    let terms = HandOver { now: bench.at(2), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(mail.packet, terms).await.due.len(), 1);
    assert!(matches!(claim_mail(bench, &mail, bench.at(2)).await, ClaimOutcome::Claimed(_)));
}

/// A refusal of a second attempt does not, when the first one has proved to be accepted meanwhile.
pub async fn a_rung_stays_when_an_earlier_attempt_of_the_one_below_was_accepted(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let first = claimed(bench, &text).await;
    bench.must_settle(&first, SettleVerdict::Reaped, MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    bench.report(&first, "D-1", AttemptReport::Sent).await;
    let before = bench.state(&mail).await;
    bench.must_settle(&second, refused_for_good(), MessageStatus::Sent).await;
    assert_eq!(bench.state(&mail).await, before);
}

/// So does a report that the message did not arrive.
pub async fn a_rung_jumps_when_the_one_below_did_not_arrive(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let text = sent(bench, &text).await;
    bench.report(&text, "D-1", undelivered("30006")).await;
    assert_jumped(bench, &mail).await;
}

/// So does the end of one that was never sent.
pub async fn a_rung_jumps_when_the_one_below_is_not_sent(bench: &Bench) {
    for verdict in [CloseVerdict::Skipped(SkipReason::Unsubscribed), CloseVerdict::Expired] {
        let (text, mail) = ladder(bench).await;
        assert_eq!(bench.close(&text, verdict).await, WriteOutcome::Applied);
        assert_jumped(bench, &mail).await;
    }
}

/// A rung that was tried waits for what its own attempt brought.
pub async fn a_rung_that_was_tried_does_not_jump(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let text = sent(bench, &text).await;
    let mail = claimed_mail(bench, &mail).await;
    let not_before = bench.at(WAIT_MINUTES + 30);
    let verdict = SettleVerdict::RefusedForNow { code: "421".to_owned(), not_before };
    bench.must_settle(&mail, verdict, MessageStatus::Queued).await;
    let before = bench.state(&mail).await;
    assert_eq!(before.not_before, Some(not_before));
    bench.report(&text, "D-1", undelivered("30006")).await;
    assert_eq!(bench.status(&text).await, MessageStatus::Undelivered);
    let after = bench.state(&mail).await;
    assert_eq!((after.not_before, after.legal_until), (before.not_before, before.legal_until));
}

/// Any answer stops the rungs above, and nothing else of the person.
pub async fn an_answer_stops_the_rungs_above(bench: &Bench) {
    for kind in ResponseKind::ALL {
        let (text, mail) = ladder(bench).await;
        let text = sent(bench, &text).await;
        assert_eq!(bench.take_in(bench.answer(&text, kind, 4)).await, IncomingOutcome::Recorded);
        let state = bench.state(&mail).await;
        assert_eq!(state.status, MessageStatus::Skipped, "{kind}");
        assert_eq!(state.detail, Some(Detail::Skip(SkipReason::Answered)));
    }
    let (text, mail) = two_messages(bench, None).await;
    let text = sent(bench, &text).await;
    bench.take_in(bench.answer(&text, ResponseKind::Confirmed, 4)).await;
    assert_eq!(bench.status(&mail).await, MessageStatus::Queued, "no rung of a ladder");
}

/// A rung that was in flight when the answer came is not sent again, and later plans know the answer too.
pub async fn an_answer_holds_for_later_rungs(bench: &Bench) {
    let (text, _) = ladder(bench).await;
    let text = sent(bench, &text).await;
    bench.take_in(bench.answer(&text, ResponseKind::Confirmed, 4)).await;
    let packet = bench.loaded(1).await;
    let first = bench.message_at(packet, 1, text.n, 24 * 60);
    let mut second = bench.e_mail(packet, 1, text.n);
    second.message.ladder = Some(place_above(first.message.id));
    let placed = [bench.place(packet, &first, text.n), bench.place(packet, &second, text.n)];
    let outcome = bench.plan(packet, 0, 1, vec![first, second]).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
    assert_eq!(bench.status(&placed[0]).await, MessageStatus::Planned, "the next day's reminder goes");
    assert_eq!(bench.state(&placed[1]).await.detail, Some(Detail::Skip(SkipReason::Answered)));
}

/// A campaign's own answer is about no appointment; all the same it ends what was in flight when it came.
pub async fn a_campaigns_own_answer_stops_a_rung_that_returns(bench: &Bench) {
    let (text, mail) = ladder(bench).await;
    let text = sent(bench, &text).await;
    let mail = claimed_mail(bench, &mail).await;
    let own = bench.answer(&text, own_answer("positive"), WAIT_MINUTES + 2);
    assert_eq!(bench.take_in(own).await, IncomingOutcome::Recorded);
    let not_before = bench.at(WAIT_MINUTES + 4);
    let verdict = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before };
    bench.must_settle(&mail, verdict, MessageStatus::Queued).await;
    let again = Placed { attempt: bench.id(), ..mail };
    let answered = ClaimOutcome::Refused(ClaimRefusal::Answered);
    assert_eq!(claim_mail(bench, &again, not_before).await, answered);
}

/// Where the host names no person, each rung names its own contact point; what is answered on one rung counts for the others,
/// in later packets too. A rung below is ended only by what releases the appointment.
pub async fn rungs_of_one_row_share_their_answers(bench: &Bench) {
    for kind in ResponseKind::ALL {
        let n = bench.serial();
        let (text, mail) = nameless(bench, n, -60).await;
        let text = sent(bench, &text).await;
        bench.take_in(bench.answer(&text, kind, 4)).await;
        let answered = ClaimOutcome::Refused(ClaimRefusal::Answered);
        assert_eq!(claim_mail(bench, &mail, bench.at(WAIT_MINUTES + 2)).await, answered, "{kind}");
        let (_, mail) = nameless(bench, n, NEXT_DAY).await;
        assert_eq!(claim_mail(bench, &mail, bench.at(NEXT_DAY)).await, answered, "{kind}");

        let n = bench.serial();
        let (text, mail) = nameless(bench, n, -60).await;
        sent(bench, &text).await;
        let mail = claimed_mail(bench, &mail).await;
        bench.must_settle(&mail, accepted(), MessageStatus::Sent).await;
        bench.take_in(bench.answer(&mail, kind, WAIT_MINUTES + 4)).await;
        let (text, _) = nameless(bench, n, NEXT_DAY).await;
        let claim = bench.claim_with(&text, &Bench::terms_at(bench.at(NEXT_DAY))).await;
        assert_eq!(claim == answered, kind.ends_reminders(), "{kind}: {claim:?}");
    }
}

/// A text message and, above it, an e-mail, from then on, whose persons are their contact points; those handed over
/// that no answer to themselves had ended before.
async fn nameless(bench: &Bench, n: u64, minutes: i64) -> (Placed, Placed) {
    let packet = bench.loaded(1).await;
    let mut text = bench.message_at(packet, 1, n, minutes);
    let mut mail = bench.e_mail(packet, 1, n);
    (mail.verdict, mail.message.ladder) = (text.verdict, Some(place_above(text.message.id)));
    for planned in [&mut text, &mut mail] {
        planned.message.person = planned.message.contact.as_ref().map(PersonKey::from);
    }
    let placed = (bench.place(packet, &text, n), bench.place(packet, &mail, n));
    bench.queue(packet, vec![text, mail]).await;
    let terms = HandOver { now: bench.at(minutes.max(0)), ..bench.hand_over_terms() };
    let handed = bench.hand_over_with(packet, terms).await;
    assert!(!handed.due.is_empty(), "what has no answer yet");
    placed
}

/// A message that brought nothing is not sent again once the rung above may have reached the person; while that one waits, it is,
/// and that one waits on.
pub async fn a_call_is_not_made_again_once_the_rung_above_went(bench: &Bench) {
    use MessageStatus::{Queued, Undelivered};
    let again = || SettleVerdict::RedialPermitted { not_before: bench.at(20), legal_until: bench.at(200) };
    for goes in [Goes::Not, Goes::AndIsReturned, Goes::AndIsInFlight, Goes::AndIsSent] {
        let (text, mail) = ladder(bench).await;
        let text = sent(bench, &text).await;
        bench.report(&text, "D-1", AttemptReport::Busy).await;
        if goes != Goes::Not {
            let until = SnoozeUntil::Planned { not_before: bench.at(2), legal_until: bench.at(240) };
            let plan =
                Snooze { message: mail.message, until, reason: "planned again".into(), at: bench.at(2) };
            bench.store.snooze(bench.company, mail.packet, &[plan]).await.answered().into_vec();
            let terms = HandOver { now: bench.at(2), ..bench.hand_over_terms() };
            bench.hand_over_with(mail.packet, terms).await;
            let claimed = claim_mail(bench, &mail, bench.at(2)).await;
            let ClaimOutcome::Claimed(claimed) = claimed else { panic!("not claimed: {claimed:?}") };
            let mail = Placed { epoch: claimed.epoch, ..mail };
            let returned =
                SettleVerdict::Returned { reason: ReturnReason::Throttled, not_before: bench.at(3) };
            match goes {
                Goes::AndIsReturned => bench.must_settle(&mail, returned, Queued).await,
                Goes::AndIsSent => bench.must_settle(&mail, accepted(), MessageStatus::Sent).await,
                Goes::Not | Goes::AndIsInFlight => {}
            }
        }
        if matches!(goes, Goes::Not | Goes::AndIsReturned) {
            bench.must_settle(&text, again(), Queued).await;
        } else {
            assert_eq!(bench.settle(&text, again()).await, SettleOutcome::RungAboveWent, "{goes:?}");
            assert_eq!(bench.status(&text).await, Undelivered);
        }
    }
}

/// What becomes of the rung above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    Not,
    AndIsReturned,
    AndIsInFlight,
    AndIsSent,
}

/// A text message and, above it, an e-mail to the same person, both handed over.
async fn ladder(bench: &Bench) -> (Placed, Placed) {
    two_messages(bench, Some(Duration::from_mins(WAIT_MINUTES.unsigned_abs()))).await
}

async fn two_messages(bench: &Bench, wait: Option<Duration>) -> (Placed, Placed) {
    let (packet, n) = (bench.loaded(1).await, bench.serial());
    let text = bench.message(packet, 1, n);
    let mut mail = bench.e_mail(packet, 1, n);
    mail.message.ladder = wait.map(|wait| LadderPlace { below: text.message.id, wait });
    let placed = (bench.place(packet, &text, n), bench.place(packet, &mail, n));
    bench.queue(packet, vec![text, mail]).await;
    assert_eq!(bench.hand_over(packet).await.due.len(), 2);
    placed
}

fn place_above(below: MessageId) -> LadderPlace {
    LadderPlace { below, wait: Duration::from_mins(WAIT_MINUTES.unsigned_abs()) }
}

async fn claimed(bench: &Bench, text: &Placed) -> Placed {
    Placed { epoch: bench.must_claim(text).await.epoch, ..*text }
}

async fn sent(bench: &Bench, text: &Placed) -> Placed {
    let text = claimed(bench, text).await;
    bench.must_settle(&text, accepted(), MessageStatus::Sent).await;
    text
}

async fn claim_mail(bench: &Bench, mail: &Placed, now: DateTime<Utc>) -> ClaimOutcome {
    let terms = ClaimTerms { method: ContactMethod::Email, ..Bench::terms_at(now) };
    bench.claim_with(mail, &terms).await
}

/// The e-mail, claimed when the text message was not answered for the wait.
async fn claimed_mail(bench: &Bench, mail: &Placed) -> Placed {
    match claim_mail(bench, mail, bench.at(WAIT_MINUTES + 2)).await {
        ClaimOutcome::Claimed(claimed) => Placed { epoch: claimed.epoch, ..*mail },
        ClaimOutcome::Refused(refusal) => panic!("not claimed: {refusal:?}"),
    }
}

fn waits_until(until: DateTime<Utc>) -> ClaimOutcome {
    ClaimOutcome::Refused(ClaimRefusal::RungBelow(until))
}

/// It is open, has no copy, and the next handing over names it as late.
async fn assert_jumped(bench: &Bench, mail: &Placed) {
    let state = bench.state(mail).await;
    assert_eq!((state.status, state.copy_until), (MessageStatus::Queued, None));
    assert_eq!(state.not_before, state.legal_until, "nothing is legal before it is planned again");
    let terms = HandOver { now: bench.at(5), ..bench.hand_over_terms() };
    let handed = bench.hand_over_with(mail.packet, terms).await;
    assert_eq!((handed.due, handed.late), (Vec::new(), vec![mail.message]));
}
