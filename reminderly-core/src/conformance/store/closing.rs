//! Snoozes, closes and cancellations.

use super::bench::{Answered as _, Bench, Placed};
use crate::domain::message::Detail;
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::skip_reason::SkipReason;
use crate::ids::PacketId;
use crate::ports::store::{Close, CloseVerdict, Snooze, SnoozeUntil, StoreError, WriteOutcome};

/// A planned or queued message is put back, and every other one is left alone.
pub async fn what_waits_is_snoozed(bench: &Bench) {
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        let before = bench.state(&placed).await;
        let outcome = snooze(bench, &placed, planned(bench, 30, 90)).await;
        let after = bench.state(&placed).await;
        if matches!(status, MessageStatus::Planned | MessageStatus::Queued) {
            assert_eq!((outcome, after.status), (WriteOutcome::Applied, status));
            assert_eq!((after.not_before, after.legal_until), (Some(bench.at(30)), Some(bench.at(90))));
            assert_eq!((after.copy_until, after.attempts, after.epoch), (None, 0, 0));
            assert_eq!(after.planned_at, before.planned_at, "the first plan is history");
        } else {
            assert_eq!((outcome, after), (WriteOutcome::Stale, before), "{status}");
        }
    }
}

/// Without a new plan, instant and interval stay.
pub async fn a_snooze_may_keep_the_plan(bench: &Bench) {
    let placed = bench.handed().await;
    let before = bench.state(&placed).await;
    assert_eq!(snooze(bench, &placed, SnoozeUntil::Unchanged).await, WriteOutcome::Applied);
    let after = bench.state(&placed).await;
    assert_eq!((after.not_before, after.legal_until), (before.not_before, before.legal_until));
    assert_eq!((after.status, after.copy_until), (MessageStatus::Queued, None));
    let history = bench.store.history(bench.company, placed.packet, placed.message).await.answered();
    let last = history.last().expect("a history");
    assert_eq!((last.event, &*last.reason), (MessageEvent::Snoozed, "the campaign is paused"));
}

/// A later instant alone leaves the interval as it is.
pub async fn a_snooze_may_keep_the_interval(bench: &Bench) {
    let placed = bench.handed().await;
    let before = bench.state(&placed).await;
    let later = SnoozeUntil::NotBefore(bench.at(30));
    assert_eq!(snooze(bench, &placed, later).await, WriteOutcome::Applied);
    let after = bench.state(&placed).await;
    assert_eq!((after.not_before, after.legal_until), (Some(bench.at(30)), before.legal_until));
}

/// A planned or queued message is skipped, and every other one is left alone.
pub async fn what_waits_is_skipped(bench: &Bench) {
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        let before = bench.state(&placed).await;
        let outcome = bench.close(&placed, CloseVerdict::Skipped(SkipReason::PastDue)).await;
        let after = bench.state(&placed).await;
        if matches!(status, MessageStatus::Planned | MessageStatus::Queued) {
            assert_eq!((outcome, after.status), (WriteOutcome::Applied, MessageStatus::Skipped));
            assert_eq!((after.detail, after.copy_until), (Some(Detail::Skip(SkipReason::PastDue)), None));
        } else {
            assert_eq!((outcome, after), (WriteOutcome::Stale, before), "{status}");
        }
    }
}

/// A queued message expires; a planned one is skipped instead, and every other one is left alone.
pub async fn what_was_queued_expires(bench: &Bench) {
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        let before = bench.state(&placed).await;
        let outcome = bench.close(&placed, CloseVerdict::Expired).await;
        let after = bench.state(&placed).await;
        if status == MessageStatus::Queued {
            assert_eq!((outcome, after.status), (WriteOutcome::Applied, MessageStatus::Expired));
            assert_eq!(after.copy_until, None);
        } else {
            assert_eq!((outcome, after), (WriteOutcome::Stale, before), "{status}");
        }
    }
}

/// A cancellation goes in steps, and fewer than asked for means that none is left.
pub async fn open_messages_are_cancelled_in_steps(bench: &Bench) {
    let placed = bench.queued(5).await;
    let packet = placed[0].packet;
    let terms = crate::ports::store::HandOver { limit: 2, ..bench.hand_over_terms() };
    bench.hand_over_with(packet, terms).await;
    let mut steps = Vec::new();
    for _ in 0..4 {
        steps.push(bench.store.cancel_open(bench.company, packet, bench.at(2), 2).await.answered());
    }
    assert_eq!(steps, [2, 2, 1, 0]);
    for placed in &placed {
        let state = bench.state(placed).await;
        assert_eq!((state.status, state.copy_until), (MessageStatus::Cancelled, None));
    }
}

/// What is in flight or closed is not cancelled.
pub async fn only_what_waits_is_cancelled(bench: &Bench) {
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        let done = bench.store.cancel_open(bench.company, placed.packet, bench.at(2), 10).await.answered();
        let waits = matches!(status, MessageStatus::Planned | MessageStatus::Queued);
        let expected = if waits { MessageStatus::Cancelled } else { status };
        assert_eq!((done, bench.status(&placed).await), (usize::from(waits), expected), "{status}");
    }
}

/// Unknown messages and messages of other packets are stale; neighbours are not.
pub async fn writes_are_answered_in_order(bench: &Bench) {
    let (one, other) = (bench.handed().await, bench.handed().await);
    let verdict = CloseVerdict::Expired;
    let close = |message| Close { message, verdict, at: bench.at(2) };
    let batch = [close(bench.id()), close(one.message), close(other.message), close(one.message)];
    let outcomes = bench.store.close(bench.company, one.packet, &batch).await.answered().into_vec();
    let (applied, stale) = (WriteOutcome::Applied, WriteOutcome::Stale);
    assert_eq!(outcomes, [stale, applied, stale, stale]);
    assert_eq!(bench.status(&other).await, MessageStatus::Queued);
}

/// A packet that does not exist says so.
pub async fn a_missing_packet_closes_nothing(bench: &Bench) {
    let (company, packet) = (bench.company, bench.id::<PacketId>());
    let snoozed = bench.store.snooze(company, packet, &[]).await;
    assert!(matches!(snoozed, Err(StoreError::Missing { .. })), "{snoozed:?}");
    let closed = bench.store.close(company, packet, &[]).await;
    assert!(matches!(closed, Err(StoreError::Missing { .. })), "{closed:?}");
    let cancelled = bench.store.cancel_open(company, packet, bench.now, 1).await;
    assert!(matches!(cancelled, Err(StoreError::Missing { .. })), "{cancelled:?}");
}

fn planned(bench: &Bench, not_before: i64, legal_until: i64) -> SnoozeUntil {
    SnoozeUntil::Planned { not_before: bench.at(not_before), legal_until: bench.at(legal_until) }
}

async fn snooze(bench: &Bench, placed: &Placed, until: SnoozeUntil) -> WriteOutcome {
    let reason = "the campaign is paused".into();
    let snooze = Snooze { message: placed.message, until, reason, at: bench.at(3) };
    let outcomes = bench.store.snooze(bench.company, placed.packet, &[snooze]).await.answered();
    outcomes.into_vec().remove(0)
}
