//! P2: no second request for a message, unless the first is proven not accepted, or a recorded policy allowed it. And nobody is
//! told the same twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::appointment_change::AppointmentChange;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message::Origin;
use reminderly_core::ids::{AttemptId, MessageId};
use reminderly_providers::sandbox::{ANSWER_WITHIN, QUIET_AFTER};

use super::super::documents::REDIALS;
use super::super::schedule::{Deed, Policy};
use super::super::wire::{Request, Told};
use super::{Accepted, Evidence, SKEW};

/// After which time a campaign that permits it sends again without proof.
const RESEND_AFTER: TimeDelta = TimeDelta::minutes(10);

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let mut accepted: BTreeMap<MessageId, Vec<&Accepted>> = BTreeMap::new();
    for request in &evidence.accepted {
        accepted.entry(request.request.message).or_default().push(request);
    }
    for (message, requests) in &accepted {
        accepted_once(evidence, *message, requests, wrong);
    }
    let attempts: BTreeSet<AttemptId> =
        evidence.accepted.iter().map(|accepted| accepted.request.attempt).collect();
    let mut requests: BTreeMap<MessageId, Vec<&Request>> = BTreeMap::new();
    for request in &evidence.requests {
        requests.entry(request.message).or_default().push(request);
    }
    for of_message in requests.values() {
        for (first, second) in of_message.iter().zip(of_message.iter().skip(1)) {
            asked_again(evidence, (first, second), &attempts, wrong);
        }
    }
    told_once(evidence, wrong);
}

fn policy(evidence: &Evidence<'_>, message: MessageId) -> Option<Policy> {
    let (position, _) = evidence.records.get(&message)?;
    Some(evidence.trial.schedule.campaigns[*position].policy)
}

fn accepted_once(
    evidence: &Evidence<'_>,
    message: MessageId,
    requests: &[&Accepted],
    wrong: &mut Vec<String>,
) {
    let by_phone = requests.iter().any(|accepted| accepted.request.method == ContactMethod::Phone);
    let made = evidence.seen.made.get(&message);
    // A household's call is made once.
    let of_household = made.is_some_and(|made| matches!(made.origin, Origin::Household { .. }));
    let redials = if by_phone && !of_household { 2 * REDIALS } else { 0 };
    let resend = usize::from(policy(evidence, message) == Some(Policy::ResolveThenResendOnce));
    // A provider that accepts one request twice is out of anybody's hands.
    let at: BTreeMap<AttemptId, DateTime<Utc>> =
        requests.iter().map(|accepted| (accepted.request.attempt, accepted.at)).collect();
    if at.len() > 1 + redials + resend {
        wrong.push(format!("P2: message {message} was accepted {} times: {:?}", at.len(), at.values()));
    }
}

/// Whether the second request was permitted.
fn asked_again(
    evidence: &Evidence<'_>,
    (first, second): (&Request, &Request),
    accepted: &BTreeSet<AttemptId>,
    wrong: &mut Vec<String>,
) {
    if first.attempt == second.attempt {
        wrong.push(format!(
            "P2: attempt {} was asked for twice, at {} and {}",
            first.attempt, first.at, second.at
        ));
        return;
    }
    let was_accepted = accepted.contains(&first.attempt);
    let told_in_time = first.told_at.is_some_and(|at| at <= second.at);
    if first.told == Told::Refused && told_in_time && !was_accepted {
        return;
    }
    if reached_nobody(evidence, first.attempt) {
        return;
    }
    let dead = first.at + TimeDelta::from_std(ANSWER_WITHIN + QUIET_AFTER).expect("seconds") - SKEW;
    if !was_accepted && second.at >= dead {
        return;
    }
    let permitted = policy(evidence, first.message) == Some(Policy::ResolveThenResendOnce)
        && second.at >= first.at + RESEND_AFTER - SKEW;
    if !permitted {
        wrong.push(format!(
            "P2: message {} was asked for at {} ({:?}, accepted: {was_accepted}) and again at {}",
            first.message, first.at, first.told, second.at
        ));
    }
}

/// Whether the provider said, or may have said, that nobody took the call.
fn reached_nobody(evidence: &Evidence<'_>, attempt: AttemptId) -> bool {
    let gateway = &evidence.trial.gateway;
    let reports = [&gateway.reports, &gateway.in_doubt].into_iter().filter_map(|of| of.get(&attempt));
    reports.flatten().any(|report| matches!(report, AttemptReport::Busy | AttemptReport::NoAnswer))
}

/// Nobody gets the same words twice, whatever ids the messages have: not after a restore, and not of a call that is repeated.
fn told_once(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let schedule = evidence.trial.schedule;
    let cancels =
        |of| schedule.has(|deed| matches!(deed, Deed::CancelPacket { campaign } if *campaign == of));
    let mut told: BTreeMap<_, BTreeSet<MessageId>> = BTreeMap::new();
    let heard =
        evidence.accepted.iter().filter(|accepted| !reached_nobody(evidence, accepted.request.attempt));
    let each = heard.flat_map(|accepted| accepted.said.iter().map(move |said| (accepted, said)));
    for (accepted, said) in each {
        // The key of a call whose packet was cancelled may be used again.
        if said.at.is_none() && cancels(said.campaign) {
            continue;
        }
        let made = evidence.seen.made.get(&accepted.request.message);
        let corrects = made.is_some_and(|made| matches!(made.origin, Origin::Correction { .. }));
        let words = (said.clone(), accepted.request.contact.clone(), corrects);
        told.entry(words).or_default().insert(accepted.request.message);
    }
    for ((said, contact, corrects), messages) in told {
        // Who moves back to where it was is told so again, and who knew another time is corrected; a call that is made again is
        // one message.
        let tells = |change: AppointmentChange| match change {
            AppointmentChange::New => !corrects,
            AppointmentChange::Moved(_) => true,
            _ => false,
        };
        let campaign = evidence.campaign_id(said.campaign);
        let of_it = evidence.seen.planned.iter().filter(|planned| {
            (planned.campaign, &planned.key, Some(planned.local)) == (campaign, &said.key, said.at)
        });
        let permitted = of_it.filter(|planned| tells(planned.change)).count().max(1);
        if messages.len() > permitted {
            let address = contact.address().to_owned();
            wrong.push(format!("P2: {address} was told {said:?} by {} messages", messages.len()));
        }
    }
}
