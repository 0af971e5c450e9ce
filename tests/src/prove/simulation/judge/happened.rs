//! What must happen in every run, from what shows in the provider's log, in the witness's notes and in our tables.

use std::collections::{BTreeMap, BTreeSet};

use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::household::Membership;
use reminderly_core::domain::message::{Detail, Origin};
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::{AttemptId, MessageId};
use reminderly_core::ports::queue::QueueName;

use super::super::schedule::Policy;
use super::super::trial::Trial;
use super::super::wire::{Request, Told};
use super::super::witness::{Seen, Unsubscribed};
use super::Evidence;

/// What must happen in every run and shows in what was seen.
pub(in super::super) fn add_what_happened(
    trial: &Trial<'_>,
    seen: &Seen,
    add: &mut impl FnMut(&'static str, u64),
) {
    let (evidence, world) = (Evidence::of(trial), &trial.deployment.world);
    let schedule = trial.schedule;
    add_of_requests(&evidence, add);
    for accepted in &evidence.accepted {
        let made = seen.made.get(&accepted.request.message);
        if let Some(draft) = evidence.campaign_of(accepted).map(|position| &schedule.campaigns[position]) {
            add("window past midnight", (draft.window.from > draft.window.to).into());
            add("people in several zones", draft.area_code_zones.into());
        }
        add("clocks of workers apart", (!accepted.skew.is_zero()).into());
        add("day on which clocks change", schedule.is_change_of_clocks.into());
        add("request accepted late", (accepted.request.at > accepted.at).into());
        add(
            "person was corrected",
            made.is_some_and(|made| matches!(made.origin, Origin::Correction { .. })).into(),
        );
        add(
            "household was told at once",
            made.is_some_and(|made| matches!(made.origin, Origin::Household { .. })).into(),
        );
        add("rung above the first went", made.is_some_and(|made| made.below.is_some()).into());
    }
    for (id, (_, packet)) in &evidence.packets {
        let had_one =
            evidence.requests.iter().any(|request| evidence.packet_of(request.message) == Some(*id));
        let is_gone = world.depth(&QueueName::of_packet(*id)).is_none();
        add("queue taken down", (had_one && is_gone && packet.stage.is_closed()).into());
    }
    let complaints = trial.gateway.reports.values().flatten();
    let complaints = complaints.filter(|report| **report == AttemptReport::Complained);
    add("person complained", complaints.count() as u64);
    add("schedule with two hundred messages or more", (evidence.records.len() >= 200).into());
    let refused = |said: &&Unsubscribed| said.change == UnsubscribeChange::OptedOut;
    let lifted = |refusal: &Unsubscribed| {
        let of_it = |said: &&Unsubscribed| (said.company, &said.key) == (refusal.company, &refusal.key);
        seen.unsubscribes
            .iter()
            .filter(of_it)
            .any(|said| said.change == UnsubscribeChange::OptedIn && said.since > refusal.at)
    };
    add(
        "person permitted contact again",
        seen.unsubscribes.iter().filter(refused).filter(|said| lifted(said)).count() as u64,
    );
    for (position, record) in evidence.records.values() {
        let capped = record.state.detail == Some(Detail::Skip(SkipReason::Cap));
        add("refused by a cap", capped.into());
        let left = matches!(record.state.household, Some(Membership::Left(_)));
        add("household fell apart", left.into());
        let company = trial.deployment.campaigns[*position].company;
        let is_refused = matches!(&record.state.detail, Some(Detail::Code(code)) if code == "opted_out");
        let contact = record.message.contact.clone().filter(|_| is_refused);
        let was_unheard = contact.is_some_and(|contact| trial.gateway.unheard.contains(&(company, contact)));
        add("refused by a carrier that heard what we did not", was_unheard.into());
    }
}

/// Of what was asked of providers, and how it ended.
fn add_of_requests(evidence: &Evidence<'_>, add: &mut impl FnMut(&'static str, u64)) {
    let mut requests: BTreeMap<MessageId, Vec<&Request>> = BTreeMap::new();
    for request in &evidence.requests {
        requests.entry(request.message).or_default().push(request);
    }
    let accepted: BTreeSet<AttemptId> =
        evidence.accepted.iter().map(|accepted| accepted.request.attempt).collect();
    for request in &evidence.requests {
        add("answer that says nothing", (request.told == Told::Unknown).into());
    }
    for (message, of_message) in requests {
        let Some((position, record)) = evidence.records.get(&message) else { continue };
        let needs_proof =
            evidence.trial.schedule.campaigns[*position].policy != Policy::ResolveThenResendOnce;
        for (first, _) in of_message.iter().zip(of_message.iter().skip(1)) {
            let was_accepted = accepted.contains(&first.attempt);
            let is_redialled = was_accepted && record.state.redialled;
            add("call reached nobody and was made again", is_redialled.into());
            let is_unsure = first.told != Told::Refused && !was_accepted;
            add("request made twice after proof of absence", (is_unsure && needs_proof).into());
        }
    }
}
