//! Messages that go later than they were planned.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::mapping::cut_to_lateness;
use crate::domain::mapping::CompiledCampaign;
use crate::domain::message::{MessageRecord, Origin};
use crate::domain::plan::{CatchUp, LateInput, catch_up};
use crate::domain::schedule::Schedule;
use crate::domain::window::LegalInterval;

/// Rule 4 of planning, for a message that goes at `now` or later: the first legal instant, and the end of its interval. `None`
/// if that is too late.
pub(super) fn plan_again(
    campaign: &CompiledCampaign,
    record: &MessageRecord,
    now: DateTime<Utc>,
) -> Option<LegalInterval> {
    let (message, trace) = (&record.message, record.message.trace.as_ref());
    let planned_at = trace.and_then(|trace| trace.planned_at).or(record.state.planned_at)?;
    // What was planned has a contact point.
    let terms = campaign.terms(message.contact.as_ref()?, message.contact_zone, message.content.as_ref());
    // A correction is not too late while the appointment is ahead.
    let is_correction = matches!(message.origin, Origin::Correction { .. });
    let schedule = &campaign.definition().schedule;
    let max_lateness = schedule.max_lateness.filter(|_| !is_correction);
    let schedule = Schedule { max_lateness, ..schedule.clone() };
    let late = LateInput {
        schedule: &schedule,
        method: message.method,
        appointment: message.appointment.as_ref(),
        zones: &terms.zones,
        rules: &terms.rules,
        planned_at,
        now,
    };
    let CatchUp::SendAt { at, legal } = catch_up(&late) else { return None };
    let legal = trace.map_or(legal, |trace| cut_to_lateness(&schedule, trace, at, legal));
    Some(LegalInterval { from: at, ..legal })
}
