//! When a row's messages go: the planning rules, from send entries to instants.
//!
//! Pure: the same input plans the same, so a plan can be made again at any time to explain it.

mod answers_trace;
#[cfg(test)]
mod closing_tests;
mod correction;
mod hour;
#[cfg(test)]
mod hour_tests;
mod ladder;
#[cfg(test)]
mod ladder_tests;
#[cfg(test)]
mod rule_tests;
mod search;
mod terms;
#[cfg(test)]
mod tests;
mod trace;

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::domain::appointment::Appointment;
use crate::domain::contact_method::ContactMethod;
use crate::domain::local_time::{LocalTimeNote, Resolved, reading, resolve};
use crate::domain::plan::search::{base_or_moved, first_legal, held_by_rule, move_to_legal};
use crate::domain::rules::BoundRule;
use crate::domain::schedule::{Schedule, SendEntry};
use crate::domain::skip_reason::SkipReason;
use crate::domain::window::{LegalInterval, LegalTimes};

pub use crate::domain::plan::answers_trace::{AnswersTrace, HourTrace};
pub use crate::domain::plan::correction::plan_correction;
pub use crate::domain::plan::hour::{LikelyHours, prefer_hour};
pub use crate::domain::plan::ladder::{LadderRung, earliest_starts, plan_ladder};
pub use crate::domain::plan::terms::{ContactTerms, ContactZones, contact_zones};
pub use crate::domain::plan::trace::{LateTrace, PlanRule, PlanTrace, RuleTrace, RungTrace};

/// How long after an incoming message a follow-up needs no window (rule 8).
const FOLLOW_UP_GRACE: TimeDelta = TimeDelta::minutes(5);

/// What the plan of a row depends on, for one method.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The campaign's schedule.
    pub schedule: &'a Schedule,
    /// The method whose window holds.
    pub method: ContactMethod,
    /// What the messages remind of; `None` for what is sent on demand.
    pub appointment: Option<&'a Appointment>,
    /// The zones in which the person may be, the contact zone first. Contact is legal if it is in all of
    /// them; with no zone it never is.
    pub zones: &'a [Tz],
    /// The rules that bind the contact: each must permit the instant, in all of the zones.
    pub rules: &'a [BoundRule<'a>],
    /// The instant of planning.
    pub now: DateTime<Utc>,
}

/// What the lateness rule depends on.
#[derive(Debug, Clone, Copy)]
pub struct LateInput<'a> {
    /// The campaign's schedule.
    pub schedule: &'a Schedule,
    /// The method whose window holds.
    pub method: ContactMethod,
    /// What the message reminds of; `None` for what is sent on demand.
    pub appointment: Option<&'a Appointment>,
    /// The zones in which the person may be, the contact zone first.
    pub zones: &'a [Tz],
    /// The rules that bind the contact.
    pub rules: &'a [BoundRule<'a>],
    /// For when the message was planned.
    pub planned_at: DateTime<Utc>,
    /// The instant at which it comes up.
    pub now: DateTime<Utc>,
}

/// The plan of one send entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlan {
    /// The position of the entry in the schedule's `send`.
    pub entry: u16,
    /// What became of it.
    pub outcome: PlanOutcome,
    /// How that was found.
    pub trace: PlanTrace,
}

/// What became of a send entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOutcome {
    /// A message goes.
    Planned {
        /// When.
        at: DateTime<Utc>,
        /// How long it stays legal around that instant.
        legal: LegalInterval,
    },
    /// None goes.
    Skipped(SkipReason),
}

/// What becomes of a message that comes up at or after its planned instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// It still goes.
    SendAt {
        /// When: never before now.
        at: DateTime<Utc>,
        /// How long it stays legal around that instant.
        legal: LegalInterval,
    },
    /// No legal instant is left, or the first is later than `max_lateness` allows.
    TooLate,
}

/// Plans every entry of the schedule, in the order of `send` (rules 1 to 5, the latter within this row and
/// method).
///
/// Of several messages on one local day of the contact zone the one nearest to the appointment stays; at the
/// same instant it is the later entry. A schedule has at most 65 536 entries; more are not planned.
///
/// ```
/// use std::collections::{BTreeMap, BTreeSet};
/// use std::time::Duration;
/// use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
/// use reminderly_core::domain::appointment::Appointment;
/// use reminderly_core::domain::contact_method::ContactMethod;
/// use reminderly_core::domain::plan::{PlanInput, PlanOutcome, plan_row};
/// use reminderly_core::domain::schedule::{
///     ContactWindow, ContactWindows, Day, Schedule, SendEntry,
/// };
///
/// let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
/// let days = BTreeSet::from([Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri]);
/// let schedule = Schedule {
///     send: vec![SendEntry::DaysBefore { days: 1, at: Some(time(2, 30)) }],
///     windows: ContactWindows {
///         default: Some(ContactWindow { days, from: time(8, 0), to: time(16, 30) }),
///         by_method: BTreeMap::new(),
///     },
///     min_notice: Duration::from_secs(3600),
///     ..Schedule::default()
/// };
/// let zone = chrono_tz::America::New_York;
/// let monday = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap().and_time(time(9, 15));
/// let now: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
///
/// let plans = plan_row(&PlanInput {
///     schedule: &schedule,
///     method: ContactMethod::Sms,
///     appointment: Some(&Appointment::new(monday, zone)),
///     zones: &[zone],
///     rules: &[],
///     now,
/// });
///
/// // Sunday 02:30 does not exist, 03:30 is closed, Monday 08:00 leaves an hour and a quarter.
/// let PlanOutcome::Planned { at, .. } = plans[0].outcome else { panic!("skipped") };
/// assert_eq!(at.with_timezone(&zone).to_rfc3339(), "2026-03-09T08:00:00-04:00");
/// ```
pub fn plan_row(input: &PlanInput<'_>) -> Vec<EntryPlan> {
    let latest = latest(input.schedule, input.appointment);
    let times = legal_times(input.schedule, input.method, input.zones, input.rules, latest);
    let entries = (0..=u16::MAX).zip(&input.schedule.send);
    let mut plans: Vec<_> =
        entries.map(|(index, entry)| plan_entry(index, *entry, input, times.as_ref())).collect();
    if let (Some(contact_zone), true) = (input.zones.first(), plans.len() > 1) {
        skip_same_day(&mut plans, *contact_zone);
    }
    plans
}

/// What becomes of a message whose planned instant has passed (rule 4): it goes at the first legal instant
/// from now on, if that is at most `max_lateness` after the planned one.
///
/// The caller names what too late means: skipped as past due before the message was queued, expired
/// afterwards.
pub fn catch_up(late: &LateInput<'_>) -> CatchUp {
    let latest = latest(late.schedule, late.appointment);
    let times = legal_times(late.schedule, late.method, late.zones, late.rules, latest);
    let Some(times) = times else { return CatchUp::TooLate };
    match first_legal(&times, late.now) {
        Some((at, legal)) if in_time(late.planned_at, at, late.schedule.max_lateness) => {
            CatchUp::SendAt { at, legal }
        }
        Some(_) | None => CatchUp::TooLate,
    }
}

/// When a follow-up to an incoming message goes (rule 8): now, if that is at most five minutes after the
/// message, whatever the windows and rules say; else at the first legal instant. There is no appointment to be
/// in time for.
pub fn follow_up_instant(
    schedule: &Schedule,
    method: ContactMethod,
    zones: &[Tz],
    rules: &[BoundRule<'_>],
    incoming_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> CatchUp {
    let times = legal_times(schedule, method, zones, rules, None);
    let grace_end = moved(incoming_at, FOLLOW_UP_GRACE);
    if now <= grace_end {
        // The fifth minute counts, as half-open intervals cannot say; a window that is open by then goes on
        // from there.
        let grace = moved(grace_end, TimeDelta::microseconds(1));
        let window = times.and_then(|times| times.interval_at(grace));
        let until = window.map_or(grace, |window| window.until);
        return CatchUp::SendAt { at: now, legal: LegalInterval { from: now, until } };
    }
    match times.and_then(|times| first_legal(&times, now)) {
        Some((at, legal)) => CatchUp::SendAt { at, legal },
        None => CatchUp::TooLate,
    }
}

/// Until when a message that starts at `at` may still be delivered: to the end of its window and of the rules' hours, but not
/// past the appointment.
/// `min_notice` bounds the start, not the delivery. `None` if `at` is not legal.
pub fn deliver_until(
    schedule: &Schedule,
    method: ContactMethod,
    appointment: Option<&Appointment>,
    zones: &[Tz],
    rules: &[BoundRule<'_>],
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let latest = appointment.map(|appointment| appointment.at);
    let times = legal_times(schedule, method, zones, rules, latest)?;
    times.interval_at(at).map(|interval| interval.until)
}

/// The local day of an instant, as the natural key of a message has it.
pub fn local_day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    reading(at, zone).date()
}

/// When the local day of an instant begins; never later than the instant.
pub(crate) fn day_begins(at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    resolve(local_day(at, zone).and_time(NaiveTime::MIN), zone).at.min(at)
}

/// The instants up to `latest` at which contact is legal; `None` if the campaign has windows, but none for the
/// method.
fn legal_times<'a>(
    schedule: &'a Schedule,
    method: ContactMethod,
    zones: &'a [Tz],
    rules: &'a [BoundRule<'a>],
    latest: Option<DateTime<Utc>>,
) -> Option<LegalTimes<'a>> {
    let times = match schedule.windows.of(method) {
        Some(window) => LegalTimes::new(window, &schedule.closed_dates, zones, latest),
        None if schedule.windows.is_empty() => LegalTimes::always(&schedule.closed_dates, zones, latest),
        None => return None,
    };
    Some(times.with_rules(rules))
}

fn plan_entry(
    index: u16,
    entry: SendEntry,
    input: &PlanInput<'_>,
    times: Option<&LegalTimes<'_>>,
) -> EntryPlan {
    let zone = zone_of(input);
    let meant = base(entry, input, zone);
    let at = meant.map(|(_, base)| base.at);
    let base_legal = at.zip(times).and_then(|(at, times)| times.interval_at(at));
    let planned = match (at, base_legal, times) {
        (Some(at), Some(legal), _) => Some((at, legal)),
        (Some(at), None, Some(times)) => move_to_legal(times, at, input.schedule),
        _ => None,
    };
    let (base_local, base) = meant.unwrap_or_else(|| exactly(input.now, zone));
    let mut trace = PlanTrace {
        send_entry: entry,
        appointment_at: input.appointment.map(|appointment| appointment.at),
        appointment_zone: zone,
        contact_zone: input.zones.first().copied(),
        base_local,
        base_at: base.at,
        base_note: base.note,
        has_window: times.is_some(),
        base_legal: base_legal.is_some(),
        closed_in: times.filter(|_| base_legal.is_none()).and_then(|times| times.closed_in(base.at)),
        latest: latest(input.schedule, input.appointment),
        when_closed: input.schedule.when_closed,
        closing_margin: planned.and_then(|planned| margin_left(base.at, planned, input.schedule)),
        rule: times.and_then(|times| {
            held_by_rule(times, planned, |times| base_or_moved(times, base.at, input.schedule))
        }),
        planned_at: planned.map(|(at, _)| at),
        late: None,
        duplicate_of: None,
        rung: None,
        answers: None,
        hour: None,
    };
    let outcome = match (planned, times) {
        (Some((at, _)), Some(times)) if at < input.now => {
            let next = first_legal(times, input.now);
            let max_lateness = input.schedule.max_lateness;
            let rule = held_by_rule(times, next, |times| first_legal(times, input.now).map(|(at, _)| at));
            let first_legal = next.map(|(at, _)| at);
            trace.late = Some(Box::new(LateTrace {
                now: input.now,
                first_legal,
                max_lateness,
                rule,
                restored_at: None,
            }));
            match next.filter(|(next, _)| in_time(at, *next, max_lateness)) {
                Some((at, legal)) => PlanOutcome::Planned { at, legal },
                None => PlanOutcome::Skipped(SkipReason::PastDue),
            }
        }
        (Some((at, legal)), _) => PlanOutcome::Planned { at, legal },
        (None, _) => PlanOutcome::Skipped(SkipReason::NoLegalInstant),
    };
    EntryPlan { entry: index, outcome, trace }
}

/// The margin that the campaign asks for, if a message went to before its base because it was closed then, and leaves as much.
fn margin_left(
    base: DateTime<Utc>,
    (at, legal): (DateTime<Utc>, LegalInterval),
    schedule: &Schedule,
) -> Option<Duration> {
    let left = (legal.until - at).to_std().unwrap_or_default();
    Some(schedule.closing_margin).filter(|margin| at < base && !margin.is_zero() && left >= *margin)
}

/// The last instant that leaves the least notice before the appointment.
fn latest(schedule: &Schedule, appointment: Option<&Appointment>) -> Option<DateTime<Utc>> {
    appointment.map(|appointment| earlier_by(appointment.at, schedule.min_notice))
}

/// The zone in which the base instant is written: the appointment's, or the person's if there is none.
fn zone_of(input: &PlanInput<'_>) -> Tz {
    let contact_zone = input.zones.first().copied().unwrap_or(Tz::UTC);
    input.appointment.map_or(contact_zone, |appointment| appointment.zone)
}

fn exactly(at: DateTime<Utc>, zone: Tz) -> (NaiveDateTime, Resolved) {
    (reading(at, zone), Resolved { at, note: LocalTimeNote::Exact })
}

/// Rule 1: the local time that the entry means in the appointment zone, and its instant, before anything is asked about
/// windows. Where dates end it stays there. `None` if it counts from an appointment and there is none.
fn base(entry: SendEntry, input: &PlanInput<'_>, zone: Tz) -> Option<(NaiveDateTime, Resolved)> {
    match entry {
        SendEntry::Now => Some(exactly(input.now, zone)),
        SendEntry::DaysBefore { days, at } => {
            let written = input.appointment?.local;
            let date = written.date().checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN);
            let local = date.and_time(at.unwrap_or(written.time()));
            Some((local, resolve(local, zone)))
        }
        SendEntry::HoursBefore { before } => Some(exactly(earlier_by(input.appointment?.at, before), zone)),
    }
}

/// Rule 5 within one row and method.
fn skip_same_day(plans: &mut [EntryPlan], contact_zone: Tz) {
    let mut staying: Vec<(NaiveDate, DateTime<Utc>, u16)> = Vec::with_capacity(plans.len());
    for plan in &*plans {
        if let PlanOutcome::Planned { at, .. } = plan.outcome {
            let day = local_day(at, contact_zone);
            match staying.iter_mut().find(|other| other.0 == day) {
                // Every planned instant is before the appointment, so the nearest is the latest.
                Some(other) if at >= other.1 => *other = (day, at, plan.entry),
                Some(_) => {}
                None => staying.push((day, at, plan.entry)),
            }
        }
    }
    for plan in plans {
        if let PlanOutcome::Planned { at, .. } = plan.outcome {
            let day = local_day(at, contact_zone);
            let stays = staying.iter().find(|other| other.0 == day).map(|other| other.2);
            if stays != Some(plan.entry) {
                plan.outcome = PlanOutcome::Skipped(SkipReason::Duplicate);
                plan.trace.duplicate_of = stays;
            }
        }
    }
}

fn in_time(planned_at: DateTime<Utc>, at: DateTime<Utc>, max_lateness: Option<Duration>) -> bool {
    // A planned instant that is still ahead is not late at all: the conversion fails.
    max_lateness.is_none_or(|max| (at - planned_at).to_std().map_or(true, |lateness| lateness <= max))
}

/// `at` moved back by `by`, or as far as dates reach.
fn earlier_by(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    at.checked_sub_signed(by).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn moved(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
