//! Searches for legal instants, and who kept them from being found earlier.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::plan::trace::RuleTrace;
use crate::domain::schedule::WhenClosed;
use crate::domain::window::{LegalInterval, LegalTimes};

/// Rule 3: where a base instant that is not legal goes.
pub(super) fn move_to_legal(
    times: &LegalTimes<'_>,
    base: DateTime<Utc>,
    when_closed: WhenClosed,
) -> Option<(DateTime<Utc>, LegalInterval)> {
    let at = nearest_legal(times, base, when_closed)?;
    Some((at, times.interval_at(at)?))
}

/// The base instant if it is legal, else where it goes.
pub(super) fn base_or_moved(
    times: &LegalTimes<'_>,
    base: DateTime<Utc>,
    when_closed: WhenClosed,
) -> Option<DateTime<Utc>> {
    if times.is_legal(base) { Some(base) } else { nearest_legal(times, base, when_closed) }
}

fn nearest_legal(
    times: &LegalTimes<'_>,
    base: DateTime<Utc>,
    when_closed: WhenClosed,
) -> Option<DateTime<Utc>> {
    let later = || times.first_at_or_after(base, DateTime::<Utc>::MAX_UTC);
    let earlier = || times.last_minute_before(base, DateTime::<Utc>::MIN_UTC);
    match when_closed {
        WhenClosed::Later => later(),
        WhenClosed::Earlier => earlier(),
        WhenClosed::Nearest => match (earlier(), later()) {
            (Some(earlier), Some(later)) if base - earlier <= later - base => Some(earlier),
            (earlier, later) => later.or(earlier),
        },
        WhenClosed::Skip => None,
    }
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
