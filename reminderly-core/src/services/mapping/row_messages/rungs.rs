//! Methods that are tried one after the other.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Corrected, Reached, RowMessages, Turn, late_since};
use crate::domain::message::{LadderPlace, PlanVerdict, PlannedMessage};
use crate::domain::plan::{ContactTerms, EntryPlan, PlanInput, plan_ladder};
use crate::ids::MessageId;

impl RowMessages<'_> {
    /// Plans the methods that reach the person one after the other: a rung waits for the one below it that goes,
    /// and stands above one that does not if there is no other: any answer ends it.
    pub(super) fn plan_rungs(
        &self,
        reached: &[Reached],
        wait: Duration,
        corrected: &[Corrected],
        messages: &mut Vec<PlannedMessage>,
    ) {
        let terms: Vec<ContactTerms<'_>> = reached.iter().map(|reached| self.terms(reached)).collect();
        let rungs: Vec<PlanInput<'_>> = reached
            .iter()
            .zip(&terms)
            .map(|(reached, terms)| self.plan_input(reached.method, terms))
            .collect();
        let mut plans = plan_ladder(&rungs, wait);
        self.expire_rungs_before_restore(&mut plans);
        let dues: Vec<Option<DateTime<Utc>>> = (0..self.campaign.definition().schedule.send.len())
            .map(|entry| self.due(&plans, entry))
            .collect();
        let mut below: Vec<Option<MessageId>> = vec![None; self.campaign.definition().schedule.send.len()];
        let mut waits = vec![false; below.len()];
        for (reached, plans) in reached.iter().zip(plans) {
            let entries = below.iter_mut().zip(&mut waits).zip(&dues);
            for (plan, ((below, waits), due)) in plans.into_iter().zip(entries) {
                let place = below.map(|below| LadderPlace { below, wait });
                let planned = self.planned(reached, plan, Turn { place, due: *due }, corrected);
                let goes = matches!(planned.verdict, PlanVerdict::Send { .. });
                // There is nothing to wait for below one that is skipped, but an answer may stand there.
                if goes || !*waits {
                    *below = Some(planned.message.id);
                }
                *waits |= goes;
                messages.push(planned);
            }
        }
    }

    /// Since when the ladder of an entry is due, if it should have begun: where its first rung was planned, or had to start for
    /// all others to fit. The rungs above are planned from now on, and do not look late themselves.
    fn due(&self, rungs: &[Vec<EntryPlan>], entry: usize) -> Option<DateTime<Utc>> {
        let mut plans = rungs.iter().filter_map(|rung| rung.get(entry));
        let first = plans.find(|plan| plan.trace.planned_at.is_some())?;
        let bound = first.trace.rung.and_then(|rung| rung.bound).filter(|bound| *bound < self.now);
        late_since(first).into_iter().chain(bound).min()
    }
}
