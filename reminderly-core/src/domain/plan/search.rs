//! Searches for legal instants, and who kept them from being found earlier.

use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use crate::domain::plan::trace::RuleTrace;
use crate::domain::schedule::{Schedule, WhenClosed};
use crate::domain::window::{LegalInterval, LegalTimes};

/// Rule 3: where a base instant that is not legal goes.
pub(super) fn move_to_legal(
    times: &LegalTimes<'_>,
    base: DateTime<Utc>,
    schedule: &Schedule,
) -> Option<(DateTime<Utc>, LegalInterval)> {
    let at = nearest_legal(times, base, schedule)?;
    Some((at, times.interval_at(at)?))
}

/// The base instant if it is legal, else where it goes.
pub(super) fn base_or_moved(
    times: &LegalTimes<'_>,
    base: DateTime<Utc>,
    schedule: &Schedule,
) -> Option<DateTime<Utc>> {
    if times.is_legal(base) { Some(base) } else { nearest_legal(times, base, schedule) }
}

fn nearest_legal(times: &LegalTimes<'_>, base: DateTime<Utc>, schedule: &Schedule) -> Option<DateTime<Utc>> {
    let later = || times.first_at_or_after(base, DateTime::<Utc>::MAX_UTC);
    let earlier = || last_before_closing(times, base, schedule.closing_margin);
    match schedule.when_closed {
        WhenClosed::Later => later(),
        WhenClosed::Earlier => earlier(),
        WhenClosed::Nearest => match (earlier(), later()) {
            (Some(earlier), Some(later)) if base - earlier <= later - base => Some(earlier),
            (earlier, later) => later.or(earlier),
        },
        WhenClosed::Skip => None,
    }
}

/// The last legal whole minute before `base` that leaves the margin until contact is legal no more. An interval that is shorter
/// is used all the same, from its first minute on: a margin loses no message, and moves none to another day.
fn last_before_closing(
    times: &LegalTimes<'_>,
    base: DateTime<Utc>,
    margin: Duration,
) -> Option<DateTime<Utc>> {
    let last = times.last_minute_before(base, DateTime::<Utc>::MIN_UTC)?;
    if margin.is_zero() {
        return Some(last);
    }
    let legal = times.interval_at(last)?;
    let minute = TimeDelta::minutes(1);
    let whole = |at: DateTime<Utc>| at.duration_trunc(minute).unwrap_or(at);
    let wanted = TimeDelta::from_std(margin).ok().and_then(|margin| legal.until.checked_sub_signed(margin));
    let first = whole(legal.from + minute - TimeDelta::nanoseconds(1));
    Some(wanted.map_or(first, |wanted| whole(wanted).max(first)).min(last))
}

/// The rule because of which an instant is another than windows alone would give, or because of which there is none. `search`
/// finds the instant as it was found with the rules.
pub(super) fn held_by_rule(
    times: &LegalTimes<'_>,
    found: Option<(DateTime<Utc>, LegalInterval)>,
    search: impl Fn(&LegalTimes<'_>) -> Option<DateTime<Utc>>,
) -> Option<RuleTrace> {
    if !times.has_rules() {
        return None;
    }
    let instead_of = search(&times.without_rules())?;
    if found.is_some_and(|(at, _)| at == instead_of) {
        return None;
    }
    // Of several rules the one that held longest: it still does next to the instant that was found.
    let next_to_found = found.map_or(instead_of, |(at, _)| {
        let towards = if at > instead_of { TimeDelta::microseconds(-1) } else { TimeDelta::minutes(1) };
        at.checked_add_signed(towards).unwrap_or(instead_of)
    });
    let rule = times.blocked_by_both(instead_of, next_to_found)?;
    Some(RuleTrace { rule: rule.id(), instead_of })
}

/// The first legal instant from now on.
pub(super) fn first_legal(
    times: &LegalTimes<'_>,
    now: DateTime<Utc>,
) -> Option<(DateTime<Utc>, LegalInterval)> {
    let at = times.first_at_or_after(now, DateTime::<Utc>::MAX_UTC)?;
    Some((at, times.interval_at(at)?))
}
