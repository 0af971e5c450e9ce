//! Corrections to people who were told another time, and what would tell people what they know.

use chrono::{DateTime, Utc};

use super::{Corrected, Reach, Reached, RowMessages, Turn};
use crate::domain::campaign::definition::MethodChoice;
use crate::domain::contact_point::ContactPoint;
use crate::domain::held_appointment::Told;
use crate::domain::mapping::{ContactField, RenderFault};
use crate::domain::message::{Message, Origin, PlanVerdict, PlannedMessage};
use crate::domain::plan::{EntryPlan, PlanOutcome, local_day, plan_correction};

impl RowMessages<'_> {
    /// Corrects everybody who was told another time that is still ahead: by the method and contact point that they were told by.
    /// Answers whom, and on which local day. A method that the campaign has given up has no text for it.
    pub(super) fn correct(&self, messages: &mut Vec<PlannedMessage>) -> Result<Vec<Corrected>, RenderFault> {
        let order = &self.campaign.definition().methods.order;
        let mut corrected = Vec::new();
        for (of, told) in self.change.into_iter().flat_map(|change| change.to_correct(self.now)) {
            let method = told.contact.method();
            if !order.contains(&method) {
                continue;
            }
            let planned = match self.reach_at(method, &told.contact)? {
                Reach::Reached(reached) => self.correction(&reached, &mut corrected),
                Reach::Skipped(reason, contact, content) => PlannedMessage {
                    message: self.message(method, 0, contact, content),
                    verdict: PlanVerdict::Skip(reason),
                },
            };
            let origin = Origin::Correction { row: self.row.row, of };
            messages.push(PlannedMessage { message: Message { origin, ..planned.message }, ..planned });
        }
        Ok(corrected)
    }

    fn correction(&self, reached: &Reached, corrected: &mut Vec<Corrected>) -> PlannedMessage {
        let terms = self.terms(reached);
        let mut plan = plan_correction(&self.plan_input(reached.method, &terms));
        self.expire_before_restore(&mut plan, &[]);
        let verdict = match plan.outcome {
            PlanOutcome::Planned { at, legal } => {
                corrected.push((reached.contact.clone(), local_day(at, self.row.contact_zone)));
                PlanVerdict::Send { at, legal }
            }
            PlanOutcome::Skipped(reason) => PlanVerdict::Skip(reason),
        };
        let (contact, content) = (Some(reached.contact.clone()), Some(reached.content.clone()));
        let message = self.message(reached.method, 0, contact, content);
        PlannedMessage { message: Message { trace: Some(plan.trace), ..message }, verdict }
    }

    /// Whether a message would tell the person what they know already: they are corrected on that day, or they were told.
    pub(super) fn repeats(
        &self,
        contact: &ContactPoint,
        plan: &EntryPlan,
        turn: Turn,
        corrected: &[Corrected],
    ) -> bool {
        let PlanOutcome::Planned { at, .. } = plan.outcome else { return false };
        let day = || local_day(at, self.row.contact_zone);
        turn.is_told || corrected.iter().any(|(other, on)| self.is_one_way(other, contact) && *on == day())
    }

    /// Whether the person was told since a message to this contact point was due.
    pub(super) fn was_told_since(&self, contact: &ContactPoint, due: DateTime<Utc>) -> bool {
        self.told().any(|told| told.at >= due && self.is_one_way(&told.contact, contact))
    }

    /// What people were told of the time that the row names.
    pub(super) fn told(&self) -> impl Iterator<Item = &Told> {
        let told = self.change.into_iter().flat_map(|change| &change.told);
        told.filter(|told| Some(told.appointment) == self.row.appointment)
    }

    /// Whether who was reached at one contact point need not be reached at the other: they are the same, or the campaign wants any
    /// one of those that the row names.
    fn is_one_way(&self, told: &ContactPoint, contact: &ContactPoint) -> bool {
        let is_own =
            |(_, field): &(_, ContactField)| matches!(field, ContactField::Valid(own) if own == told);
        let any_does = self.campaign.definition().methods.choice == MethodChoice::FirstAvailable;
        told == contact || (any_does && self.row.contacts.iter().any(is_own))
    }
}
