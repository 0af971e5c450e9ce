//! The method and the hour that are likeliest to be answered.

use chrono::{DateTime, Utc};

use super::{Reach, Reached, RowMessages};
use crate::domain::answers::{AnswersModel, Chance, Goal};
use crate::domain::campaign::definition::AnswersUse;
use crate::domain::contact_method::ContactMethod;
use crate::domain::mapping::ContactField;
use crate::domain::person::PersonKey;
use crate::domain::plan::{AnswersTrace, EntryPlan, LikelyHours, PlanOutcome, prefer_hour};

impl RowMessages<'_> {
    /// Which method goes first if answers count; `None` if the campaign does not ask, or fewer than two methods come into question.
    ///
    /// Only methods by which as many messages would go as by the first come into question: the model neither adds a message
    /// nor costs one.
    pub(super) fn preferred(&self, order: &[ContactMethod]) -> Option<AnswersTrace> {
        let model = self.answers_for(AnswersUse::FirstMethod)?;
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

    /// Lets a message go at the hour at which it is likeliest to be answered, if the campaign asks for it.
    pub(super) fn prefer_hour(&self, reached: &Reached, plan: &mut EntryPlan) {
        let Some(model) = self.answers_for(AnswersUse::Order) else { return };
        let hours = PersonsHours { model, person: self.person(&reached.contact), method: reached.method };
        prefer_hour(plan, &self.campaign.definition().schedule, self.row.contact_zone, &hours);
    }

    fn answers_for(&self, wanted: AnswersUse) -> Option<&AnswersModel> {
        self.answers.filter(|_| self.campaign.definition().methods.answers_model == wanted)
    }
}

/// The hours at which a person is contacted by a method.
struct PersonsHours<'a> {
    model: &'a AnswersModel,
    person: PersonKey,
    method: ContactMethod,
}

impl LikelyHours for PersonsHours<'_> {
    fn knows(&self, hour: u8) -> bool {
        self.model.knows(self.method, hour)
    }

    fn expect(&self, hour: u8) -> f64 {
        self.model.expect(Goal::Answer, &self.person, self.method, Some(hour))
    }

    fn chance(&self, hour: u8) -> Chance {
        self.model.estimate(Goal::Answer, &self.person, self.method, Some(hour)).into()
    }

    fn as_of(&self) -> DateTime<Utc> {
        self.model.as_of()
    }
}
