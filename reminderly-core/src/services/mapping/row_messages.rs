//! The messages of one row: which methods, when, and with what text.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::changes::RowChange;
use crate::domain::campaign::definition::MethodChoice;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::held_appointment::Told;
use crate::domain::mapping::{CompiledCampaign, ContactField, MappedRow, RenderFault};
use crate::domain::message::{Message, Origin, PlanVerdict, PlannedMessage};
use crate::domain::packet::Packet;
use crate::domain::person::PersonKey;
use crate::domain::plan::{
    EntryPlan, PlanInput, PlanOutcome, PlanTrace, local_day, plan_correction, plan_row,
};
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
    pub(super) now: DateTime<Utc>,
    pub(super) ids: &'a dyn IdSource,
}

/// A contact point at which somebody is corrected, and the local day of it.
type Corrected = (ContactPoint, NaiveDate);

/// By which contact point and with what text a method reaches the person, or why it does not.
enum Reach {
    Reached(ContactPoint, Content),
    Skipped(SkipReason, Option<ContactPoint>, Option<Content>),
}

impl RowMessages<'_> {
    /// Appends a message for every entry of `send` and every method that was tried. With [`MethodChoice::FirstAvailable`]
    /// the first method that reaches the person is the last that is tried.
    pub(super) fn make(&self, messages: &mut Vec<PlannedMessage>) -> Result<(), RenderFault> {
        if let Some(reason) = self.change.and_then(RowChange::skips) {
            self.skip_row(reason, messages);
            return Ok(());
        }
        let start = messages.len();
        let definition = self.campaign.definition();
        let corrected = self.correct(messages).inspect_err(|_| messages.truncate(start))?;
        let order = self.row.methods.as_ref().unwrap_or(&definition.methods.order);
        for method in order {
            let reach = self.reach(*method).inspect_err(|_| messages.truncate(start))?;
            let reached = matches!(reach, Reach::Reached(..));
            self.plan_method(*method, reach, &corrected, messages);
            if reached && definition.methods.choice == MethodChoice::FirstAvailable {
                break;
            }
        }
        Ok(())
    }

    fn reach(&self, method: ContactMethod) -> Result<Reach, RenderFault> {
        let contact = match self.row.contact(method) {
            ContactField::Absent => return Ok(Reach::Skipped(SkipReason::NoContactPoint, None, None)),
            ContactField::Invalid(_) => {
                return Ok(Reach::Skipped(SkipReason::InvalidContactPoint, None, None));
            }
            ContactField::Valid(contact) => contact,
        };
        self.reach_at(method, contact)
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
        Ok(Reach::Reached(contact, content))
    }

    /// Corrects everybody who was told another time that is still ahead: by the method and contact point that they were told by.
    /// Answers whom, and on which local day. A method that the campaign has given up has no text for it.
    fn correct(&self, messages: &mut Vec<PlannedMessage>) -> Result<Vec<Corrected>, RenderFault> {
        let definition = self.campaign.definition();
        let mut corrected = Vec::new();
        for (of, told) in self.change.into_iter().flat_map(|change| change.to_correct(self.now)) {
            let method = told.contact.method();
            if !definition.methods.order.contains(&method) {
                continue;
            }
            let zones = [self.row.contact_zone];
            let (reach, plan) = (
                self.reach_at(method, &told.contact)?,
                plan_correction(&PlanInput {
                    schedule: &definition.schedule,
                    method,
                    appointment: self.row.appointment.as_ref(),
                    zones: &zones,
                    now: self.now,
                }),
            );
            let (contact, content, verdict) = match (reach, plan.outcome) {
                (Reach::Reached(contact, content), PlanOutcome::Planned { at, legal }) => {
                    corrected.push((contact.clone(), local_day(at, self.row.contact_zone)));
                    (Some(contact), Some(content), PlanVerdict::Send { at, legal })
                }
                (Reach::Reached(contact, content), PlanOutcome::Skipped(reason)) => {
                    (Some(contact), Some(content), PlanVerdict::Skip(reason))
                }
                (Reach::Skipped(reason, contact, content), _) => {
                    (contact, content, PlanVerdict::Skip(reason))
                }
            };
            let message = self.message(method, 0, contact, content);
            let origin = Origin::Correction { row: self.row.row, of };
            let message = Message { origin, trace: Some(plan.trace), ..message };
            messages.push(PlannedMessage { message, verdict });
        }
        Ok(corrected)
    }

    /// One message for every entry of `send`, so that the row is accounted for: none of them goes.
    fn skip_row(&self, reason: SkipReason, messages: &mut Vec<PlannedMessage>) {
        let definition = self.campaign.definition();
        let order = self.row.methods.as_ref().unwrap_or(&definition.methods.order);
        let valid = order.iter().find_map(|method| match self.row.contact(*method) {
            ContactField::Valid(contact) => Some(contact.clone()),
            ContactField::Absent | ContactField::Invalid(_) => None,
        });
        let method = valid.as_ref().map(ContactPoint::method).or_else(|| order.first().copied());
        for (entry, _) in (0..=u16::MAX).zip(&definition.schedule.send) {
            let message = self.message(method.unwrap_or(ContactMethod::Sms), entry, valid.clone(), None);
            messages.push(PlannedMessage { message, verdict: PlanVerdict::Skip(reason) });
        }
    }

    /// Whether a message would tell the person what they know already: they are corrected on that day, or it is late and they
    /// were told since it was due.
    fn repeats(&self, contact: &ContactPoint, plan: &EntryPlan, corrected: &[Corrected]) -> bool {
        let PlanOutcome::Planned { at, .. } = plan.outcome else { return false };
        let day = || local_day(at, self.row.contact_zone);
        if corrected.iter().any(|(other, on)| other == contact && *on == day()) {
            return true;
        }
        let Some(due) = plan.trace.planned_at.filter(|_| plan.trace.late.is_some()) else { return false };
        let knows = |told: &Told| {
            told.contact == *contact && Some(told.appointment) == self.row.appointment && told.at >= due
        };
        self.change.is_some_and(|change| change.told.iter().any(knows))
    }

    fn plan_method(
        &self,
        method: ContactMethod,
        reach: Reach,
        corrected: &[Corrected],
        messages: &mut Vec<PlannedMessage>,
    ) {
        let schedule = &self.campaign.definition().schedule;
        match reach {
            Reach::Reached(contact, content) => {
                let zones = [self.row.contact_zone];
                let plans = plan_row(&PlanInput {
                    schedule,
                    method,
                    appointment: self.row.appointment.as_ref(),
                    zones: &zones,
                    now: self.now,
                });
                for plan in plans {
                    let verdict = if self.repeats(&contact, &plan, corrected) {
                        PlanVerdict::Skip(SkipReason::Duplicate)
                    } else {
                        verdict(schedule, &plan)
                    };
                    let message =
                        self.message(method, plan.entry, Some(contact.clone()), Some(content.clone()));
                    messages.push(PlannedMessage {
                        message: Message { trace: Some(plan.trace), ..message },
                        verdict,
                    });
                }
            }
            Reach::Skipped(reason, contact, content) => {
                for (entry, _) in (0..=u16::MAX).zip(&schedule.send) {
                    let message = self.message(method, entry, contact.clone(), content.clone());
                    messages.push(PlannedMessage { message, verdict: PlanVerdict::Skip(reason) });
                }
            }
        }
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
            content,
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
