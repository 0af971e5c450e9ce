//! What a person has written, and the host's endpoint has taken, is kept once and acted upon. The oracle is the wire.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::incoming::IncomingRecord;
use reminderly_core::domain::message::Origin;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::{IncomingId, MessageId};

use super::super::gateway::Heard;
use super::super::schedule::RECEIVES;
use super::Evidence;

/// So long after it was taken a refusal holds at the latest, whatever goes wrong: each try takes some minutes.
const HOLDS_WITHIN: TimeDelta = TimeDelta::minutes(45);

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    if evidence.trial.ended_at.is_none() {
        return;
    }
    // A backup does not know what was written after it.
    let is_restored = evidence.trial.schedule.is_restored();
    let kept = kept(evidence);
    for (event, heard) in &evidence.trial.gateway.heard {
        let records = kept.iter().filter(|record| *record.incoming.event == **event).count();
        if records != 1 && !is_restored {
            wrong.push(format!("truth: what was heard as {event} at {} is kept {records} times", heard.at));
        }
        // By phone keys are pressed, which mean nothing once the call is forgotten.
        let by_phone = heard.from.method() == ContactMethod::Phone;
        let stop = if by_phone { "8" } else { "STOP" };
        if heard.text == stop && !(by_phone && is_restored) {
            stopped(evidence, heard, wrong);
        }
    }
    answered_once(evidence, wrong);
}

fn stopped(evidence: &Evidence<'_>, heard: &Heard, wrong: &mut Vec<String>) {
    let (store, key) = (&evidence.trial.deployment.world.ports.store, heard.from.refusal_key());
    let is_lifted = evidence.seen.unsubscribes.iter().any(|said| {
        let is_of_it = (said.company, &said.key) == (heard.company, &key);
        let is_since = said.at + evidence.clocks_apart() >= heard.written;
        said.change == UnsubscribeChange::OptedIn && is_of_it && is_since
    });
    if is_lifted {
        return;
    }
    let refused = block_on(store.refused(heard.company, std::slice::from_ref(&key))).expect("read");
    if refused != [true] {
        wrong.push(format!("P4: a stop that was taken at {} does not stand", heard.at));
    }
    let of_it = evidence.accepted.iter().filter(|accepted| {
        accepted.request.company == heard.company && accepted.request.contact.refusal_key() == key
    });
    // What answers the stop itself may be late.
    let is_answer = |message: MessageId| evidence.seen.replies.contains_key(&message);
    // What was set aside as a dead letter is late by as much as somebody takes to bring it back.
    if evidence.trial.schedule.max_receives < RECEIVES {
        return;
    }
    let late = of_it
        .filter(|accepted| !is_answer(accepted.request.message))
        .find(|accepted| accepted.at > heard.at + HOLDS_WITHIN);
    if let Some(late) = late {
        wrong.push(format!("P4: a request at {} although a stop was taken at {}", late.at, heard.at));
    }
}

/// What a person has written is answered by one message.
fn answered_once(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let mut answers: BTreeMap<IncomingId, BTreeSet<MessageId>> = BTreeMap::new();
    for accepted in &evidence.accepted {
        let message = accepted.request.message;
        let origin = evidence.seen.made.get(&message).map(|made| &made.origin);
        if let Some(Origin::Reply { incoming }) = origin {
            answers.entry(*incoming).or_default().insert(message);
        }
    }
    for (incoming, messages) in answers.into_iter().filter(|(_, messages)| messages.len() > 1) {
        wrong.push(format!("P2: {incoming} was answered by {} messages", messages.len()));
    }
}

fn kept(evidence: &Evidence<'_>) -> Vec<IncomingRecord> {
    let deployment = &evidence.trial.deployment;
    let (store, companies) = (&deployment.world.ports.store, deployment.companies.iter());
    let of = |company| block_on(store.incoming(company, None, 1_000_000)).expect("listed").items;
    companies.flat_map(|company| of(*company)).collect()
}
