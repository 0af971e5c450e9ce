//! Limits that the rule packs of a campaign ask for, and that only the campaign can keep.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};

use super::finding::{Finding, Severity};
use crate::domain::mapping::CompiledCampaign;
use crate::domain::plan::local_day;
use crate::domain::rules::{Demand, Rule, RuleId};

/// Rules about how often one person is contacted, which the planner does not count by itself.
pub(super) fn about_limits(campaign: &CompiledCampaign, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let definition = campaign.definition();
    let today = local_day(now, definition.time_zone);
    let binds = |rule: &Rule| {
        rule.purposes.contains(&definition.purpose)
            && rule.methods.iter().any(|method| definition.methods.order.contains(method))
            && rule.until.is_none_or(|until| today <= until)
    };
    for pack in campaign.rule_packs().iter() {
        for rule in pack.rules().iter().filter(|rule| binds(rule)) {
            let Demand::ContactsMax { per_day, per_week } = rule.demand else { continue };
            let caps = definition.limits.caps;
            let keys = [
                ("per_person_per_day", caps.per_day, per_day),
                ("per_person_per_week", caps.per_week, per_week),
            ];
            for (key, cap, most) in keys.into_iter().filter(|(_, cap, most)| exceeds(*cap, *most)) {
                let id = RuleId::new(pack.name(), &rule.id);
                let now = cap.map_or_else(|| "not set".to_owned(), |cap| cap.to_string());
                let message =
                    format!("{id} permits {most}, and nothing but this limit keeps to it: it is {now}");
                findings.push(Finding::new(Severity::Warning, format!("$.limits.{key}"), message));
            }
        }
    }
}

fn exceeds(cap: Option<NonZeroU32>, most: u32) -> bool {
    cap.is_none_or(|cap| cap.get() > most)
}
