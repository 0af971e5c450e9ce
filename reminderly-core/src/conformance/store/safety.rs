//! What keeps a reminder from going out twice, at a wrong hour, or for an appointment that was released.

use chrono::TimeDelta;

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good};
use super::values::{email, number, person, reference, sms};
use crate::domain::appointment::Appointment;
use crate::domain::attempt::{AttemptOutcome, ReturnReason};
use crate::domain::contact_point::ContactPoint;
use crate::domain::disposition::AttemptReport;
use crate::domain::incoming::Arrival;
use crate::domain::message::{Detail, MessageRecord};
use crate::domain::message_status::MessageStatus;
use crate::domain::response::ResponseKind;
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, DispositionOutcome, HandOver, IncomingOutcome, PlanOutcome, SettleOutcome,
    SettleVerdict, Snooze, SnoozeUntil,
};

/// A stale copy that meets a closed sender must not pull a message forward out of its interval.
pub async fn a_snooze_brings_nothing_forward(bench: &Bench) {
    let placed = bench.handed().await;
    let planned = SnoozeUntil::Planned { not_before: bench.at(600), legal_until: bench.at(900) };
    for until in [planned, SnoozeUntil::NotBefore(bench.at(5)), SnoozeUntil::Unchanged] {
        let snooze = Snooze { message: placed.message, until, reason: "test".into(), at: bench.at(1) };
        bench.store.snooze(bench.company, placed.packet, &[snooze]).await.answered().into_vec();
        assert_eq!(bench.state(&placed).await.not_before, Some(bench.at(600)));
    }
}

/// A report about an earlier attempt stops the next send, while none is in work.
pub async fn a_report_of_an_older_attempt_stops_the_next(bench: &Bench) {
    let (first, _) = waits_again(bench).await;
    let outcome = bench.report(&first, "D-1", AttemptReport::Delivered).await;
    assert_eq!(outcome, DispositionOutcome::Recorded(MessageStatus::Delivered));
}

/// So does a worker that was stalled and then says that the provider accepted it.
pub async fn a_late_acceptance_of_an_older_attempt_stops_the_next(bench: &Bench) {
    let (first, second) = waits_again(bench).await;
    bench.must_settle(&first, accepted(), MessageStatus::Sent).await;
    let attempts = bench.attempts(&first).await;
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Accepted));
    assert!(matches!(attempts[1].outcome, Some(AttemptOutcome::Returned { .. })));
    let late = bench.settle(&second, SettleVerdict::Reaped).await;
    assert_eq!(late, SettleOutcome::Stale(MessageStatus::Sent));
}

/// Anything else that an older attempt says is stale.
pub async fn a_late_refusal_of_an_older_attempt_is_stale(bench: &Bench) {
    let (first, _) = waits_again(bench).await;
    let refused = SettleVerdict::RefusedForGood { code: "21211".to_owned() };
    assert_eq!(bench.settle(&first, refused).await, SettleOutcome::Stale(MessageStatus::Queued));
}

/// What proves to be accepted while a later attempt is in work counts as soon as that one comes to nothing, whatever came of it.
pub async fn an_older_acceptance_stops_the_next_when_the_latest_comes_to_nothing(bench: &Bench) {
    let for_now = SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before: bench.now };
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.now };
    for verdict in [for_now, returned, refused_for_good(), ambiguous(), SettleVerdict::Reaped] {
        let (first, second) = works_again(bench).await;
        let outcome = bench.report(&first, "D-1", AttemptReport::Sent).await;
        assert_eq!(outcome, DispositionOutcome::Recorded(MessageStatus::Sending));
        bench.must_settle(&second, verdict.clone(), MessageStatus::Sent).await;
        let counted = if matches!(verdict, SettleVerdict::Returned { .. }) { 1 } else { 2 };
        assert_eq!(bench.state(&second).await.attempts, counted, "{verdict:?}");
        let (first, second) = works_again(bench).await;
        assert_eq!(bench.settle(&first, accepted()).await, SettleOutcome::Stale(MessageStatus::Sending));
        bench.must_settle(&second, verdict.clone(), MessageStatus::Sent).await;
        bench.assert_refused(&first, ClaimRefusal::NotQueued(MessageStatus::Sent)).await;
        let (first, second) = works_again(bench).await;
        bench.report(&first, "D-1", AttemptReport::Delivered).await;
        bench.must_settle(&second, verdict, MessageStatus::Delivered).await;
        let counts = bench.store.packet_counts(bench.company, second.packet).await.answered();
        assert_eq!((counts.open, counts.ledger().gaps()), (0, Vec::new()));
    }
}

/// Where both were accepted, the latest tells what became of the message.
pub async fn an_older_acceptance_says_nothing_beside_that_of_the_latest(bench: &Bench) {
    let (first, second) = works_again(bench).await;
    bench.report(&first, "D-1", AttemptReport::Delivered).await;
    bench.must_settle(&second, accepted(), MessageStatus::Sent).await;
}

/// Nor does a message wait for a look-up of its latest attempt when an earlier one has proved to be accepted.
pub async fn an_older_acceptance_resolves_an_unknown_message(bench: &Bench) {
    let found = SettleVerdict::Found { reference: reference("SM9"), accepted_at: bench.at(1) };
    for verdict in [Some(accepted()), Some(found), None] {
        let (first, second) = works_again(bench).await;
        bench.must_settle(&second, SettleVerdict::Reaped, MessageStatus::Unknown).await;
        bench.must_settle(&second, SettleVerdict::GivenUp, MessageStatus::Unknown).await;
        if let Some(verdict) = verdict {
            bench.must_settle(&first, verdict, MessageStatus::Sent).await;
        } else {
            let outcome = bench.report(&first, "D-1", AttemptReport::Accepted).await;
            assert_eq!(outcome, DispositionOutcome::Recorded(MessageStatus::Sent));
        }
        let state = bench.state(&second).await;
        assert_eq!((state.held, state.detail), (false, None));
        let absent = bench.settle(&second, SettleVerdict::ProvenAbsent).await;
        assert_eq!(absent, SettleOutcome::Stale(MessageStatus::Sent));
    }
}

/// An answer that may mean another message is tied, and proves nothing.
pub async fn an_answer_that_proves_nothing_leaves_an_unknown_message(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    let mut record = bench.answer(&placed, ResponseKind::Confirmed, 9);
    record.effect.responses[0].arrival = Arrival::Open;
    assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    assert_eq!(bench.status(&placed).await, MessageStatus::Unknown);
    let response = bench.state(&placed).await.response.map(|response| response.kind);
    assert_eq!(response, Some(ResponseKind::Confirmed));
}

/// What was written before a message was claimed is about another one.
pub async fn an_answer_from_before_the_claim_proves_nothing(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Unknown).await;
    let claimed_at = bench.attempt(&placed).await.claimed_at;
    let mut record = bench.answer(&placed, ResponseKind::Confirmed, 0);
    record.effect.responses[0].response.at = claimed_at - TimeDelta::microseconds(1);
    assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    assert_eq!(bench.status(&placed).await, MessageStatus::Unknown);
}

/// Which of two that may have arrived is answered, nobody knows.
pub async fn an_answer_proves_neither_of_two_unknown_messages(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    let packet = bench.loaded(1).await;
    let planned = bench.message_at(packet, 1, first.n, 13 * 60);
    let second = bench.place(packet, &planned, first.n);
    bench.queue(packet, vec![planned]).await;
    let later = bench.at(13 * 60);
    bench.hand_over_with(packet, HandOver { now: later, ..bench.hand_over_terms() }).await;
    assert!(matches!(bench.claim_with(&second, &Bench::terms_at(later)).await, ClaimOutcome::Claimed(_)));
    let second = Placed { epoch: 1, ..second };
    bench.must_settle(&second, ambiguous(), MessageStatus::Unknown).await;
    let answer = bench.answer(&second, ResponseKind::Confirmed, 14 * 60);
    assert_eq!(bench.take_in(answer).await, IncomingOutcome::Recorded);
    assert_eq!(
        (bench.status(&first).await, bench.status(&second).await),
        (MessageStatus::Unknown, MessageStatus::Unknown)
    );
}

/// Who answers a message has got it.
pub async fn an_answer_proves_that_a_message_was_sent(bench: &Bench) {
    let unknown = bench.in_status(MessageStatus::Unknown).await;
    let answer = bench.answer(&unknown, ResponseKind::Confirmed, 4);
    assert_eq!(bench.take_in(answer).await, IncomingOutcome::Recorded);
    assert_eq!(bench.status(&unknown).await, MessageStatus::Sent);
    assert_eq!(bench.attempt(&unknown).await.outcome, Some(AttemptOutcome::Accepted));
}

/// What was in flight when the appointment was released is not sent again.
pub async fn a_released_appointment_is_not_claimed(bench: &Bench) {
    let sending = bench.sending().await;
    bench.take_in(bench.answer(&sending, ResponseKind::Cancelled, 4)).await;
    let returned = SettleVerdict::Returned { reason: ReturnReason::Throttled, not_before: bench.now };
    bench.must_settle(&sending, returned, MessageStatus::Queued).await;
    let again = Placed { attempt: bench.id(), ..sending };
    bench.assert_refused(&again, ClaimRefusal::Answered).await;
}

/// Nor is it planned again by a later packet, but under another time it is another appointment.
pub async fn a_released_appointment_is_not_planned(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    bench.take_in(bench.answer(&sent, ResponseKind::Cancelled, 4)).await;
    let packet = bench.loaded(2).await;
    let same = bench.message_at(packet, 1, sent.n, 3 * 24 * 60);
    let mut moved = bench.message_at(packet, 2, sent.n, 4 * 24 * 60);
    moved.message.appointment =
        moved.message.appointment.map(|it| Appointment { at: it.at + TimeDelta::days(7), ..it });
    let (same_id, moved_id) = (same.message.id, moved.message.id);
    let outcome = bench.plan(packet, 0, 2, vec![same, moved]).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
    let read = async |id| -> MessageRecord {
        bench.store.message(bench.company, packet, id).await.answered().expect("a message")
    };
    assert_eq!(read(same_id).await.state.detail, Some(Detail::Skip(SkipReason::Answered)));
    assert_eq!(read(moved_id).await.state.status, MessageStatus::Planned);
}

/// Who was ever to be contacted at a contact point, and where a person was.
pub async fn persons_and_contact_points_are_found(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let own = bench.message(packet, 1, 7);
    let mut sibling = bench.message(packet, 2, 8);
    sibling.message.contact = Some(sms(7));
    sibling.message.person = Some(person(9));
    bench.plan(packet, 0, 2, vec![own.clone(), sibling]).await;
    let mut expected = vec![own.message.person.expect("a person"), person(9)];
    expected.sort_unstable();
    let persons =
        async |contact: &ContactPoint| bench.store.persons_of(bench.company, contact).await.answered();
    assert_eq!(persons(&sms(7)).await, expected);
    assert_eq!(
        persons(&ContactPoint::Phone(number(7))).await,
        expected,
        "a text and a call reach the same people"
    );
    assert_eq!(persons(&email(7)).await, []);
    let contacts = bench.store.contact_points_of(bench.company, &person(9)).await.answered();
    assert_eq!(contacts, [ContactPoint::Sms(number(7))]);
}

/// Follow-ups to a contact point are counted from an instant on.
pub async fn follow_ups_are_counted(bench: &Bench) {
    let packet = bench.follow_up_packet().await;
    for _ in 0..3 {
        let mut record = bench.incoming(1);
        record.effect.follow_up = Some(bench.follow_up(packet, record.id, 1));
        assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    }
    let since = async |n, minutes| {
        bench.store.follow_ups_since(bench.company, &sms(n), bench.at(minutes)).await.answered()
    };
    assert_eq!((since(1, -10_000).await, since(1, 10_000).await, since(2, -10_000).await), (3, 0, 0));
}

/// A message whose first attempt is unknown to this day, and whose second is in work.
pub(super) async fn works_again(bench: &Bench) -> (Placed, Placed) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    (first, second)
}

/// The same, when the second was given back, and the message waits for its third.
async fn waits_again(bench: &Bench) -> (Placed, Placed) {
    let (first, second) = works_again(bench).await;
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.now };
    bench.must_settle(&second, returned, MessageStatus::Queued).await;
    (first, second)
}
