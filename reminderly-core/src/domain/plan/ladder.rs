//! A ladder: one method after the other, planned backwards from the appointment.
//!
//! The last rung must still be legal with the least notice, each rung below it at least the wait earlier; so the first one
//! moves forward in time where the whole ladder would not fit. Upwards each rung is planned the wait after the one below.
//! Whether it goes is decided when it comes up: not after an answer, sooner after a failure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::search::{first_legal, held_by_rule};
use super::{
    EntryPlan, PlanInput, PlanOutcome, PlanTrace, RungTrace, exactly, in_time, latest, legal_times, moved,
    plan_entry, skip_same_day, zone_of,
};
use crate::domain::plan::trace::LateTrace;
use crate::domain::schedule::{SendEntry, WhenClosed};
use crate::domain::skip_reason::SkipReason;
use crate::domain::window::{LegalInterval, LegalTimes};

/// A method of a ladder.
#[derive(Debug, Clone, Copy)]
pub struct LadderRung<'a> {
    /// What its plan depends on.
    pub input: PlanInput<'a>,
    /// When the person was last told by it what it would tell again.
    pub told_at: Option<DateTime<Utc>>,
    /// Why it does not reach the person any more. Such a rung counts only where they were told by it: those above wait for an
    /// answer to that.
    pub lost: Option<SkipReason>,
}

impl<'a> From<PlanInput<'a>> for LadderRung<'a> {
    /// One that reaches a person who was told nothing.
    fn from(input: PlanInput<'a>) -> Self {
        Self { input, told_at: None, lost: None }
    }
}

/// Plans every entry of the schedule on every rung, the first rung to be tried first: `plans[rung][entry]`. `rungs` are those
/// of one row by its methods: their inputs differ in method, zones and rules only.
///
/// A rung whose method has no legal instant is left out with that reason, and the next one takes its place; one that comes too
/// late is left out, and the next one keeps its time. Above a rung by which the person was told since the ladder is due
/// ([`RungTrace::told_at`]) the wait counts from then; that rung is planned all the same, and not to be sent again.
pub fn plan_ladder(rungs: &[LadderRung<'_>], wait: Duration) -> Vec<Vec<EntryPlan>> {
    let Some(first) = rungs.first() else { return Vec::new() };
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    let steps: Vec<Step<'_>> = rungs.iter().map(Step::new).collect();
    let bounds = bounds(&steps, wait);
    let mut plans: Vec<Vec<EntryPlan>> = rungs.iter().map(|_| Vec::new()).collect();
    for (index, entry) in (0..=u16::MAX).zip(&first.input.schedule.send) {
        for (rung, plan) in plans.iter_mut().zip(climb(index, *entry, &steps, &bounds, wait)) {
            rung.push(plan);
        }
    }
    for (rung, step) in plans.iter_mut().zip(&steps) {
        if let Some(contact_zone) = step.input.zones.first() {
            skip_same_day(rung, *contact_zone);
        }
    }
    drop_ladders_of_duplicates(&mut plans);
    plans
}

/// For each entry of the schedule, the earliest instant at which any of these methods can have gone first, whichever of them
/// reached the person then. With `wait` they stand on a ladder, in this order; without, each goes on its own.
pub fn earliest_starts(methods: &[PlanInput<'_>], wait: Option<Duration>) -> Vec<Option<DateTime<Utc>>> {
    let Some(first) = methods.first() else { return Vec::new() };
    let rungs: Vec<LadderRung<'_>> = methods.iter().map(|input| (*input).into()).collect();
    let steps: Vec<Step<'_>> = rungs.iter().map(Step::new).collect();
    let bounds = match wait {
        Some(wait) => bounds(&steps, TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)),
        None => vec![None; steps.len()],
    };
    let entries = (0..=u16::MAX).zip(&first.schedule.send);
    let start = |(index, entry): (u16, &SendEntry)| {
        let start_of = |(step, bound): (&Step<'_>, &Option<DateTime<Utc>>)| {
            let planned_at = plan_entry(index, *entry, step.input, step.times.as_ref()).trace.planned_at?;
            Some(bound.map_or(planned_at, |bound| bound.min(planned_at)))
        };
        steps.iter().zip(&bounds).filter_map(start_of).min()
    };
    entries.map(start).collect()
}

/// One rung while it is planned.
struct Step<'a> {
    input: &'a PlanInput<'a>,
    told_at: Option<DateTime<Utc>>,
    lost: Option<SkipReason>,
    times: Option<LegalTimes<'a>>,
}

impl<'a> Step<'a> {
    fn new(rung: &'a LadderRung<'a>) -> Self {
        let LadderRung { input, told_at, lost } = rung;
        let latest = latest(input.schedule, input.appointment);
        let times = legal_times(input.schedule, input.method, input.zones, input.rules, latest);
        Self { input, told_at: *told_at, lost: *lost, times }
    }
}

/// The latest minute at which each rung may go so that all above it still fit; `None` where there is no appointment to fit
/// before, or nothing that fits.
fn bounds(steps: &[Step<'_>], wait: TimeDelta) -> Vec<Option<DateTime<Utc>>> {
    let mut above: Option<DateTime<Utc>> = None;
    let mut bounds: Vec<Option<DateTime<Utc>>> = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let end = match above {
            Some(above) => above.checked_sub_signed(wait),
            None => latest(step.input.schedule, step.input.appointment),
        };
        // The end itself counts.
        let last = end.zip(step.times.as_ref()).and_then(|(end, times)| {
            times.last_minute_before(moved(end, TimeDelta::microseconds(1)), DateTime::<Utc>::MIN_UTC)
        });
        // Nobody leaves time for a rung that does not go.
        above = last.filter(|_| step.lost.is_none()).or(above);
        bounds.push(last);
    }
    bounds.reverse();
    bounds
}

/// The plans of one entry, rung by rung.
fn climb(
    index: u16,
    entry: SendEntry,
    steps: &[Step<'_>],
    bounds: &[Option<DateTime<Utc>>],
    wait: TimeDelta,
) -> Vec<EntryPlan> {
    let of = u8::try_from(steps.len()).unwrap_or(u8::MAX);
    let (mut below, mut due): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = (None, None);
    let mut has_begun = false;
    let mut plans = Vec::with_capacity(steps.len());
    for ((number, step), bound) in (1..=u8::MAX).zip(steps).zip(bounds) {
        let wait_shown = wait.to_std().unwrap_or_default();
        let rung = RungTrace { number, of, below, wait: wait_shown, bound: *bound, told_at: None };
        let mut plan = match below {
            None => first_rung(index, entry, step, rung),
            Some(below) => next_rung(index, entry, step, moved(below, wait), rung),
        };
        if !has_begun {
            due = due_since(&plan, rung, step.input.now);
        }
        let told_at = step.told_at.filter(|told_at| due.is_some_and(|due| *told_at >= due));
        plan.trace.rung = Some(Box::new(RungTrace { told_at, ..rung }));
        let goes_on = step.lost.is_none();
        has_begun |= told_at.is_some() || (goes_on && plan.trace.planned_at.is_some());
        below = match plan.outcome {
            _ if told_at.is_some() => told_at,
            PlanOutcome::Planned { at, .. } if goes_on => Some(at),
            PlanOutcome::Skipped(SkipReason::PastDue) if goes_on => plan.trace.planned_at.or(below),
            _ => below,
        };
        if let Some(reason) = step.lost {
            plan.outcome = PlanOutcome::Skipped(reason);
        }
        plans.push(plan);
    }
    plans
}

/// Since when the ladder is due that begins with this plan, if it is: where it was planned, or had to start for all others to
/// fit. The rungs above are planned from now on, and do not look late themselves.
fn due_since(first: &EntryPlan, rung: RungTrace, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let trace = &first.trace;
    let planned_at = trace.planned_at.filter(|_| trace.late.is_some());
    let bound = rung.bound.filter(|bound| trace.planned_at.is_some() && *bound < now);
    planned_at.into_iter().chain(bound).min()
}

/// The rung that starts the ladder: where its entry says, or earlier so that the rest fits.
fn first_rung(index: u16, entry: SendEntry, step: &Step<'_>, rung: RungTrace) -> EntryPlan {
    let mut plan = plan_entry(index, entry, step.input, step.times.as_ref());
    plan.trace.rung = Some(Box::new(rung));
    if let (PlanOutcome::Planned { at, .. }, Some(bound), Some(times)) =
        (plan.outcome, rung.bound, &step.times)
        && at > bound
        && let Some((earlier, legal)) = first_legal(times, bound.max(step.input.now))
        && earlier < at
    {
        plan.trace.planned_at = Some(earlier);
        plan.outcome = PlanOutcome::Planned { at: earlier, legal };
    }
    plan
}

/// A rung above another: the first legal instant from `target` on.
fn next_rung(
    index: u16,
    entry: SendEntry,
    step: &Step<'_>,
    target: DateTime<Utc>,
    rung: RungTrace,
) -> EntryPlan {
    let input = step.input;
    let planned = step.times.as_ref().and_then(|times| first_legal(times, target));
    let zone = zone_of(input);
    let (base_local, base) = exactly(target, zone);
    let mut trace = PlanTrace {
        send_entry: entry,
        appointment_at: input.appointment.map(|appointment| appointment.at),
        appointment_zone: zone,
        contact_zone: input.zones.first().copied(),
        base_local,
        base_at: base.at,
        base_note: base.note,
        has_window: step.times.is_some(),
        base_legal: planned.is_some_and(|(at, _)| at == target),
        closed_in: step.times.as_ref().and_then(|times| times.closed_in(target)),
        latest: latest(input.schedule, input.appointment),
        when_closed: WhenClosed::Later,
        closing_margin: None,
        rule: step.times.as_ref().and_then(|times| {
            held_by_rule(times, planned, |times| first_legal(times, target).map(|(at, _)| at))
        }),
        planned_at: planned.map(|(at, _)| at),
        late: None,
        duplicate_of: None,
        rung: Some(Box::new(rung)),
        answers: None,
        hour: None,
    };
    let outcome = match planned {
        None => PlanOutcome::Skipped(SkipReason::NoLegalInstant),
        Some((at, _)) if at < input.now => catch_up_rung(step, at, &mut trace),
        Some((at, legal)) => PlanOutcome::Planned { at, legal },
    };
    EntryPlan { entry: index, outcome, trace }
}

/// Rule 4 for a rung whose instant had passed.
fn catch_up_rung(step: &Step<'_>, at: DateTime<Utc>, trace: &mut PlanTrace) -> PlanOutcome {
    let (now, max_lateness) = (step.input.now, step.input.schedule.max_lateness);
    let next: Option<(DateTime<Utc>, LegalInterval)> =
        step.times.as_ref().and_then(|times| first_legal(times, now));
    let rule = step
        .times
        .as_ref()
        .and_then(|times| held_by_rule(times, next, |times| first_legal(times, now).map(|(at, _)| at)));
    trace.late = Some(Box::new(LateTrace {
        now,
        first_legal: next.map(|(at, _)| at),
        max_lateness,
        rule,
        restored_at: None,
    }));
    match next.filter(|(next, _)| in_time(at, *next, max_lateness)) {
        Some((at, legal)) => PlanOutcome::Planned { at, legal },
        None => PlanOutcome::Skipped(SkipReason::PastDue),
    }
}

/// An entry whose first rung gave way to another entry's gives way as a whole.
fn drop_ladders_of_duplicates(plans: &mut [Vec<EntryPlan>]) {
    let Some((first, above)) = plans.split_first_mut() else { return };
    for rung in above {
        for (plan, first) in rung.iter_mut().zip(&*first) {
            let planned = matches!(plan.outcome, PlanOutcome::Planned { .. });
            if planned && first.outcome == PlanOutcome::Skipped(SkipReason::Duplicate) {
                plan.outcome = PlanOutcome::Skipped(SkipReason::Duplicate);
                plan.trace.duplicate_of = first.trace.duplicate_of;
            }
        }
    }
}
