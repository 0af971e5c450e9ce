//! The hour at which a person is likeliest to answer.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;

use super::answers_trace::HourTrace;
use super::{EntryPlan, PlanOutcome, moved};
use crate::domain::answers::{Chance, HOURS_PER_CELL};
use crate::domain::local_time::{reading, resolve};
use crate::domain::schedule::{Schedule, SendEntry};

/// What is left at least until a message would be too late, so that one that has to wait for its turn still goes. By our own
/// judgement.
const ROOM: Duration = Duration::from_hours(1);

/// An hour is better only if answers are likelier by a thousandth: less is not told either.
const GAIN_MIN: f64 = 0.001;

/// How likely a person answers, by hours of their clock (0 to 23).
pub trait LikelyHours {
    /// Whether anybody was contacted at this hour before.
    fn knows(&self, hour: u8) -> bool;

    /// The expected probability of an answer.
    fn expect(&self, hour: u8) -> f64;

    /// The same with its interval.
    fn chance(&self, hour: u8) -> Chance;

    /// The instant whose knowledge that is.
    fn as_of(&self) -> DateTime<Utc>;
}

/// Lets a planned message go later on the same local day, where an answer is likelier: at the start of other hours that are known,
/// inside its legal interval and at most `max_lateness` after its planned instant, with an hour to spare, or `closing_margin` if
/// that is longer.
///
/// No message goes earlier than planned, on another day of `zone`, or by this rule too late; one that is late already, that goes
/// at once or on a ladder stays. Without `max_lateness` nobody has said how much later is right, so all stay.
pub fn prefer_hour(plan: &mut EntryPlan, schedule: &Schedule, zone: Tz, hours: &impl LikelyHours) {
    let PlanOutcome::Planned { at, legal } = plan.outcome else { return };
    let trace = &plan.trace;
    let Some(max_lateness) = schedule.max_lateness else { return };
    if trace.late.is_some() || trace.rung.is_some() || trace.send_entry == SendEntry::Now {
        return;
    }
    let latest = moved(at, TimeDelta::from_std(max_lateness).unwrap_or(TimeDelta::MAX)).min(legal.until);
    let room = TimeDelta::from_std(schedule.closing_margin.max(ROOM)).unwrap_or(TimeDelta::MAX);
    let fits = |other: &DateTime<Utc>| moved(*other, room) <= latest;
    let mut others =
        starts_after(at, zone).take_while(fits).filter(|other| hours.knows(hour_of(*other, zone))).peekable();
    if others.peek().is_none() {
        return;
    }
    let mut best = (at, hours.expect(hour_of(at, zone)));
    for other in others {
        let expected = hours.expect(hour_of(other, zone));
        if expected - best.1 >= GAIN_MIN {
            best = (other, expected);
        }
    }
    plan.outcome = PlanOutcome::Planned { at: best.0, legal };
    plan.trace.hour = Some(Box::new(HourTrace {
        planned_chance: hours.chance(hour_of(at, zone)),
        chosen_at: best.0,
        chosen_chance: hours.chance(hour_of(best.0, zone)),
        as_of: hours.as_of(),
    }));
}

/// The instants after `at`, on its local day, at which hours begin that share a rate.
fn starts_after(at: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = DateTime<Utc>> {
    let day = reading(at, zone).date();
    let hours = (0..24).step_by(usize::from(HOURS_PER_CELL));
    let starts = hours.filter_map(move |hour| Some(day.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?)));
    let is_ahead = move |start: &DateTime<Utc>| *start > at && reading(*start, zone).date() == day;
    starts.map(move |start| resolve(start, zone).at).filter(is_ahead)
}

/// The hour that the clock of a zone shows.
fn hour_of(at: DateTime<Utc>, zone: Tz) -> u8 {
    u8::try_from(reading(at, zone).hour()).unwrap_or_default()
}
