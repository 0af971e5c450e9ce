//! What may have gone before the store was restored.
//!
//! If a row had been mapped before the restore, what was to go then has been sent, and the store no longer knows.

use chrono::{DateTime, NaiveTime, Utc};

use super::RowMessages;
use crate::domain::campaign::definition::HouseholdUse;
use crate::domain::local_time::resolve;
use crate::domain::plan::{EntryPlan, LateTrace, PlanOutcome, PlanTrace, local_day};
use crate::domain::schedule::SendEntry;
use crate::domain::skip_reason::SkipReason;

impl RowMessages<'_> {
    /// Skips a message that may have gone before the restore.
    pub(super) fn expire_before_restore(&self, plan: &mut EntryPlan) {
        if self.may_have_gone(&plan.trace) {
            self.expire(plan);
        }
    }

    /// Skips every rung of an entry whose first rung may have gone before the restore: nobody knows which of the rungs above have
    /// gone too. `rungs` are the plans by rung and entry.
    pub(super) fn expire_rungs_before_restore(&self, rungs: &mut [Vec<EntryPlan>]) {
        let entries = rungs.first().map_or(0, Vec::len);
        for entry in 0..entries {
            let mut plans = rungs.iter().filter_map(|plans| plans.get(entry));
            if plans.any(|plan| self.may_have_gone(&plan.trace)) {
                rungs.iter_mut().filter_map(|plans| plans.get_mut(entry)).for_each(|plan| self.expire(plan));
            }
        }
    }

    /// Whether a message would have been due before the restore if its row had been mapped before. A rung above another would not:
    /// it is told by the one below.
    fn may_have_gone(&self, trace: &PlanTrace) -> bool {
        self.first_due(trace).is_some_and(|due| self.restore.is_before(due))
    }

    /// The first instant at which a message can have been due, whenever its row was mapped.
    fn first_due(&self, trace: &PlanTrace) -> Option<DateTime<Utc>> {
        if trace.send_entry == SendEntry::Now {
            // As soon as there was a packet.
            return Some(self.packet.created_at);
        }
        let planned_at = trace.planned_at?;
        match trace.rung {
            Some(rung) if rung.below.is_some() => None,
            // The rung moves forward to this instant, or to the mapping if that is later.
            Some(rung) => Some(rung.bound.map_or(planned_at, |bound| bound.min(planned_at))),
            None => Some(self.first_of_household(planned_at)),
        }
    }

    /// With another row of its household it may have gone earlier on the same day.
    fn first_of_household(&self, planned_at: DateTime<Utc>) -> DateTime<Utc> {
        if self.campaign.definition().methods.household == HouseholdUse::Off {
            return planned_at;
        }
        let zone = self.row.contact_zone;
        resolve(local_day(planned_at, zone).and_time(NaiveTime::MIN), zone).at.min(planned_at)
    }

    fn expire(&self, plan: &mut EntryPlan) {
        if !matches!(plan.outcome, PlanOutcome::Planned { .. }) {
            return;
        }
        plan.outcome = PlanOutcome::Skipped(SkipReason::PastDue);
        let max_lateness = self.campaign.definition().schedule.max_lateness;
        let now = self.now;
        let on_time = LateTrace { now, first_legal: None, max_lateness, rule: None, restored_at: None };
        plan.trace.late.get_or_insert(on_time).restored_at = self.restore.raised_at;
    }
}
