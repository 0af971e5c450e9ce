//! What a person has written, and the host's endpoint or its own code has taken, is kept once and acted upon. The oracle is the wire.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::incoming::IncomingRecord;
use reminderly_core::domain::message::Origin;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::{IncomingId, MessageId};
use reminderly_core::testing::{QueueFaults, StoreFaults};

use super::super::gateway::Heard;
use super::super::schedule::{RECEIVES, Schedule};
use super::{Accepted, Evidence};

/// So long after it was taken a refusal holds at the latest, whatever goes wrong: each try takes some minutes;
const HOLDS_WITHIN: TimeDelta = TimeDelta::minutes(45);

/// and if neither store nor queue do anything wrong.
const HOLDS_SOON: TimeDelta = TimeDelta::minutes(2);

/// What is kept of what people wrote, by its id.
type Kept = BTreeMap<IncomingId, IncomingRecord>;

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    if evidence.trial.ended_at.is_none() {
        return;
    }
    // A backup does not know what was written after it.
    let is_restored = evidence.trial.schedule.is_restored();
    let kept = kept(evidence);
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for record in kept.values() {
        *times.entry(&record.incoming.event).or_default() += 1;
    }
    for (event, heard) in &evidence.trial.gateway.heard {
        let times = times.get(&**event).copied().unwrap_or_default();
        if times != 1 && !is_restored {
            wrong.push(format!("truth: what was heard as {event} at {} is kept {times} times", heard.at));
        }
        // By phone keys are pressed, which mean nothing once the call is forgotten.
        let by_phone = heard.from.method() == ContactMethod::Phone;
        let stop = if by_phone { "8" } else { "STOP" };
        if heard.text == stop && !(by_phone && is_restored) {
            stopped(evidence, &kept, event, heard, wrong);
        }
    }
    let is_known = |event: &&str| {
        evidence.trial.gateway.heard.contains_key(*event) || evidence.trial.written.contains(*event)
    };
    for event in times.keys().filter(|event| !is_known(event)) {
        wrong.push(format!("truth: nobody has written what is kept as {event}"));
    }
    answered_once(evidence, &kept, wrong);
}

fn stopped(evidence: &Evidence<'_>, kept: &Kept, event: &str, heard: &Heard, wrong: &mut Vec<String>) {
    let (store, key) = (&evidence.trial.deployment.world.ports.store, heard.from.refusal_key());
    let permissions = || {
        evidence.seen.unsubscribes.iter().filter(|said| {
            let is_of_it = (said.company, &said.key) == (heard.company, &key);
            let is_since = said.at + evidence.clocks_apart() >= heard.written;
            said.change == UnsubscribeChange::OptedIn && is_of_it && is_since
        })
    };
    let refused = block_on(store.refused(heard.company, std::slice::from_ref(&key))).expect("read");
    if refused != [true] && permissions().next().is_none() {
        wrong.push(format!("P4: a stop that was taken at {} does not stand", heard.at));
    }
    let Some(within) = holds_within(evidence.trial.schedule) else { return };
    // What answers the stop itself may be late.
    let is_answer = |message: MessageId| {
        let incoming = reply_to(evidence, message).and_then(|incoming| kept.get(&incoming));
        incoming.is_some_and(|record| *record.incoming.event == *event)
    };
    let is_permitted = |accepted: &Accepted| permissions().any(|permission| permission.since <= accepted.at);
    let late = evidence.accepted.iter().find(|accepted| {
        let request = &accepted.request;
        let is_of_it = request.company == heard.company && request.contact.refusal_key() == key;
        let is_late = accepted.at > heard.at + within;
        is_of_it && is_late && !is_answer(request.message) && !is_permitted(accepted)
    });
    if let Some(late) = late {
        wrong.push(format!("P4: a request at {} although a stop was taken at {}", late.at, heard.at));
    }
}

/// After which time a stop that was taken holds; not known of what was set aside as a dead letter.
fn holds_within(schedule: &Schedule) -> Option<TimeDelta> {
    let faults = &schedule.faults;
    let is_well = faults.store == StoreFaults::default() && faults.queue == QueueFaults::default();
    match (is_well && schedule.is_steady && !schedule.is_restored(), schedule.max_receives) {
        (true, _) => Some(HOLDS_SOON),
        (false, RECEIVES..) => Some(HOLDS_WITHIN),
        (false, _) => None,
    }
}

/// What a person has written is answered by one message.
fn answered_once(evidence: &Evidence<'_>, kept: &Kept, wrong: &mut Vec<String>) {
    let mut answers: BTreeMap<_, BTreeSet<MessageId>> = BTreeMap::new();
    for accepted in &evidence.accepted {
        let message = accepted.request.message;
        let record = reply_to(evidence, message).and_then(|incoming| kept.get(&incoming));
        if let Some(IncomingRecord { incoming, .. }) = record {
            let written = (incoming.at, &incoming.from, &incoming.text);
            answers.entry(written).or_default().insert(message);
        }
    }
    for ((at, ..), messages) in answers.into_iter().filter(|(_, messages)| messages.len() > 1) {
        wrong.push(format!("P2: what was written at {at} was answered by {} messages", messages.len()));
    }
}

fn reply_to(evidence: &Evidence<'_>, message: MessageId) -> Option<IncomingId> {
    match evidence.seen.made.get(&message)?.origin {
        Origin::Reply { incoming } => Some(incoming),
        _ => None,
    }
}

fn kept(evidence: &Evidence<'_>) -> Kept {
    let deployment = &evidence.trial.deployment;
    let (store, companies) = (&deployment.world.ports.store, deployment.companies.iter());
    let of = |company| block_on(store.incoming(company, None, 1_000_000)).expect("listed").items;
    companies.flat_map(|company| of(*company)).map(|record| (record.id, record)).collect()
}
