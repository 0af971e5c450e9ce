//! Households and caps.

use super::bench::{Answered as _, Bench, Placed};
use super::capped::{a_day, about, batch, take_all};
use super::counters::assert_packet;
use super::family::{ALL, alone, together};
use super::sending::accepted;
use super::values::{person, sms};
use crate::domain::appointment::Appointment;
use crate::domain::caps::Caps;
use crate::domain::message::Detail;
use crate::domain::message_status::MessageStatus;
use crate::domain::person::PersonKey;
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::{CloseVerdict, PlanOutcome, SettleOutcome, SettleVerdict, WriteOutcome};

use MessageStatus::{Planned, Sent};

/// Each person has a slot for the household's message, two rows of one person one between them.
pub async fn a_household_takes_a_slot_for_each_person(bench: &Bench) {
    let family = bench.planned_family(a_day(1), 30).await;
    assert_eq!(bench.statuses(&family).await, [Planned; 3]);
    for child in &family.children {
        assert!(!has_room(bench, child.n).await, "{}", child.n);
    }
    let (packet, n) = (bench.loaded(2).await, 5_000);
    let mut children = [0, 1].map(|position| alone(bench, packet, n, position, 30));
    children[1].message.person = Some(person(n));
    bench.plan_children(packet, a_day(1), &children).await;
    let household = together(bench, &children);
    let placed = bench.place(packet, &household, n);
    assert_eq!(bench.take_in_household(packet, household).await, WriteOutcome::Applied);
    take_all(bench, packet, 1).await;
    assert_eq!(bench.status(&placed).await, Planned);
    assert!(!has_room(bench, n).await);
}

/// Where one of them has no room, each asks by itself.
pub async fn a_household_without_room_falls_apart(bench: &Bench) {
    let (packet, n) = (bench.loaded(3).await, 6_000);
    let mut children = [0, 1].map(|position| alone(bench, packet, n, position, 30));
    let mut nearer = about(bench, packet, 3, 0);
    (nearer.message.person, nearer.verdict) = (Some(person(n + 1)), children[0].verdict);
    nearer.message.appointment = Some(Appointment::new(bench.at(240).naive_utc(), chrono_tz::UTC));
    for child in &mut children {
        child.message.contact_zone = chrono_tz::UTC;
    }
    let [one, other] = children;
    bench.plan_children(packet, a_day(1), &[one.clone(), other.clone(), nearer]).await;
    let household = together(bench, &[one.clone(), other.clone()]);
    let placed = bench.place(packet, &household, n);
    assert_eq!(bench.take_in_household(packet, household).await, WriteOutcome::Applied);
    take_all(bench, packet, 1).await;
    assert_eq!(bench.state(&placed).await.detail, Some(Detail::Skip(SkipReason::Cap)));
    assert_eq!(bench.status(&bench.place(packet, &one, n)).await, Planned);
    let state = bench.state(&bench.place(packet, &other, n)).await;
    assert_eq!(state.detail, Some(Detail::Skip(SkipReason::Cap)));
    assert!(bench.candidates(packet, ALL).await.is_empty());
    assert_packet(bench, packet).await;
}

/// The slots of a household's message that is not sent are its members'.
pub async fn members_inherit_the_slots_of_their_household(bench: &Bench) {
    let family = bench.family(a_day(1), -60).await;
    bench.hand_over(family.packet).await;
    assert_eq!(bench.close(&family.household, CloseVerdict::Expired).await, WriteOutcome::Applied);
    for child in &family.children {
        assert!(!has_room(bench, child.n).await);
        assert_eq!(bench.hand_over(family.packet).await.due.len() % 2, 0);
        bench.must_claim(child).await;
    }
    let family = bench.family(a_day(1), -60).await;
    bench.hand_over(family.packet).await;
    let epoch = bench.must_claim(&family.household).await.epoch;
    bench.must_settle(&Placed { epoch, ..family.household }, accepted(), Sent).await;
    for child in &family.children {
        assert!(!has_room(bench, child.n).await, "what was told keeps its slots");
    }
}

/// What was told after all counts once: members that had come to wait for themselves give up the days of their own.
pub async fn a_household_that_went_after_all_has_one_slot(bench: &Bench) {
    let family = bench.family(a_day(2), -60).await;
    bench.hand_over(family.packet).await;
    let epoch = bench.must_claim(&family.household).await.epoch;
    let household = Placed { epoch, ..family.household };
    bench.must_settle(&household, SettleVerdict::Reaped, MessageStatus::Unknown).await;
    bench.must_settle(&household, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    assert_eq!(bench.close(&household, CloseVerdict::Expired).await, WriteOutcome::Applied);
    assert_eq!(bench.settle(&household, accepted()).await, SettleOutcome::Applied(Sent));
    for child in &family.children {
        let state = bench.state(child).await;
        assert_eq!(state.detail, Some(Detail::Skip(SkipReason::Grouped)));
        assert!(has_room_within(bench, child.n, a_day(2)).await, "one of two is taken");
    }
}

/// A household of rows that name no person is one person: the contact point.
pub async fn a_household_without_names_is_one_person(bench: &Bench) {
    let (packet, n) = (bench.loaded(2).await, 7_000);
    let mut children = [0, 1].map(|position| alone(bench, packet, n, position, 30));
    for child in &mut children {
        child.message.person = child.message.contact.as_ref().map(PersonKey::from);
    }
    bench.plan_children(packet, a_day(1), &children).await;
    let household = together(bench, &children);
    let placed = bench.place(packet, &household, n);
    assert_eq!(bench.take_in_household(packet, household).await, WriteOutcome::Applied);
    take_all(bench, packet, ALL).await;
    assert_eq!(bench.status(&placed).await, Planned, "one slot is enough");
}

/// Whether a person has room for a message on the day.
async fn has_room(bench: &Bench, n: u64) -> bool {
    has_room_within(bench, n, a_day(1)).await
}

/// The same for a campaign with these caps.
async fn has_room_within(bench: &Bench, n: u64, caps: Caps) -> bool {
    let packet = bench.loaded(1).await;
    let mut asks = about(bench, packet, 1, 0);
    asks.message.person = Some(person(n));
    asks.message.contact = Some(sms(9_000 + bench.serial() % 900));
    let placed = bench.place(packet, &asks, n);
    let stored = bench.plan_batch(packet, batch(bench, caps, (0, 1), vec![asks])).await;
    assert_eq!(stored, PlanOutcome::Stored { duplicates: 0 });
    take_all(bench, packet, ALL).await;
    let has = bench.status(&placed).await == Planned;
    if has {
        bench.store.cancel_open(bench.company, packet, bench.at(1), ALL).await.answered();
    }
    has
}
