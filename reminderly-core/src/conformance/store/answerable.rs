//! What an incoming message may answer.

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous};
use super::values::{email, own_answer, person, sms};
use crate::domain::appointment::Appointment;
use crate::domain::contact_point::ContactPoint;
use crate::domain::disposition::AttemptReport;
use crate::domain::incoming::Answerable;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::PacketStage;
use crate::domain::person::PersonKey;
use crate::domain::response::ResponseKind;
use crate::ports::store::{HandOver, IncomingOutcome, SettleVerdict};

/// What went, or may have gone, is answerable.
pub async fn messages_that_may_have_arrived_are_answerable(bench: &Bench) {
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        let found = answerable(bench, placed.n, 0).await;
        let reached =
            matches!(status, MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Unknown);
        let expected: Vec<_> = reached.then_some(placed.message).into_iter().collect();
        assert_eq!(found.iter().map(|found| found.message).collect::<Vec<_>>(), expected, "{status}");
    }
}

/// All that a reply needs to know of a message.
pub async fn an_answerable_message_is_described(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    let expected = Answerable {
        member: None,
        message: placed.message,
        packet: placed.packet,
        campaign: bench.campaign,
        key: super::values::key(placed.n),
        person: person(placed.n),
        appointment: Some(Appointment::new(bench.at(48 * 60).naive_utc(), chrono_tz::UTC)),
        until: bench.at(48 * 60),
        status: MessageStatus::Sent,
        sent_at: bench.at(2),
        response: None,
        answer: None,
    };
    assert_eq!(answerable(bench, placed.n, 0).await, [expected]);
}

/// Nobody knows when it was sent: the claim stands for it.
pub async fn an_unknown_message_was_sent_when_it_was_claimed(bench: &Bench) {
    let placed = bench.sending().await;
    bench.must_settle(&placed, ambiguous(), MessageStatus::Unknown).await;
    bench.must_settle(&placed, SettleVerdict::GivenUp, MessageStatus::Unknown).await;
    let found = answerable(bench, placed.n, 0).await;
    assert_eq!(found.iter().map(|found| found.sent_at).collect::<Vec<_>>(), [bench.now]);
}

/// An appointment that has begun is over for answers.
pub async fn an_appointment_lies_ahead(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    assert_eq!(answerable(bench, placed.n, 48 * 60 - 1).await.len(), 1);
    assert_eq!(answerable(bench, placed.n, 48 * 60).await, []);
}

/// Of several messages about one appointment the latest that surely went is meant: an answer to it proves nothing about one of
/// which nobody knows.
pub async fn the_latest_message_of_an_appointment_is_answerable(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Sent).await;
    let packet = bench.loaded(1).await;
    let planned = bench.message_at(packet, 1, first.n, 13 * 60);
    let second = bench.place(packet, &planned, first.n);
    bench.queue(packet, vec![planned]).await;
    assert_eq!(answerable(bench, first.n, 0).await[0].message, first.message);
    let later = bench.at(13 * 60);
    bench.hand_over_with(packet, HandOver { now: later, ..bench.hand_over_terms() }).await;
    let claimed = bench.claim_with(&second, &Bench::terms_at(later)).await;
    assert!(matches!(claimed, crate::ports::store::ClaimOutcome::Claimed(_)));
    let second = Placed { epoch: 1, ..second };
    let meant = async || {
        let found = answerable(bench, first.n, 0).await;
        found.iter().map(|found| found.message).collect::<Vec<_>>()
    };
    bench.must_settle(&second, ambiguous(), MessageStatus::Unknown).await;
    assert_eq!(meant().await, [first.message]);
    bench.must_settle(&second, accepted(), MessageStatus::Sent).await;
    assert_eq!(meant().await, [second.message]);
}

/// Appointments and persons are told apart, and stand in the order of the appointments.
pub async fn answerable_messages_are_one_per_appointment_and_person(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let mut messages =
        vec![bench.message(packet, 1, 1), bench.message(packet, 2, 2), bench.message(packet, 3, 3)];
    for (planned, hours) in messages.iter_mut().zip([72, 24, 48]) {
        planned.message.contact = Some(sms(1));
        planned.message.appointment =
            Some(Appointment::new(bench.at(hours * 60).naive_utc(), chrono_tz::UTC));
    }
    // A sibling with an appointment of the same key.
    messages[2].message.key = messages[1].message.key.clone();
    messages[2].verdict = bench.message_at(packet, 3, 3, -13 * 60).verdict;
    let ids: Vec<_> = messages.iter().map(|planned| planned.message.id).collect();
    let placed: Vec<_> = messages.iter().map(|planned| bench.place(packet, planned, 1)).collect();
    bench.queue(packet, messages).await;
    bench.hand_over(packet).await;
    bench.hand_over_with(packet, HandOver { now: bench.at(-12 * 60), ..bench.hand_over_terms() }).await;
    for (placed, at) in placed.iter().zip([0, 0, -12 * 60]) {
        bench.hand_over_with(packet, HandOver { now: bench.at(at), ..bench.hand_over_terms() }).await;
        bench.claim_with(placed, &Bench::terms_at(bench.at(at))).await;
        bench.must_settle(&Placed { epoch: 1, ..*placed }, accepted(), MessageStatus::Sent).await;
    }
    let found: Vec<_> = answerable(bench, 1, 0).await.iter().map(|found| found.message).collect();
    assert_eq!(found, [ids[1], ids[2], ids[0]]);
}

/// What is answered stays answerable, with its answer: who confirmed may still cancel.
pub async fn an_answerable_message_shows_the_answer(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    let own = own_answer("positive");
    for (kind, minutes) in [(own, 3), (ResponseKind::Confirmed, 4), (ResponseKind::Cancelled, 5)] {
        assert_eq!(bench.take_in(bench.answer(&placed, kind, minutes)).await, IncomingOutcome::Recorded);
        let found = &answerable(bench, placed.n, 0).await[0];
        assert_eq!((found.response, found.answer), ((kind != own).then_some(kind), Some(kind)));
    }
}

/// A follow-up asks nothing.
pub async fn a_follow_up_is_not_answerable(bench: &Bench) {
    let packet = bench.follow_up_packet().await;
    bench.raise(packet, PacketStage::Queued).await;
    let mut record = bench.incoming(1);
    let follow_up = bench.follow_up(packet, record.id, 1);
    let placed = bench.place(packet, &follow_up, 1);
    record.effect.follow_up = Some(follow_up);
    bench.take_in(record).await;
    bench.hand_over(packet).await;
    bench.must_claim(&placed).await;
    bench.report(&placed, "D-1", AttemptReport::Delivered).await;
    assert_eq!(bench.status(&placed).await, MessageStatus::Delivered);
    assert_eq!(answerable(bench, 1, 0).await, []);
}

/// A message is answered where it went.
pub async fn a_message_is_answerable_from_its_contact_point(bench: &Bench) {
    let placed = bench.in_status(MessageStatus::Sent).await;
    for other in [sms(placed.n + 1), email(placed.n), ContactPoint::Phone(super::values::number(placed.n))] {
        assert_eq!(bench.store.answerable(bench.company, &other, bench.now).await.answered(), []);
    }
}

/// Every contact point to which a person was ever to be contacted, once, sent or not.
pub async fn contact_points_of_a_person_are_known(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let mut messages =
        vec![bench.message(packet, 1, 1), bench.e_mail(packet, 2, 1), bench.message(packet, 3, 2)];
    messages[1].verdict =
        crate::domain::message::PlanVerdict::Skip(crate::domain::skip_reason::SkipReason::Cap);
    bench.plan(packet, 0, 3, messages).await;
    let again = bench.loaded(1).await;
    bench.plan(again, 0, 1, vec![bench.message_at(again, 1, 1, 24 * 60)]).await;
    let mut found = contacts(bench, &person(1)).await;
    found.sort();
    assert_eq!(found, [sms(1), email(1)]);
    assert_eq!(contacts(bench, &person(2)).await, [sms(2)]);
    assert_eq!(contacts(bench, &person(3)).await, []);
}

async fn contacts(bench: &Bench, person: &PersonKey) -> Vec<ContactPoint> {
    bench.store.contact_points_of(bench.company, person).await.answered()
}

async fn answerable(bench: &Bench, from: u64, minutes: i64) -> Vec<Answerable> {
    bench.store.answerable(bench.company, &sms(from), bench.at(minutes)).await.answered()
}

/// The time to answer what is about no appointment begins when it is sent, however long it waited.
pub async fn what_is_about_no_appointment_is_answerable_for_a_while(bench: &Bench) {
    let (packet, n) = (bench.loaded(1).await, bench.serial());
    let mut planned = bench.message(packet, 1, n);
    planned.message.appointment = None;
    planned.message.created_at = bench.at(-80 * 60);
    let placed = bench.place(packet, &planned, n);
    bench.queue(packet, vec![planned]).await;
    bench.hand_over(packet).await;
    let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
    bench.must_settle(&placed, accepted(), MessageStatus::Sent).await;
    let sent_at = bench.state(&placed).await.sent_at.expect("sent");
    let minutes = (sent_at - bench.now).num_minutes() + 72 * 60;
    assert_eq!(answerable(bench, n, minutes - 1).await.len(), 1);
    assert_eq!(answerable(bench, n, minutes).await, []);
}

/// Whatever became of it: of all messages to a contact point the one that was claimed last.
pub async fn the_message_that_was_claimed_last_is_told(bench: &Bench) {
    let never = bench.handed().await;
    let told = async |n| bench.store.latest_attempted(bench.company, &sms(n)).await.answered();
    assert_eq!(told(never.n).await, None);
    for status in [MessageStatus::Sending, MessageStatus::Undelivered, MessageStatus::Failed] {
        let placed = bench.in_status(status).await;
        assert_eq!(told(placed.n).await, Some((placed.packet, placed.message)), "{status}");
    }
}
