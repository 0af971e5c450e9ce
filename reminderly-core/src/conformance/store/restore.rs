//! The fence after a restore.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good};
use crate::domain::attempt::ReturnReason;
use crate::domain::message::{Detail, LadderPlace, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::domain::skip_reason::SkipReason;
use crate::ids::PacketId;
use crate::ports::store::{
    ClaimRefusal, Close, CloseVerdict, FenceLift, HandOver, HandedOver, Raised, SettleVerdict, Snooze,
    SnoozeUntil, StoreError, WriteOutcome,
};

/// More than a case has.
const ALL: usize = 1_000;

/// One more with each restore, whoever repeats the call; its instant never goes back.
pub async fn the_restore_epoch_is_raised_by_one(bench: &Bench) {
    let before = last(bench).await;
    let at = bench.at(1).max(before.raised_at.unwrap_or(bench.now));
    let first = Restore { epoch: before.epoch.next(), raised_at: Some(at) };
    assert_eq!(raise(bench, before.epoch, at).await, Raised::Raised(first));
    assert_eq!(raise(bench, before.epoch, bench.at(9)).await, Raised::Conflict(first));
    assert_eq!(last(bench).await, first);
    let second = Restore { epoch: first.epoch.next(), raised_at: Some(at) };
    assert_eq!(raise(bench, first.epoch, bench.at(-90)).await, Raised::Raised(second));
    assert_eq!(last(bench).await, second);
}

/// Copies that are on their way are not claimed, and no new ones are made, whoever's they are.
pub async fn a_restore_fences_every_packet_at_once(bench: &Bench) {
    let other = bench.beside().await;
    for bench in [bench, &other] {
        bench.serial();
    }
    let (copied, waiting) = (bench.handed().await, other.queued(1).await[0]);
    let theirs = other.handed().await;
    restore(bench, 0).await;
    bench.assert_refused(&copied, ClaimRefusal::Fenced).await;
    other.assert_refused(&theirs, ClaimRefusal::Fenced).await;
    assert_eq!(other.hand_over(waiting.packet).await, HandedOver::default());
    let lost = HandOver { now: bench.at(30), copy_until: bench.at(40), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(copied.packet, lost).await, HandedOver::default());
    assert_eq!(bench.status(&copied).await, MessageStatus::Queued, "it waits");
    assert_eq!(other.status(&waiting).await, MessageStatus::Planned);
    bench.drain(copied.packet, Draining::Completing).await;
    bench.assert_refused(&copied, ClaimRefusal::Fenced).await;
}

/// A packet that is made after the restore has nothing to forget.
pub async fn a_packet_made_after_a_restore_is_not_fenced(bench: &Bench) {
    let restore = restore(bench, -90).await;
    let placed = bench.handed().await;
    assert_eq!(bench.packet(placed.packet).await.reconciled, restore.epoch);
    assert!(!fenced(bench, ALL).await.contains(&placed.packet));
    bench.must_claim(&placed).await;
}

/// All that is fenced and has not ended, in pages by id.
pub async fn fenced_packets_are_paged(bench: &Bench) {
    let mut open = Vec::new();
    for stage in [PacketStage::Prepared, PacketStage::Loaded, PacketStage::Queued, PacketStage::Failed] {
        open.push(bench.packet_in(stage).await);
    }
    for stage in [PacketStage::Complete, PacketStage::Cancelled] {
        bench.packet_in(stage).await;
    }
    assert!(fenced(bench, ALL).await.iter().all(|packet| !open.contains(packet)), "nothing was restored");
    restore(bench, 0).await;
    let new = bench.packet_in(PacketStage::Queued).await;
    open.sort_unstable();
    for limit in [1, 2, ALL] {
        assert_eq!(fenced(bench, limit).await, open, "{limit}");
    }
    assert!(!open.contains(&new));
}

/// What may have gone before the restore ends, in steps, also what was due at its very instant; what was to go later waits on.
pub async fn what_was_to_go_before_a_restore_is_closed(bench: &Bench) {
    let packet = bench.loaded(5).await;
    let minutes = [-30, -20, 0, 10, 20];
    let messages: Vec<_> =
        (1..).zip(minutes).map(|(n, minutes)| bench.message_at(packet, n, n, minutes)).collect();
    let placed: Vec<Placed> =
        (1..).zip(&messages).map(|(n, planned)| bench.place(packet, planned, n)).collect();
    bench.queue(packet, messages).await;
    let one = HandOver { limit: 1, now: bench.at(-5), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(packet, one).await.due.len(), 1);
    assert_eq!(expire(bench, packet, ALL).await, 0, "nothing was restored");
    restore(bench, 0).await;
    assert_eq!(expire(bench, packet, 2).await, 2);
    assert_eq!(expire(bench, packet, 2).await, 1);
    assert_eq!(expire(bench, packet, 2).await, 0);
    let past_due = Some(Detail::Skip(SkipReason::PastDue));
    let expected = [
        (MessageStatus::Expired, None),
        (MessageStatus::Skipped, past_due.clone()),
        (MessageStatus::Skipped, past_due),
        (MessageStatus::Planned, None),
        (MessageStatus::Planned, None),
    ];
    for (placed, expected) in placed.iter().zip(expected) {
        let state = bench.state(placed).await;
        assert_eq!((state.status, state.detail), expected);
        assert_eq!(state.copy_until, None);
    }
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!(counts, bench.store.recount_packet(bench.company, packet).await.answered());
    assert_eq!(counts.open, 2);
}

/// Whether they jumped before the restore, and went, nobody knows. Those of other ladders go on.
pub async fn the_rungs_above_what_a_restore_ends_end_with_it(bench: &Bench) {
    let (packet, n) = (bench.loaded(2).await, bench.serial());
    let (old, next) = (three_rungs(bench, packet, (1, n), -30), three_rungs(bench, packet, (2, n + 1), 10));
    let rungs = [&old, &next].map(|rungs| rungs.each_ref().map(|rung| bench.place(packet, rung, n)));
    bench.queue(packet, old.into_iter().chain(next).collect()).await;
    let below = HandOver { now: bench.at(-5), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(packet, below).await.due.len(), 1);
    restore(bench, 0).await;
    assert_eq!(expire(bench, packet, 1).await, 3, "one, and the two above it");
    assert_eq!(expire(bench, packet, 1).await, 0);
    let past_due = Some(Detail::Skip(SkipReason::PastDue));
    let [first, second, third] = &rungs[0];
    for (rung, status, detail) in [
        (first, MessageStatus::Expired, None),
        (second, MessageStatus::Skipped, past_due.clone()),
        (third, MessageStatus::Skipped, past_due),
    ] {
        let state = bench.state(rung).await;
        assert_eq!((state.status, state.detail, state.copy_until), (status, detail, None));
    }
    for rung in &rungs[1] {
        assert_eq!(bench.status(rung).await, MessageStatus::Planned);
    }
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!(counts, bench.store.recount_packet(bench.company, packet).await.answered());
    assert_eq!(counts.open, 3);
}

/// What proves that an attempt failed may have been known before the restore. An attempt after it is as any other.
pub async fn a_rung_does_not_jump_for_an_attempt_from_before_a_restore(bench: &Bench) {
    for (restored_at, expected) in [(-90, MessageStatus::Planned), (30, MessageStatus::Skipped)] {
        let (packet, n) = (bench.loaded(1).await, bench.serial());
        let rungs = three_rungs(bench, packet, (1, n), -30);
        let [first, second, third] = rungs.each_ref().map(|rung| bench.place(packet, rung, n));
        bench.queue(packet, rungs.into()).await;
        let below = HandOver { now: bench.at(-5), ..bench.hand_over_terms() };
        assert_eq!(bench.hand_over_with(packet, below).await.due.len(), 1);
        let first = Placed { epoch: bench.must_claim(&first).await.epoch, ..first };
        let later = bench.state(&second).await;
        let from = bench.packet(packet).await.reconciled;
        let to = restore(bench, restored_at).await.epoch;
        if expected == MessageStatus::Planned {
            assert_eq!(lift(bench, packet, from, to).await, FenceLift::Lifted);
        }
        bench.must_settle(&first, refused_for_good(), MessageStatus::Failed).await;
        for rung in [&second, &third] {
            assert_eq!(bench.status(rung).await, expected);
        }
        let jumped = bench.state(&second).await.not_before < later.not_before;
        assert_eq!(jumped, expected == MessageStatus::Planned);
    }
}

/// What the store knows of the rung below, that it was sent, is older than its end.
pub async fn a_rung_above_what_was_to_go_before_a_restore_ends(bench: &Bench) {
    let (packet, n) = (bench.loaded(1).await, bench.serial());
    let rungs = three_rungs(bench, packet, (1, n), -30);
    let [first, second, third] = rungs.each_ref().map(|rung| bench.place(packet, rung, n));
    bench.queue(packet, rungs.into()).await;
    let below = HandOver { now: bench.at(-5), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(packet, below).await.due.len(), 1);
    let first = Placed { epoch: bench.must_claim(&first).await.epoch, ..first };
    bench.must_settle(&first, accepted(), MessageStatus::Sent).await;
    let from = bench.packet(packet).await.reconciled;
    let to = restore(bench, 1).await.epoch;
    assert_eq!(lift(bench, packet, from, to).await, FenceLift::NotExpired);
    assert_eq!(expire(bench, packet, 1).await, 2, "one, and the one above it");
    assert_eq!(expire(bench, packet, 1).await, 0);
    for rung in [&second, &third] {
        assert_eq!(bench.status(rung).await, MessageStatus::Skipped);
    }
    assert_eq!(lift(bench, packet, from, to).await, FenceLift::Lifted);
}

/// A message that ends while its packet is fenced brings nothing forward past the restore.
pub async fn no_rung_jumps_in_a_fenced_packet(bench: &Bench) {
    let (packet, n) = (bench.loaded(1).await, bench.serial());
    let rungs = three_rungs(bench, packet, (1, n), -30);
    let [first, second, _] = rungs.each_ref().map(|rung| bench.place(packet, rung, n));
    bench.queue(packet, rungs.into()).await;
    let before = bench.state(&second).await;
    restore(bench, 1).await;
    let verdict = CloseVerdict::Skipped(SkipReason::PastDue);
    let close = Close { message: first.message, verdict, at: bench.at(1) };
    let closed = bench.store.close(bench.company, packet, &[close]).await.answered();
    assert_eq!(closed.into_vec(), [WriteOutcome::Applied]);
    assert_eq!(bench.state(&second).await, before);
    assert_eq!(expire(bench, packet, ALL).await, 2);
}

/// Three messages of a row for one person, the second and third an hour after the one below it.
fn three_rungs(bench: &Bench, packet: PacketId, (row, n): (u64, u64), minutes: i64) -> [PlannedMessage; 3] {
    let e_mail = || bench.e_mail(packet, row, n);
    let mut rungs = [bench.message(packet, row, n), e_mail(), e_mail()];
    let ids = rungs.each_ref().map(|rung| rung.message.id);
    for ((rung, later), below) in rungs.iter_mut().zip([0, 60, 120]).zip([None, Some(ids[0]), Some(ids[1])]) {
        rung.verdict = bench.message_at(packet, row, n, minutes + later).verdict;
        rung.message.ladder = below.map(|below| LadderPlace { below, wait: Duration::from_hours(1) });
    }
    // At another address.
    rungs[2].message.contact = bench.e_mail(packet, row, n + 1_000).message.contact;
    rungs
}

/// Claimed and unknown messages are for evidence to decide.
pub async fn a_restore_leaves_what_is_in_flight(bench: &Bench) {
    let (sending, unknown) = (bench.sending().await, bench.in_status(MessageStatus::Unknown).await);
    restore(bench, 30).await;
    for placed in [sending, unknown] {
        let before = bench.state(&placed).await;
        assert_eq!(expire(bench, placed.packet, ALL).await, 0);
        assert_eq!(bench.state(&placed).await, before);
    }
    bench.must_settle(&sending, accepted(), MessageStatus::Sent).await;
}

/// A fence is lifted once, packet by packet, and only when nothing is left of before.
pub async fn a_fence_is_lifted_packet_by_packet(bench: &Bench) {
    let (first, second) = (bench.handed().await, bench.handed().await);
    let later = bench.loaded(1).await;
    let planned = bench.message_at(later, 1, bench.serial(), 5);
    let waits = bench.place(later, &planned, 0);
    bench.queue(later, vec![planned]).await;
    let from = bench.packet(later).await.reconciled;
    let to = restore(bench, 0).await.epoch;
    assert_eq!(lift(bench, first.packet, from, to).await, FenceLift::NotExpired);
    for (wrong_from, wrong_to) in [(to, to), (from, to.next()), (from, from)] {
        assert_eq!(lift(bench, later, wrong_from, wrong_to).await, FenceLift::Stale);
    }
    assert_eq!(lift(bench, later, from, to).await, FenceLift::Lifted);
    assert_eq!(lift(bench, later, from, to).await, FenceLift::Stale);
    assert_eq!(bench.packet(later).await.reconciled, to);
    let due = HandOver { now: bench.at(5), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(later, due).await.due.len(), 1);
    let claimed = bench.claim_with(&waits, &Bench::terms_at(bench.at(5))).await;
    assert!(matches!(claimed, crate::ports::store::ClaimOutcome::Claimed(_)), "{claimed:?}");
    bench.assert_refused(&second, ClaimRefusal::Fenced).await;
    assert_eq!(expire(bench, first.packet, ALL).await, 1);
    assert_eq!(lift(bench, first.packet, from, to).await, FenceLift::Lifted);
    assert_eq!(bench.hand_over(first.packet).await, HandedOver::default(), "it has ended");
}

/// A restore of a store that was restored before fences what was released.
pub async fn another_restore_fences_again(bench: &Bench) {
    let packet = bench.loaded(1).await;
    let planned = bench.message_at(packet, 1, bench.serial(), 5);
    let placed = bench.place(packet, &planned, 0);
    bench.queue(packet, vec![planned]).await;
    let none = bench.packet(packet).await.reconciled;
    let first = restore(bench, 0).await.epoch;
    assert_eq!(lift(bench, packet, none, first).await, FenceLift::Lifted);
    let due = HandOver { now: bench.at(6), copy_until: bench.at(16), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(packet, due).await.due.len(), 1);
    let second = restore(bench, 6).await.epoch;
    assert_eq!(fenced(bench, ALL).await, [packet]);
    bench.assert_refused(&placed, ClaimRefusal::Fenced).await;
    assert_eq!(lift(bench, packet, none, second).await, FenceLift::Stale);
    assert_eq!(expire(bench, packet, ALL).await, 1);
    assert_eq!(lift(bench, packet, first, second).await, FenceLift::Lifted);
    assert_eq!(bench.status(&placed).await, MessageStatus::Expired);
}

/// What became of an attempt from before the restore never leads to another one: there may have been one that is forgotten.
pub async fn an_attempt_from_before_a_restore_queues_nothing(bench: &Bench) {
    let not_before = bench.at(30);
    let code = || "30001".to_owned();
    let claimed = [
        SettleVerdict::RefusedForNow { code: code(), not_before },
        SettleVerdict::Returned { reason: ReturnReason::Throttled, not_before },
    ];
    let unknown = [SettleVerdict::ProvenAbsent, SettleVerdict::ResendPermitted];
    let mut cases = Vec::new();
    for verdict in claimed {
        cases.push((bench.sending().await, verdict));
    }
    for verdict in unknown {
        cases.push((bench.in_status(MessageStatus::Unknown).await, verdict));
    }
    restore(bench, 1).await;
    for (placed, verdict) in cases {
        bench.must_settle(&placed, verdict, MessageStatus::Expired).await;
        assert_eq!(bench.state(&placed).await.copy_until, None);
        let counts = bench.store.packet_counts(bench.company, placed.packet).await.answered();
        assert_eq!(counts, bench.store.recount_packet(bench.company, placed.packet).await.answered());
        assert_eq!(counts.open, 0);
    }
    let new = bench.handed().await;
    let later = Bench::terms_at(bench.at(1));
    let claim = bench.claim_with(&new, &later).await;
    assert!(matches!(claim, crate::ports::store::ClaimOutcome::Claimed(_)), "{claim:?}");
    let new = Placed { epoch: 1, ..new };
    bench.must_settle(&new, ambiguous(), MessageStatus::Unknown).await;
    bench.must_settle(&new, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
}

/// A feeder that has judged a message before the restore brings it back to no new instant.
pub async fn a_fenced_message_is_not_planned_again(bench: &Bench) {
    let placed = bench.handed().await;
    restore(bench, 0).await;
    let snooze = |until| Snooze { message: placed.message, until, reason: "late".into(), at: bench.at(1) };
    let planned = SnoozeUntil::Planned { not_before: bench.at(30), legal_until: bench.at(60) };
    for (until, expected) in [(planned, WriteOutcome::Stale), (SnoozeUntil::Unchanged, WriteOutcome::Applied)]
    {
        let outcomes = bench.store.snooze(bench.company, placed.packet, &[snooze(until)]).await.answered();
        assert_eq!(outcomes.into_vec(), [expected]);
    }
    assert_eq!(bench.state(&placed).await.not_before, Some(bench.at(-60)));
    assert_eq!(expire(bench, placed.packet, ALL).await, 1);
}

/// A poller without a route, or with a sender that is asked to wait, makes nothing newer than the restore.
pub async fn a_fenced_message_is_put_off_to_no_later_instant(bench: &Bench) {
    let placed = bench.handed().await;
    restore(bench, 0).await;
    let until = SnoozeUntil::NotBefore(bench.at(30));
    let snooze = Snooze { message: placed.message, until, reason: "no route".into(), at: bench.at(1) };
    let outcomes = bench.store.snooze(bench.company, placed.packet, &[snooze]).await.answered();
    assert_eq!(outcomes.into_vec(), [WriteOutcome::Applied]);
    let state = bench.state(&placed).await;
    assert_eq!((state.not_before, state.copy_until), (Some(bench.at(-60)), None));
    assert_eq!(expire(bench, placed.packet, ALL).await, 1);
    assert_eq!(bench.status(&placed).await, MessageStatus::Expired);
}

/// A packet that does not exist, or is another company's, says so.
pub async fn a_missing_packet_is_not_released(bench: &Bench) {
    let placed = bench.handed().await;
    let from = bench.packet(placed.packet).await.reconciled;
    let to = restore(bench, 0).await.epoch;
    let other = bench.beside().await;
    for packet in [bench.id::<PacketId>(), placed.packet] {
        let expired = other.store.expire_before_restore(other.company, packet, bench.now, 1).await;
        assert!(matches!(expired, Err(StoreError::Missing { .. })), "{expired:?}");
        let lifted = other.store.lift_fence(other.company, packet, from, to).await;
        assert!(matches!(lifted, Err(StoreError::Missing { .. })), "{lifted:?}");
    }
    assert_eq!(bench.status(&placed).await, MessageStatus::Queued);
    bench.assert_refused(&placed, ClaimRefusal::Fenced).await;
}

async fn last(bench: &Bench) -> Restore {
    bench.store.restore_across_companies().await.answered()
}

async fn raise(bench: &Bench, expected: RestoreEpoch, at: DateTime<Utc>) -> Raised {
    bench.store.raise_restore_epoch_across_companies(expected, at).await.answered()
}

/// A restore so many minutes after the noon.
pub(super) async fn restore(bench: &Bench, minutes: i64) -> Restore {
    let before = last(bench).await;
    match raise(bench, before.epoch, bench.at(minutes)).await {
        Raised::Raised(restore) => restore,
        Raised::Conflict(restore) => panic!("another restore: {restore:?}"),
    }
}

pub(super) async fn expire(bench: &Bench, packet: PacketId, limit: usize) -> usize {
    bench.store.expire_before_restore(bench.company, packet, bench.at(2), limit).await.answered()
}

async fn lift(bench: &Bench, packet: PacketId, from: RestoreEpoch, to: RestoreEpoch) -> FenceLift {
    bench.store.lift_fence(bench.company, packet, from, to).await.answered()
}

/// The fenced packets of the company, read in pages.
async fn fenced(bench: &Bench, limit: usize) -> Vec<PacketId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = bench.store.fenced_packets_across_companies(after, limit).await.answered();
        assert!(page.items.len() <= limit);
        let own = page.items.iter().filter(|packet| packet.company == bench.company);
        found.extend(own.map(|packet| packet.id));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}
