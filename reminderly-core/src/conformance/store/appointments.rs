//! The ledger of appointments: who speaks for them, and what dies when somebody else does.

use super::bench::{Answered as _, Bench, Placed};
use super::ledger::{Saying, saying};
use super::sending::{accepted, ambiguous, refused_for_good};
use super::values::{email, key, number, sms};
use crate::domain::attempt::ReturnReason;
use crate::domain::held_appointment::{RowPlace, Standing};
use crate::domain::message::Detail;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::PacketStage;
use crate::domain::response::ResponseKind;
use crate::domain::row::RowNumber;
use crate::domain::skip_reason::SkipReason;
use crate::domain::unsubscribe::RefusalKey;
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, CloseVerdict, IncomingOutcome, PlanOutcome, PlannedAppointment,
    SettleVerdict, WriteOutcome,
};

const STORED: PlanOutcome = PlanOutcome::Stored { duplicates: 0 };

/// The row of the first packet speaks for its appointment, and for no other.
pub async fn a_row_speaks_for_its_appointment(bench: &Bench) {
    let first = bench.say_first(saying(1)).await;
    let keys = [key(2), key(1), key(3)];
    let held = bench.store.appointments(bench.company, bench.campaign, &keys).await.answered();
    assert_eq!(held.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 0]);
    let row = &held[1][0];
    assert_eq!(row.place, place(&first));
    assert_eq!((row.fingerprint, row.appointment), (saying(1).fingerprint(), saying(1).appointment(bench)));
    assert_eq!((row.seen_in, row.standing), (first.packet, Standing::Live));
    assert_eq!(row.told, []);
    let other = bench.new_campaign(bench.id()).await.id;
    let held = bench.store.appointments(bench.company, other, &keys).await.answered();
    assert!(held.iter().all(Vec::is_empty), "appointments are a campaign's own");
    assert!(bench.store.appointments(bench.company, bench.campaign, &[]).await.answered().is_empty());
}

/// Who says the same changes nothing, and is remembered to have said it.
pub async fn an_unchanged_row_keeps_its_messages(bench: &Bench) {
    let first = bench.say_first(saying(1)).await;
    let (second, outcome) = bench.say(saying(1)).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 }, "the natural key is still the first's");
    assert_eq!(bench.status(&first).await, MessageStatus::Planned);
    let held = bench.held(1).await;
    assert_eq!((held.len(), held[0].place, held[0].seen_in), (1, place(&first), second.packet));
}

/// Another time: what waits in the earlier packet ends, its key is free before the new messages ask for it, and all counters
/// close.
pub async fn a_moved_appointment_supersedes_what_waits(bench: &Bench) {
    for status in [MessageStatus::Planned, MessageStatus::Queued] {
        let n = bench.serial() + 100;
        let first = bench.say_first(saying(n)).await;
        if status == MessageStatus::Queued {
            assert_eq!(bench.hand_over(first.packet).await.due.len(), 1);
        }
        let (second, outcome) = bench.say(Saying { hour: 60, ..saying(n) }).await;
        assert_eq!(outcome, STORED, "the same contact point on the same day");
        let state = bench.state(&first).await;
        assert_eq!(state.status, MessageStatus::Skipped);
        assert_eq!(state.detail, Some(Detail::Skip(SkipReason::Superseded)));
        assert_eq!(state.copy_until, None);
        let history = bench.store.history(bench.company, first.packet, first.message).await.answered();
        let reason = &history.last().expect("it was skipped").reason;
        assert!(reason.contains(&second.packet.to_string()), "{reason}");
        let held = bench.held(n).await;
        assert_eq!((held.len(), held[0].place), (1, place(&second)));
        for packet in [first.packet, second.packet] {
            super::counters::assert_packet(bench, packet).await;
        }
        let counts = bench.store.packet_counts(bench.company, first.packet).await.answered();
        assert_eq!(counts.open, 0, "the earlier packet can end");
    }
}

/// The copy that a queue still holds claims nothing.
pub async fn a_superseded_copy_claims_nothing(bench: &Bench) {
    let first = bench.say_first(saying(1)).await;
    bench.hand_over(first.packet).await;
    bench.say(Saying { hour: 60, ..saying(1) }).await;
    bench.assert_refused(&first, ClaimRefusal::NotQueued(MessageStatus::Skipped)).await;
}

/// What is in flight when the appointment moves, and comes back unsent, dies at the next claim.
pub async fn what_comes_back_superseded_is_refused(bench: &Bench) {
    let first = in_flight(bench, 1).await;
    bench.say(Saying { hour: 60, ..saying(1) }).await;
    come_back(bench, &first).await;
    bench.assert_refused(&first, ClaimRefusal::Superseded).await;
    let close = bench.close(&first, CloseVerdict::Skipped(SkipReason::Superseded)).await;
    assert_eq!(close, WriteOutcome::Applied);
    super::counters::assert_packet(bench, first.packet).await;
}

/// What is in flight to the same contact point for the same time holds the natural key of its day, so nothing else is planned
/// for it: it goes on.
pub async fn what_comes_back_with_the_right_time_goes_on(bench: &Bench) {
    let first = in_flight(bench, 1).await;
    let (_, outcome) = bench.say(Saying { digest: 2, ..saying(1) }).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 });
    come_back(bench, &first).await;
    let again = Placed { attempt: bench.id(), ..first };
    assert!(matches!(
        bench.claim_with(&again, &Bench::terms_at(bench.at(1))).await,
        ClaimOutcome::Claimed(_)
    ));
    // A third file moves the appointment: now it is stale.
    let third = in_flight(bench, 2).await;
    bench.say(Saying { digest: 2, ..saying(2) }).await;
    bench.say(Saying { hour: 60, ..saying(2) }).await;
    come_back(bench, &third).await;
    bench.assert_refused(&third, ClaimRefusal::Superseded).await;
    // One that had come back before waits, and so ends with its successor.
    let fourth = in_flight(bench, 3).await;
    bench.say(Saying { digest: 2, ..saying(3) }).await;
    come_back(bench, &fourth).await;
    bench.say(Saying { hour: 60, ..saying(3) }).await;
    assert_eq!(bench.status(&fourth).await, MessageStatus::Skipped);
}

/// What is in flight to a contact point that the new row does not have is not carried on.
pub async fn what_comes_back_to_another_contact_point_is_refused(bench: &Bench) {
    let first = in_flight(bench, 1).await;
    let packet = bench.later_file().await;
    let says = Saying { digest: 2, ..saying(1) };
    let mut message = bench.message_of(packet, 1, says);
    message.message.contact = Some(sms(77));
    let batch = bench.batch_of(packet, &bench.held(1).await, says, vec![message]);
    assert_eq!(bench.plan_batch(packet, batch).await, STORED);
    come_back(bench, &first).await;
    bench.assert_refused(&first, ClaimRefusal::Superseded).await;
}

/// Everything that may have been accepted was told: at this time, to this contact point.
pub async fn who_may_have_been_told_is_remembered(bench: &Bench) {
    use MessageStatus as S;
    for (n, status) in (1..).zip(MessageStatus::ALL) {
        let placed = bring(bench, n, status).await;
        let told = bench.held(n).await[0].told.clone();
        let expected = matches!(status, S::Sending | S::Sent | S::Delivered | S::Undelivered | S::Unknown);
        assert_eq!(told.len(), usize::from(expected), "{status}");
        for told in told {
            let attempt = bench.attempt(&placed).await;
            assert_eq!((told.contact, told.at), (sms(n), attempt.claimed_at));
            assert_eq!(told.appointment, saying(n).appointment(bench));
        }
    }
    let resent = bring(bench, 50, S::Unknown).await;
    bench.must_settle(&resent, SettleVerdict::ResendPermitted, S::Queued).await;
    assert_eq!(bench.held(50).await[0].told.len(), 1, "nobody knows about the first attempt");
    let absent = bring(bench, 51, S::Unknown).await;
    bench.must_settle(&absent, SettleVerdict::ProvenAbsent, S::Queued).await;
    assert_eq!(bench.held(51).await[0].told, [], "it is proven that nobody was told");
}

/// Who was told and not corrected yet still believes it, however often the appointment moves.
pub async fn what_was_told_outlives_the_row(bench: &Bench) {
    let first = bring(bench, 1, MessageStatus::Sent).await;
    for hour in [60, 70] {
        bench.say(Saying { hour, ..saying(1) }).await;
        let told = bench.held(1).await[0].told.clone();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].appointment, saying(1).appointment(bench));
    }
    let says = Saying { hour: 80, ..saying(1) };
    let packet = bench.later_file().await;
    let correction = bench.correction(packet, &first, says);
    let last = bench.place(packet, &correction, 1);
    let batch = bench.batch_of(packet, &bench.held(1).await, says, vec![correction]);
    assert_eq!(bench.plan_batch(packet, batch).await, STORED);
    bench.raise(packet, PacketStage::Queued).await;
    bench.hand_over(packet).await;
    bench.must_claim(&last).await;
    let told = bench.held(1).await[0].told.clone();
    assert_eq!(told.len(), 1, "the latest counts");
    assert_eq!(told[0].appointment, says.appointment(bench));
}

/// A correction is exempt from the natural key; it counts with its row, and it can be answered.
pub async fn a_correction_is_no_duplicate(bench: &Bench) {
    let first = bring(bench, 1, MessageStatus::Sent).await;
    let says = Saying { hour: 60, ..saying(1) };
    let packet = bench.later_file().await;
    let correction = bench.correction(packet, &first, says);
    let message = bench.message_of(packet, 1, says);
    let placed = bench.place(packet, &correction, 1);
    let batch = bench.batch_of(packet, &bench.held(1).await, says, vec![correction, message]);
    let outcome = bench.plan_batch(packet, batch).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 }, "the day of the others is taken");
    bench.raise(packet, PacketStage::Queued).await;
    super::counters::assert_packet(bench, packet).await;
    let rows = bench.packet(packet).await.rows;
    assert_eq!((rows.planned, rows.skipped), (1, 0));
    bench.hand_over(packet).await;
    let claimed = bench.must_claim(&placed).await;
    let placed = Placed { epoch: claimed.epoch, ..placed };
    bench.must_settle(&placed, accepted(), MessageStatus::Sent).await;
    let answerable = bench.store.answerable(bench.company, &sms(1), bench.now).await.answered();
    assert_eq!(answerable.len(), 1);
    assert_eq!(answerable[0].appointment, Some(says.appointment(bench)), "an answer means the latest");
}

/// A correction of an appointment that the person has released is not sent.
pub async fn a_correction_of_a_released_appointment_is_skipped(bench: &Bench) {
    let first = bring(bench, 1, MessageStatus::Sent).await;
    let answer = bench.answer(&first, ResponseKind::Cancelled, 4);
    assert_eq!(bench.take_in(answer).await, IncomingOutcome::Recorded);
    let says = Saying { digest: 2, ..saying(1) };
    let packet = bench.later_file().await;
    let correction = bench.correction(packet, &first, says);
    let placed = bench.place(packet, &correction, 1);
    let batch = bench.batch_of(packet, &bench.held(1).await, says, vec![correction]);
    assert_eq!(bench.plan_batch(packet, batch).await, STORED);
    assert_eq!(bench.state(&placed).await.detail, Some(Detail::Skip(SkipReason::Answered)));
}

/// A batch that was decided on something else changes nothing at all.
pub async fn an_overtaken_batch_changes_nothing(bench: &Bench) {
    let says = Saying { hour: 60, ..saying(1) };
    let late = bench.later_file().await;
    let unaware = bench.batch_of(late, &[], says, vec![bench.message_of(late, 1, says)]);
    let first = bench.say_first(saying(1)).await;
    assert_eq!(bench.plan_batch(late, unaware).await, PlanOutcome::Overtaken, "somebody was first");
    let second = bench.later_file().await;
    let aware = bench.batch_of(second, &bench.held(1).await, says, vec![bench.message_of(second, 1, says)]);
    bench.hand_over(first.packet).await;
    bench.must_claim(&first).await;
    assert_eq!(bench.plan_batch(second, aware.clone()).await, PlanOutcome::Overtaken, "more were told");
    for packet in [late, second] {
        assert_eq!(bench.packet(packet).await.mapped_through, RowNumber(0));
        assert!(bench.store.messages(bench.company, packet, None, 9).await.answered().items.is_empty());
    }
    assert_eq!(bench.held(1).await[0].place, place(&first));
    let anew = bench.batch_of(second, &bench.held(1).await, says, vec![bench.message_of(second, 1, says)]);
    assert!(matches!(bench.plan_batch(second, anew).await, PlanOutcome::Stored { .. }));
    let repeated = bench.batch_of(second, &bench.held(1).await, says, Vec::new());
    assert_eq!(bench.plan_batch(second, repeated).await, PlanOutcome::Stale, "it stands elsewhere");
}

/// Nor does one that plans what is held without having looked it up, whatever it knows of others.
pub async fn what_is_held_must_have_been_looked_up(bench: &Bench) {
    let [first, _] = [bench.say_first(saying(1)).await, bench.say_first(saying(2)).await];
    let packet = bench.later_file().await;
    let mut batch = bench.batch_of(packet, &bench.held(1).await, saying(1), Vec::new());
    let unaware = bench.batch_of(packet, &[], saying(2), Vec::new()).appointments.remove(0);
    batch.appointments.push(PlannedAppointment { row: RowNumber(2), ..unaware });
    batch.through = RowNumber(2);
    assert_eq!(bench.plan_batch(packet, batch).await, PlanOutcome::Overtaken);
    assert_eq!(bench.held(1).await[0].seen_in, first.packet);
}

/// Who says the same does not mind who has been told meanwhile.
pub async fn an_unchanged_row_is_not_overtaken_by_sending(bench: &Bench) {
    let first = bench.say_first(saying(1)).await;
    let packet = bench.later_file().await;
    let batch = bench.batch_of(packet, &bench.held(1).await, saying(1), Vec::new());
    bench.hand_over(first.packet).await;
    bench.must_claim(&first).await;
    assert_eq!(bench.plan_batch(packet, batch).await, STORED);
}

/// Of planners that race for one appointment one stores; the others are told, and decide anew.
pub async fn planners_that_race_have_one_winner(bench: &Bench) {
    bench.say_first(saying(1)).await;
    let held = bench.held(1).await;
    let mut batches = Vec::new();
    for hour in 60..76 {
        let (packet, says) = (bench.later_file().await, Saying { hour, ..saying(1) });
        let messages = vec![bench.message_of(packet, 1, says)];
        batches.push((packet, bench.batch_of(packet, &held, says, messages)));
    }
    let plans = batches.into_iter().map(|(packet, batch)| bench.plan_batch(packet, batch));
    let outcomes = futures::future::join_all(plans).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == STORED).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == PlanOutcome::Overtaken).count(), 15);
    assert_eq!(bench.held(1).await.len(), 1);
}

/// What ended unsent for a reason that may pass is planned again by whoever says the same.
pub async fn a_row_lapses_with_what_may_pass(bench: &Bench) {
    let refused = bench.say_first(saying(1)).await;
    bench.opt_out(RefusalKey::Number(number(1))).await;
    let close = bench.close(&refused, CloseVerdict::Skipped(SkipReason::Unsubscribed)).await;
    assert_eq!(close, WriteOutcome::Applied);
    bring(bench, 2, MessageStatus::Failed).await;
    let expired = bench.say_first(saying(3)).await;
    bench.hand_over(expired.packet).await;
    assert_eq!(bench.close(&expired, CloseVerdict::Expired).await, WriteOutcome::Applied);
    let standing = async |n| bench.held(n).await[0].standing;
    assert_eq!((standing(1).await, standing(2).await), (Standing::Lapsed, Standing::Lapsed));
    assert_eq!(standing(3).await, Standing::Live, "what came too late comes too late again");
}

/// A file may name a key more than once; each row speaks for itself, and may be replaced by itself.
pub async fn rows_of_one_key_stand_side_by_side(bench: &Bench) {
    let packet = bench.later_file().await;
    let (early, late) = (saying(1), Saying { hour: 72, digest: 2, ..saying(1) });
    let mut by_mail = bench.message_of(packet, 2, late);
    by_mail.message.contact = Some(email(1));
    let messages = vec![bench.message_of(packet, 1, early), by_mail];
    let placed: Vec<Placed> = messages.iter().map(|message| bench.place(packet, message, 1)).collect();
    let mut batch = bench.batch_of(packet, &[], early, messages);
    let mut second = bench.batch_of(packet, &[], late, Vec::new()).appointments.remove(0);
    second.row = RowNumber(2);
    // A row without messages, before the others.
    let mut silent = bench.batch_of(packet, &[], saying(9), Vec::new()).appointments.remove(0);
    silent.row = RowNumber(0);
    batch.appointments.insert(0, silent);
    batch.appointments.push(second);
    batch.through = RowNumber(2);
    assert_eq!(bench.plan_batch(packet, batch).await, STORED);
    assert_eq!(bench.held(1).await.len(), 2);
    bench.say(Saying { digest: 9, ..late }).await;
    assert_eq!(bench.status(&placed[0]).await, MessageStatus::Planned);
    assert_eq!(bench.status(&placed[1]).await, MessageStatus::Skipped);
    assert_eq!(bench.held(1).await.len(), 2);
}

/// What no packet has compared, such as what is sent on demand, is nobody's to supersede.
pub async fn messages_without_an_appointment_in_the_ledger_go(bench: &Bench) {
    bench.say_first(saying(1)).await;
    let packet = bench.later_file().await;
    let mut on_demand = bench.message_of(packet, 1, saying(1));
    on_demand.message.contact = Some(sms(55));
    let placed = bench.place(packet, &on_demand, 1);
    bench.queue(packet, vec![on_demand]).await;
    bench.hand_over(packet).await;
    bench.must_claim(&placed).await;
}

fn place(placed: &Placed) -> RowPlace {
    RowPlace { packet: placed.packet, row: RowNumber(1) }
}

/// A message of its own packet that is being sent.
pub(super) async fn in_flight(bench: &Bench, n: u64) -> Placed {
    bring(bench, n, MessageStatus::Sending).await
}

/// Gives a message back without an attempt, and hands it over again.
pub(super) async fn come_back(bench: &Bench, placed: &Placed) {
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.now };
    bench.must_settle(placed, returned, MessageStatus::Queued).await;
    let handed = bench.hand_over(placed.packet).await;
    assert!(handed.due.iter().any(|due| due.id == placed.message));
}

/// A message whose row speaks for an appointment, brought into a status.
async fn bring(bench: &Bench, n: u64, status: MessageStatus) -> Placed {
    use MessageStatus as S;
    let placed = bench.say_first(saying(n)).await;
    match status {
        S::Planned => {}
        S::Skipped => {
            let _ = bench.close(&placed, CloseVerdict::Skipped(SkipReason::PastDue)).await;
        }
        S::Cancelled => {
            bench.store.cancel_open(bench.company, placed.packet, bench.at(2), 10).await.answered();
        }
        _ => drop(bench.hand_over(placed.packet).await),
    }
    if matches!(status, S::Planned | S::Skipped | S::Cancelled | S::Queued) {
        return placed;
    }
    if status == S::Expired {
        let _ = bench.close(&placed, CloseVerdict::Expired).await;
        return placed;
    }
    let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
    match status {
        S::Sent => bench.must_settle(&placed, accepted(), S::Sent).await,
        S::Failed => bench.must_settle(&placed, refused_for_good(), S::Failed).await,
        S::Unknown => bench.must_settle(&placed, ambiguous(), S::Unknown).await,
        S::Delivered => {
            bench.report(&placed, "D-1", crate::domain::disposition::AttemptReport::Delivered).await;
        }
        S::Undelivered => drop(bench.report(&placed, "D-1", super::sending::undelivered("30003")).await),
        _ => {}
    }
    assert_eq!(bench.status(&placed).await, status);
    placed
}
