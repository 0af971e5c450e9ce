//! The method that is likeliest to be answered.

use super::{Reach, RowMessages};
use crate::domain::answers::Goal;
use crate::domain::contact_method::ContactMethod;
use crate::domain::mapping::ContactField;
use crate::domain::plan::{AnswersTrace, EntryPlan, PlanOutcome};

impl RowMessages<'_> {
    /// Which method goes first if answers count; `None` if the campaign does not ask, or fewer than two methods come into question.
    ///
    /// Only methods by which as many messages would go as by the first come into question: the model neither adds a message
    /// nor costs one.
    pub(super) fn preferred(&self, order: &[ContactMethod]) -> Option<AnswersTrace> {
        let model = self.answers?;
        let mut ranked: Vec<(ContactMethod, usize, f64)> = Vec::with_capacity(order.len());
        for method in order {
            // A method whose text fails for this row is none to prefer; if it is the first, the row fails below.
            match self.reach(*method) {
                Ok(Reach::Reached(reached)) => {
                    let plans = self.plans(&reached);
                    let goes = |plan: &&EntryPlan| matches!(plan.outcome, PlanOutcome::Planned { .. });
                    let expected = model.expect(Goal::Answer, &self.person(&reached.contact), *method, None);
                    ranked.push((*method, plans.iter().filter(goes).count(), expected));
                }
                Err(_) if ranked.is_empty() => return None,
                Ok(Reach::Skipped(..)) | Err(_) => {}
            }
        }
        let (first, messages, _) = *ranked.first()?;
        ranked.retain(|(_, count, _)| *count == messages);
        if ranked.len() < 2 {
            return None;
        }
        // Of the same expectation the earlier one stays.
        let best = ranked.iter().rev().max_by(|one, other| one.2.total_cmp(&other.2))?.0;
        let chance = |method| {
            let contact = match self.row.contact(method) {
                ContactField::Valid(contact) => contact,
                ContactField::Absent | ContactField::Invalid(_) => return None,
            };
            Some(model.estimate(Goal::Answer, &self.person(contact), method, None).into())
        };
        Some(AnswersTrace {
            first,
            first_chance: chance(first)?,
            chosen: best,
            chosen_chance: chance(best)?,
            as_of: model.as_of(),
        })
    }
}
