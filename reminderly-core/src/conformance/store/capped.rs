//! Short ways to plan messages with caps.

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good, undelivered};
use super::values::key;
use crate::domain::appointment::Appointment;
use crate::domain::attempt::ReturnReason;
use crate::domain::caps::Caps;
use crate::domain::disposition::AttemptReport;
use crate::domain::message::{PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::PacketStage;
use crate::domain::row::RowNumber;
use crate::domain::skip_reason::SkipReason;
use crate::domain::window::LegalInterval;
use crate::ids::PacketId;
use crate::ports::store::{
    ClaimOutcome, CloseVerdict, NewPacket, PlanBatch, PlanOutcome, SettleVerdict, SlotsOutcome, WriteOutcome,
};

pub(super) const DAY: i64 = 24 * 60;

pub(super) const fn a_day(limit: u32) -> Caps {
    Caps { per_day: NonZeroU32::new(limit), per_week: None }
}

pub(super) const fn a_week(limit: u32) -> Caps {
    Caps { per_day: None, per_week: NonZeroU32::new(limit) }
}

/// A message to the first person so many days from now, with an appointment of its own.
pub(super) fn about(bench: &Bench, packet: PacketId, row: u64, days: i64) -> PlannedMessage {
    for_person(bench, packet, row, 1, days)
}

/// The same to any person.
pub(super) fn for_person(bench: &Bench, packet: PacketId, row: u64, n: u64, days: i64) -> PlannedMessage {
    let mut planned = bench.message(packet, row, n);
    planned.message.key = key(10_000 + bench.serial());
    let at = bench.at(days * DAY - 60);
    let appointment = at + TimeDelta::days(2);
    planned.message.appointment = Some(Appointment::new(appointment.naive_utc(), chrono_tz::UTC));
    planned.verdict =
        PlanVerdict::Send { at, legal: LegalInterval { from: at, until: at + TimeDelta::days(2) } };
    planned
}

pub(super) fn later(bench: &Bench, minutes: i64) -> PlanVerdict {
    let legal = LegalInterval { from: bench.at(minutes), until: bench.at(minutes + 240) };
    PlanVerdict::Send { at: legal.from, legal }
}

pub(super) fn batch(
    bench: &Bench,
    caps: Caps,
    (after, through): (u64, u64),
    messages: Vec<PlannedMessage>,
) -> PlanBatch {
    PlanBatch {
        after: RowNumber(after),
        through: RowNumber(through),
        messages,
        appointments: Vec::new(),
        expected: Vec::new(),
        failed: Vec::new(),
        named: Vec::new(),
        caps,
        at: bench.now,
    }
}

/// Plans the messages of a loaded packet and lets them ask.
pub(super) async fn capped(
    bench: &Bench,
    packet: PacketId,
    caps: Caps,
    messages: Vec<PlannedMessage>,
) -> Vec<Placed> {
    let rows = messages.iter().filter_map(|planned| planned.message.origin.row()).max();
    let placed = messages.iter().map(|planned| bench.place(packet, planned, 1)).collect();
    let stored =
        bench.plan_batch(packet, batch(bench, caps, (0, rows.map_or(0, |row| row.0)), messages)).await;
    assert_eq!(stored, PlanOutcome::Stored { duplicates: 0 });
    take_all(bench, packet, 100).await;
    placed
}

pub(super) async fn take_all(bench: &Bench, packet: PacketId, limit: usize) {
    loop {
        match bench.store.take_slots(bench.company, packet, bench.now, limit).await.answered() {
            SlotsOutcome::Page { is_last: true, .. } => return,
            SlotsOutcome::Page { .. } => {}
            SlotsOutcome::Stale => panic!("it is loaded"),
        }
    }
}

/// Whether each is still planned.
pub(super) async fn planned(bench: &Bench, placed: &[Placed]) -> Vec<bool> {
    let mut all = Vec::with_capacity(placed.len());
    for placed in placed {
        let status = bench.status(placed).await;
        assert!(matches!(status, MessageStatus::Planned | MessageStatus::Skipped), "{status}");
        all.push(status == MessageStatus::Planned);
    }
    all
}

/// Whether a new campaign with these caps may contact the first person.
pub(super) async fn elsewhere(bench: &Bench, caps: Caps, days: i64) -> Vec<bool> {
    let campaign = bench.new_campaign(bench.id()).await.id;
    let packet = bench.create(NewPacket { campaign, ..bench.file(bench.serial() + 50) }).await;
    bench.raise(packet, PacketStage::Loaded).await;
    let mut message = about(bench, packet, 1, days);
    message.message.campaign = campaign;
    let placed = capped(bench, packet, caps, vec![message]).await;
    planned(bench, &placed).await
}

/// Whether one more packet of the campaign may contact a person. It holds nothing afterwards, if it asks for the first time and finds
/// no room; else it waits.
pub(super) async fn another(bench: &Bench, caps: Caps, n: u64, days: i64) -> bool {
    let packet = bench.loaded(1).await;
    let message = for_person(bench, packet, 1, n, days);
    let placed = capped(bench, packet, caps, vec![message]).await;
    planned(bench, &placed).await[0]
}

/// A message of a queued packet with caps whose copy is in the queue.
pub(super) async fn handed(bench: &Bench, n: u64, caps: Caps) -> Placed {
    let packet = bench.loaded(1).await;
    let message = for_person(bench, packet, 1, n, 0);
    let placed = Placed { n, ..capped(bench, packet, caps, vec![message]).await[0] };
    bench.raise(packet, PacketStage::Queued).await;
    assert_eq!(bench.hand_over(packet).await.due.len(), 1);
    placed
}

pub(super) async fn claim_at(bench: &Bench, placed: &Placed, now: DateTime<Utc>) -> ClaimOutcome {
    bench.claim_with(placed, &Bench::terms_at(now)).await
}

/// A message with a slot of today, brought into a status.
pub(super) async fn bring(bench: &Bench, n: u64, status: MessageStatus) -> Placed {
    use MessageStatus as S;
    let placed = handed(bench, n, a_day(1)).await;
    match status {
        S::Planned | S::Queued => return placed,
        S::Skipped => {
            let close = bench.close(&placed, CloseVerdict::Skipped(SkipReason::Unsubscribed)).await;
            assert_eq!(close, WriteOutcome::Applied);
            return placed;
        }
        S::Expired => {
            assert_eq!(bench.close(&placed, CloseVerdict::Expired).await, WriteOutcome::Applied);
            return placed;
        }
        S::Cancelled => {
            let done = bench.store.cancel_open(bench.company, placed.packet, bench.at(2), 9).await;
            assert_eq!(done.answered(), 1);
            return placed;
        }
        _ => {}
    }
    let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
    match status {
        S::Sent => bench.must_settle(&placed, accepted(), S::Sent).await,
        S::Failed => bench.must_settle(&placed, refused_for_good(), S::Failed).await,
        S::Unknown => bench.must_settle(&placed, ambiguous(), S::Unknown).await,
        S::Delivered => drop(bench.report(&placed, "D-1", AttemptReport::Delivered).await),
        S::Undelivered => drop(bench.report(&placed, "D-1", undelivered("30003")).await),
        _ => {
            let too_late = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.now };
            bench.must_settle(&placed, too_late, S::Queued).await;
        }
    }
    placed
}
