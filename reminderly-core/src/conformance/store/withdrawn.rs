//! What a packet said that was cancelled since.

use super::appointments::{come_back, in_flight};
use super::bench::{Bench, Placed};
use super::ledger::{Saying, saying};
use super::values::email;
use crate::domain::appointment_change::AppointmentChange;
use crate::domain::held_appointment::{RowPlace, Standing};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::row::RowNumber;
use crate::ports::store::{ClaimOutcome, ClaimRefusal, PlanOutcome, PlannedAppointment};

/// What a cancelled packet said counts as not said: earlier messages that come back go, and later files plan anew.
pub async fn a_cancelled_packet_speaks_for_nothing(bench: &Bench) {
    let first = in_flight(bench, 1).await;
    let (second, _) = bench.say(Saying { hour: 60, ..saying(1) }).await;
    come_back(bench, &first).await;
    bench.assert_refused(&first, ClaimRefusal::Superseded).await;
    bench.drain(second.packet, Draining::Cancelling).await;
    let held = bench.held(1).await;
    assert_eq!(held[0].standing, Standing::Cancelled);
    let again = Placed { attempt: bench.id(), ..first };
    assert!(matches!(
        bench.claim_with(&again, &Bench::terms_at(bench.at(1))).await,
        ClaimOutcome::Claimed(_)
    ));
    let change = bench.change_of(Saying { hour: 60, ..saying(1) }).await;
    assert_eq!(change, AppointmentChange::Amended(RowPlace { packet: second.packet, row: RowNumber(1) }));
}

/// Of three packets the last one is cancelled: the one before it still says something else than the first.
pub async fn what_was_said_before_a_cancelled_packet_holds(bench: &Bench) {
    for comes_back_before_the_third in [false, true] {
        let n = bench.serial() + 100;
        let first = in_flight(bench, n).await;
        let (second, _) = bench.say(Saying { hour: 60, ..saying(n) }).await;
        if comes_back_before_the_third {
            come_back(bench, &first).await;
        }
        let (third, _) = bench.say(Saying { hour: 61, ..saying(n) }).await;
        bench.drain(third.packet, Draining::Cancelling).await;
        if !comes_back_before_the_third {
            come_back(bench, &first).await;
        }
        bench.assert_refused(&first, ClaimRefusal::Superseded).await;
        bench.drain(second.packet, Draining::Cancelling).await;
        let again = Placed { attempt: bench.id(), ..first };
        let claim = bench.claim_with(&again, &Bench::terms_at(bench.at(1))).await;
        assert!(matches!(claim, ClaimOutcome::Claimed(_)), "nobody says anything else any more: {claim:?}");
    }
}

/// Of three packets the last one is cancelled: the one before it says the same as the first, whose message goes on.
pub async fn what_was_said_again_before_a_cancelled_packet_goes(bench: &Bench) {
    let first = in_flight(bench, 1).await;
    bench.say(Saying { digest: 2, ..saying(1) }).await;
    let (third, _) = bench.say(Saying { hour: 61, ..saying(1) }).await;
    come_back(bench, &first).await;
    bench.assert_refused(&first, ClaimRefusal::Superseded).await;
    bench.drain(third.packet, Draining::Cancelling).await;
    let again = Placed { attempt: bench.id(), ..first };
    let claim = bench.claim_with(&again, &Bench::terms_at(bench.at(1))).await;
    assert!(matches!(claim, ClaimOutcome::Claimed(_)), "nobody would be reminded: {claim:?}");
}

/// Rows of one packet that name the same appointment say nothing against each other.
pub async fn another_row_of_its_packet_withdraws_nothing(bench: &Bench) {
    let packet = bench.later_file().await;
    let (early, late) = (saying(1), Saying { hour: 72, digest: 2, ..saying(1) });
    let message = bench.message_of(packet, 1, early);
    let placed = bench.place(packet, &message, 1);
    let mut batch = bench.batch_of(packet, &[], early, vec![message]);
    let beside = bench.batch_of(packet, &[], late, Vec::new()).appointments.remove(0);
    batch.appointments.push(PlannedAppointment { row: RowNumber(2), ..beside });
    batch.through = RowNumber(2);
    assert_eq!(bench.plan_batch(packet, batch).await, PlanOutcome::Stored { duplicates: 0 });
    bench.raise(packet, PacketStage::Queued).await;
    bench.hand_over(packet).await;
    let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
    // The first row is replaced by one that goes elsewhere, which is cancelled then.
    let (amending, amended) = (bench.later_file().await, Saying { digest: 9, ..early });
    let mut elsewhere = bench.message_of(amending, 1, amended);
    elsewhere.message.contact = Some(email(1));
    let batch = bench.batch_of(amending, &bench.held(1).await, amended, vec![elsewhere]);
    assert_eq!(bench.plan_batch(amending, batch).await, PlanOutcome::Stored { duplicates: 0 });
    come_back(bench, &placed).await;
    bench.assert_refused(&placed, ClaimRefusal::Superseded).await;
    bench.drain(amending, Draining::Cancelling).await;
    let again = Placed { attempt: bench.id(), ..placed };
    let claim = bench.claim_with(&again, &Bench::terms_at(bench.at(1))).await;
    assert!(matches!(claim, ClaimOutcome::Claimed(_)), "{claim:?}");
}

/// That a cancelled packet named an appointment unchanged does not keep an older one from moving it.
pub async fn a_cancelled_packet_confirms_nothing(bench: &Bench) {
    let first = bench.say_first(saying(1)).await;
    let between = bench.later_file().await;
    let (last, _) = bench.say(saying(1)).await;
    let moved = Saying { hour: 60, ..saying(1) };
    let stale = bench.batch_of(between, &bench.held(1).await, moved, Vec::new());
    assert!(matches!(stale.appointments[0].change, AppointmentChange::Stale(_)));
    bench.drain(last.packet, Draining::Cancelling).await;
    let held = bench.held(1).await;
    let place = RowPlace { packet: first.packet, row: RowNumber(1) };
    assert_eq!((held[0].place, held[0].seen_in), (place, first.packet));
    let message = bench.message_of(between, 1, moved);
    let batch = bench.batch_of(between, &held, moved, vec![message]);
    assert_eq!(batch.appointments[0].change, AppointmentChange::Moved(place));
    assert_eq!(bench.plan_batch(between, stale).await, PlanOutcome::Overtaken, "it stands otherwise");
    assert_eq!(bench.plan_batch(between, batch).await, PlanOutcome::Stored { duplicates: 0 });
    assert_eq!(bench.status(&first).await, MessageStatus::Skipped);
}
