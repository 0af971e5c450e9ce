//! Methods that are tried one after the other.

use std::time::Duration;

use super::{Corrected, Reached, RowMessages, expire_before_restore};
use crate::domain::message::{LadderPlace, PlanVerdict, PlannedMessage};
use crate::domain::plan::{ContactTerms, PlanInput, PlanOutcome, plan_ladder};
use crate::domain::skip_reason::SkipReason;
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
        let plans = plan_ladder(&rungs, wait);
        let mut below: Vec<Option<MessageId>> = vec![None; self.campaign.definition().schedule.send.len()];
        let (mut in_doubt, mut waits) = (vec![false; below.len()], vec![false; below.len()]);
        for (reached, plans) in reached.iter().zip(plans) {
            let entries = below.iter_mut().zip(&mut in_doubt).zip(&mut waits);
            for (mut plan, ((below, in_doubt), waits)) in plans.into_iter().zip(entries) {
                expire_before_restore(&mut plan, self.restore);
                // Above what may have gone before the restore nobody knows which rungs have gone too.
                *in_doubt |= plan.trace.late.as_ref().is_some_and(|late| late.restored_at.is_some());
                if *in_doubt && matches!(plan.outcome, PlanOutcome::Planned { .. }) {
                    plan.outcome = PlanOutcome::Skipped(SkipReason::PastDue);
                }
                let place = below.map(|below| LadderPlace { below, wait });
                let planned = self.planned(reached, plan, place, corrected);
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
}
