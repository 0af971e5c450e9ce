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
    let (gateway, written) = (&evidence.trial.gateway, &evidence.trial.written);
    for (event, heard) in gateway.heard.iter().filter(|(_, heard)| heard.is_stop()) {
        // By phone keys are pressed, which mean nothing once the call is forgotten.
        if heard.from.method() != ContactMethod::Phone || !is_restored {
            stopped(evidence, &kept, event, heard, wrong);
        }
    }
    for event in gateway.heard.keys().chain(written) {
        if !times.contains_key(event.as_str()) && !is_restored {
            wrong.push(format!("truth: what was heard as {event} is lost"));
        }
    }
    for (event, times) in times {
        let is_of_wire = gateway.heard.contains_key(event) || gateway.perhaps_heard.contains(event);
        if times > 1 || !(is_of_wire || written.contains(event)) {
            wrong.push(format!("truth: {event} is kept {times} times"));
        }
    }
    answered_once(evidence, &kept, wrong);
}

fn stopped(evidence: &Evidence<'_>, kept: &Kept, event: &str, heard: &Heard, wrong: &mut Vec<String>) {
    let key = heard.from.refusal_key();
    let permissions = || {
        evidence.seen.unsubscribes.iter().filter(|said| {
            let is_of_it = (said.company, &said.key) == (heard.company, &key);
            let is_since = said.at + evidence.clocks_apart() >= heard.written;
            said.change == UnsubscribeChange::OptedIn && is_of_it && is_since
        })
    };
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
            let written = (&incoming.account, incoming.at, &incoming.from, &incoming.text);
            answers.entry(written).or_default().insert(message);
        }
    }
    for ((_, at, ..), messages) in answers.into_iter().filter(|(_, messages)| messages.len() > 1) {
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
