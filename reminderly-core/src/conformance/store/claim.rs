//! Claims and their guards.

use chrono::TimeDelta;

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, refused_for_good};
use super::values::{email, number, person, provider, sms};
use crate::domain::attempt::{Attempt, ReturnReason};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use crate::ids::{MessageId, PacketId};
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed, SettleVerdict, WriteOutcome,
};

/// What a claim gives, and what it writes.
pub async fn a_claim_gives_the_right_to_send(bench: &Bench) {
    let placed = bench.handed().await;
    let claimed = bench.must_claim(&placed).await;
    let found = bench.store.message(bench.company, placed.packet, placed.message).await.answered();
    let message = found.expect("a message").message;
    let expected = Claimed {
        message: placed.message,
        attempt: placed.attempt,
        epoch: 1,
        attempts: 0,
        contact: sms(placed.n),
        content: Content::Sms { text: "See you.".into(), segments: 1 },
        legal_until: bench.at(240),
        appointment: message.appointment,
        contact_zone: message.contact_zone,
    };
    assert_eq!(claimed, expected);
    let state = bench.state(&placed).await;
    assert_eq!((state.status, state.copy_until), (MessageStatus::Sending, None));
    assert_eq!((state.epoch, state.attempts), (1, 1));
    let attempt = Attempt {
        id: placed.attempt,
        message: placed.message,
        epoch: 1,
        provider: provider(),
        claimed_at: bench.now,
        start_by: bench.now + TimeDelta::seconds(1),
        answer_by: bench.now + TimeDelta::seconds(30),
        outcome: None,
        settled_at: None,
        reference: None,
        report: None,
    };
    assert_eq!(bench.attempt(&placed).await, attempt);
    assert_eq!(bench.attempts(&placed).await, [attempt]);
    let history = bench.store.history(bench.company, placed.packet, placed.message).await.answered();
    let last = history.last().expect("a history");
    assert_eq!((last.event, last.epoch), (MessageEvent::Claimed, 1));
}

/// Of two claims of one message one wins, in one batch and in two.
pub async fn a_message_is_claimed_by_one(bench: &Bench) {
    let placed = bench.handed().await;
    let requests: Vec<ClaimRequest> =
        (0..2).map(|_| ClaimRequest { message: placed.message, attempt: bench.id() }).collect();
    let terms = Bench::terms_at(bench.now);
    let outcomes = bench.store.claim(bench.company, placed.packet, &requests, &terms).await.answered();
    let outcomes = outcomes.into_vec();
    assert!(matches!(&outcomes[0], ClaimOutcome::Claimed(claimed) if claimed.attempt == requests[0].attempt));
    let lost = ClaimRefusal::NotQueued(MessageStatus::Sending);
    assert_eq!(outcomes[1], ClaimOutcome::Refused(lost));
    bench.assert_refused(&placed, lost).await;
    assert_eq!(bench.attempts(&placed).await.len(), 1);
    let loser = Placed { attempt: requests[1].attempt, ..placed };
    assert_eq!(bench.store.attempt(bench.company, loser.packet, loser.attempt).await.answered(), None);
}

/// Two workers at once: still one.
pub async fn concurrent_claims_have_one_winner(bench: &Bench) {
    let placed = bench.handed().await;
    let claims = (0..8).map(|_| bench.claim(&placed));
    let outcomes = futures::future::join_all(claims).await;
    let won = outcomes.iter().filter(|outcome| matches!(outcome, ClaimOutcome::Claimed(_))).count();
    assert_eq!(won, 1);
    assert_eq!(bench.attempts(&placed).await.len(), 1);
}

/// Whoever did not hear the answer asks again with the same attempt id.
pub async fn a_claim_is_idempotent_on_its_attempt(bench: &Bench) {
    let placed = bench.handed().await;
    let first = bench.must_claim(&placed).await;
    assert_eq!(bench.must_claim(&placed).await, first);
    let later = bench.claim_with(&placed, &Bench::terms_at(bench.at(1))).await;
    assert_eq!(later, ClaimOutcome::Claimed(Box::new(first)));
    assert_eq!(bench.attempts(&placed).await.len(), 1);
    assert_eq!(bench.state(&placed).await.epoch, 1);
}

/// A settled attempt is over: its id claims nothing any more.
pub async fn a_settled_attempt_is_not_claimed_again(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let again = bench.claim_with(&sent, &Bench::terms_at(bench.now)).await;
    assert_eq!(again, ClaimOutcome::Refused(ClaimRefusal::NotQueued(MessageStatus::Sent)));
    let returned = bench.sending().await;
    let verdict = SettleVerdict::Returned { reason: ReturnReason::Throttled, not_before: bench.now };
    bench.must_settle(&returned, verdict, MessageStatus::Queued).await;
    let again = bench.claim_with(&returned, &Bench::terms_at(bench.now)).await;
    assert_eq!(again, ClaimOutcome::Refused(ClaimRefusal::NotQueued(MessageStatus::Queued)));
    assert_eq!(bench.attempts(&returned).await.len(), 1);
}

/// An attempt is of one message.
pub async fn an_attempt_id_is_used_once(bench: &Bench) {
    let (first, second) = (bench.sending().await, bench.handed().await);
    let stolen = Placed { attempt: first.attempt, ..second };
    let outcome = bench.claim_with(&stolen, &Bench::terms_at(bench.now)).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::NotQueued(MessageStatus::Queued)));
    let location = bench.store.locate_attempts_across_companies(&[first.attempt]).await.answered();
    assert_eq!(location[0].map(|location| location.message), Some(first.message));
}

/// Each claim has the next number; only those that counted are counted.
pub async fn attempts_are_numbered(bench: &Bench) {
    let first = bench.sending().await;
    let verdict = SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before: bench.at(5) };
    bench.must_settle(&first, verdict, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    let verdict = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.at(6) };
    bench.must_settle(&second, verdict, MessageStatus::Queued).await;
    let third = bench.send_again(&second).await;
    assert_eq!((first.epoch, second.epoch, third.epoch), (1, 2, 3));
    let state = bench.state(&third).await;
    assert_eq!((state.epoch, state.attempts), (3, 2));
    let attempts: Vec<_> = bench.attempts(&third).await.iter().map(|found| (found.id, found.epoch)).collect();
    assert_eq!(attempts, [(first.attempt, 1), (second.attempt, 2), (third.attempt, 3)]);
}

/// No request starts at or after the end of the interval.
pub async fn a_claim_starts_within_the_interval(bench: &Bench) {
    let placed = bench.handed().await;
    let close = bench.at(240) - TimeDelta::milliseconds(400);
    let outcome = bench.claim_with(&placed, &Bench::terms_at(close)).await;
    assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
    assert_eq!(bench.attempt(&placed).await.start_by, bench.at(240));
}

/// The interval is half-open.
pub async fn an_interval_ends_at_its_end(bench: &Bench) {
    let placed = bench.handed().await;
    let outcome = bench.claim_with(&placed, &Bench::terms_at(bench.at(240))).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::OutsideWindow));
    let last = bench.at(240) - TimeDelta::milliseconds(1);
    let outcome = bench.claim_with(&placed, &Bench::terms_at(last)).await;
    assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
}

/// Nothing goes before its instant; at the instant it goes.
pub async fn a_claim_waits_for_its_instant(bench: &Bench) {
    let first = bench.sending().await;
    let verdict = SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before: bench.at(5) };
    bench.must_settle(&first, verdict, MessageStatus::Queued).await;
    let again = Placed { attempt: bench.id(), ..first };
    let early = Bench::terms_at(bench.at(5) - TimeDelta::milliseconds(1));
    let outcome = bench.claim_with(&again, &early).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::NotYet));
    let outcome = bench.claim_with(&again, &Bench::terms_at(bench.at(5))).await;
    assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
}

/// Every status but `queued` refuses, and says which it is.
pub async fn only_a_queued_message_is_claimed(bench: &Bench) {
    for status in MessageStatus::ALL.into_iter().filter(|status| *status != MessageStatus::Queued) {
        let placed = bench.in_status(status).await;
        bench.assert_refused(&placed, ClaimRefusal::NotQueued(status)).await;
    }
}

/// Messages are claimed where they are.
pub async fn a_message_of_another_packet_is_missing(bench: &Bench) {
    let (one, other) = (bench.handed().await, bench.handed().await);
    bench.assert_refused(&Placed { packet: other.packet, ..one }, ClaimRefusal::Missing).await;
    bench.assert_refused(&Placed { packet: bench.id::<PacketId>(), ..one }, ClaimRefusal::Missing).await;
    bench.assert_refused(&Placed { message: bench.id::<MessageId>(), ..one }, ClaimRefusal::Missing).await;
}

/// A provider that serves another method gets nothing.
pub async fn a_claim_is_for_the_method_of_the_message(bench: &Bench) {
    let placed = bench.handed().await;
    for method in [ContactMethod::Email, ContactMethod::Phone] {
        let terms = ClaimTerms { method, ..Bench::terms_at(bench.now) };
        let outcome = bench.claim_with(&placed, &terms).await;
        assert!(matches!(outcome, ClaimOutcome::Refused(_)), "{outcome:?}");
    }
    assert_eq!(bench.status(&placed).await, MessageStatus::Queued);
    bench.must_claim(&placed).await;
}

/// From the moment a pause is acknowledged nothing is claimed; the message stays queued.
pub async fn a_pause_acts_at_once(bench: &Bench) {
    let placed = bench.handed().await;
    bench.pause().await;
    bench.assert_refused(&placed, ClaimRefusal::CampaignNotActive).await;
    assert_eq!(bench.status(&placed).await, MessageStatus::Queued);
    bench.change_state(bench.campaign, CampaignState::Paused, CampaignState::Active).await;
    bench.must_claim(&placed).await;
}

/// An archived campaign sends nothing more.
pub async fn an_archived_campaign_claims_nothing(bench: &Bench) {
    let placed = bench.handed().await;
    bench.change_state(bench.campaign, CampaignState::Active, CampaignState::Archived).await;
    bench.assert_refused(&placed, ClaimRefusal::CampaignNotActive).await;
}

/// From the moment draining is acknowledged nothing is claimed.
pub async fn a_draining_packet_claims_nothing(bench: &Bench) {
    let placed = bench.handed().await;
    bench.drain(placed.packet, Draining::Completing).await;
    bench.assert_refused(&placed, ClaimRefusal::PacketClosed).await;
    bench.drain(placed.packet, Draining::Off).await;
    bench.must_claim(&placed).await;
}

/// A packet that was cancelled or failed claims nothing. In a complete one nothing waits.
pub async fn a_closed_packet_claims_nothing(bench: &Bench) {
    for stage in [PacketStage::Failed, PacketStage::Cancelled] {
        let placed = bench.handed().await;
        bench.raise(placed.packet, stage).await;
        bench.assert_refused(&placed, ClaimRefusal::PacketClosed).await;
    }
}

/// An opt-out of a number stops text messages to it from the moment it is acknowledged; its end lets them go.
pub async fn an_opt_out_of_a_number_stops_text_messages(bench: &Bench) {
    let placed = bench.handed().await;
    let key = RefusalKey::Number(number(placed.n));
    bench.opt_out(key.clone()).await;
    bench.assert_refused(&placed, ClaimRefusal::Unsubscribed).await;
    let lifted = bench.will(key, UnsubscribeChange::OptedIn, 1);
    assert_eq!(bench.tell(&[lifted]).await, [WriteOutcome::Applied]);
    bench.must_claim(&placed).await;
}

/// An opt-out of a person stops every method.
pub async fn an_opt_out_of_a_person_stops_everything(bench: &Bench) {
    let (text, mail) = two_methods(bench).await;
    bench.opt_out(RefusalKey::Person(person(1))).await;
    bench.assert_refused(&text, ClaimRefusal::Unsubscribed).await;
    let terms = ClaimTerms { method: ContactMethod::Email, ..Bench::terms_at(bench.now) };
    let outcome = bench.claim_with(&mail, &terms).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::Unsubscribed));
}

/// An opt-out of an address stops e-mails to it and nothing else.
pub async fn an_opt_out_of_an_address_stops_its_e_mails_only(bench: &Bench) {
    let (text, mail) = two_methods(bench).await;
    bench.opt_out(email(1).refusal_key()).await;
    let terms = ClaimTerms { method: ContactMethod::Email, ..Bench::terms_at(bench.now) };
    let outcome = bench.claim_with(&mail, &terms).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::Unsubscribed));
    bench.must_claim(&text).await;
}

/// Somebody else's opt-out stops nobody.
pub async fn an_opt_out_is_for_its_key_only(bench: &Bench) {
    let placed = bench.handed().await;
    bench.opt_out(RefusalKey::Number(number(placed.n + 1))).await;
    bench.opt_out(RefusalKey::Person(person(placed.n + 1))).await;
    bench.must_claim(&placed).await;
}

/// The first guard that does not hold is the one that is named.
pub async fn guards_are_checked_in_their_order(bench: &Bench) {
    let first = bench.sending().await;
    let verdict = SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before: bench.at(300) };
    bench.must_settle(&first, verdict, MessageStatus::Queued).await;
    let again = Placed { attempt: bench.id(), ..first };
    let late = Bench::terms_at(bench.at(240));
    let outcome = bench.claim_with(&again, &late).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::NotYet), "before OutsideWindow");
    bench.opt_out(RefusalKey::Number(number(first.n))).await;
    let outcome = bench.claim_with(&again, &late).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::Unsubscribed), "before NotYet");
    bench.pause().await;
    let outcome = bench.claim_with(&again, &late).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::CampaignNotActive), "before Unsubscribed");
    bench.drain(first.packet, Draining::Completing).await;
    let outcome = bench.claim_with(&again, &late).await;
    assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::PacketClosed), "before CampaignNotActive");
    assert_eq!(bench.store.cancel_open(bench.company, first.packet, bench.now, 1).await.answered(), 1);
    let outcome = bench.claim_with(&again, &late).await;
    let cancelled = ClaimRefusal::NotQueued(MessageStatus::Cancelled);
    assert_eq!(outcome, ClaimOutcome::Refused(cancelled), "before PacketClosed");
}

/// Outcomes stand where their requests stood; a refusal does not stop its neighbours.
pub async fn claims_are_answered_in_order(bench: &Bench) {
    let placed = bench.queued(3).await;
    bench.hand_over(placed[0].packet).await;
    let first = Placed { epoch: bench.must_claim(&placed[0]).await.epoch, ..placed[0] };
    bench.must_settle(&first, refused_for_good(), MessageStatus::Failed).await;
    let ids = [placed[2].message, bench.id(), placed[0].message, placed[1].message];
    let requests = ids.map(|message| ClaimRequest { message, attempt: bench.id() });
    let terms = Bench::terms_at(bench.now);
    let outcomes = bench.store.claim(bench.company, first.packet, &requests, &terms).await.answered();
    let outcomes = outcomes.into_vec();
    let message = |outcome: &ClaimOutcome| match outcome {
        ClaimOutcome::Claimed(claimed) => Ok(claimed.message),
        ClaimOutcome::Refused(refusal) => Err(*refusal),
    };
    let expected = [
        Ok(ids[0]),
        Err(ClaimRefusal::Missing),
        Err(ClaimRefusal::NotQueued(MessageStatus::Failed)),
        Ok(ids[3]),
    ];
    assert_eq!(outcomes.iter().map(message).collect::<Vec<_>>(), expected);
}

/// Empty in, empty out, for every batch of messages.
pub async fn empty_batches_of_messages_do_nothing(bench: &Bench) {
    let placed = bench.handed().await;
    let (store, company, packet) = (&bench.store, bench.company, placed.packet);
    let terms = Bench::terms_at(bench.now);
    assert!(store.claim(company, packet, &[], &terms).await.answered().is_empty());
    assert!(store.settle(company, packet, &[]).await.answered().is_empty());
    assert!(store.snooze(company, packet, &[]).await.answered().is_empty());
    assert!(store.close(company, packet, &[]).await.answered().is_empty());
    assert!(store.record_dispositions(company, &[], bench.now).await.answered().is_empty());
    assert!(store.record_unsubscribes(company, &[], bench.now).await.answered().is_empty());
    assert!(store.refused(company, &[]).await.answered().is_empty());
    assert!(store.locate_attempts_across_companies(&[]).await.answered().is_empty());
    assert_eq!(bench.status(&placed).await, MessageStatus::Queued);
}

/// Claims and settlements of any number are taken at once.
pub async fn batches_of_messages_may_be_large(bench: &Bench) {
    let placed = bench.queued(600).await;
    let packet = placed[0].packet;
    assert_eq!(bench.hand_over(packet).await.due.len(), 600);
    let requests: Vec<_> = placed
        .iter()
        .map(|placed| ClaimRequest { message: placed.message, attempt: placed.attempt })
        .collect();
    let terms = Bench::terms_at(bench.now);
    let outcomes = bench.store.claim(bench.company, packet, &requests, &terms).await.answered();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, ClaimOutcome::Claimed(_))));
    let settlements: Vec<_> = placed
        .iter()
        .map(|placed| crate::ports::store::Settlement {
            message: placed.message,
            epoch: 1,
            verdict: accepted(),
            at: bench.at(1),
        })
        .collect();
    bench.store.settle(bench.company, packet, &settlements).await.answered().into_vec();
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!((counts.in_status(MessageStatus::Sent), counts.open), (600, 0));
}

/// A text message and an e-mail to the first person, both handed over.
async fn two_methods(bench: &Bench) -> (Placed, Placed) {
    let packet = bench.loaded(1).await;
    let (text, mail) = (bench.message(packet, 1, 1), bench.e_mail(packet, 1, 1));
    let placed = (bench.place(packet, &text, 1), bench.place(packet, &mail, 1));
    bench.queue(packet, vec![text, mail]).await;
    bench.hand_over(packet).await;
    placed
}
