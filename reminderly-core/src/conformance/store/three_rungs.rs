//! Ladders of three methods: what a rung does when the one in the middle has ended.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good};
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{LadderPlace, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::skip_reason::SkipReason;
use crate::ids::PacketId;
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimTerms, CloseVerdict, HandOver, Snooze, SnoozeUntil, WriteOutcome,
};

/// How long a rung may stay unanswered: an hour.
const WAIT_MINUTES: i64 = 60;

/// A rung that ended with nothing does not shorten the wait for the one below it: the next one goes when that has had its time.
pub async fn a_rung_waits_for_one_further_below(bench: &Bench) {
    use MessageStatus as S;
    for below in [S::Queued, S::Sending, S::Unknown, S::Sent] {
        let [text, mail, call] = ladder(bench).await;
        let text = bring(bench, &text, below).await;
        assert_eq!(bench.close(&mail, UNSUBSCRIBED).await, WriteOutcome::Applied);
        let state = bench.state(&text).await;
        let claimed_at = bench.attempts(&text).await.last().map(|attempt| attempt.claimed_at);
        let closed_at = bench.at(2);
        let from = match below {
            S::Queued | S::Sending => closed_at,
            S::Unknown => claimed_at.expect("it was claimed"),
            _ => state.sent_at.expect("sent"),
        };
        let until = from + TimeDelta::minutes(WAIT_MINUTES);
        let jumped = bench.state(&call).await;
        assert_eq!((jumped.not_before, jumped.legal_until), (Some(until), Some(until)), "{below}");
        assert_eq!(claim(bench, &call, closed_at).await, refused(ClaimRefusal::RungBelow(until)), "{below}");
        let terms = HandOver { now: until, ..bench.hand_over_terms() };
        assert_eq!(bench.hand_over_with(call.packet, terms).await.late, [call.message], "{below}");
    }
}

/// Once that one has had its time, nothing is waited for.
pub async fn a_rung_goes_when_one_further_below_had_its_time(bench: &Bench) {
    let [text, mail, call] = ladder(bench).await;
    let text = bring(bench, &text, MessageStatus::Sent).await;
    assert_eq!(bench.close(&mail, UNSUBSCRIBED).await, WriteOutcome::Applied);
    let until = bench.state(&text).await.sent_at.expect("sent") + TimeDelta::minutes(WAIT_MINUTES);
    plan_again(bench, &call, until).await;
    assert!(matches!(claim(bench, &call, until).await, ClaimOutcome::Claimed(_)));
}

/// A rung jumps over those that have ended with nothing, when the last one below it does.
pub async fn a_rung_jumps_over_what_brought_nothing(bench: &Bench) {
    let [text, mail, call] = ladder(bench).await;
    assert_eq!(bench.close(&mail, UNSUBSCRIBED).await, WriteOutcome::Applied);
    bring(bench, &text, MessageStatus::Failed).await;
    let failed_at = bench.at(2);
    let jumped = bench.state(&call).await;
    assert_eq!((jumped.not_before, jumped.legal_until), (Some(failed_at), Some(failed_at)));
    plan_again(bench, &call, failed_at).await;
    assert!(matches!(claim(bench, &call, failed_at).await, ClaimOutcome::Claimed(_)));
}

const UNSUBSCRIBED: CloseVerdict = CloseVerdict::Skipped(SkipReason::Unsubscribed);

/// A text message, an e-mail above it, and a call above that, all handed over.
async fn ladder(bench: &Bench) -> [Placed; 3] {
    let (packet, n) = (bench.loaded(1).await, bench.serial());
    let messages = rungs(bench, packet, n);
    let placed = messages.each_ref().map(|planned| bench.place(packet, planned, n));
    bench.queue(packet, messages.into()).await;
    assert_eq!(bench.hand_over(packet).await.due.len(), 3);
    placed
}

fn rungs(bench: &Bench, packet: PacketId, n: u64) -> [PlannedMessage; 3] {
    let wait = Duration::from_mins(WAIT_MINUTES.unsigned_abs());
    let text = bench.message(packet, 1, n);
    let (mut mail, mut call) = (bench.e_mail(packet, 1, n), bench.phone_call(packet, 1, n));
    mail.message.ladder = Some(LadderPlace { below: text.message.id, wait });
    call.message.ladder = Some(LadderPlace { below: mail.message.id, wait });
    [text, mail, call]
}

async fn bring(bench: &Bench, text: &Placed, status: MessageStatus) -> Placed {
    if status == MessageStatus::Queued {
        return *text;
    }
    let text = Placed { epoch: bench.must_claim(text).await.epoch, ..*text };
    match status {
        MessageStatus::Unknown => bench.must_settle(&text, ambiguous(), status).await,
        MessageStatus::Failed => bench.must_settle(&text, refused_for_good(), status).await,
        MessageStatus::Sent => bench.must_settle(&text, accepted(), status).await,
        _ => {}
    }
    text
}

async fn plan_again(bench: &Bench, call: &Placed, from: DateTime<Utc>) {
    let until = SnoozeUntil::Planned { not_before: from, legal_until: bench.at(240) };
    let again = Snooze { message: call.message, until, reason: "planned again".into(), at: from };
    let written = bench.store.snooze(bench.company, call.packet, &[again]).await.answered();
    assert_eq!(written.into_vec(), [WriteOutcome::Applied]);
    let terms = HandOver { now: from, ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(call.packet, terms).await.due.len(), 1);
}

async fn claim(bench: &Bench, call: &Placed, now: DateTime<Utc>) -> ClaimOutcome {
    let terms = ClaimTerms { method: ContactMethod::Phone, ..Bench::terms_at(now) };
    bench.claim_with(call, &terms).await
}

fn refused(refusal: ClaimRefusal) -> ClaimOutcome {
    ClaimOutcome::Refused(refusal)
}
