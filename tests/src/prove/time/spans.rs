//! One change of one clock, minute by minute: what the clock shows, what a written time means, when contact is legal.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use jiff::Timestamp;
use jiff::civil::{self, Date};
use jiff::tz::{AmbiguousOffset, TimeZone};
use reminderly_core::domain::local_time::{LocalTimeNote, Resolved, resolve};
use reminderly_core::domain::plan::local_day;
use reminderly_core::domain::rules::BoundRule;
use reminderly_core::domain::window::LegalTimes;

use super::deliveries::Deliveries;
use super::oracle::{Contact, DAY, HOUR, MINUTE, Micros, Window, shown};
use super::terms::{self, RULE, WEEK, instant};
use super::zones::{Change, Zone};
use crate::prove::{Proof, Violation};

/// How far from the change, minutes.
pub(super) const REACH: i64 = 26 * 60;
/// How many minutes lie between two searches.
const SEARCH_EVERY: usize = 41;
/// How many minutes lie between the appointments of two cases.
const APPOINTMENT_EVERY: usize = 179;

/// A change of a clock, and somebody who may be in another zone as well.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) seed: u64,
    pub(super) zone: &'a Zone,
    pub(super) other: &'a Zone,
    pub(super) change: Change,
}

impl Span<'_> {
    /// Where it is, for a violation.
    pub(super) fn place(&self) -> String {
        let at = instant(self.change.at * 1_000_000);
        format!("seed {}: {} at {at}", self.seed, self.zone.tz)
    }

    /// The whole minute in which the clock changes.
    pub(super) fn middle(&self) -> Micros {
        self.change.at.div_euclid(60) * MINUTE
    }

    /// Compares everything that one instant or one written time decides.
    pub(super) fn compare(&self, rules: &[BoundRule<'_>]) -> Proof {
        let mut proof = Proof::default();
        proof.fired.insert(self.kind(), 1);
        let minutes: Vec<Micros> = (-REACH..=REACH).map(|minute| self.middle() + minute * MINUTE).collect();
        self.compare_written(&mut proof);
        let here: Vec<civil::DateTime> = minutes.iter().map(|at| shown(&self.zone.jiff, *at)).collect();
        let there: Vec<civil::DateTime> = minutes.iter().map(|at| shown(&self.other.jiff, *at)).collect();
        for (at, shown) in minutes.iter().zip(&here) {
            let day = local_day(instant(*at), self.zone.tz);
            check(&mut proof, self, day == terms::local(*shown).date(), || {
                format!("{at}: the local day is {day}")
            });
        }
        for (number, case) in self.cases(&here).into_iter().enumerate() {
            let legal = here.iter().zip(&there).map(|(here, there)| {
                case.contact.is_open(*here) && (!case.in_both || case.contact.is_open(*there))
            });
            let legal: Vec<bool> = legal.collect();
            self.compare_case(&case, &minutes, &legal, rules, &mut proof);
            self.compare_deliveries(
                &case,
                self.written_for(number, &here),
                (&minutes, &legal),
                rules,
                &mut proof,
            );
        }
        proof
    }

    /// What its clock does.
    fn kind(&self) -> &'static str {
        match self.change.by {
            0 => "clock that does not change",
            72_000.. => "day that is skipped",
            7_200..72_000 => "gap of two hours or more",
            2_701..7_200 => "gap of an hour",
            1..2_701 => "gap of less",
            ..=-7_200 => "overlap of two hours or more",
            -7_199..=-2_701 => "overlap of an hour",
            _ => "overlap of less",
        }
    }

    /// What local times around the change mean. Counted from the clock before it, as if that went on.
    fn compare_written(&self, proof: &mut Proof) {
        let before = shown(&self.zone.jiff, self.middle() - 1);
        let offset =
            self.zone.jiff.to_offset(Timestamp::from_microsecond(self.middle() - 1).expect("an instant"));
        debug_assert_eq!(
            before,
            offset.to_datetime(Timestamp::from_microsecond(self.middle() - 1).expect("one"))
        );
        let written = (-REACH..=REACH).map(|minute| {
            let at = self.middle() + minute * MINUTE + i64::from(offset.seconds()) * 1_000_000;
            shown(&TimeZone::UTC, at)
        });
        for written in written {
            let ambiguous = self.zone.jiff.to_ambiguous_timestamp(written);
            let note = match ambiguous.offset() {
                AmbiguousOffset::Unambiguous { .. } => LocalTimeNote::Exact,
                AmbiguousOffset::Gap { .. } => LocalTimeNote::Gap,
                AmbiguousOffset::Fold { .. } => LocalTimeNote::Ambiguous,
            };
            let at = ambiguous.compatible().expect("an instant").as_microsecond();
            let expected = Resolved { at: instant(at), note };
            let resolved = resolve(terms::local(written), self.zone.tz);
            check(proof, self, resolved == expected, || {
                format!("{written} means {expected:?}, not {resolved:?}")
            });
        }
    }

    /// The windows that are tried: usual ones, some that begin or end where clocks mostly change, and some that do where this
    /// one does.
    fn cases(&self, here: &[civil::DateTime]) -> Vec<Case<'_>> {
        let minute_of = |shown: civil::DateTime| i16::from(shown.hour()) * 60 + i16::from(shown.minute());
        let last = shown(&self.zone.jiff, self.middle() - MINUTE);
        let first = shown(&self.zone.jiff, self.middle());
        let (old, new) = ((minute_of(last) + 1) % 1_440, minute_of(first));
        let weekend = 0b110_0000;
        let fixed = [
            (WEEK, 540, 1_020),
            (WEEK, 1_200, 120),
            (weekend, 0, 0),
            (0b101_0101, 150, 195),
            (WEEK, 75, 150),
            (weekend, 1_410, 30),
            (WEEK, 1_439, 0),
            (0b001_1111, 480, 990),
        ];
        let own =
            [(old, new), (new, old), (old, (old + 30) % 1_440), ((new + 1_425) % 1_440, (new + 15) % 1_440)];
        let own = own.map(|(from, to)| (WEEK, from, to));
        let window = |(days, from, to)| Some(Window { days, from, to });
        let mut cases: Vec<Case<'_>> =
            fixed.into_iter().chain(own).map(|times| self.case(window(times), Vec::new())).collect();
        let middle: Date = here.get(here.len() / 2).map_or(first.date(), |shown| shown.date());
        cases.push(self.case(None, vec![middle]));
        cases.push(self.case(window((WEEK, 1_320, 360)), vec![last.date()]));
        cases.push(Case { has_rule: true, ..self.case(window((WEEK, 60, 1_380)), Vec::new()) });
        for case in &mut cases {
            if case.has_rule {
                case.contact.rule = Some(&RULE);
            }
        }
        for times in [(WEEK, 480, 1_260), (WEEK, new, old)] {
            cases.push(Case { in_both: true, ..self.case(window(times), Vec::new()) });
        }
        cases
    }

    fn case(&self, window: Option<Window>, closed: Vec<Date>) -> Case<'_> {
        let zones = vec![&self.zone.jiff];
        let contact = Contact { window, closed, rule: None, zones, latest: None };
        Case { contact, in_both: false, has_rule: false }
    }

    /// The legality of every minute, of the last moment before it changes, and the searches over them.
    fn compare_case(
        &self,
        case: &Case<'_>,
        minutes: &[Micros],
        legal: &[bool],
        rules: &[BoundRule<'_>],
        proof: &mut Proof,
    ) {
        let closed = terms::dates(&case.contact.closed);
        let zones = self.zones_of(case);
        let window = case.contact.window.map(terms::window);
        let times = match &window {
            Some(window) => LegalTimes::new(window, &closed, &zones, None),
            None => LegalTimes::always(&closed, &zones, None),
        };
        let times = if case.has_rule { times.with_rules(rules) } else { times };
        let said =
            |at: Micros, expected: bool| format!("{} is legal: {expected}; {:?}", instant(at), case.contact);
        let mut before = None;
        for (at, is_legal) in minutes.iter().copied().zip(legal.iter().copied()) {
            check(proof, self, times.is_legal(instant(at)) == is_legal, || said(at, is_legal));
            if let Some(before) = before.replace(is_legal).filter(|before| *before != is_legal) {
                check(proof, self, times.is_legal(instant(at - 1)) == before, || said(at - 1, before));
            }
        }
        if case.in_both {
            *proof.fired.entry("two zones").or_default() += 1;
        }
        for index in (SEARCH_EVERY..minutes.len()).step_by(SEARCH_EVERY) {
            let within = if index % 2 == 0 { 0 } else { MINUTE / 2 };
            Search { minutes, legal, index, within }.compare(self, case, &times, proof);
        }
    }

    /// When a provider must give up what starts at each minute, with an appointment or without.
    fn compare_deliveries(
        &self,
        case: &Case<'_>,
        written: Option<civil::DateTime>,
        (minutes, is_open): (&[Micros], &[bool]),
        rules: &[BoundRule<'_>],
        proof: &mut Proof,
    ) {
        let mut contact = case.contact.clone();
        if case.in_both {
            contact.zones.push(&self.other.jiff);
        }
        let zones = self.zones_of(case);
        let rules = if case.has_rule { rules } else { &[] };
        let contact = &contact;
        Deliveries { contact, zones: &zones, rules, written, minutes, is_open }.compare(self, proof);
    }

    /// For when the appointment of a case is written, which moves over the whole span; every other case has none.
    fn written_for(&self, number: usize, here: &[civil::DateTime]) -> Option<civil::DateTime> {
        let seed = usize::try_from(self.seed).expect("few");
        let has_one = (number + seed).is_multiple_of(2);
        here.get((number * APPOINTMENT_EVERY + seed) % here.len()).copied().filter(|_| has_one)
    }

    fn zones_of(&self, case: &Case<'_>) -> Vec<Tz> {
        if case.in_both { vec![self.zone.tz, self.other.tz] } else { vec![self.zone.tz] }
    }
}

/// A person and a campaign.
#[derive(Debug)]
struct Case<'a> {
    contact: Contact<'a>,
    /// Contact must be legal in the other zone as well.
    in_both: bool,
    has_rule: bool,
}

/// Searches from an instant of one of the minutes.
struct Search<'a> {
    minutes: &'a [Micros],
    legal: &'a [bool],
    index: usize,
    within: Micros,
}

impl Search<'_> {
    fn compare(&self, span: &Span<'_>, case: &Case<'_>, times: &LegalTimes<'_>, proof: &mut Proof) {
        let (Some(start), Some(end)) = (self.minutes.first(), self.minutes.last()) else { return };
        let at = self.minutes[self.index] + self.within;
        let micros = |found: Option<DateTime<Utc>>| found.map(|found| found.timestamp_micros());
        let first = micros(times.first_at_or_after(instant(at), instant(*end)));
        let expected = self.first(at).filter(|first| first <= end);
        check(proof, span, first == expected, || {
            format!("the first after {at} is {expected:?}, not {first:?}; {:?}", case.contact)
        });
        let last = micros(times.last_minute_before(instant(at), instant(*start)));
        let expected = self.last_before(at);
        check(proof, span, last == expected, || {
            format!("the last before {at} is {expected:?}, not {last:?}; {:?}", case.contact)
        });
        let found = times.interval_at(instant(at));
        let found = found.map(|found| (found.from.timestamp_micros(), found.until.timestamp_micros()));
        let fits = match found {
            None => !self.legal[self.index],
            Some((from, until)) => self.legal[self.index] && self.is_interval(at, from, until),
        };
        check(proof, span, fits, || format!("the interval of {at} is not {found:?}; {:?}", case.contact));
    }

    fn first(&self, at: Micros) -> Option<Micros> {
        if self.legal[self.index] {
            return Some(at);
        }
        let later = self.legal.iter().skip(self.index).position(|legal| *legal)?;
        self.minutes.get(self.index + later).copied()
    }

    fn last_before(&self, at: Micros) -> Option<Micros> {
        let earlier = self.minutes.iter().take_while(|minute| **minute < at).count();
        let last = self.legal.iter().take(earlier).rposition(|legal| *legal)?;
        self.minutes.get(last).copied()
    }

    /// The interval ends where legality does, or two days away; what lies beyond the span is not known here.
    fn is_interval(&self, at: Micros, from: Micros, until: Micros) -> bool {
        let is_closed = |legal: &bool| !*legal;
        let opens = self.legal.iter().take(self.index).rposition(is_closed);
        let closes = self.legal.iter().skip(self.index).position(is_closed);
        let opens = opens.and_then(|closed| self.minutes.get(closed + 1).copied());
        let closes = closes.and_then(|closed| self.minutes.get(self.index + closed).copied());
        let (start, end) = (self.minutes.first().copied(), self.minutes.last().copied());
        let from_fits = match opens {
            Some(opens) => from == opens || (from > opens && at - from >= 2 * DAY),
            None => start.is_some_and(|start| from <= start) || at - from >= 2 * DAY,
        };
        let until_fits = match closes {
            Some(closes) => until == closes || (until < closes && until - at >= 2 * DAY),
            None => end.is_some_and(|end| until > end) || until - at >= 2 * DAY,
        };
        from_fits && until_fits && from <= at && at < until
    }
}

/// Counts a comparison, and keeps what differs.
pub(super) fn check(proof: &mut Proof, span: &Span<'_>, is_right: bool, what: impl FnOnce() -> String) {
    proof.count += 1;
    if !is_right {
        proof.violations.push(Violation { at: span.place(), what: what() });
    }
}

/// So far around a change the data must agree, seconds.
pub(super) const AGREE: i64 = (REACH * MINUTE + 4 * DAY + HOUR) / 1_000_000;
