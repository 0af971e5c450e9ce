//! Messages from people, and what follows from them.

use std::sync::Arc;

use super::bench::{Answered as _, Bench, Placed};
use super::sending::accepted;
use super::values::{email, number, own_answer, person, sms};
use crate::domain::appointment::Appointment;
use crate::domain::attempt::ProviderName;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{IncomingEffect, IncomingRecord, Question, QuestionOption};
use crate::domain::message::{Detail, PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::reply::ReplyKind;
use crate::domain::response::ResponseKind;
use crate::domain::skip_reason::SkipReason;
use crate::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use crate::ids::MessageId;
use crate::ports::store::{ClaimRefusal, IncomingOutcome, StoreError};

use IncomingOutcome::{Duplicate, FollowUpPacketClosed, Recorded, Stale};
use ResponseKind::{Cancelled, Confirmed, RescheduleWanted};

/// A message is stored as it came, with what it means.
pub async fn an_incoming_message_is_read_back(bench: &Bench) {
    let record = bench.incoming(1);
    assert_eq!(bench.take_in(record.clone()).await, Recorded);
    let all = bench.store.incoming(bench.company, None, 10).await.answered();
    assert_eq!((all.items, all.next), (vec![record], None));
}

/// The same event is the same message, whatever else it says.
pub async fn a_repeated_incoming_message_is_a_duplicate(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let first = bench.incoming(1);
    let mut again = bench.answer(&sent, Cancelled, 4);
    again.incoming.event = Arc::clone(&first.incoming.event);
    again.effect.needs_review = true;
    assert_eq!(bench.take_in(first.clone()).await, Recorded);
    assert_eq!(bench.take_in(again).await, Duplicate);
    assert_eq!(bench.state(&sent).await.response, None);
    let counts = bench.store.incoming_counts(bench.company).await.answered();
    assert_eq!((counts.total(), counts.needs_review), (1, 0));
    let mut other = bench.incoming(1);
    other.incoming.event = first.incoming.event;
    other.incoming.provider = ProviderName::from("another");
    assert_eq!(bench.take_in(other).await, Recorded, "event ids are a provider's own");
}

/// Counted by what they mean, and by whether a human should look.
pub async fn incoming_messages_are_counted(bench: &Bench) {
    let name = "positive".parse().expect("a name");
    let kinds = [
        ReplyKind::Confirm,
        ReplyKind::Cancel,
        ReplyKind::Cancel,
        ReplyKind::Unclear,
        ReplyKind::Answer(name),
    ];
    for (kind, needs_review) in kinds.into_iter().zip([false, true, false, true, false]) {
        let mut record = bench.incoming(1);
        record.classification.kind = kind;
        record.effect.needs_review = needs_review;
        assert_eq!(bench.take_in(record).await, Recorded);
    }
    let counts = bench.store.incoming_counts(bench.company).await.answered();
    assert_eq!((counts.confirm, counts.cancel, counts.unclear, counts.needs_review), (1, 2, 1, 2));
    assert_eq!((counts.answer, counts.total()), (1, 5));
}

/// Pages by id: full, full, rest.
pub async fn incoming_messages_are_paged(bench: &Bench) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        let record = bench.incoming(1);
        ids.push(record.id);
        bench.take_in(record).await;
    }
    ids.sort();
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = bench.store.incoming(bench.company, after, 2).await.answered();
        sizes.push(page.items.len());
        found.extend(page.items.iter().map(|record| record.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, sizes), (ids, vec![2, 2, 1]));
}

/// An answer is tied to its message, and counted.
pub async fn an_answer_is_tied_to_its_message(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let record = bench.answer(&sent, Confirmed, 4);
    let response = record.effect.responses[0].response;
    assert_eq!(bench.take_in(record).await, Recorded);
    let state = bench.state(&sent).await;
    assert_eq!((state.status, state.response), (MessageStatus::Sent, Some(response)));
    let counts = bench.store.packet_counts(bench.company, sent.packet).await.answered();
    assert_eq!(counts.responses.into_iter().collect::<Vec<_>>(), [(Confirmed, 1)]);
}

/// All pairs of answers to a message: the second is taken if it may follow, else nothing changes.
pub async fn an_answer_follows_what_it_may(bench: &Bench) {
    let own = [own_answer("positive"), own_answer("negative")];
    let kinds = || ResponseKind::ALL.into_iter().chain(own);
    for earlier in kinds() {
        for later in kinds() {
            let sent = bench.in_status(MessageStatus::Sent).await;
            assert_eq!(bench.take_in(bench.answer(&sent, earlier, 4)).await, Recorded);
            let before = bench.store.incoming_counts(bench.company).await.answered();
            let outcome = bench.take_in(bench.answer(&sent, later, 5)).await;
            let may = later.may_follow(Some(earlier));
            assert_eq!(outcome, if may { Recorded } else { Stale }, "{later} after {earlier}");
            let kind = bench.state(&sent).await.response.map(|response| response.kind);
            assert_eq!(kind, Some(if may { later } else { earlier }));
            let counts = bench.store.incoming_counts(bench.company).await.answered();
            assert_eq!(counts.total(), before.total() + u64::from(may));
        }
    }
}

/// An answer refused as stale may be taken in again with another effect.
pub async fn a_stale_answer_is_not_stored(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    bench.take_in(bench.answer(&sent, Cancelled, 4)).await;
    let mut record = bench.answer(&sent, Confirmed, 5);
    let key = RefusalKey::Number(number(sent.n));
    record.effect.unsubscribes = vec![bench.will(key.clone(), UnsubscribeChange::OptedOut, 5)];
    assert_eq!(bench.take_in(record.clone()).await, Stale);
    assert_eq!(bench.store.refused(bench.company, &[key]).await.answered(), [false]);
    record.effect = IncomingEffect { needs_review: true, ..IncomingEffect::default() };
    assert_eq!(bench.take_in(record).await, Recorded);
}

/// The appointment has one answer, whichever of its messages was answered, and by whichever method.
pub async fn an_answer_is_the_appointments(bench: &Bench) {
    let packet = bench.loaded(1).await;
    let (text, mail) = (bench.message(packet, 1, 1), bench.e_mail(packet, 1, 1));
    let (sms_placed, mail_placed) = (bench.place(packet, &text, 1), bench.place(packet, &mail, 1));
    bench.queue(packet, vec![text, mail]).await;
    assert_eq!(bench.take_in(bench.answer(&sms_placed, Cancelled, 4)).await, Recorded);
    let mut by_mail = bench.answer(&mail_placed, Confirmed, 5);
    by_mail.incoming.from = email(1);
    assert_eq!(bench.take_in(by_mail).await, Stale);
    assert_eq!(bench.state(&mail_placed).await.response, None);
}

/// A campaign's own answer is its message's: it neither waits for an answer about the appointment nor replaces one, so a
/// release still holds, and another message about the appointment can be given one of its own.
pub async fn a_campaigns_own_answer_is_the_messages(bench: &Bench) {
    let packet = bench.loaded(1).await;
    let (text, mail) = (bench.message(packet, 1, 1), bench.e_mail(packet, 1, 1));
    let (survey, reminder) = (bench.place(packet, &text, 1), bench.place(packet, &mail, 1));
    bench.queue(packet, vec![text, mail]).await;
    let (good, bad) = (own_answer("positive"), own_answer("negative"));
    let steps = [
        (&reminder, Cancelled, Recorded),
        (&survey, good, Recorded),
        (&survey, good, Stale),
        (&survey, bad, Recorded),
        (&reminder, good, Stale),
        (&survey, Confirmed, Stale),
    ];
    for (minutes, (placed, kind, outcome)) in (4..).zip(steps) {
        assert_eq!(bench.take_in(bench.answer(placed, kind, minutes)).await, outcome, "{kind}");
    }
    for (placed, kind) in [(&survey, bad), (&reminder, Cancelled)] {
        assert_eq!(bench.state(placed).await.response.map(|response| response.kind), Some(kind));
    }
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!(counts.responses.into_iter().collect::<Vec<_>>(), [(Cancelled, 1), (bad, 1)]);
    let later = bench.loaded(1).await;
    let again = bench.message_at(later, 1, 1, 24 * 60);
    let placed = bench.place(later, &again, 1);
    bench.queue(later, vec![again]).await;
    let state = bench.state(&placed).await;
    assert_eq!(
        (state.status, state.detail),
        (MessageStatus::Skipped, Some(Detail::Skip(SkipReason::Answered)))
    );
}

/// A call answers a text message: the number is the same, the contact point is not.
pub async fn an_answer_may_come_from_another_contact_point(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    for (kind, outcome) in [(Cancelled, Recorded), (Confirmed, Stale)] {
        let mut call = bench.answer(&sent, kind, 4);
        call.incoming.from = ContactPoint::Phone(number(sent.n));
        assert_eq!(bench.take_in(call).await, outcome, "{kind}");
    }
}

/// An answer to a message that does not exist is stale.
pub async fn an_answer_to_nothing_is_stale(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let nothing = Placed { message: bench.id::<MessageId>(), ..sent };
    assert_eq!(bench.take_in(bench.answer(&nothing, Confirmed, 4)).await, Stale);
    assert_eq!(bench.store.incoming_counts(bench.company).await.answered().total(), 0);
}

/// Who cancels or wants another time gets no further reminder of that appointment; who confirms does.
pub async fn an_answer_may_end_the_reminders(bench: &Bench) {
    for kind in [Confirmed, Cancelled, RescheduleWanted] {
        let sent = bench.in_status(MessageStatus::Sent).await;
        let packet = bench.loaded(2).await;
        let messages = vec![
            bench.message_at(packet, 1, sent.n, 24 * 60),
            bench.e_mail(packet, 1, sent.n),
            about_another_appointment(bench.message(packet, 2, sent.n)),
            for_another_person(bench.message_at(packet, 2, sent.n, 40 * 60)),
        ];
        let placed: Vec<_> = messages.iter().map(|planned| bench.place(packet, planned, 1)).collect();
        bench.queue(packet, messages).await;
        let in_flight = bench.hand_over(packet).await.due.len();
        assert_eq!(in_flight, 2, "the e-mail is queued, the first text message is planned");
        assert_eq!(bench.take_in(bench.answer(&sent, kind, 4)).await, Recorded);
        let mut states = Vec::new();
        for placed in &placed {
            states.push(bench.state(placed).await);
        }
        for state in &states[..2] {
            let ended = state.status == MessageStatus::Skipped;
            assert_eq!(ended, kind.ends_reminders(), "{kind}");
            assert_eq!(ended, state.detail == Some(Detail::Skip(SkipReason::Answered)));
        }
        assert_eq!((states[2].status, states[3].status), (MessageStatus::Queued, MessageStatus::Planned));
        assert_eq!(bench.status(&sent).await, MessageStatus::Sent);
    }
}

/// Reminders of another campaign go on.
pub async fn an_answer_ends_the_reminders_of_its_campaign_only(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let campaign = bench.new_campaign(bench.id()).await.id;
    let new = crate::ports::store::NewPacket { campaign, ..bench.file(90) };
    let packet = bench.create(new).await;
    bench.raise(packet, PacketStage::Loaded).await;
    let mut planned = bench.message_at(packet, 1, sent.n, 24 * 60);
    planned.message.campaign = campaign;
    let placed = bench.place(packet, &planned, sent.n);
    bench.queue(packet, vec![planned]).await;
    assert_eq!(bench.take_in(bench.answer(&sent, Cancelled, 4)).await, Recorded);
    assert_eq!(bench.status(&placed).await, MessageStatus::Planned);
}

/// What is being sent is not called back.
pub async fn an_answer_leaves_what_is_in_flight(bench: &Bench) {
    let sending = bench.sending().await;
    assert_eq!(bench.take_in(bench.answer(&sending, Cancelled, 4)).await, Recorded);
    assert_eq!(bench.status(&sending).await, MessageStatus::Sending);
    bench.must_settle(&sending, accepted(), MessageStatus::Sent).await;
}

/// An opt-out in a message holds from the moment it is acknowledged.
pub async fn an_opt_out_comes_with_its_message(bench: &Bench) {
    let placed = bench.handed().await;
    let key = RefusalKey::Number(number(placed.n));
    let mut record = bench.incoming(placed.n);
    let event = bench.will(key.clone(), UnsubscribeChange::OptedOut, 4);
    record.effect.unsubscribes = vec![event.clone()];
    assert_eq!(bench.take_in(record).await, Recorded);
    bench.assert_refused(&placed, ClaimRefusal::Unsubscribed).await;
    assert_eq!(bench.store.unsubscribe_events(bench.company, &key).await.answered(), [event]);
}

/// A follow-up becomes a message of the follow-up packet.
pub async fn a_follow_up_is_planned(bench: &Bench) {
    for stage in [PacketStage::Mapped, PacketStage::Queued] {
        let sent = bench.in_status(MessageStatus::Sent).await;
        let packet = bench.follow_up_packet().await;
        bench.raise(packet, stage).await;
        let record = with_follow_up(bench, bench.answer(&sent, Cancelled, 4), packet, sent.n);
        let follow_up = record.effect.follow_up.clone().expect("a follow-up");
        let placed = bench.place(packet, &follow_up, sent.n);
        assert_eq!(bench.take_in(record).await, Recorded);
        assert_eq!(bench.status(&placed).await, MessageStatus::Planned, "it is no reminder");
        let counts = bench.store.packet_counts(bench.company, packet).await.answered();
        assert_eq!((counts.planned, counts.open, counts.rows.planned), (1, 1, 0));
        if stage == PacketStage::Queued {
            assert_eq!(bench.hand_over(packet).await.due.len(), 1);
            bench.must_claim(&placed).await;
        }
        bench.raise(packet, PacketStage::Cancelled).await;
    }
}

/// Follow-ups have no natural key: two on one day are two.
pub async fn follow_ups_are_no_duplicates(bench: &Bench) {
    let packet = bench.follow_up_packet().await;
    for _ in 0..2 {
        let record = with_follow_up(bench, bench.incoming(1), packet, 1);
        assert_eq!(bench.take_in(record).await, Recorded);
    }
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!(counts.in_status(MessageStatus::Planned), 2);
}

/// A follow-up that cannot go is stored as skipped.
pub async fn a_follow_up_without_a_way_is_skipped(bench: &Bench) {
    let packet = bench.follow_up_packet().await;
    let mut record = with_follow_up(bench, bench.incoming(1), packet, 1);
    let follow_up = record.effect.follow_up.as_mut().expect("a follow-up");
    follow_up.verdict = PlanVerdict::Skip(SkipReason::NoContactPoint);
    follow_up.message.contact = None;
    follow_up.message.person = None;
    let id = follow_up.message.id;
    assert_eq!(bench.take_in(record).await, Recorded);
    let found = bench.store.message(bench.company, packet, id).await.answered().expect("a message");
    assert_eq!(found.state.detail, Some(Detail::Skip(SkipReason::NoContactPoint)));
}

/// A packet that takes no messages refuses the whole fact.
pub async fn a_closed_follow_up_packet_changes_nothing(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let packet = bench.follow_up_packet().await;
    let record = with_follow_up(bench, bench.answer(&sent, Cancelled, 4), packet, sent.n);
    bench.raise(packet, PacketStage::Queued).await;
    bench.drain(packet, Draining::Completing).await;
    assert_eq!(bench.take_in(record.clone()).await, FollowUpPacketClosed);
    bench.raise(packet, PacketStage::Complete).await;
    assert_eq!(bench.take_in(record.clone()).await, FollowUpPacketClosed);
    assert_eq!(bench.state(&sent).await.response, None);
    assert_eq!(bench.store.incoming_counts(bench.company).await.answered().total(), 0);
    let another = bench.follow_up_packet().await;
    let again = with_follow_up(bench, record, another, sent.n);
    assert_eq!(bench.take_in(again).await, Recorded, "another packet and the same message");
}

/// A question is open for its sender until its end, or until the next message.
pub async fn a_question_is_open_until_it_is_not(bench: &Bench) {
    let asked = ask(bench, 1, 60);
    let question = asked.effect.question.clone();
    assert_eq!(bench.take_in(asked).await, Recorded);
    let open = async |n, minutes| {
        bench.store.open_question(bench.company, &sms(n), bench.at(minutes)).await.answered()
    };
    assert_eq!(open(1, 10).await, question);
    assert_eq!(open(2, 10).await, None, "it is the sender's");
    let last = bench.at(60) - chrono::TimeDelta::milliseconds(1);
    assert_eq!(bench.store.open_question(bench.company, &sms(1), last).await.answered(), question);
    assert_eq!(open(1, 60).await, None, "it has expired");
    let replaced = ask(bench, 1, 90);
    let question = replaced.effect.question.clone();
    bench.take_in(replaced).await;
    assert_eq!(open(1, 60).await, question);
    bench.take_in(bench.incoming(2)).await;
    assert_eq!(open(1, 10).await, question, "somebody else's message");
    bench.take_in(bench.incoming(1)).await;
    assert_eq!(open(1, 10).await, None, "it was answered or overtaken");
}

/// Without a company there is nobody to write to.
pub async fn an_incoming_message_needs_its_company(bench: &Bench) {
    let outcome = bench.store.record_incoming(bench.id(), bench.incoming(1)).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

fn with_follow_up(
    bench: &Bench,
    mut record: IncomingRecord,
    packet: crate::ids::PacketId,
    n: u64,
) -> IncomingRecord {
    record.effect.follow_up = Some(bench.follow_up(packet, record.id, n));
    record
}

fn ask(bench: &Bench, from: u64, minutes: i64) -> IncomingRecord {
    let mut record = bench.incoming(from);
    let option = |n| QuestionOption::One { key: super::values::key(n), person: person(n) };
    let options = vec![option(1), option(2)];
    let (packet, message) = (bench.id(), bench.id());
    let expires_at = bench.at(minutes);
    record.effect.question =
        Some(Question { incoming: record.id, kind: Confirmed, options, packet, message, expires_at });
    record
}

fn about_another_appointment(mut planned: PlannedMessage) -> PlannedMessage {
    planned.message.key = super::values::key(999);
    planned.message.appointment =
        planned.message.appointment.map(|it| Appointment::new(it.local, chrono_tz::UTC));
    planned
}

fn for_another_person(mut planned: PlannedMessage) -> PlannedMessage {
    planned.message.person = Some(person(999));
    planned
}
