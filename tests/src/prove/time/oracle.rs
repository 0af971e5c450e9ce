//! The planning rules once more: written from their words, on another library of time zones, minute by minute.
//!
//! Nothing here knows the code that it judges. Windows, notices and changes of clocks fall on whole minutes, so legality begins
//! at the instant that is asked about or on a whole minute, and asking every minute asks all there is.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// An instant, microseconds since 1970.
pub(super) type Micros = i64;

/// A minute.
pub(super) const MINUTE: Micros = 60_000_000;
/// An hour.
pub(super) const HOUR: Micros = 60 * MINUTE;
/// As many as it has nearly always.
pub(super) const DAY: Micros = 24 * HOUR;

/// How far the rules are followed: whoever closes for longer has no legal instant.
const SEARCH: Micros = 400 * DAY;

/// How far delivery is followed: who is open for two days need not be told where that ends.
const FOLLOWED: Micros = 4 * DAY;

/// A contact window: minutes of the day, and a bit for each weekday, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) days: u8,
    pub(super) from: i16,
    pub(super) to: i16,
}

/// The minutes of each weekday that a rule permits, Monday first.
pub(super) type Week = [(i16, i16); 7];

/// What decides when a person may be contacted.
#[derive(Debug, Clone)]
pub(super) struct Contact<'a> {
    /// None: every hour is open, on days that are.
    pub(super) window: Option<Window>,
    pub(super) closed: Vec<Date>,
    pub(super) rule: Option<&'a Week>,
    /// The contact zone first.
    pub(super) zones: Vec<&'a TimeZone>,
    pub(super) latest: Option<Micros>,
}

impl Contact<'_> {
    /// Rule 2.
    pub(super) fn is_legal(&self, at: Micros) -> bool {
        let in_time = self.latest.is_none_or(|latest| at <= latest);
        in_time && self.zones.iter().all(|zone| self.is_open(shown(zone, at)))
    }

    /// Rule 2 for what one clock shows.
    pub(super) fn is_open(&self, shown: DateTime) -> bool {
        let minute = i16::from(shown.hour()) * 60 + i16::from(shown.minute());
        let window = self.window.unwrap_or(Window { days: 0b111_1111, from: 0, to: 0 });
        let starts_on = |day: Date| window.days & (1 << weekday(day)) != 0 && !self.closed.contains(&day);
        let today = shown.date();
        let by_window = if window.from < window.to {
            window.from <= minute && minute < window.to && starts_on(today)
        } else {
            let since_yesterday = || today.yesterday().is_ok_and(starts_on);
            (minute >= window.from && starts_on(today)) || (minute < window.to && since_yesterday())
        };
        let by_rule = self.rule.is_none_or(|week| {
            let (from, to) = week[weekday(today)];
            from <= minute && minute < to
        });
        by_window && by_rule
    }

    /// The first legal instant at or after `at`.
    pub(super) fn first(&self, at: Micros) -> Option<Micros> {
        if self.is_legal(at) {
            return Some(at);
        }
        let end = self.latest.map_or(at + SEARCH, |latest| latest.min(at + SEARCH));
        let mut minute = (at.div_euclid(MINUTE) + 1) * MINUTE;
        while minute <= end {
            if self.is_legal(minute) {
                return Some(minute);
            }
            minute += MINUTE;
        }
        None
    }

    /// The last legal whole minute before `at`.
    pub(super) fn last_minute_before(&self, at: Micros) -> Option<Micros> {
        let mut minute = (at - 1).div_euclid(MINUTE) * MINUTE;
        while minute >= at - SEARCH {
            if self.is_legal(minute) {
                return Some(minute);
            }
            minute -= MINUTE;
        }
        None
    }

    /// Whether `[from, until)` around `at` is legal throughout, and ends where legality does or two days away.
    pub(super) fn is_interval(&self, at: Micros, from: Micros, until: Micros) -> bool {
        let first_minute = (from.div_euclid(MINUTE) + 1) * MINUTE;
        let within = (first_minute..until).step_by(60_000_000).all(|minute| self.is_legal(minute));
        let ends = |away: Micros, beyond: Micros| away >= 2 * DAY || !self.is_legal(beyond);
        from <= at
            && at < until
            && within
            && self.is_legal(from)
            && self.is_legal(until - 1)
            && ends(at - from, from - 1)
            && ends(until - at, until)
    }

    /// When what has started may be delivered to a contact: as long as it is open, but not past the appointment. The notice
    /// before that bounds the start alone.
    pub(super) fn to_deliver(&self, appointment: Option<Micros>) -> Self {
        Self { latest: appointment, ..self.clone() }
    }

    /// The first instant after `at` at which contact is not legal any more; none if it is not legal at `at`.
    pub(super) fn legal_until(&self, at: Micros) -> Option<Micros> {
        if !self.is_legal(at) {
            return None;
        }
        let mut minute = (at.div_euclid(MINUTE) + 1) * MINUTE;
        while minute < at + FOLLOWED && self.is_legal(minute) {
            minute += MINUTE;
        }
        Some(self.not_past_latest(minute))
    }

    /// Likewise of each of these minutes, which follow one another, given whether the clocks let contact be made at each.
    pub(super) fn all_legal_until(&self, minutes: &[Micros], is_open: &[bool]) -> Vec<Option<Micros>> {
        let last = minutes.last().copied();
        let mut until = last.and_then(|last| self.legal_until(last));
        let mut all: Vec<Option<Micros>> = Vec::with_capacity(minutes.len());
        for (at, is_open) in minutes.iter().copied().zip(is_open).rev() {
            if Some(at) != last {
                let is_legal = *is_open && self.latest.is_none_or(|latest| at <= latest);
                until = is_legal.then(|| until.unwrap_or_else(|| self.not_past_latest(at + MINUTE)));
            }
            all.push(until);
        }
        all.reverse();
        all
    }

    /// The latest instant itself is legal, so what ends there ends after it.
    fn not_past_latest(&self, end: Micros) -> Micros {
        self.latest.map_or(end, |latest| end.min(latest + 1))
    }
}

/// Whether what starts at `at` is delivered until when it should be; who is open for two days need not be told where that ends.
pub(super) fn ends_as(expected: Option<Micros>, at: Micros, until: Option<Micros>) -> bool {
    match (expected, until) {
        (Some(expected), Some(until)) => until == expected || (until < expected && until - at >= 2 * DAY),
        (expected, until) => expected == until,
    }
}

/// What a base instant counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Calendar days before the written date, at a minute of the day or the written time.
    Days(u16, Option<i16>),
    /// Elapsed time before the appointment.
    Elapsed(Micros),
}

/// What happens to a base instant that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Later,
    Earlier,
    Nearest,
    Skip,
}

/// What a row is planned from.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    pub(super) written: DateTime,
    pub(super) zone: &'a TimeZone,
    pub(super) entries: Vec<Entry>,
    pub(super) when_closed: Closed,
    /// What is left until closing of a message that goes earlier.
    pub(super) closing_margin: Micros,
    pub(super) max_lateness: Option<Micros>,
    pub(super) now: Micros,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planned {
    At(Micros),
    NoLegalInstant,
    PastDue,
    Duplicate,
}

impl Row<'_> {
    /// Rule 1.
    pub(super) fn base(&self, entry: Entry) -> Micros {
        match entry {
            Entry::Days(days, at) => {
                let date = (0..days).fold(self.written.date(), |date, _| date.yesterday().expect("a date"));
                let time = at.map_or(self.written.time(), time_of);
                meant(self.zone, date.to_datetime(time))
            }
            Entry::Elapsed(before) => meant(self.zone, self.written) - before,
        }
    }

    /// Rules 1 to 5, within the row.
    pub(super) fn plan(&self, contact: &Contact<'_>) -> Vec<Planned> {
        let mut plans: Vec<Planned> =
            self.entries.iter().map(|entry| self.plan_one(contact, self.base(*entry))).collect();
        let days: Vec<_> = plans.iter().map(|plan| day_of(contact, *plan)).collect();
        // Nothing goes after the appointment, so the later one is nearer; of two that are as near the later entry stays.
        for (index, (at, day)) in days.iter().enumerate().filter_map(|(index, day)| Some((index, (*day)?))) {
            let gives_way = days.iter().enumerate().any(|(other, of_other)| {
                of_other.is_some_and(|(its, its_day)| its_day == day && (its, other) > (at, index))
            });
            if gives_way {
                plans[index] = Planned::Duplicate;
            }
        }
        plans
    }

    /// Rules 2 to 4.
    fn plan_one(&self, contact: &Contact<'_>, base: Micros) -> Planned {
        let planned = if contact.is_legal(base) { Some(base) } else { self.moved(contact, base) };
        match planned {
            None => Planned::NoLegalInstant,
            Some(at) if at >= self.now => Planned::At(at),
            Some(at) => {
                caught_up(contact, at, self.now, self.max_lateness).map_or(Planned::PastDue, Planned::At)
            }
        }
    }

    /// Rule 3.
    fn moved(&self, contact: &Contact<'_>, base: Micros) -> Option<Micros> {
        match self.when_closed {
            Closed::Later => contact.first(base),
            Closed::Earlier => self.before_closing(contact, base),
            Closed::Skip => None,
            Closed::Nearest => match (self.before_closing(contact, base), contact.first(base)) {
                (Some(earlier), Some(later)) if later - base < base - earlier => Some(later),
                (Some(earlier), _) => Some(earlier),
                (None, later) => later,
            },
        }
    }

    /// The last legal whole minute before the base that leaves the margin, or the first minute of an interval that is shorter.
    fn before_closing(&self, contact: &Contact<'_>, base: Micros) -> Option<Micros> {
        let mut minute = contact.last_minute_before(base)?;
        let closes = contact.legal_until(minute)?;
        while closes - minute < self.closing_margin && contact.is_legal(minute - MINUTE) {
            minute -= MINUTE;
        }
        Some(minute)
    }
}

/// Rule 4: where a message goes that was planned for `planned` and comes up at `now`; none if that is too late.
pub(super) fn caught_up(
    contact: &Contact<'_>,
    planned: Micros,
    now: Micros,
    max_lateness: Option<Micros>,
) -> Option<Micros> {
    contact.first(now).filter(|at| max_lateness.is_none_or(|max| at - planned <= max))
}

/// What a clock shows.
pub(super) fn shown(zone: &TimeZone, at: Micros) -> DateTime {
    zone.to_datetime(Timestamp::from_microsecond(at).expect("an instant"))
}

/// The instant that a written time means: of a gap by the offset before it, of two the first.
pub(super) fn meant(zone: &TimeZone, written: DateTime) -> Micros {
    zone.to_ambiguous_timestamp(written).compatible().expect("an instant").as_microsecond()
}

/// The instant that an entry is planned for, and its day in the contact zone.
fn day_of(contact: &Contact<'_>, plan: Planned) -> Option<(Micros, Date)> {
    match plan {
        Planned::At(at) => Some((at, shown(contact.zones.first()?, at).date())),
        _ => None,
    }
}

/// The time of a minute of the day.
pub(super) fn time_of(minute: i16) -> Time {
    let part = |number: i16| i8::try_from(number).expect("of a day");
    Time::new(part(minute / 60), part(minute % 60), 0, 0).expect("a time")
}

fn weekday(day: Date) -> usize {
    usize::try_from(day.weekday().to_monday_zero_offset()).expect("of seven")
}
