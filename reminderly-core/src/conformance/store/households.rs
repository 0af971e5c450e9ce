//! Messages that stand for those of several appointments.

use super::bench::{Answered as _, Bench, Placed};
use super::counters::assert_packet;
use super::family::{ALL, Family, alone, child, row_of, together};
use super::ledger::Saying;
use super::sending::{accepted, ambiguous, refused_for_good, undelivered};
use super::values::{person, row, sms};
use crate::domain::appointment::Appointment;
use crate::domain::attempt::ReturnReason;
use crate::domain::caps::Caps;
use crate::domain::household::{HOUSEHOLD_MAX, Membership};
use crate::domain::message::{Detail, LadderPlace, Origin, PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::response::ResponseKind;
use crate::domain::skip_reason::SkipReason;
use crate::domain::unsubscribe::RefusalKey;
use crate::ids::MessageId;
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, CloseVerdict, HandOver, IncomingOutcome, PlanOutcome, SettleOutcome,
    SettleVerdict, StoreError, WriteOutcome,
};

use MessageStatus::{Cancelled, Expired, Failed, Planned, Queued, Sending, Sent, Skipped, Unknown};

/// Planned reminders of one entry and language, to one contact point on one day, about appointments of one day, with their rows,
/// in the order of the appointments; in pages.
pub async fn what_one_message_may_tell_is_found(bench: &Bench) {
    let packet = bench.loaded(12).await;
    let n = bench.serial() + 1_000;
    let of = |position: u64, change: &dyn Fn(&mut PlannedMessage)| {
        let mut planned = alone(bench, packet, n, position, 60);
        planned.message.appointment = Some(child(n, 0).appointment(bench));
        change(&mut planned);
        planned
    };
    let later = |hours: i64| Some(Appointment::new(bench.at((48 + hours) * 60).naive_utc(), chrono_tz::UTC));
    let other_number = |planned: &mut PlannedMessage| planned.message.contact = Some(sms(n + 500));
    let messages = vec![
        of(0, &|planned| planned.message.appointment = later(2)),
        of(1, &|_| {}),
        of(2, &|planned| planned.message.appointment = later(13)),
        of(3, &|planned| planned.verdict = alone(bench, packet, n, 3, 60 + 24 * 60).verdict),
        of(4, &|planned| planned.message.language = "es".parse().ok()),
        of(5, &|planned| planned.message.origin = Origin::Row { row: row_of(5), entry: 1 }),
        of(6, &|planned| {
            planned.message.ladder = Some(LadderPlace { below: bench.id(), wait: std::time::Duration::ZERO });
        }),
        of(7, &|planned| planned.verdict = PlanVerdict::Skip(SkipReason::Duplicate)),
        of(8, &|planned| planned.message.contact_zone = chrono_tz::Pacific::Kiritimati),
        of(9, &other_number),
        of(10, &other_number),
        of(11, &|planned| planned.message.appointment = None),
    ];
    bench.plan_children(packet, Caps::default(), &messages).await;
    let named = |position: usize| messages[position].message.id;
    for limit in [1, ALL] {
        let mut found: Vec<Vec<MessageId>> = Vec::new();
        for members in bench.candidates(packet, limit).await {
            for member in &members {
                let number = member.record.message.origin.row().expect("a row");
                assert_eq!(member.row, row(number.0));
            }
            found.push(members.iter().map(|member| member.record.message.id).collect());
        }
        found.sort_unstable();
        let mut expected = vec![vec![named(1), named(0)], vec![named(9), named(10)]];
        expected.sort_unstable();
        assert_eq!(found, expected, "pages of {limit}");
    }
    let other = bench.beside().await;
    let page = other.store.household_candidates(other.company, packet, None, ALL).await.answered();
    assert!(page.items.is_empty(), "another company's");
}

/// A contact point with more appointments than a question could offer is no household's.
pub async fn a_household_is_not_an_institution(bench: &Bench) {
    for (size, households) in [(HOUSEHOLD_MAX, 1), (HOUSEHOLD_MAX + 1, 0)] {
        let count = u64::try_from(size).expect("few");
        let (packet, n) = (bench.loaded(count).await, 2_000 + 100 * bench.serial());
        let messages: Vec<_> = (0..count).map(|position| alone(bench, packet, n, position, 60)).collect();
        bench.plan_children(packet, Caps::default(), &messages).await;
        assert_eq!(bench.candidates(packet, ALL).await.len(), households, "{size}");
    }
}

/// The members are its natural key: repeated, or with one of them gone, nothing changes. Counters close.
pub async fn a_household_is_planned_once(bench: &Bench) {
    let (packet, n) = (bench.loaded(3).await, bench.serial() + 1_000);
    let children = [0, 1, 2].map(|position| alone(bench, packet, n, position, 60));
    bench.plan_children(packet, Caps::default(), &children).await;
    let pair = together(bench, &children[..2]);
    let skipped = PlannedMessage { verdict: PlanVerdict::Skip(SkipReason::Cap), ..pair.clone() };
    assert_eq!(bench.take_in_household(packet, skipped).await, WriteOutcome::Stale, "it does not go");
    let single = together(bench, &children[..1]);
    assert_eq!(bench.take_in_household(packet, single).await, WriteOutcome::Stale, "one is no household");
    let mut stranger = together(bench, &children[..2]);
    stranger.message.origin =
        together(bench, &[alone(bench, packet, n, 0, 60), children[1].clone()]).message.origin;
    assert_eq!(bench.take_in_household(packet, stranger).await, WriteOutcome::Stale, "no such member");
    assert_eq!(bench.take_in_household(packet, pair.clone()).await, WriteOutcome::Applied);
    assert_eq!(bench.take_in_household(packet, pair.clone()).await, WriteOutcome::Stale);
    let again = together(bench, &children);
    assert_eq!(bench.take_in_household(packet, again).await, WriteOutcome::Stale, "two of them are taken");
    assert!(bench.candidates(packet, ALL).await.is_empty());
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!((counts.planned, counts.open, counts.rows.planned), (4, 4, 3));
    assert_packet(bench, packet).await;
    let history = bench.store.history(bench.company, packet, children[0].message.id).await.answered();
    assert!(history[0].reason.contains(&pair.message.id.to_string()), "{}", history[0].reason);
    let missing = bench.store.plan_households(bench.company, bench.id(), Vec::new(), bench.now).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
    let other = bench.beside().await;
    let foreign = other.store.plan_households(other.company, packet, vec![pair], bench.now).await;
    assert!(matches!(foreign, Err(StoreError::Missing { .. })), "another company's: {foreign:?}");
}

/// Only while the packet is being mapped.
pub async fn households_are_for_loaded_packets(bench: &Bench) {
    for stage in [PacketStage::Loaded, PacketStage::Mapped] {
        let (packet, n) = (bench.loaded(2).await, 1_000 + 10 * bench.serial());
        let children = [0, 1].map(|position| alone(bench, packet, n, position, 60));
        bench.plan_children(packet, Caps::default(), &children).await;
        bench.raise(packet, stage).await;
        if stage == PacketStage::Loaded {
            bench.drain(packet, Draining::Cancelling).await;
        }
        let outcome = bench.take_in_household(packet, together(bench, &children)).await;
        assert_eq!(outcome, WriteOutcome::Stale, "{stage}");
    }
}

/// Members are not handed over, not due and in no window; the household's message is.
pub async fn members_wait_with_their_household(bench: &Bench) {
    let family = bench.family(Caps::default(), 30).await;
    assert_eq!(bench.store.next_due(bench.company, family.packet).await.answered(), Some(bench.at(30)));
    let (now, until) = (bench.now, bench.at(24 * 60));
    let windows = bench.store.waiting_windows(bench.company, family.packet, now, until, ALL).await.answered();
    assert_eq!(windows.iter().map(|window| window.messages).collect::<Vec<_>>(), [1]);
    let terms = HandOver { now: bench.at(300), ..bench.hand_over_terms() };
    let handed = bench.hand_over_with(family.packet, terms).await;
    assert_eq!((handed.due, handed.late), (Vec::new(), vec![family.household.message]));
    let in_it = Some(Membership::In(family.household.message));
    for child in &family.children {
        assert_eq!(bench.state(child).await.household, in_it);
        bench.assert_refused(child, ClaimRefusal::NotQueued(Planned)).await;
    }
}

/// What is accepted, or was in doubt for good, has told the members: they end, and keep their natural keys.
pub async fn members_end_when_their_household_is_told(bench: &Bench) {
    for verdict in [accepted(), SettleVerdict::GivenUp] {
        let family = bench.sending_family().await;
        if verdict == SettleVerdict::GivenUp {
            bench.must_settle(&family.household, ambiguous(), Unknown).await;
            assert_eq!(bench.statuses(&family).await, [Unknown, Planned, Planned], "nobody knows yet");
            bench.must_settle(&family.household, verdict, Unknown).await;
        } else {
            bench.must_settle(&family.household, verdict, Sent).await;
        }
        for (position, child) in (0..).zip(&family.children) {
            let state = bench.state(child).await;
            assert_eq!((state.status, state.detail), (Skipped, Some(Detail::Skip(SkipReason::Grouped))));
            let history = bench.store.history(bench.company, family.packet, child.message).await.answered();
            let reason = &history.last().expect("it was skipped").reason;
            assert!(reason.contains(&family.household.message.to_string()), "{reason}");
            assert!(!takes_its_day(bench, &family, position).await, "its natural key is held");
        }
        let counts = bench.store.packet_counts(bench.company, family.packet).await.answered();
        assert_eq!((counts.open, counts.skipped.get(&SkipReason::Grouped)), (0, Some(&2)));
        assert_packet(bench, family.packet).await;
    }
}

/// So has a report, in whatever order it comes.
pub async fn a_report_tells_the_members(bench: &Bench) {
    let family = bench.sending_family().await;
    bench.report(&family.household, "D-1", undelivered("30003")).await;
    assert_eq!(bench.statuses(&family).await, [MessageStatus::Undelivered, Skipped, Skipped]);
    assert_packet(bench, family.packet).await;
}

/// What is queued again still stands for its members.
pub async fn members_wait_on_while_their_household_is_tried_again(bench: &Bench) {
    let family = bench.sending_family().await;
    bench.must_settle(&family.household, ambiguous(), Unknown).await;
    bench.must_settle(&family.household, SettleVerdict::ProvenAbsent, Queued).await;
    assert_eq!(bench.statuses(&family).await, [Queued, Planned, Planned]);
    let household = bench.send_again(&family.household).await;
    bench.must_settle(&household, accepted(), Sent).await;
    assert_eq!(bench.statuses(&family).await, [Sent, Skipped, Skipped]);
}

/// What ends unsent leaves the members to themselves: at their own instants, with their own keys, and never again in one message.
pub async fn members_go_by_themselves_when_their_household_is_not_sent(bench: &Bench) {
    for end in [Failed, Expired, Skipped, Cancelled] {
        let family = bench.sending_family().await;
        if end == Failed {
            bench.must_settle(&family.household, refused_for_good(), Failed).await;
        } else {
            let (reason, not_before) = (ReturnReason::TooLate, bench.now);
            bench
                .must_settle(&family.household, SettleVerdict::Returned { reason, not_before }, Queued)
                .await;
        }
        let applied = WriteOutcome::Applied;
        match end {
            Expired => assert_eq!(bench.close(&family.household, CloseVerdict::Expired).await, applied),
            Skipped => {
                let verdict = CloseVerdict::Skipped(SkipReason::Unsubscribed);
                assert_eq!(bench.close(&family.household, verdict).await, applied);
            }
            Cancelled => {
                let one = bench.store.cancel_open(bench.company, family.packet, bench.at(2), 1).await;
                assert_eq!(one.answered(), 1, "the household's message comes first");
            }
            _ => {}
        }
        assert_eq!(bench.statuses(&family).await, [end, Planned, Planned]);
        let due = bench.hand_over(family.packet).await.due;
        assert_eq!(due.len(), 2, "{end}: their own windows are open");
        for (position, child) in (0..).zip(&family.children) {
            let left = Some(Membership::Left(family.household.message));
            assert_eq!(bench.state(child).await.household, left);
            assert!(!takes_its_day(bench, &family, position).await, "its natural key is held");
            let epoch = bench.must_claim(child).await.epoch;
            bench.must_settle(&Placed { epoch, ..*child }, accepted(), Sent).await;
        }
        assert_packet(bench, family.packet).await;
    }
}

/// A member that is answered by itself ends the household's message; the other goes alone.
pub async fn a_member_that_ends_ends_its_household(bench: &Bench) {
    for position in [0, 1] {
        let family = bench.family(Caps::default(), -60).await;
        let (ended, other) = (family.children[position], family.children[1 - position]);
        let (_, earlier) = earlier_reminder(bench, &family, position).await;
        let release = bench.answer(&earlier, ResponseKind::Cancelled, 4);
        assert_eq!(bench.take_in(release).await, IncomingOutcome::Recorded);
        assert_eq!(bench.state(&ended).await.detail, Some(Detail::Skip(SkipReason::Answered)));
        let household = bench.state(&family.household).await;
        assert_eq!(household.detail, Some(Detail::Skip(SkipReason::Superseded)));
        let due: Vec<MessageId> = bench.hand_over(family.packet).await.due.iter().map(|due| due.id).collect();
        assert_eq!(due, [other.message]);
        assert_packet(bench, family.packet).await;
    }
}

/// So does one that a newer packet supersedes.
pub async fn a_moved_member_ends_its_household(bench: &Bench) {
    let family = bench.family(Caps::default(), -60).await;
    let (_, outcome) = bench.say(Saying { hour: 72, ..child(family.children[0].n, 0) }).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
    assert_eq!(bench.statuses(&family).await, [Skipped, Skipped, Planned]);
    assert_eq!(bench.hand_over(family.packet).await.due.len(), 1);
    assert_packet(bench, family.packet).await;
}

/// While the household's message may be reaching the person, nothing ends its members.
pub async fn members_fly_with_their_household(bench: &Bench) {
    let family = bench.sending_family().await;
    let (_, earlier) = earlier_reminder(bench, &family, 1).await;
    bench.take_in(bench.answer(&earlier, ResponseKind::Cancelled, 4)).await;
    bench.drain(family.packet, Draining::Cancelling).await;
    let cancel = || bench.store.cancel_open(bench.company, family.packet, bench.at(2), ALL);
    assert_eq!(cancel().await.answered(), 0);
    assert_eq!(bench.statuses(&family).await, [Sending, Planned, Planned]);
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.at(3) };
    bench.must_settle(&family.household, returned, Queued).await;
    while cancel().await.answered() > 0 {}
    assert_eq!(bench.statuses(&family).await, [Cancelled; 3]);
    assert_packet(bench, family.packet).await;
}

/// The guards of the claim look at every appointment and person of a household's message.
pub async fn a_household_is_claimed_if_each_of_its_appointments_may_be_told(bench: &Bench) {
    let family = bench.family(Caps::default(), -60).await;
    bench.hand_over(family.packet).await;
    bench.opt_out(RefusalKey::Person(person(family.children[1].n))).await;
    bench.assert_refused(&family.household, ClaimRefusal::Unsubscribed).await;

    let family = returned_family(bench).await;
    let (_, earlier) = earlier_reminder(bench, &family, 1).await;
    let sending = resent(bench, &family).await;
    bench.take_in(bench.answer(&earlier, ResponseKind::RescheduleWanted, 4)).await;
    give_back(bench, &sending).await;
    bench.assert_refused(&sending, ClaimRefusal::Answered).await;

    let family = returned_family(bench).await;
    let sending = resent(bench, &family).await;
    bench.say(Saying { hour: 72, ..child(family.children[0].n, 1) }).await;
    give_back(bench, &sending).await;
    bench.assert_refused(&sending, ClaimRefusal::Superseded).await;
}

/// A row that says something else at the same time to the same contact point is a duplicate of what is in flight, which goes on.
pub async fn an_amended_member_in_flight_goes_on(bench: &Bench) {
    let family = returned_family(bench).await;
    let sending = resent(bench, &family).await;
    let (_, outcome) = bench.say(Saying { digest: 2, ..child(family.children[0].n, 0) }).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 });
    give_back(bench, &sending).await;
    let again = Placed { attempt: bench.id(), ..sending };
    let claim = bench.claim_with(&again, &Bench::terms_at(bench.at(1))).await;
    assert!(matches!(claim, ClaimOutcome::Claimed(_)), "{claim:?}");
}

/// What moves a member while its household's message is in flight holds against it when it is to go by itself, also when a still later
/// packet, whose row took the place of that, is cancelled.
pub async fn a_member_that_was_moved_in_flight_does_not_go_by_itself(bench: &Bench) {
    let family = returned_family(bench).await;
    let moved = family.children[0];
    let sending = resent(bench, &family).await;
    bench.say(Saying { hour: 72, ..child(moved.n, 0) }).await;
    give_back(bench, &sending).await;
    let (later, _) = bench.say(Saying { hour: 74, ..child(moved.n, 0) }).await;
    bench.drain(later.packet, Draining::Cancelling).await;
    assert_eq!(bench.close(&sending, CloseVerdict::Expired).await, WriteOutcome::Applied);
    bench.hand_over(family.packet).await;
    bench.assert_refused(&moved, ClaimRefusal::Superseded).await;
}

/// What a household's message may have told is known of each member.
pub async fn what_a_household_was_told_is_remembered(bench: &Bench) {
    let family = bench.sending_family().await;
    for child in &family.children {
        let told = bench.held(child.n).await.remove(0).told;
        assert_eq!(
            told.iter().map(|told| told.contact.clone()).collect::<Vec<_>>(),
            [sms(family.household.n)]
        );
    }
    bench.must_settle(&family.household, refused_for_good(), Failed).await;
    assert!(bench.held(family.children[0].n).await.remove(0).told.is_empty(), "nobody was told");
}

/// Evidence that a household's message was sent after all tells the members that have not gone.
pub async fn a_late_truth_ends_the_members_that_wait(bench: &Bench) {
    let family = returned_family(bench).await;
    assert_eq!(bench.close(&family.household, CloseVerdict::Expired).await, WriteOutcome::Applied);
    let [gone, waits] = family.children;
    bench.hand_over(family.packet).await;
    let epoch = bench.must_claim(&gone).await.epoch;
    bench.must_settle(&Placed { epoch, ..gone }, accepted(), Sent).await;
    assert_eq!(bench.settle(&family.household, accepted()).await, SettleOutcome::Applied(Sent));
    assert_eq!(bench.statuses(&family).await, [Sent, Sent, Skipped]);
    assert_eq!(bench.state(&waits).await.detail, Some(Detail::Skip(SkipReason::Grouped)));
    assert_packet(bench, family.packet).await;
}

/// A household's message that has come back to the queue.
async fn returned_family(bench: &Bench) -> Family {
    let family = bench.sending_family().await;
    give_back(bench, &family.household).await;
    family
}

async fn give_back(bench: &Bench, household: &Placed) {
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.now };
    bench.must_settle(household, returned, Queued).await;
}

async fn resent(bench: &Bench, family: &Family) -> Placed {
    bench.send_again(&family.household).await
}

/// An e-mail about the appointment of a child that went before.
async fn earlier_reminder(bench: &Bench, family: &Family, position: usize) -> (MessageId, Placed) {
    let child_of = family.children[position];
    let packet = bench.later_file().await;
    let mut planned = bench.e_mail(packet, 1, child_of.n);
    let record = bench.store.message(bench.company, family.packet, child_of.message).await.answered();
    planned.message.appointment = record.expect("the child's message").message.appointment;
    let placed = bench.place(packet, &planned, child_of.n);
    bench.queue(packet, vec![planned]).await;
    bench.hand_over(packet).await;
    let terms = crate::ports::store::ClaimTerms {
        method: crate::domain::contact_method::ContactMethod::Email,
        ..Bench::terms_at(bench.now)
    };
    let ClaimOutcome::Claimed(claimed) = bench.claim_with(&placed, &terms).await else {
        panic!("the earlier reminder is claimed")
    };
    let placed = Placed { epoch: claimed.epoch, ..placed };
    bench.must_settle(&placed, accepted(), Sent).await;
    (placed.message, placed)
}

/// Whether a message about a child's appointment on the same day finds its natural key free.
async fn takes_its_day(bench: &Bench, family: &Family, position: u64) -> bool {
    let packet = bench.loaded(2).await;
    let again = alone(bench, packet, family.household.n, position, -60);
    let again = PlannedMessage {
        message: crate::domain::message::Message {
            origin: Origin::Row { row: row_of(0), entry: 0 },
            ..again.message
        },
        ..again
    };
    let placed = bench.place(packet, &again, family.household.n);
    bench.plan(packet, 0, 1, vec![again]).await;
    bench.status(&placed).await == Planned
}
