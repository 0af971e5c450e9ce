//! What may have gone before the store was restored.
//!
//! If a row had been mapped before the restore, what was to go then has been sent, and the store no longer knows.

use chrono::{DateTime, Utc};

use super::RowMessages;
use crate::domain::campaign::definition::{HouseholdUse, MethodChoice};
use crate::domain::mapping::ContactField;
use crate::domain::plan::{EntryPlan, LateTrace, PlanOutcome, PlanTrace, day_begins, earliest_starts};
use crate::domain::schedule::SendEntry;
use crate::domain::skip_reason::SkipReason;

impl RowMessages<'_> {
    /// Skips a message that may have gone before the restore, by its own method or, as
    /// [`may_have_gone_otherwise`](Self::may_have_gone_otherwise) tells of each entry, by another.
    pub(super) fn expire_before_restore(&self, plan: &mut EntryPlan, otherwise: &[bool]) {
        if self.may_have_gone(&plan.trace) || otherwise.get(usize::from(plan.entry)) == Some(&true) {
            self.expire(plan);
        }
    }

    /// Skips every rung of an entry whose first rung may have gone before the restore: nobody knows which of the rungs above have
    /// gone too. `rungs` are the plans by rung and entry.
    pub(super) fn expire_rungs_before_restore(&self, rungs: &mut [Vec<EntryPlan>]) {
        let entries = rungs.first().map_or(0, Vec::len);
        let otherwise = self.may_have_gone_otherwise();
        for entry in 0..entries {
            let mut plans = rungs.iter().filter_map(|plans| plans.get(entry));
            let by_another = otherwise.get(entry) == Some(&true);
            if by_another || plans.any(|plan| self.may_have_gone(&plan.trace)) {
                rungs.iter_mut().filter_map(|plans| plans.get_mut(entry)).for_each(|plan| self.expire(plan));
            }
        }
    }

    /// Of each entry, whether it may have gone before the restore by any method that the row names; empty if there is nothing to
    /// ask. Who has refused which method since, or had before, the store does not know: whichever of them is the first now,
    /// another may have been then.
    pub(super) fn may_have_gone_otherwise(&self) -> Vec<bool> {
        let methods = &self.campaign.definition().methods;
        let wait = match methods.choice {
            MethodChoice::FirstAvailable => None,
            MethodChoice::Ladder { wait } => Some(wait),
            // Each goes in any case, and has its own instant.
            MethodChoice::All => return Vec::new(),
        };
        if self.restore.raised_at.is_none() {
            return Vec::new();
        }
        let order = self.row.methods.as_ref().unwrap_or(&methods.order);
        let named = order.iter().filter_map(|method| match self.row.contact(*method) {
            ContactField::Valid(contact) => Some((*method, self.terms_of(contact, None))),
            ContactField::Absent | ContactField::Invalid(_) => None,
        });
        let named: Vec<_> = named.collect();
        let inputs: Vec<_> = named.iter().map(|(method, terms)| self.plan_input(*method, terms)).collect();
        let starts = earliest_starts(&inputs, wait);
        let entries = &self.campaign.definition().schedule.send;
        let may_have_gone = |(start, entry): (&Option<DateTime<Utc>>, &SendEntry)| {
            start.is_some_and(|start| self.may_have_gone_at(*entry, self.first_of_household(start)))
        };
        starts.iter().zip(entries).map(may_have_gone).collect()
    }

    /// Whether a message would have been due before the restore if its row had been mapped before. A rung above another would not:
    /// it is told by the one below.
    fn may_have_gone(&self, trace: &PlanTrace) -> bool {
        self.first_due(trace).is_some_and(|due| self.may_have_gone_at(trace.send_entry, due))
    }

    /// What goes at once was due when there was a packet, not because a worker's clock was ahead.
    fn may_have_gone_at(&self, entry: SendEntry, due: DateTime<Utc>) -> bool {
        match entry {
            SendEntry::Now => self.restore.is_before(self.packet.created_at),
            SendEntry::DaysBefore { .. } | SendEntry::HoursBefore { .. } => self.restore.may_have_gone(due),
        }
    }

    /// The first instant at which a message can have been due, whenever its row was mapped.
    fn first_due(&self, trace: &PlanTrace) -> Option<DateTime<Utc>> {
        let planned_at = trace.planned_at?;
        match trace.rung.as_deref() {
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
        day_begins(planned_at, self.row.contact_zone)
    }

    fn expire(&self, plan: &mut EntryPlan) {
        if !matches!(plan.outcome, PlanOutcome::Planned { .. }) {
            return;
        }
        plan.outcome = PlanOutcome::Skipped(SkipReason::PastDue);
        let max_lateness = self.campaign.definition().schedule.max_lateness;
        let now = self.now;
        let on_time = LateTrace { now, first_legal: None, max_lateness, rule: None, restored_at: None };
        plan.trace.late.get_or_insert_with(|| Box::new(on_time)).restored_at = self.restore.raised_at;
    }
}
