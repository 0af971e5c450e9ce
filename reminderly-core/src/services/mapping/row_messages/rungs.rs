//! Methods that are tried one after the other.

use std::time::Duration;

use super::{Corrected, Reached, RowMessages};
use crate::domain::message::{LadderPlace, PlanVerdict, PlannedMessage};
use crate::domain::plan::{ContactTerms, PlanInput, plan_ladder};
use crate::ids::MessageId;

impl RowMessages<'_> {
    /// Plans the methods that reach the person one after the other: a rung waits for the one below it that goes.
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
        let mut below: Vec<Option<MessageId>> = vec![None; self.campaign.definition().schedule.send.len()];
        for (reached, plans) in reached.iter().zip(plans) {
            for (plan, below) in plans.into_iter().zip(&mut below) {
                let place = below.map(|below| LadderPlace { below, wait });
                let planned = self.planned(reached, plan, place, corrected);
                if matches!(planned.verdict, PlanVerdict::Send { .. }) {
                    *below = Some(planned.message.id);
                }
                messages.push(planned);
            }
        }
    }
}
