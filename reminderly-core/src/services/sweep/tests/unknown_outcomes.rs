use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::executor::block_on;

use super::lookup::{Process, Says};
use super::{Desk, scope, settings};
use crate::batch::Outcomes;
use crate::conformance::store::bench::Placed;
use crate::conformance::store::sending::{accepted, ambiguous};
use crate::conformance::store::values::reference;
use crate::domain::access::Actor;
use crate::domain::appointment::Appointment;
use crate::domain::attempt::AttemptOutcome;
use crate::domain::campaign::definition::UnknownOutcome;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::Packet;
use crate::ids::{CompanyId, PacketId};
use crate::memory::MemoryStore;
use crate::ports::store::{SettleOutcome, Settlement, Store, StoreError};
use crate::retry::RetryPolicy;
use crate::services::sweep::Resolved;
use crate::services::{ServiceError, Settings};
use crate::testing::{HookedStore, StoreHooks};

const DAY: i64 = 24 * 60 * 60;
/// When the answers to requests of noon were due, seconds.
const ANSWER_BY: i64 = 30;
/// When such a request is provably dead.
const DEAD: i64 = ANSWER_BY + 60;
/// When such a message may be sent again without proof.
const RESEND: i64 = ANSWER_BY + 600;

fn found(found: u64) -> Resolved {
    Resolved { found, ..Resolved::default() }
}

fn absent(absent: u64) -> Resolved {
    Resolved { absent, ..Resolved::default() }
}

fn resent(resent: u64) -> Resolved {
    Resolved { resent, ..Resolved::default() }
}

fn held(held: u64) -> Resolved {
    Resolved { held, ..Resolved::default() }
}

fn open(open: u64) -> Resolved {
    Resolved { open, ..Resolved::default() }
}

impl Desk {
    /// An unknown message about an appointment so many seconds past noon.
    fn unknown_about(&self, appointment: Option<i64>) -> Placed {
        let bench = &self.bench;
        let mut placed = block_on(async {
            let packet = bench.loaded(1).await;
            let n = bench.serial();
            let mut planned = bench.message(packet, 1, n);
            planned.message.appointment = appointment.map(|seconds| {
                Appointment::new((bench.now + TimeDelta::seconds(seconds)).naive_utc(), chrono_tz::UTC)
            });
            let placed = bench.place(packet, &planned, n);
            bench.queue(packet, vec![planned]).await;
            bench.hand_over(packet).await;
            placed
        });
        block_on(self.claim(&mut placed, "stub"));
        block_on(bench.must_settle(&placed, ambiguous(), MessageStatus::Unknown));
        placed
    }

    /// The message is claimed again, and again nobody knows.
    fn unknown_again(&self, placed: &Placed) -> Placed {
        block_on(async {
            let again = self.bench.send_again(placed).await;
            self.bench.must_settle(&again, ambiguous(), MessageStatus::Unknown).await;
            again
        })
    }
}

#[test]
fn what_a_provider_has_accepted_is_sent() {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    let all = desk.unknown(2, "stub");
    assert_eq!(Process::new(&desk, Says::Accepted).at(&desk, ANSWER_BY), found(2));
    assert_eq!(desk.statuses(&all), [MessageStatus::Sent; 2]);
    let attempt = block_on(desk.bench.attempt(&all[0]));
    assert_eq!(
        (attempt.outcome, attempt.reference),
        (Some(AttemptOutcome::Accepted), Some(reference("ref")))
    );
}

#[test]
fn an_absence_proves_nothing_until_the_request_is_dead() {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    let all = desk.unknown(2, "stub");
    let process = Process::new(&desk, Says::Absent);
    assert_eq!(process.at(&desk, 0), open(2));
    assert_eq!(process.at(&desk, DEAD - 1), open(2));
    assert_eq!(process.at(&desk, DEAD), absent(2));
    assert_eq!(desk.statuses(&all), [MessageStatus::Queued; 2]);
}

#[test]
fn an_absence_proves_nothing_to_a_process_whose_clock_jumped() {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    desk.unknown(1, "stub");
    let process = Process::new(&desk, Says::Absent);
    assert_eq!(process.at(&desk, 0), open(1));
    desk.wall.jump_to(TimeDelta::hours(1));
    assert_eq!(process.at(&desk, DEAD - 1), open(1), "it has not watched for long enough");
    desk.wall.jump_to(TimeDelta::seconds(-2));
    assert_eq!(process.at(&desk, DEAD + 1), open(1), "it is not that late by what the attempt says");
    assert_eq!(process.at(&desk, DEAD + 2), absent(1));
}

#[test]
fn after_the_last_attempt_there_is_no_other() {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    let placed = desk.unknown(1, "stub")[0];
    let retry = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
    let store = Arc::<MemoryStore>::clone(&desk.store);
    let process = Process::with(&desk, Says::Absent, &Settings { retry, ..settings() }, store);
    assert_eq!(process.at(&desk, 0), open(1));
    assert_eq!(process.at(&desk, DEAD), absent(1));
    assert_eq!(desk.statuses(&[placed]), [MessageStatus::Queued]);
    let again = desk.unknown_again(&placed);
    assert_eq!(process.at(&desk, DEAD), open(1));
    assert_eq!(process.at(&desk, 2 * DEAD), absent(1));
    assert_eq!(desk.statuses(&[placed]), [MessageStatus::Failed]);
    let refused = AttemptOutcome::Refused { code: "attempts_exhausted".to_owned() };
    assert_eq!(block_on(desk.bench.attempt(&again)).outcome, Some(refused));
}

#[test]
fn who_holds_never_asks() {
    let desk = Desk::new(UnknownOutcome::Hold);
    let all = desk.unknown(2, "stub");
    let process = Process::new(&desk, Says::Accepted);
    assert_eq!(process.at(&desk, RESEND), open(2));
    assert_eq!(process.at(&desk, ANSWER_BY + DAY - 1), open(2));
    assert_eq!(process.at(&desk, ANSWER_BY + DAY), held(2));
    assert_eq!(desk.statuses(&all), [MessageStatus::Unknown; 2]);
    assert_eq!(process.at(&desk, ANSWER_BY + DAY), Resolved::default(), "they are not looked at again");
    assert_eq!(process.asked(), []);
}

#[test]
fn an_attempt_is_held_at_the_appointment_or_after_a_day() {
    let cases = [
        (Some(3_600), 3_600),
        (Some(ANSWER_BY - 10), ANSWER_BY),
        (Some(2 * DAY), ANSWER_BY + DAY),
        (None, ANSWER_BY + DAY),
    ];
    for (appointment, at) in cases {
        let desk = Desk::new(UnknownOutcome::ResolveThenHold);
        desk.unknown_about(appointment);
        let process = Process::new(&desk, Says::Inconclusive);
        assert_eq!(process.at(&desk, at - 1), open(1), "{appointment:?}");
        assert_eq!(process.at(&desk, at), held(1), "{appointment:?}");
    }
}

#[test]
fn what_nobody_can_say_is_sent_once_more_where_that_is_permitted() {
    let desk = Desk::new(UnknownOutcome::ResolveThenResendOnce);
    let all = desk.unknown(2, "silent");
    let process = Process::new(&desk, Says::Inconclusive);
    assert_eq!(process.at(&desk, 0), open(2));
    assert_eq!(process.at(&desk, RESEND - 1), open(2));
    assert_eq!(process.at(&desk, RESEND), resent(2));
    assert_eq!(desk.statuses(&all), [MessageStatus::Queued; 2]);
    desk.unknown_again(&all[0]);
    assert_eq!(process.at(&desk, RESEND), open(1));
    assert_eq!(process.at(&desk, 3 * RESEND), open(1), "not a third time");
}

#[test]
fn who_can_be_asked_could_have_said_before_anything_is_sent_again() {
    let desk = Desk::new(UnknownOutcome::ResolveThenResendOnce);
    desk.unknown(1, "stub");
    let process = Process::new(&desk, Says::Inconclusive);
    assert_eq!(process.at(&desk, 0), open(1));
    assert_eq!(process.at(&desk, RESEND), resent(1));
    let slow = Desk::new(UnknownOutcome::ResolveThenResendOnce);
    slow.unknown(1, "stub");
    let process = Process::new(&slow, Says::Fails);
    assert_eq!(process.at(&slow, 0), open(1));
    assert_eq!(process.at(&slow, 2 * RESEND), open(1), "it may be asked again");
}

#[test]
fn nothing_is_sent_again_by_a_process_that_has_not_watched_or_whose_clock_jumped() {
    let desk = Desk::new(UnknownOutcome::ResolveThenResendOnce);
    desk.unknown(1, "silent");
    let process = Process::new(&desk, Says::Accepted);
    assert_eq!(process.at(&desk, 3_600), open(1), "it has only now begun to watch");
    assert_eq!(process.at(&desk, 3_600 + 599), open(1));
    desk.wall.jump_to(TimeDelta::seconds(RESEND - 1 - 4_200));
    assert_eq!(process.at(&desk, 4_200), open(1), "it is not that late by what the attempt says");
    desk.wall.jump_to(TimeDelta::seconds(RESEND - 4_200));
    assert_eq!(process.at(&desk, 4_200), resent(1));
}

#[test]
fn nothing_is_sent_again_without_permission_or_after_the_appointment() {
    let held_at = |policy, appointment| {
        let desk = Desk::new(policy);
        desk.unknown_about(appointment);
        let process = Process::new(&desk, Says::Inconclusive);
        process.at(&desk, 0);
        process.at(&desk, RESEND)
    };
    let (permitted, not) = (UnknownOutcome::ResolveThenResendOnce, UnknownOutcome::ResolveThenHold);
    assert_eq!(held_at(not, None), open(1));
    assert_eq!(held_at(permitted, None), resent(1));
    assert_eq!(held_at(permitted, Some(RESEND + 1)), resent(1));
    assert_eq!(held_at(permitted, Some(RESEND)), held(1));
}

#[test]
fn a_provider_that_gives_no_answer_leaves_its_attempts_open_and_no_others() {
    for says in [Says::Fails, Says::Panics] {
        let desk = Desk::new(UnknownOutcome::ResolveThenHold);
        let (stub, sound) = (desk.unknown(1, "stub"), desk.unknown(1, "sound"));
        let resolved = Process::new(&desk, says).at(&desk, DEAD);
        assert_eq!(resolved, Resolved { found: 1, open: 1, ..Resolved::default() }, "{says:?}");
        let statuses = [MessageStatus::Unknown, MessageStatus::Sent];
        assert_eq!(desk.statuses(&[stub, sound].concat()), statuses, "{says:?}");
    }
}

#[test]
fn an_answer_is_waited_for_for_half_a_minute() {
    for (seconds, expected) in [(29, found(1)), (31, open(1))] {
        let desk = Desk::new(UnknownOutcome::ResolveThenHold);
        desk.unknown(1, "stub");
        let process = Process::new(&desk, Says::AcceptedAfter(TimeDelta::seconds(seconds)));
        let scope = scope(Actor::Worker);
        let mut sweep = pin!(process.sweep.sweep(&scope));
        assert!(sweep.as_mut().now_or_never().is_none());
        desk.clock.advance_to(desk.clock.next_wake().unwrap());
        assert_eq!(block_on(sweep).unwrap(), expected, "{seconds} s");
    }
}

#[test]
fn there_may_be_more_than_one_page_of_them() {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    desk.unknown(501, "stub");
    assert_eq!(Process::new(&desk, Says::Accepted).at(&desk, ANSWER_BY), found(501));
}

/// Something happens between the reads of a sweep and its writes.
#[derive(Debug)]
enum Happens {
    /// The store cannot be reached.
    StoreIsAway,
    /// The campaign of the packets is gone.
    PacketIsGone,
    /// Another worker hears that the message was accepted.
    Settled,
}

#[async_trait]
impl StoreHooks for Happens {
    async fn packet(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<Option<Packet>, StoreError> {
        match self {
            Self::StoreIsAway => Err(StoreError::Unavailable { source: "away".into() }),
            Self::PacketIsGone => Ok(None),
            Self::Settled => store.packet(company, packet).await,
        }
    }

    async fn settle(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        for settlement in settlements {
            let other = Settlement { verdict: accepted(), ..settlement.clone() };
            drop(store.settle(company, packet, &[other]).await?);
        }
        store.settle(company, packet, settlements).await
    }
}

fn when(happens: Happens, says: Says) -> (Desk, Process, Placed) {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    let placed = desk.unknown(1, "stub")[0];
    let store = HookedStore::new(Arc::<MemoryStore>::clone(&desk.store), Arc::new(happens));
    let process = Process::with(&desk, says, &settings(), Arc::new(store));
    (desk, process, placed)
}

#[test]
fn an_attempt_whose_policy_is_not_known_is_held() {
    let (desk, process, placed) = when(Happens::PacketIsGone, Says::Accepted);
    assert_eq!(process.at(&desk, DEAD), open(1));
    assert_eq!(process.asked(), []);
    assert_eq!(desk.statuses(&[placed]), [MessageStatus::Unknown]);
}

#[test]
fn a_store_that_is_away_ends_the_sweep() {
    let (_desk, process, _) = when(Happens::StoreIsAway, Says::Accepted);
    let error = block_on(process.sweep.sweep(&scope(Actor::Worker))).unwrap_err();
    assert!(matches!(error, ServiceError::Store(StoreError::Unavailable { .. })), "{error:?}");
}

#[test]
fn what_another_worker_has_settled_is_not_counted() {
    let (desk, process, placed) = when(Happens::Settled, Says::Absent);
    assert_eq!(process.at(&desk, 0), open(1));
    assert_eq!(process.at(&desk, DEAD), Resolved::default());
    assert_eq!(desk.statuses(&[placed]), [MessageStatus::Sent]);
}

#[test]
fn only_workers_ask() {
    let desk = Desk::new(UnknownOutcome::ResolveThenHold);
    let process = Process::new(&desk, Says::Accepted);
    let refusal = block_on(process.sweep.sweep(&scope(Actor::Operator))).unwrap_err();
    assert!(matches!(refusal, ServiceError::Denied(_)), "{refusal:?}");
}
