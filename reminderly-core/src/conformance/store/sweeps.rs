//! What sweeps find.

use chrono::TimeDelta;

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous};
use crate::domain::attempt::AttemptLocation;
use crate::domain::message_status::MessageStatus;
use crate::ids::AttemptId;
use crate::ports::store::{OpenAttempt, SettleVerdict};

/// More than any test database holds.
const ALL: usize = 1_000_000;

/// Attempts whose answer is overdue, the longest overdue first; from just after the instant.
pub async fn overdue_attempts_are_found(bench: &Bench) {
    let placed = bench.queued(3).await;
    bench.hand_over(placed[0].packet).await;
    for (placed, seconds) in placed.iter().zip([20, 0, 10]) {
        bench.claim_with(placed, &Bench::terms_at(bench.now + TimeDelta::seconds(seconds))).await;
    }
    let overdue = async |seconds| {
        let before = bench.now + TimeDelta::seconds(seconds);
        let found = bench.store.overdue_attempts_across_companies(before, ALL).await.answered();
        let own = found.into_iter().filter(|open| open.location.company == bench.company);
        own.map(|open| open.location.message).collect::<Vec<_>>()
    };
    assert_eq!(overdue(30).await, []);
    assert_eq!(overdue(31).await, [placed[1].message]);
    assert_eq!(overdue(60).await, [placed[1].message, placed[2].message, placed[0].message]);
    let few = bench.store.overdue_attempts_across_companies(bench.at(1), 2).await.answered();
    assert_eq!(few.len(), 2);
}

/// All that the reaper and the resolver need to know.
pub async fn an_open_attempt_is_described(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    let location = AttemptLocation { company: bench.company, packet: second.packet, message: second.message };
    let expected =
        |attempt| OpenAttempt { location, attempt, attempts: 2, appointment_at: Some(bench.at(48 * 60)) };
    let found = bench.store.overdue_attempts_across_companies(bench.at(5), ALL).await.answered();
    let own: Vec<_> = found.into_iter().filter(|open| open.location == location).collect();
    assert_eq!(own, [expected(bench.attempt(&second).await)]);
    bench.must_settle(&second, ambiguous(), MessageStatus::Unknown).await;
    assert_eq!(unknown(bench, ALL).await, [expected(bench.attempt(&second).await)]);
}

/// What was settled or reaped is not overdue.
pub async fn only_messages_in_sending_are_overdue(bench: &Bench) {
    for status in MessageStatus::ALL.into_iter().filter(|status| *status != MessageStatus::Sending) {
        bench.in_status(status).await;
    }
    let found = bench.store.overdue_attempts_across_companies(bench.at(60), ALL).await.answered();
    assert!(found.iter().all(|open| open.location.company != bench.company));
}

/// Unknown attempts in pages by id, until they are resolved or held.
pub async fn unknown_attempts_are_paged(bench: &Bench) {
    let mut ids: Vec<AttemptId> = Vec::new();
    for _ in 0..5 {
        ids.push(bench.in_status(MessageStatus::Unknown).await.attempt);
    }
    ids.sort();
    let found: Vec<_> = unknown(bench, 2).await.iter().map(|open| open.attempt.id).collect();
    assert_eq!(found, ids);
}

/// What is resolved or held is not looked at again.
pub async fn only_open_unknown_attempts_are_found(bench: &Bench) {
    let mut placed: Vec<Placed> = Vec::new();
    for _ in 0..4 {
        placed.push(bench.in_status(MessageStatus::Unknown).await);
    }
    bench.must_settle(&placed[0], SettleVerdict::GivenUp, MessageStatus::Unknown).await;
    bench.must_settle(&placed[1], accepted(), MessageStatus::Sent).await;
    bench.must_settle(&placed[2], SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
    let found: Vec<_> = unknown(bench, ALL).await.iter().map(|open| open.attempt.id).collect();
    assert_eq!(found, [placed[3].attempt]);
}

/// The unknown attempts of the company, read in pages of this size.
async fn unknown(bench: &Bench, limit: usize) -> Vec<OpenAttempt> {
    let (mut own, mut after) = (Vec::new(), None);
    loop {
        let page = bench.store.unknown_attempts_across_companies(after, limit).await.answered();
        assert!(page.items.len() <= limit);
        own.extend(page.items.into_iter().filter(|open| open.location.company == bench.company));
        after = page.next;
        if after.is_none() {
            return own;
        }
    }
}
