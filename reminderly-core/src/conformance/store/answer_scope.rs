//! Which messages an answer ends.

use std::time::Duration;

use super::bench::{Bench, Placed};
use super::ledger::{Saying, saying};
use super::sending::accepted;
use super::values::own_answer;
use crate::domain::message::{Detail, LadderPlace, Origin, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::PacketStage;
use crate::domain::response::ResponseKind;
use crate::domain::row::RowNumber;
use crate::domain::skip_reason::SkipReason;
use crate::ids::PacketId;
use crate::ports::store::{IncomingOutcome, PlanOutcome};

/// Who was told a time that has changed since speaks of that one: what waits about the new one goes, the correction first.
pub async fn an_answer_about_a_moved_appointment_leaves_the_new_one(bench: &Bench) {
    for (n, kind) in (1..).zip(ResponseKind::ALL) {
        let told = sent(bench, &bench.say_first(saying(n)).await).await;
        let moved = Saying { hour: 60, ..saying(n) };
        let packet = bench.later_file().await;
        let mut rung = bench.e_mail(packet, 1, n);
        rung.message.appointment = Some(moved.appointment(bench));
        let mut messages = vec![bench.correction(packet, &told, moved), next_day(bench, packet, moved), rung];
        messages[2].message.ladder = Some(place_above(&messages[1]));
        let placed: Vec<_> = messages.iter().map(|planned| bench.place(packet, planned, n)).collect();
        let batch = bench.batch_of(packet, &bench.held(n).await, moved, messages);
        assert_eq!(bench.plan_batch(packet, batch).await, PlanOutcome::Stored { duplicates: 0 });
        bench.raise(packet, PacketStage::Queued).await;
        assert_eq!(bench.take_in(bench.answer(&told, kind, 4)).await, IncomingOutcome::Recorded);
        for placed in &placed {
            assert_eq!(bench.state(placed).await.detail, None, "{kind}");
            assert_eq!(bench.status(placed).await, MessageStatus::Planned, "{kind}");
        }
    }
}

/// A key may name two appointments of a person at once; each has answers of its own.
pub async fn appointments_of_one_key_are_answered_apart(bench: &Bench) {
    let (packet, n) = (bench.loaded(2).await, bench.serial());
    let first = bench.message_of(packet, 1, saying(n));
    let other = Saying { hour: 72, ..saying(n) };
    let mut later = bench.message_at(packet, 2, n, 24 * 60);
    later.message.appointment = Some(other.appointment(bench));
    let (first_placed, later_placed) = (bench.place(packet, &first, n), bench.place(packet, &later, n));
    bench.queue(packet, vec![first, later]).await;
    let told = sent(bench, &first_placed).await;
    assert_eq!(
        bench.take_in(bench.answer(&told, ResponseKind::Cancelled, 4)).await,
        IncomingOutcome::Recorded
    );
    assert_eq!(bench.status(&later_placed).await, MessageStatus::Planned);
}

/// A campaign's own answer ends the rungs above the message that it is tied to, however many. Other rungs about the appointment
/// go, those of the next entry and those below.
pub async fn a_campaigns_own_answer_ends_the_rungs_above_its_message(bench: &Bench) {
    let (packet, n) = (bench.loaded(1).await, bench.serial());
    let entry = |entry, minutes| {
        let mut rungs = vec![
            bench.message_at(packet, 1, n, minutes),
            bench.e_mail(packet, 1, n),
            bench.phone_call(packet, 1, n),
        ];
        for rung in &mut rungs {
            rung.message.origin = Origin::Row { row: RowNumber(1), entry };
        }
        let verdict = rungs[0].verdict;
        for rung in &mut rungs {
            rung.verdict = verdict;
        }
        for above in 1..rungs.len() {
            rungs[above].message.ladder = Some(place_above(&rungs[above - 1]));
        }
        rungs
    };
    let messages = [entry(0, -60), entry(1, 24 * 60)].concat();
    let placed: Vec<_> = messages.iter().map(|planned| bench.place(packet, planned, n)).collect();
    bench.queue(packet, messages).await;
    let told = sent(bench, &placed[0]).await;
    let answer = bench.answer(&told, own_answer("positive"), 4);
    assert_eq!(bench.take_in(answer).await, IncomingOutcome::Recorded);
    for (position, placed) in placed.iter().enumerate().skip(1) {
        let above = position < 3;
        let detail = above.then_some(Detail::Skip(SkipReason::Answered));
        assert_eq!(bench.state(placed).await.detail, detail, "message {position}");
    }
    let answer = bench.answer(&placed[4], own_answer("positive"), 4);
    assert_eq!(bench.take_in(answer).await, IncomingOutcome::Recorded);
    assert_eq!(bench.status(&placed[3]).await, MessageStatus::Planned, "the rung below");
    assert_eq!(bench.status(&placed[4]).await, MessageStatus::Planned, "the message itself");
    assert_eq!(bench.status(&placed[5]).await, MessageStatus::Skipped, "the rung above");
}

fn place_above(below: &PlannedMessage) -> LadderPlace {
    LadderPlace { below: below.message.id, wait: Duration::from_hours(1) }
}

/// A reminder for the next day.
fn next_day(bench: &Bench, packet: PacketId, says: Saying) -> PlannedMessage {
    let mut planned = bench.message_at(packet, 1, says.n, 24 * 60);
    planned.message.appointment = Some(says.appointment(bench));
    planned
}

async fn sent(bench: &Bench, placed: &Placed) -> Placed {
    bench.hand_over(placed.packet).await;
    let placed = Placed { epoch: bench.must_claim(placed).await.epoch, ..*placed };
    bench.must_settle(&placed, accepted(), MessageStatus::Sent).await;
    placed
}
