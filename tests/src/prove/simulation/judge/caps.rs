//! Nobody is contacted more often than the campaigns allow.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use reminderly_core::ids::MessageId;

use super::super::schedule::Caps;
use super::Evidence;

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let schedule = evidence.trial.schedule;
    // A backup does not know of what went after it, and a clock that is hours off does not know what day it is.
    if schedule.is_restored() || schedule.jumps() {
        return;
    }
    let mut days: BTreeMap<(usize, &str), BTreeSet<(NaiveDate, MessageId)>> = BTreeMap::new();
    for accepted in &evidence.accepted {
        let message = accepted.request.message;
        for said in &accepted.said {
            let draft = &schedule.campaigns[said.campaign];
            if draft.caps.is_some() && evidence.is_scheduled(message) {
                let day = accepted.at.with_timezone(&schedule.zone).date_naive();
                days.entry((draft.company, &said.person)).or_default().insert((day, message));
            }
        }
    }
    for ((company, person), days) in days {
        let Some(Caps { per_day, per_week }) = caps(evidence, company) else { continue };
        for (day, _) in &days {
            let within = |length: i64| {
                let later = days.iter().map(|(other, _)| (*other - *day).num_days());
                later.filter(|later| (0..length).contains(later)).count()
            };
            if within(1) > per_day || within(7) > per_week {
                wrong.push(format!(
                    "caps: {person} was contacted more than {per_day} a day, {per_week} a week: {days:?}"
                ));
                break;
            }
        }
    }
}

/// All campaigns of a company have the same ones.
fn caps(evidence: &Evidence<'_>, company: usize) -> Option<Caps> {
    evidence
        .trial
        .schedule
        .campaigns
        .iter()
        .find(|draft| draft.company == company && draft.caps.is_some())?
        .caps
}
