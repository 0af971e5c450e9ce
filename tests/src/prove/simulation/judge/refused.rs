//! A refusal that was taken stands at the end, by whatever way it came, unless the person has permitted contact since.

use chrono::{DateTime, Utc};
use futures::executor::block_on;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::ids::CompanyId;

use super::super::schedule::{Deed, FAULTS_FOR, Way};
use super::Evidence;

struct Refusal {
    by: &'static str,
    company: CompanyId,
    key: RefusalKey,
    /// No permission from before it lifts it.
    since: DateTime<Utc>,
}

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    if evidence.trial.ended_at.is_none() {
        return;
    }
    let refusals =
        written(evidence).chain(told(evidence)).chain(complained(evidence)).chain(carriers(evidence));
    let store = &evidence.trial.deployment.world.ports.store;
    for Refusal { by, company, key, since } in refusals {
        let is_lifted = evidence.seen.unsubscribes.iter().any(|said| {
            let is_of_it = (said.company, &said.key) == (company, &key);
            said.change == UnsubscribeChange::OptedIn
                && is_of_it
                && said.at + evidence.clocks_apart() >= since
        });
        let stands = block_on(store.refused(company, std::slice::from_ref(&key))).expect("read");
        if stands != [true] && !is_lifted {
            wrong.push(format!("P4: {by} of {since} does not stand"));
        }
    }
}

/// What people wrote, and the endpoint took.
fn written<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Refusal> + 'a {
    let is_restored = evidence.trial.schedule.is_restored();
    evidence.trial.gateway.heard.values().filter_map(move |heard| {
        // By phone keys are pressed, which mean nothing once the call is forgotten.
        let by_phone = heard.from.method() == ContactMethod::Phone;
        let is_stop = heard.is_stop() && !(by_phone && is_restored);
        let key = heard.from.refusal_key();
        is_stop.then_some(Refusal { by: "a stop", company: heard.company, key, since: heard.written })
    })
}

/// The last word of what the host was told about a number.
fn told<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Refusal> + 'a {
    let (schedule, companies) = (evidence.trial.schedule, &evidence.trial.deployment.companies);
    let deeds = schedule.deeds.iter().enumerate();
    deeds.filter_map(move |(position, timed)| {
        let Deed::Unsubscribe { company, cell, change: UnsubscribeChange::OptedOut, way } = &timed.deed
        else {
            return None;
        };
        let is_of_it = |deed: &Deed| {
            matches!(deed, Deed::Unsubscribe { company: of, cell: told, .. } if (of, told) == (company, cell))
        };
        if schedule.deeds.iter().skip(position + 1).any(|later| is_of_it(&later.deed)) {
            return None;
        }
        let company = companies[*company];
        let key = ContactPoint::Sms(PhoneNumber::parse(cell, None).expect("a number")).refusal_key();
        let told_at = schedule.start + timed.after.min(FAULTS_FOR);
        let noted = evidence.seen.unsubscribes.iter().find(|said| {
            let is_of_it = (said.company, &said.key) == (company, &key);
            said.change == UnsubscribeChange::OptedOut && is_of_it && said.at >= told_at
        });
        // Nothing lifts what was never noted. What a person wrote counts from then on, though it is noted later.
        let since = noted.map_or(DateTime::<Utc>::MAX_UTC, |noted| match way {
            Way::Operator => noted.at,
            Way::Reply => told_at,
        });
        Some(Refusal { by: "an opt-out", company, key, since })
    })
}

fn complained<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Refusal> + 'a {
    let reports = &evidence.trial.gateway.reports;
    evidence.accepted.iter().filter_map(|accepted| {
        let of_attempt = reports.get(&accepted.request.attempt)?;
        let (company, key) = (accepted.request.company, accepted.request.contact.refusal_key());
        let complains = of_attempt.contains(&AttemptReport::Complained);
        // A backup does not know whom it was about.
        let is_known = complains && !evidence.trial.schedule.is_restored();
        is_known.then_some(Refusal { by: "a complaint", company, key, since: accepted.at })
    })
}

/// What a provider said instead of sending.
fn carriers<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Refusal> + 'a {
    evidence.records.values().filter_map(|(position, record)| {
        let is_refused = matches!(&record.state.detail, Some(Detail::Code(code)) if code == "opted_out");
        let contact = record.message.contact.as_ref().filter(|_| is_refused)?;
        let company = evidence.trial.deployment.campaigns[*position].company;
        let since = evidence.ended_at(*position, record)?;
        Some(Refusal { by: "a carrier's refusal", company, key: contact.refusal_key(), since })
    })
}
