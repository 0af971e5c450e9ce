//! What a packet said that was cancelled since.

use super::bench::Bench;
use super::ledger::{Saying, saying};
use crate::domain::appointment_change::AppointmentChange;
use crate::domain::held_appointment::RowPlace;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::Draining;
use crate::domain::row::RowNumber;
use crate::ports::store::PlanOutcome;

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
