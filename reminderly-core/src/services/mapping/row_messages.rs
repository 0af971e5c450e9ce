//! The messages of one row: which methods, when, and with what text.

mod correction;
mod preference;
mod restored;
mod rungs;

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::changes::RowChange;
use crate::domain::answers::AnswersModel;
use crate::domain::campaign::definition::MethodChoice;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::mapping::{CompiledCampaign, ContactField, MappedRow, RenderFault};
use crate::domain::message::{LadderPlace, Message, Origin, PlanVerdict, PlannedMessage};
use crate::domain::packet::Packet;
use crate::domain::person::PersonKey;
use crate::domain::plan::{
    AnswersTrace, ContactTerms, EntryPlan, PlanInput, PlanOutcome, PlanTrace, plan_row,
};
use crate::domain::restore::Restore;
use crate::domain::schedule::Schedule;
use crate::domain::skip_reason::SkipReason;
use crate::domain::unsubscribe::{RefusalKey, keys_of};
use crate::domain::window::LegalInterval;
use crate::ids::{IdSource, IdSourceExt as _};

/// What the messages of a row are made from.
pub(super) struct RowMessages<'a> {
    pub(super) packet: &'a Packet,
    pub(super) campaign: &'a CompiledCampaign,
    pub(super) row: &'a MappedRow,
    /// What the row changes about its appointment, if it was compared.
    pub(super) change: Option<&'a RowChange>,
    /// The keys that are refused, of all that these rows have.
    pub(super) refused: &'a HashSet<RefusalKey>,
    /// The last restore of the store: what was to go before it may have gone.
    pub(super) restore: &'a Restore,
    /// Which methods are answered, and when, if the campaign wants to go by it.
    pub(super) answers: Option<&'a AnswersModel>,
    pub(super) now: DateTime<Utc>,
    pub(super) ids: &'a dyn IdSource,
}

/// By which contact point and with what text a method reaches the person, or why it does not.
enum Reach {
    Reached(Reached),
    Skipped(SkipReason, Option<ContactPoint>, Option<Content>),
}

/// A method that reaches the person.
struct Reached {
    method: ContactMethod,
    contact: ContactPoint,
    content: Content,
}

/// When it is a message's turn.
#[derive(Clone, Copy)]
struct Turn {
    /// Its place on a ladder.
    place: Option<LadderPlace>,
    /// Whether the person knows already what it would tell: they were told since it was due.
    is_told: bool,
}

/// A contact point at which somebody is corrected, and the local day of it.
type Corrected = (ContactPoint, NaiveDate);

impl RowMessages<'_> {
    /// Appends a message for every entry of `send` and every method that was tried. With [`MethodChoice::FirstAvailable`]
    /// the first method that reaches the person is the last that is tried; with [`MethodChoice::Ladder`] those that reach the
    /// person are planned one after the other.
    pub(super) fn make(&self, messages: &mut Vec<PlannedMessage>) -> Result<(), RenderFault> {
        if let Some(reason) = self.change.and_then(RowChange::skips) {
            self.skip_row(reason, messages);
            return Ok(());
        }
        let start = messages.len();
        self.make_all(messages).inspect_err(|_| messages.truncate(start))
    }

    fn make_all(&self, messages: &mut Vec<PlannedMessage>) -> Result<(), RenderFault> {
        let definition = self.campaign.definition();
        let corrected = self.correct(messages)?;
        let order = self.row.methods.as_ref().unwrap_or(&definition.methods.order);
        let preferred = self.preferred(order);
        let mut rungs = Vec::new();
        for method in order {
            // Methods before the first that reaches the person are tried in any case, and say why they do not.
            let preferred = preferred.filter(|preferred| preferred.first == *method);
            let method = preferred.map_or(*method, |preferred| preferred.chosen);
            match (self.reach(method)?, definition.methods.choice) {
                (reach, MethodChoice::Ladder { .. }) => rungs.extend(self.rung(method, reach, messages)),
                (Reach::Skipped(reason, contact, content), _) => {
                    self.skip_method(method, reason, contact.as_ref(), content.as_ref(), messages);
                }
                (Reach::Reached(reached), choice) => {
                    self.plan_method(&reached, preferred, &corrected, messages);
                    if choice == MethodChoice::FirstAvailable {
                        break;
                    }
                }
            }
        }
        if let MethodChoice::Ladder { wait } = definition.methods.choice {
            self.plan_rungs(&rungs, wait, &corrected, messages);
        }
        Ok(())
    }

    fn reach(&self, method: ContactMethod) -> Result<Reach, RenderFault> {
        match self.row.contact(method) {
            ContactField::Absent => Ok(Reach::Skipped(SkipReason::NoContactPoint, None, None)),
            ContactField::Invalid(_) => Ok(Reach::Skipped(SkipReason::InvalidContactPoint, None, None)),
            ContactField::Valid(contact) => self.reach_at(method, contact),
        }
    }

    fn reach_at(&self, method: ContactMethod, contact: &ContactPoint) -> Result<Reach, RenderFault> {
        let contact = contact.clone();
        let is_refused = !self.refused.is_empty()
            && keys_of(&contact, &self.person(&contact)).iter().any(|key| self.refused.contains(key));
        if is_refused {
            return Ok(Reach::Skipped(SkipReason::Unsubscribed, Some(contact), None));
        }
        let content = self.campaign.render(method, self.row)?;
        let limit = self.campaign.definition().limits.sms_segments;
        if limit.is_some_and(|limit| content.segments() > limit) {
            return Ok(Reach::Skipped(SkipReason::TooManySegments, Some(contact), Some(content)));
        }
        Ok(Reach::Reached(Reached { method, contact, content }))
    }

    fn plan_method(
        &self,
        reached: &Reached,
        answers: Option<AnswersTrace>,
        corrected: &[Corrected],
        messages: &mut Vec<PlannedMessage>,
    ) {
        for mut plan in self.plans(reached) {
            plan.trace.answers = answers;
            self.prefer_hour(reached, &mut plan);
            let is_told = late_since(&plan).is_some_and(|due| self.was_told_since(&reached.contact, due));
            let turn = Turn { place: None, is_told };
            messages.push(self.planned(reached, plan, turn, corrected));
        }
    }

    /// The plans of a method by which the person is reached.
    fn plans(&self, reached: &Reached) -> Vec<EntryPlan> {
        let terms = self.terms(reached);
        let mut plans = plan_row(&self.plan_input(reached.method, &terms));
        let may_have_gone_otherwise = self.may_have_gone_otherwise();
        for plan in &mut plans {
            self.expire_before_restore(plan, &may_have_gone_otherwise);
        }
        plans
    }

    fn terms(&self, reached: &Reached) -> ContactTerms<'_> {
        self.terms_of(&reached.contact, Some(&reached.content))
    }

    fn terms_of(&self, contact: &ContactPoint, content: Option<&Content>) -> ContactTerms<'_> {
        self.campaign.terms(contact, self.row.contact_zone, content)
    }

    fn plan_input<'p>(&'p self, method: ContactMethod, terms: &'p ContactTerms<'p>) -> PlanInput<'p> {
        PlanInput {
            schedule: &self.campaign.definition().schedule,
            method,
            appointment: self.row.appointment.as_ref(),
            zones: &terms.zones,
            rules: &terms.rules,
            now: self.now,
        }
    }

    fn planned(
        &self,
        reached: &Reached,
        plan: EntryPlan,
        turn: Turn,
        corrected: &[Corrected],
    ) -> PlannedMessage {
        let verdict = if self.repeats(&reached.contact, &plan, turn, corrected) {
            PlanVerdict::Skip(SkipReason::Duplicate)
        } else {
            verdict(&self.campaign.definition().schedule, &plan)
        };
        let (contact, content) = (Some(reached.contact.clone()), Some(reached.content.clone()));
        let message = self.message(reached.method, plan.entry, contact, content);
        PlannedMessage {
            message: Message { trace: Some(plan.trace), ladder: turn.place, ..message },
            verdict,
        }
    }

    fn skip_method(
        &self,
        method: ContactMethod,
        reason: SkipReason,
        contact: Option<&ContactPoint>,
        content: Option<&Content>,
        messages: &mut Vec<PlannedMessage>,
    ) {
        for (entry, _) in (0..=u16::MAX).zip(&self.campaign.definition().schedule.send) {
            let message = self.message(method, entry, contact.cloned(), content.cloned());
            messages.push(PlannedMessage { message, verdict: PlanVerdict::Skip(reason) });
        }
    }

    /// One message for every entry of `send`, so that the row is accounted for: none of them goes.
    fn skip_row(&self, reason: SkipReason, messages: &mut Vec<PlannedMessage>) {
        let definition = self.campaign.definition();
        let order = self.row.methods.as_ref().unwrap_or(&definition.methods.order);
        let valid = order.iter().find_map(|method| match self.row.contact(*method) {
            ContactField::Valid(contact) => Some(contact),
            ContactField::Absent | ContactField::Invalid(_) => None,
        });
        let method = valid.map(ContactPoint::method).or_else(|| order.first().copied());
        self.skip_method(method.unwrap_or(ContactMethod::Sms), reason, valid, None, messages);
    }

    fn message(
        &self,
        method: ContactMethod,
        entry: u16,
        contact: Option<ContactPoint>,
        content: Option<Content>,
    ) -> Message {
        Message {
            id: self.ids.next(self.now),
            packet: self.packet.id,
            campaign: self.packet.campaign,
            origin: Origin::Row { row: self.row.row, entry },
            key: self.row.key.clone(),
            person: self.row.person.clone().or_else(|| contact.as_ref().map(PersonKey::from)),
            method,
            contact,
            appointment: self.row.appointment,
            contact_zone: self.row.contact_zone,
            language: Some(self.campaign.language_of(method, self.row)),
            content,
            ladder: None,
            trace: None,
            created_at: self.now,
        }
    }

    fn person(&self, contact: &ContactPoint) -> PersonKey {
        self.row.person.clone().unwrap_or_else(|| PersonKey::from(contact))
    }
}

/// The keys that must not be refused for a row's contact points.
pub(super) fn refusal_keys(row: &MappedRow) -> impl Iterator<Item = RefusalKey> {
    let valid = row.contacts.iter().filter_map(|(_, field)| match field {
        ContactField::Valid(contact) => Some(contact),
        ContactField::Absent | ContactField::Invalid(_) => None,
    });
    valid.flat_map(|contact| keys_of_row(row, contact))
}

/// The keys that must not be refused for a contact point of a row's person.
pub(super) fn keys_of_row(row: &MappedRow, contact: &ContactPoint) -> [RefusalKey; 2] {
    keys_of(contact, &row.person.clone().unwrap_or_else(|| PersonKey::from(contact)))
}

/// When a message that is late was to go.
fn late_since(plan: &EntryPlan) -> Option<DateTime<Utc>> {
    plan.trace.planned_at.filter(|_| plan.trace.late.is_some())
}

fn verdict(schedule: &Schedule, plan: &EntryPlan) -> PlanVerdict {
    match plan.outcome {
        PlanOutcome::Planned { at, legal } => {
            PlanVerdict::Send { at, legal: cut_to_lateness(schedule, &plan.trace, at, legal) }
        }
        PlanOutcome::Skipped(reason) => PlanVerdict::Skip(reason),
    }
}

/// The legal interval ends where the message would be later than `max_lateness` allows, counted from when it was first
/// planned for: the claim needs to compare with one instant only.
pub(in crate::services) fn cut_to_lateness(
    schedule: &Schedule,
    trace: &PlanTrace,
    at: DateTime<Utc>,
    legal: LegalInterval,
) -> LegalInterval {
    let planned_at = trace.planned_at.unwrap_or(at);
    let latest = schedule
        .max_lateness
        .and_then(|lateness| TimeDelta::from_std(lateness).ok())
        .and_then(|lateness| planned_at.checked_add_signed(lateness + TimeDelta::microseconds(1)));
    LegalInterval { until: latest.map_or(legal.until, |latest| legal.until.min(latest)), ..legal }
}
