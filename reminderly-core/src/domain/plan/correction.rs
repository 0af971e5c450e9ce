//! Rule 7: when a person who was told another time is corrected.

use super::{EntryPlan, PlanInput, latest, legal_times, plan_entry};
use crate::domain::schedule::{Schedule, SendEntry, WhenClosed};

/// When a correction goes: at the first legal instant from now on. Whatever `when_closed` and `max_lateness` say, it is too late
/// only when no legal instant leaves `min_notice` before the appointment.
pub fn plan_correction(input: &PlanInput<'_>) -> EntryPlan {
    let schedule = Schedule { when_closed: WhenClosed::Later, max_lateness: None, ..input.schedule.clone() };
    let input = PlanInput { schedule: &schedule, ..*input };
    let latest = latest(&schedule, input.appointment);
    let times = legal_times(&schedule, input.method, input.zones, input.rules, latest);
    plan_entry(0, SendEntry::Now, &input, times.as_ref())
}
