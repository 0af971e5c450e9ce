//! What can be told from a campaign alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::asked::about_asked_words;
use super::finding::{Finding, Severity};
use super::limits::about_limits;
use crate::domain::appointment::Appointment;
use crate::domain::campaign::definition::{CampaignDefinition, MethodChoice};
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, PhoneNumber};
use crate::domain::mapping::CompiledCampaign;
use crate::domain::number_area::zones_of;
use crate::domain::plan::{EntryPlan, LadderRung, PlanInput, PlanOutcome, local_day, plan_ladder, plan_row};
use crate::domain::rules::BoundRule;
use crate::domain::schedule::{AreaCodeZones, SendEntry};
use crate::domain::skip_reason::SkipReason;

/// How many days of appointments are tried: each weekday twice, as closed dates may take one.
const DAYS_TRIED: u64 = 14;

/// How far ahead of `now` the first of them lies: farther than any entry reaches back.
const AHEAD: Days = Days::new(400);

/// A number of no American state, kept free of subscribers by
/// [Ofcom](https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama): only the rules bind it that bind
/// everybody.
const ELSEWHERE: &str = "+442079460018";

/// A toll-free number of the North American plan: it tells no area.
const TOLL_FREE: &str = "+18005550100";

/// What people should know about a campaign whatever its data: parts of its schedule that contradict each other or the rule
/// packs that it names, limits that these packs ask for, a sender that is not named, words to reply with that do something else
/// than the text promises, or nothing. `now` tells which closed dates are past.
pub fn check_campaign(campaign: &CompiledCampaign, now: DateTime<Utc>) -> Vec<Finding> {
    let definition = &**campaign.definition();
    let mut findings = Vec::new();
    if definition.sender_name.is_none() {
        let message = "name the sender as people know it; its absence from texts is reported then";
        findings.push(Finding::new(Severity::Warning, "$.sender_name", message));
    }
    about_entries(campaign, now, &mut findings);
    about_rungs(campaign, now, &mut findings);
    about_unknown_areas(campaign, now, &mut findings);
    about_closed_dates(definition, now, &mut findings);
    about_limits(campaign, now, &mut findings);
    about_asked_words(definition, &mut findings);
    findings
}

/// Entries that never lead to a message, or always give way to another one.
fn about_entries(campaign: &CompiledCampaign, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let definition = campaign.definition();
    for method in &definition.methods.order {
        let (zones, rules) = ([definition.time_zone], rules_of_all(campaign, *method));
        let tried = appointments(definition, now);
        for (position, outcomes) in outcomes(definition, *method, (&zones, &rules), tried, now) {
            let place = format!("$.schedule.send[{position}]");
            if let Some((severity, message)) = contradiction(*method, &outcomes) {
                findings.push(Finding::new(severity, place, message));
            }
        }
    }
}

/// What is wrong with an entry whose messages met these outcomes.
fn contradiction(method: ContactMethod, outcomes: &[PlanOutcome]) -> Option<(Severity, String)> {
    let all = |reason| outcomes.iter().all(|outcome| *outcome == PlanOutcome::Skipped(reason));
    let any = |reason| outcomes.contains(&PlanOutcome::Skipped(reason));
    if all(SkipReason::NoLegalInstant) {
        let message = format!(
            "no appointment of any weekday and hour has a legal instant by {method}: windows, closed dates, rule packs, \
             min_notice and when_closed leave none"
        );
        return Some((Severity::Error, message));
    }
    let goes = outcomes.iter().any(|outcome| matches!(outcome, PlanOutcome::Planned { .. }));
    (!goes && any(SkipReason::Duplicate)).then(|| {
        let message =
            format!("by {method} it always falls on the day of another entry, which takes its place");
        (Severity::Warning, message)
    })
}

/// Rungs for which there is never room.
fn about_rungs(campaign: &CompiledCampaign, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let definition = campaign.definition();
    let MethodChoice::Ladder { wait } = definition.methods.choice else { return };
    let zones = [definition.time_zone];
    let order = &definition.methods.order;
    let rules: Vec<_> = order.iter().map(|method| rules_of_all(campaign, *method)).collect();
    let mut goes = BTreeSet::new();
    for appointment in appointments(definition, now) {
        let rungs: Vec<LadderRung<'_>> = order
            .iter()
            .zip(&rules)
            .map(|(method, rules)| input(definition, *method, &appointment, (&zones, rules), now).into())
            .collect();
        for (method, plans) in order.iter().zip(plan_ladder(&rungs, wait)) {
            if plans.iter().any(|plan| matches!(plan.outcome, PlanOutcome::Planned { .. })) {
                goes.insert(*method);
            }
        }
    }
    for method in order.iter().filter(|method| !goes.contains(method)) {
        let message = format!(
            "the rung of {method} never has a legal instant: its window, rule packs and ladder_wait leave none"
        );
        findings.push(Finding::new(Severity::Warning, "$.methods", message));
    }
}

/// Numbers that tell no area, where contact must be legal in every zone of the number's area.
fn about_unknown_areas(campaign: &CompiledCampaign, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let definition = campaign.definition();
    let Ok(number) = PhoneNumber::parse_stored(TOLL_FREE) else { return };
    // In campaigns on other continents nobody has such a number.
    let is_near = zones_of(&number).contains(&definition.time_zone);
    if definition.schedule.area_code_zones == AreaCodeZones::Ignored || !is_near {
        return;
    }
    for method in &definition.methods.order {
        let toll_free = match method {
            ContactMethod::Sms => ContactPoint::Sms(number.clone()),
            ContactMethod::Phone => ContactPoint::Phone(number.clone()),
            ContactMethod::Email => continue,
        };
        let terms = campaign.terms(&toll_free, definition.time_zone, None);
        // There are dozens of zones: a few hours of each day will do.
        let tried = appointments(definition, now).step_by(6);
        let entries = outcomes(definition, *method, (&terms.zones, &terms.rules), tried, now);
        let is_none = |outcome: &PlanOutcome| *outcome == PlanOutcome::Skipped(SkipReason::NoLegalInstant);
        if !entries.is_empty() && entries.iter().all(|(_, outcomes)| outcomes.iter().all(is_none)) {
            let message = format!(
                "numbers that tell no area, such as toll-free ones, have no legal instant by {method}: no hour is open in all \
                 zones in which the person may be"
            );
            findings.push(Finding::new(Severity::Note, "$.schedule.area_code_zones", message));
        }
    }
}

fn about_closed_dates(definition: &CampaignDefinition, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let today = local_day(now, definition.time_zone);
    let dates = &definition.schedule.closed_dates;
    if !dates.is_empty() && dates.iter().all(|date| *date < today) {
        findings.push(Finding::new(Severity::Note, "$.schedule.closed_dates", "all of them are past"));
    }
}

/// An appointment for every weekday and full hour, twice.
fn appointments(
    definition: &CampaignDefinition,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Appointment> + '_ {
    let today = local_day(now, definition.time_zone);
    let first = today.checked_add_days(AHEAD).unwrap_or(NaiveDate::MAX);
    let monday = first.week(first.weekday()).first_day();
    (0..DAYS_TRIED).filter_map(move |day| monday.checked_add_days(Days::new(day))).flat_map(move |date| {
        (0..24).filter_map(move |hour| {
            let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
            Some(Appointment::new(date.and_time(time), definition.time_zone))
        })
    })
}

/// The rules that bind every contact point of the method.
fn rules_of_all(campaign: &CompiledCampaign, method: ContactMethod) -> Vec<BoundRule<'_>> {
    let address = match method {
        ContactMethod::Sms | ContactMethod::Phone => ELSEWHERE,
        // No address tells where its owner is.
        ContactMethod::Email => "anybody@example.com",
    };
    let anybody = ContactPoint::parse_stored(method, address);
    let zone = campaign.definition().time_zone;
    anybody.map(|anybody| campaign.terms(&anybody, zone, None).rules).unwrap_or_default()
}

/// What becomes of appointments by each entry that depends on them.
fn outcomes(
    definition: &CampaignDefinition,
    method: ContactMethod,
    terms: (&[Tz], &[BoundRule<'_>]),
    appointments: impl Iterator<Item = Appointment>,
    now: DateTime<Utc>,
) -> Vec<(usize, Vec<PlanOutcome>)> {
    let plans: Vec<Vec<EntryPlan>> = appointments
        .map(|appointment| plan_row(&input(definition, method, &appointment, terms, now)))
        .collect();
    let entries = definition.schedule.send.iter().enumerate();
    let of_entry = |position: usize| plans.iter().filter_map(move |plans| Some(plans.get(position)?.outcome));
    let entries = entries.filter(|(_, entry)| **entry != SendEntry::Now);
    entries.map(|(position, _)| (position, of_entry(position).collect())).collect()
}

/// Planned long before, so that nothing is late.
fn input<'a>(
    definition: &'a CampaignDefinition,
    method: ContactMethod,
    appointment: &'a Appointment,
    (zones, rules): (&'a [Tz], &'a [BoundRule<'a>]),
    now: DateTime<Utc>,
) -> PlanInput<'a> {
    let early = now - TimeDelta::days(1);
    let appointment = Some(appointment);
    PlanInput { schedule: &definition.schedule, method, appointment, zones, rules, now: early }
}
