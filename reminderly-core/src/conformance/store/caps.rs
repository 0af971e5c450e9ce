//! Caps: how often a person is contacted, by all campaigns of a company.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bench::{Answered as _, Bench, Placed};
use super::capped::{
    DAY, a_day, a_week, about, another, batch, bring, capped, claim_at, elsewhere, for_person, handed, later,
    planned, take_all,
};
use super::counters::assert_packet;
use super::ledger::{Saying, saying};
use super::sending::{accepted, ambiguous, refused_for_good};
use super::values::{key, person, sms};
use crate::domain::caps::Caps;
use crate::domain::disposition::AttemptReport;
use crate::domain::held_appointment::RowPlace;
use crate::domain::message::{Detail, LadderPlace, Origin, PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::row::RowNumber;
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, CloseVerdict, HandOver, PlanBatch, PlanOutcome, SettleVerdict, SlotsOutcome,
    Snooze, SnoozeUntil, StoreError, WriteOutcome,
};

/// A person has as many reminders a day as the campaign allows, whatever they are about.
pub async fn a_day_has_its_slots(bench: &Bench) {
    let packet = bench.loaded(4).await;
    let messages: Vec<_> = (1..=4).map(|row| about(bench, packet, row, 0)).collect();
    let placed = capped(bench, packet, a_day(3), messages).await;
    assert_eq!(planned(bench, &placed).await, [true, true, true, false], "the first of equals");
    let state = bench.state(&placed[3]).await;
    assert_eq!(state.detail, Some(Detail::Skip(SkipReason::Cap)));
    assert_packet(bench, packet).await;
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!((counts.open, counts.skipped.get(&SkipReason::Cap)), (3, Some(&1)));
    let history = bench.store.history(bench.company, packet, placed[3].message).await.answered();
    assert!(history[0].reason.contains("day"), "{}", history[0].reason);
    assert_eq!(elsewhere(bench, a_day(3), 1).await, [true], "the next day is free");
}

/// A day is one where the person is.
pub async fn a_day_is_the_persons(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let mut there = about(bench, packet, 2, 0);
    // 11:00 UTC is the next day there.
    there.message.contact_zone = chrono_tz::Pacific::Kiritimati;
    let placed = capped(bench, packet, a_day(1), vec![about(bench, packet, 1, 0), there]).await;
    assert_eq!(planned(bench, &placed).await, [true, true]);
    assert_eq!(elsewhere(bench, a_day(1), 1).await, [false]);
}

/// A week is any seven days in a row, across the ends of months.
pub async fn a_week_is_any_seven_days(bench: &Bench) {
    // Over every boundary between two days of a month and a half.
    for start in (0..45).step_by(15) {
        let n = bench.serial() + 500;
        let packet = bench.loaded(5).await;
        let days = [0, 3, 6, 7, 9];
        let messages =
            (1..).zip(days).map(|(row, day)| for_person(bench, packet, row, n, start + day)).collect();
        let placed = capped(bench, packet, a_week(2), messages).await;
        // 0 and 3 fill the first seven days; 7 shares a week with 3 only; 9 with 3 and 7.
        assert_eq!(planned(bench, &placed).await, [true, true, false, true, false], "{start}");
        let history = bench.store.history(bench.company, packet, placed[2].message).await.answered();
        assert!(history[0].reason.contains("week"), "{}", history[0].reason);
    }
}

/// Who is nearest to the appointment goes, whatever the order of rows and batches and the size of pages.
pub async fn the_nearest_to_their_appointments_have_slots(bench: &Bench) {
    for limit in [1, 2, 100] {
        let (packet, n) = (bench.loaded(4).await, bench.serial() + 500);
        let hours = [50, 30, 40, 20];
        let mut placed = Vec::new();
        for (row, hour) in (1..).zip(hours) {
            let mut message = for_person(bench, packet, row, n, 0);
            let appointment = Saying { hour, ..saying(n) }.appointment(bench);
            message.message.appointment = Some(appointment);
            placed.push(bench.place(packet, &message, n));
            let batch = batch(bench, a_day(2), (row - 1, row), vec![message]);
            assert_eq!(bench.plan_batch(packet, batch).await, PlanOutcome::Stored { duplicates: 0 });
        }
        take_all(bench, packet, limit).await;
        assert_eq!(planned(bench, &placed).await, [false, true, false, true], "pages of {limit}");
        assert_packet(bench, packet).await;
    }
}

/// Campaigns share the slots of a person; each looks at its own limit. One without limits neither takes nor needs any.
pub async fn campaigns_share_slots(bench: &Bench) {
    assert_eq!(elsewhere(bench, Caps::default(), 0).await, [true]);
    assert_eq!(elsewhere(bench, a_day(1), 0).await, [true], "the first took none");
    assert_eq!(elsewhere(bench, a_day(1), 0).await, [false]);
    assert_eq!(elsewhere(bench, a_day(2), 0).await, [true]);
    assert_eq!(elsewhere(bench, a_day(2), 0).await, [false]);
    assert_eq!(elsewhere(bench, a_week(2), 6).await, [false]);
    assert_eq!(elsewhere(bench, Caps::default(), 0).await, [true]);
}

/// Two persons behind one number have slots each, and one person behind two numbers has one's.
pub async fn slots_are_a_persons(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let mut sibling = about(bench, packet, 2, 0);
    sibling.message.person = Some(person(2));
    let mut other_number = about(bench, packet, 3, 0);
    other_number.message.contact = Some(sms(3));
    let messages = vec![about(bench, packet, 1, 0), sibling, other_number];
    let placed = capped(bench, packet, a_day(1), messages).await;
    assert_eq!(planned(bench, &placed).await, [true, true, false]);
}

/// A company's slots are its own, and so are its packets.
pub async fn slots_are_a_companys_own(bench: &Bench) {
    let other = bench.beside().await;
    assert_eq!(elsewhere(bench, a_day(1), 0).await, [true]);
    assert_eq!(elsewhere(&other, a_day(1), 0).await, [true]);
    let packet = bench.loaded(1).await;
    for (company, packet) in [(other.company, packet), (bench.company, bench.id())] {
        let outcome = bench.store.take_slots(company, packet, bench.now, 9).await;
        assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
    }
}

/// Slots are given while a packet is mapped.
pub async fn slots_are_for_loaded_packets(bench: &Bench) {
    for stage in PacketStage::ALL.into_iter().filter(|stage| *stage != PacketStage::Loaded) {
        let packet = bench.packet_in(stage).await;
        let outcome = bench.store.take_slots(bench.company, packet, bench.now, 9).await.answered();
        assert_eq!(outcome, SlotsOutcome::Stale, "{stage}");
    }
    let packet = bench.loaded(1).await;
    let last = SlotsOutcome::Page { capped: BTreeMap::new(), is_last: true };
    assert_eq!(bench.store.take_slots(bench.company, packet, bench.now, 9).await.answered(), last);
    bench.drain(packet, Draining::Cancelling).await;
    let outcome = bench.store.take_slots(bench.company, packet, bench.now, 9).await.answered();
    assert_eq!(outcome, SlotsOutcome::Stale);
}

/// Follow-ups and corrections take no slots; a rung takes one like any other, after the rung below, and does not jump if that has
/// none.
pub async fn rungs_take_slots_and_corrections_do_not(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let first = about(bench, packet, 1, 0);
    let above = rung_above(bench, &first, 0);
    let mut correction = about(bench, packet, 2, 0);
    let of = RowPlace { packet, row: RowNumber(1) };
    correction.message.origin = Origin::Correction { row: RowNumber(2), of };
    let placed = capped(bench, packet, a_day(2), vec![first, above, correction]).await;
    assert_eq!(planned(bench, &placed).await, [true, true, true]);
    assert_eq!(elsewhere(bench, a_day(2), 0).await, [false], "two rungs have two slots");
    // No room for the first, nor for the one above on that day, but for the last, which is for the next.
    let packet = bench.loaded(1).await;
    let first = about(bench, packet, 1, 0);
    let above = rung_above(bench, &first, 0);
    let last = rung_above(bench, &above, 1);
    let verdict = last.verdict;
    let placed = capped(bench, packet, a_day(1), vec![first, above, last]).await;
    assert_eq!(planned(bench, &placed).await, [false, false, true]);
    let PlanVerdict::Send { at, .. } = verdict else { panic!("it is planned") };
    assert_eq!(bench.state(&placed[2]).await.not_before, Some(at), "it keeps its instant");
}

/// A rung whose day only the rungs below it have taken stays planned: they may end unsent. Its claim decides.
pub async fn a_rung_may_have_the_day_of_one_below(bench: &Bench) {
    for (caps, others) in [(a_day(1), 0), (a_day(2), 1), (a_week(1), 0)] {
        for sent in [true, false] {
            let (packet, n) = (bench.loaded(1).await, bench.serial() + 500);
            for _ in 0..others {
                assert!(another(bench, caps, n, 0).await);
            }
            let first = for_person(bench, packet, 1, n, 0);
            let above = rung_above(bench, &first, 0);
            let last = rung_above(bench, &above, 0);
            let placed = capped(bench, packet, caps, vec![first, above, last]).await;
            assert_eq!(planned(bench, &placed).await, [true, true, true]);
            bench.raise(packet, PacketStage::Queued).await;
            bench.hand_over(packet).await;
            let first = Placed { epoch: bench.must_claim(&placed[0]).await.epoch, ..placed[0] };
            if sent {
                bench.must_settle(&first, accepted(), MessageStatus::Sent).await;
            } else {
                bench.must_settle(&first, refused_for_good(), MessageStatus::Failed).await;
            }
            let now = bench.at(90);
            let until = SnoozeUntil::Planned { not_before: now, legal_until: bench.at(240) };
            let again = Snooze { message: placed[1].message, until, reason: "again".into(), at: now };
            bench.store.snooze(bench.company, packet, &[again]).await.answered().into_vec();
            bench.hand_over_with(packet, HandOver { now, ..bench.hand_over_terms() }).await;
            if sent {
                let refused = ClaimOutcome::Refused(ClaimRefusal::NoSlot);
                assert_eq!(claim_at(bench, &placed[1], now).await, refused);
                continue;
            }
            assert!(matches!(claim_at(bench, &placed[1], now).await, ClaimOutcome::Claimed(_)));
            assert!(!another(bench, caps, n, 0).await, "the day is taken again");
        }
    }
}

/// A line that was busy did not ring: a call that is made again on another day counts on that one only. If it rang after all, it
/// counts on both.
pub async fn a_busy_call_gives_its_day_up(bench: &Bench) {
    for (report, late, stays) in [
        (AttemptReport::Busy, None, false),
        (AttemptReport::NoAnswer, None, true),
        (AttemptReport::Busy, Some(AttemptReport::NoAnswer), true),
        (AttemptReport::Busy, Some(AttemptReport::Sent), false),
    ] {
        let n = bench.serial() + 500;
        let first = handed(bench, n, a_day(1)).await;
        let first = Placed { epoch: bench.must_claim(&first).await.epoch, ..first };
        bench.report(&first, "D-1", report).await;
        let now = bench.at(DAY);
        let verdict = SettleVerdict::RedialPermitted { not_before: now, legal_until: bench.at(DAY + 240) };
        bench.must_settle(&first, verdict, MessageStatus::Queued).await;
        bench.hand_over_with(first.packet, HandOver { now, ..bench.hand_over_terms() }).await;
        let second = Placed { attempt: bench.id(), ..first };
        assert!(matches!(claim_at(bench, &second, now).await, ClaimOutcome::Claimed(_)));
        if let Some(late) = late {
            bench.report(&first, "D-2", late).await;
        }
        assert!(!another(bench, a_day(1), n, 1).await);
        assert_eq!(another(bench, a_day(1), n, 0).await, !stays);
    }
}

/// A message for the same person so many days from now, that goes when another one has brought nothing.
fn rung_above(bench: &Bench, below: &PlannedMessage, days: i64) -> PlannedMessage {
    let mut above = about(bench, below.message.packet, 1, days);
    above.message.person.clone_from(&below.message.person);
    if days == 0 {
        above.verdict = later(bench, 60);
    }
    above.message.ladder = Some(LadderPlace { below: below.message.id, wait: Duration::from_mins(30) });
    above
}

/// Whoever ends unsent frees the slot; whoever may have arrived keeps it.
pub async fn a_slot_is_free_when_its_holder_ends_unsent(bench: &Bench) {
    for status in MessageStatus::ALL {
        let n = bench.serial() + 500;
        bring(bench, n, status).await;
        assert_eq!(another(bench, a_day(1), n, 0).await, status.is_unsent(), "{status}");
    }
}

/// What is superseded frees its slots before the new messages ask.
pub async fn a_superseded_message_frees_its_slot(bench: &Bench) {
    let n = bench.serial() + 500;
    let mut latest = Vec::new();
    for hour in [48, 60] {
        let (packet, says) = (bench.later_file().await, Saying { hour, ..saying(n) });
        let message = bench.message_of(packet, 1, says);
        latest.push(bench.place(packet, &message, n));
        let held = bench.held(n).await;
        let batch = PlanBatch { caps: a_day(1), ..bench.batch_of(packet, &held, says, vec![message]) };
        assert_eq!(bench.plan_batch(packet, batch).await, PlanOutcome::Stored { duplicates: 0 });
        take_all(bench, packet, 100).await;
    }
    assert_eq!(planned(bench, &latest).await, [false, true]);
    let superseded = bench.state(&latest[0]).await.detail;
    assert_eq!(superseded, Some(Detail::Skip(SkipReason::Superseded)));
}

/// Evidence of a send takes the slot again, on the day of the attempt, even over the limit.
pub async fn a_slot_is_taken_again_by_a_late_truth(bench: &Bench) {
    let n = bench.serial() + 500;
    let failed = bring(bench, n, MessageStatus::Failed).await;
    assert!(another(bench, a_day(2), n, 0).await);
    bench.report(&failed, "late", AttemptReport::Delivered).await;
    assert!(!another(bench, a_day(2), n, 0).await, "one that waits and one that went");
    assert!(another(bench, a_day(3), n, 0).await);
}

/// A message that is claimed on another day than it was planned for has that day, and no more the first.
pub async fn a_claim_moves_the_slot(bench: &Bench) {
    let n = bench.serial() + 500;
    let placed = handed(bench, n, a_day(1)).await;
    let claimed = claim_at(bench, &placed, bench.at(DAY)).await;
    assert!(matches!(claimed, ClaimOutcome::Claimed(_)), "{claimed:?}");
    assert!(another(bench, a_day(1), n, 0).await, "the planned day is free");
    assert!(!another(bench, a_day(1), n, 1).await, "the next is not");
}

/// The week counts without the day that is given up.
pub async fn a_moved_slot_counts_once(bench: &Bench) {
    let n = bench.serial() + 500;
    let placed = handed(bench, n, a_week(1)).await;
    let claimed = claim_at(bench, &placed, bench.at(DAY)).await;
    assert!(matches!(claimed, ClaimOutcome::Claimed(_)), "{claimed:?}");
}

/// Without room on the day of the claim a message is not sent; and so for one that never asked.
pub async fn a_claim_needs_a_slot(bench: &Bench) {
    let n = bench.serial() + 500;
    let placed = handed(bench, n, a_day(1)).await;
    assert!(another(bench, a_day(1), n, 1).await);
    let refused = ClaimOutcome::Refused(ClaimRefusal::NoSlot);
    assert_eq!(claim_at(bench, &placed, bench.at(DAY)).await, refused);
    assert!(bench.attempts(&placed).await.is_empty(), "nothing was written");
    assert!(!another(bench, a_day(1), n, 0).await, "it still holds the planned day");
    assert_eq!(bench.close(&placed, CloseVerdict::Skipped(SkipReason::Cap)).await, WriteOutcome::Applied);
    assert!(another(bench, a_day(1), n, 0).await);
    assert_packet(bench, placed.packet).await;
    let packet = bench.loaded(1).await;
    let message = for_person(bench, packet, 1, n, 0);
    let unasked = bench.place(packet, &message, n);
    let stored = bench.plan_batch(packet, batch(bench, a_day(1), (0, 1), vec![message])).await;
    assert_eq!(stored, PlanOutcome::Stored { duplicates: 0 });
    bench.raise(packet, PacketStage::Queued).await;
    bench.hand_over(packet).await;
    assert_eq!(claim_at(bench, &unasked, bench.now).await, refused);
}

/// A day on which an attempt may have been accepted stays taken; one of which it is proven that nothing was, does not.
pub async fn a_day_of_an_uncertain_attempt_stays_taken(bench: &Bench) {
    for (verdict, stays) in [(SettleVerdict::ResendPermitted, true), (SettleVerdict::ProvenAbsent, false)] {
        let n = bench.serial() + 500;
        let placed = handed(bench, n, a_day(1)).await;
        let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
        bench.must_settle(&placed, ambiguous(), MessageStatus::Unknown).await;
        bench.must_settle(&placed, verdict, MessageStatus::Queued).await;
        let now = bench.at(DAY);
        bench.hand_over_with(placed.packet, HandOver { now, ..bench.hand_over_terms() }).await;
        let again = Placed { attempt: bench.id(), ..placed };
        assert!(matches!(claim_at(bench, &again, now).await, ClaimOutcome::Claimed(_)));
        assert_eq!(another(bench, a_day(1), n, 0).await, !stays);
        assert!(!another(bench, a_day(1), n, 1).await);
    }
}

/// Of two packets whose planners race, several each, one gets the last slot.
pub async fn planners_that_race_for_a_slot_have_one_winner(bench: &Bench) {
    let n = bench.serial() + 500;
    let mut placed = Vec::new();
    for row_key in [1, 2] {
        let packet = bench.loaded(1).await;
        let mut message = for_person(bench, packet, 1, n, 0);
        message.message.key = key(700 + row_key);
        placed.push(bench.place(packet, &message, n));
        let stored = bench.plan_batch(packet, batch(bench, a_day(1), (0, 1), vec![message])).await;
        assert_eq!(stored, PlanOutcome::Stored { duplicates: 0 });
    }
    let racers =
        (0..16).map(|racer| bench.store.take_slots(bench.company, placed[racer % 2].packet, bench.now, 1));
    let pages = futures::future::join_all(racers).await;
    let skipped = |page: Result<SlotsOutcome, StoreError>| match page.answered() {
        SlotsOutcome::Page { capped, .. } => capped.values().sum::<u64>(),
        SlotsOutcome::Stale => panic!("they are loaded"),
    };
    assert_eq!(pages.into_iter().map(skipped).sum::<u64>(), 1);
    let goes = planned(bench, &placed).await;
    assert_eq!(goes.iter().filter(|goes| **goes).count(), 1, "{goes:?}");
}
