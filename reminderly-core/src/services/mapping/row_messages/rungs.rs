//! Methods that are tried one after the other.

use std::time::Duration;

use super::{Corrected, Reach, Reached, RowMessages, Turn};
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::message::{LadderPlace, Message, PlanVerdict, PlannedMessage};
use crate::domain::plan::{ContactTerms, EntryPlan, LadderRung, plan_ladder};
use crate::domain::skip_reason::SkipReason;
use crate::ids::MessageId;

/// A method of a ladder.
pub(super) enum Rung {
    /// It reaches the person.
    Reached(Reached),
    /// It does not any more, but by it the person was told what the row says: what they answer to that counts.
    Lost(Lost),
}

/// A method that reaches the person no more.
pub(super) struct Lost {
    reason: SkipReason,
    /// Where the person was told.
    told: ContactPoint,
    /// What the row names instead, and what it would say.
    contact: Option<ContactPoint>,
    content: Option<Content>,
}

/// What stands below the rungs of an entry that are still to come.
#[derive(Clone, Copy, Default)]
struct Below {
    message: Option<MessageId>,
    /// Whether it goes, so that there is something to wait for.
    goes: bool,
}

impl RowMessages<'_> {
    /// The rung of a method. One that does not reach the person and has told them nothing is skipped.
    pub(super) fn rung(
        &self,
        method: ContactMethod,
        reach: Reach,
        messages: &mut Vec<PlannedMessage>,
    ) -> Option<Rung> {
        let (reason, contact, content) = match reach {
            Reach::Reached(reached) => return Some(Rung::Reached(reached)),
            Reach::Skipped(reason, contact, content) => (reason, contact, content),
        };
        let told = self.told().filter(|told| {
            told.contact.method() == method && contact.as_ref().is_none_or(|own| *own == told.contact)
        });
        let Some(told) = told.max_by_key(|told| told.at) else {
            self.skip_method(method, reason, contact.as_ref(), content.as_ref(), messages);
            return None;
        };
        Some(Rung::Lost(Lost { reason, told: told.contact.clone(), contact, content }))
    }

    /// Plans the methods of a ladder: a rung waits for the one below it that goes, and stands above one that does not if there
    /// is no other: any answer ends it.
    pub(super) fn plan_rungs(
        &self,
        rungs: &[Rung],
        wait: Duration,
        corrected: &[Corrected],
        messages: &mut Vec<PlannedMessage>,
    ) {
        let terms: Vec<ContactTerms<'_>> = rungs.iter().map(|rung| self.terms_of_rung(rung)).collect();
        let inputs: Vec<LadderRung<'_>> =
            rungs.iter().zip(&terms).map(|(rung, terms)| self.ladder_rung(rung, terms)).collect();
        let mut plans = plan_ladder(&inputs, wait);
        self.expire_rungs_before_restore(&mut plans);
        let mut below = vec![Below::default(); self.campaign.definition().schedule.send.len()];
        for (rung, plans) in rungs.iter().zip(plans) {
            for (plan, below) in plans.into_iter().zip(&mut below) {
                let is_told = plan.trace.rung.as_ref().is_some_and(|rung| rung.told_at.is_some());
                let place = below.message.map(|below| LadderPlace { below, wait });
                let (planned, counts) = match rung {
                    Rung::Reached(reached) => {
                        (self.planned(reached, plan, Turn { place, is_told }, corrected), true)
                    }
                    Rung::Lost(lost) if is_told => (self.skip_told(lost, plan, place), true),
                    Rung::Lost(lost) => (self.skip_untold(lost, plan.entry), false),
                };
                let goes = matches!(planned.verdict, PlanVerdict::Send { .. });
                // There is nothing to wait for below one that is skipped, but an answer may stand there.
                if counts && (goes || !below.goes) {
                    below.message = Some(planned.message.id);
                }
                below.goes |= goes;
                messages.push(planned);
            }
        }
    }

    fn terms_of_rung(&self, rung: &Rung) -> ContactTerms<'_> {
        match rung {
            Rung::Reached(reached) => self.terms(reached),
            Rung::Lost(lost) => self.terms_of(&lost.told, lost.content.as_ref()),
        }
    }

    fn ladder_rung<'p>(&'p self, rung: &Rung, terms: &'p ContactTerms<'p>) -> LadderRung<'p> {
        let (contact, lost) = match rung {
            Rung::Reached(reached) => (&reached.contact, None),
            Rung::Lost(lost) => (&lost.told, Some(lost.reason)),
        };
        let told = self.told().filter(|told| told.contact == *contact);
        let input = self.plan_input(contact.method(), terms);
        LadderRung { input, told_at: told.map(|told| told.at).max(), lost }
    }

    /// The message of a rung that is lost and has told the person: it names where, so that an answer from there is found.
    fn skip_told(&self, lost: &Lost, plan: EntryPlan, place: Option<LadderPlace>) -> PlannedMessage {
        let message =
            self.message(lost.told.method(), plan.entry, Some(lost.told.clone()), lost.content.clone());
        PlannedMessage {
            message: Message { trace: Some(plan.trace), ladder: place, ..message },
            verdict: PlanVerdict::Skip(lost.reason),
        }
    }

    fn skip_untold(&self, lost: &Lost, entry: u16) -> PlannedMessage {
        let (contact, content) = (lost.contact.clone(), lost.content.clone());
        let message = self.message(lost.told.method(), entry, contact, content);
        PlannedMessage { message, verdict: PlanVerdict::Skip(lost.reason) }
    }
}
