//! What can be told from a campaign alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::asked::about_asked_words;
use super::finding::{Finding, Severity};
use crate::domain::appointment::Appointment;
use crate::domain::campaign::definition::{CampaignDefinition, MethodChoice};
use crate::domain::contact_method::ContactMethod;
use crate::domain::plan::{EntryPlan, LadderRung, PlanInput, PlanOutcome, plan_ladder, plan_row};
use crate::domain::schedule::SendEntry;
use crate::domain::skip_reason::SkipReason;

/// How many days of appointments are tried: each weekday twice, as closed dates may take one.
const DAYS_TRIED: u64 = 14;

/// How far ahead of `now` the first of them lies: farther than any entry reaches back.
const AHEAD: Days = Days::new(400);

/// What people should know about a campaign whatever its data: parts of its schedule that contradict each other, a sender that
/// is not named, words to reply with that do something else than the text promises, or nothing. `now` tells which closed dates
/// are past.
pub fn check_campaign(definition: &CampaignDefinition, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if definition.sender_name.is_none() {
        let message = "name the sender as people know it; its absence from texts is reported then";
        findings.push(Finding::new(Severity::Warning, "$.sender_name", message));
    }
    about_entries(definition, now, &mut findings);
    about_rungs(definition, now, &mut findings);
    about_closed_dates(definition, now, &mut findings);
    about_asked_words(definition, &mut findings);
    findings
}

/// Entries that never lead to a message, or always give way to another one.
fn about_entries(definition: &CampaignDefinition, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let schedule = &definition.schedule;
    for method in &definition.methods.order {
        let zones = [definition.time_zone];
        let plans: Vec<Vec<EntryPlan>> = appointments(definition, now)
            .map(|appointment| plan_row(&input(definition, *method, Some(&appointment), &zones, now)))
            .collect();
        for (position, entry) in schedule.send.iter().enumerate() {
            if *entry == SendEntry::Now {
                continue;
            }
            let outcomes: Vec<PlanOutcome> =
                plans.iter().filter_map(|plans| plans.get(position)).map(|plan| plan.outcome).collect();
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
            "no appointment of any weekday and hour has a legal instant by {method}: windows, closed dates, min_notice and \
             when_closed leave none"
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
fn about_rungs(definition: &CampaignDefinition, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let MethodChoice::Ladder { wait } = definition.methods.choice else { return };
    let zones = [definition.time_zone];
    let order = &definition.methods.order;
    let mut goes = BTreeSet::new();
    for appointment in appointments(definition, now) {
        let rung =
            |method: &ContactMethod| input(definition, *method, Some(&appointment), &zones, now).into();
        let rungs: Vec<LadderRung<'_>> = order.iter().map(rung).collect();
        for (method, plans) in order.iter().zip(plan_ladder(&rungs, wait)) {
            if plans.iter().any(|plan| matches!(plan.outcome, PlanOutcome::Planned { .. })) {
                goes.insert(*method);
            }
        }
    }
    for method in order.iter().filter(|method| !goes.contains(method)) {
        let message =
            format!("the rung of {method} never has a legal instant: its window and ladder_wait leave none");
        findings.push(Finding::new(Severity::Warning, "$.methods", message));
    }
}

fn about_closed_dates(definition: &CampaignDefinition, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let today = now.with_timezone(&definition.time_zone).date_naive();
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
    let today = now.with_timezone(&definition.time_zone).date_naive();
    let first = today.checked_add_days(AHEAD).unwrap_or(NaiveDate::MAX);
    let monday = first.week(first.weekday()).first_day();
    (0..DAYS_TRIED).filter_map(move |day| monday.checked_add_days(Days::new(day))).flat_map(move |date| {
        (0..24).filter_map(move |hour| {
            let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
            Some(Appointment::new(date.and_time(time), definition.time_zone))
        })
    })
}

/// Planned long before, so that nothing is late.
fn input<'a>(
    definition: &'a CampaignDefinition,
    method: ContactMethod,
    appointment: Option<&'a Appointment>,
    zones: &'a [chrono_tz::Tz],
    now: DateTime<Utc>,
) -> PlanInput<'a> {
    let early = now - TimeDelta::days(1);
    PlanInput { schedule: &definition.schedule, method, appointment, zones, rules: &[], now: early }
}
