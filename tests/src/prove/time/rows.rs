//! Rows around a change of a clock, planned by both.

use std::time::Duration;

use chrono_tz::Tz;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::appointment::Appointment;
use reminderly_core::domain::plan::{
    CatchUp, EntryPlan, LateInput, PlanInput, PlanOutcome, catch_up, deliver_until, follow_up_instant,
    plan_row,
};
use reminderly_core::domain::rules::BoundRule;
use reminderly_core::domain::schedule::{Schedule, SendEntry, WhenClosed};
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::window::LegalInterval;

use super::oracle::{
    Closed, Contact, DAY, Entry, HOUR, MINUTE, Micros, Planned, Row, Window, caught_up, ends_as, meant, shown,
};
use super::spans::{Span, check};
use super::terms::{self, METHOD, RULE, WEEK, instant};
use crate::prove::Proof;

/// So far around a change the data must agree, seconds: as far as a search goes, and an appointment lies.
pub(super) const AGREE: i64 = 420 * 86_400;

/// A row, and what its campaign says.
struct Drawn<'a> {
    row: Row<'a>,
    contact: Contact<'a>,
    zone: Tz,
    zones: Vec<Tz>,
    notice: Micros,
}

/// Plans rows, catches messages up and answers people, by both.
pub(super) fn compare(span: &Span<'_>, rules: &[BoundRule<'_>], rows: usize) -> Proof {
    let mut proof = Proof::default();
    let mut random = SmallRng::seed_from_u64(span.seed);
    for _ in 0..rows {
        let drawn = draw(span, &mut random);
        drawn.compare_plans(span, rules, &mut proof);
        drawn.compare_catch_up(span, rules, &mut random, &mut proof);
        drawn.compare_follow_up(span, rules, &mut random, &mut proof);
    }
    proof
}

fn draw<'a>(span: &Span<'a>, random: &mut SmallRng) -> Drawn<'a> {
    let (zone, other) = (span.zone, span.other);
    let middle = span.middle();
    let wall = shown(&zone.jiff, middle);
    let changes_at = i16::from(wall.hour()) * 60 + i16::from(wall.minute());
    // Of the clock, not of time: so some are written for times that there are not, or twice.
    let around =
        i64::from(zone.jiff.to_offset(jiff::Timestamp::from_microsecond(middle - 1).expect("one")).seconds());
    let minutes = if random.random_bool(0.3) {
        random.random_range(-90..90)
    } else {
        random.random_range(-26 * 60..10 * 1_440)
    };
    let seconds = if random.random_bool(0.1) { random.random_range(0..60) } else { 0 };
    let written = shown(&TimeZone::UTC, middle + minutes * MINUTE + (around + seconds) * 1_000_000);
    let entries = (0..random.random_range(1..=3)).map(|_| draw_entry(changes_at, random)).collect();
    let two = random.random_range(0..10);
    // Who may be in two zones gets a wide window: in a short one hardly any instant is legal.
    let (zones, names) = match two {
        0..=1 => (vec![&zone.jiff, &other.jiff], vec![zone.tz, other.tz]),
        2..=3 => (vec![&other.jiff], vec![other.tz]),
        _ => (vec![&zone.jiff], vec![zone.tz]),
    };
    let window = draw_window(changes_at, zones.len() > 1, random);
    let closed = draw_closed(wall.date(), random);
    let rule = random.random_bool(0.2).then_some(&RULE);
    let notice = *pick(&[0, HOUR, 90 * MINUTE, DAY], random);
    let appointment = meant(&zone.jiff, written);
    let contact = Contact { window, closed, rule, zones, latest: Some(appointment - notice) };
    let now = match random.random_range(0..4) {
        0..=1 => middle - 60 * DAY,
        2 => middle + random.random_range(-3 * DAY..3 * DAY),
        _ => middle + random.random_range(-26 * 60..26 * 60) * MINUTE,
    };
    let row = Row {
        written,
        zone: &zone.jiff,
        entries,
        when_closed: *pick(&[Closed::Later, Closed::Earlier, Closed::Nearest, Closed::Skip], random),
        closing_margin: *pick(&[0, 0, 90_000_000, 30 * MINUTE, 3 * HOUR], random),
        max_lateness: *pick(&[None, Some(0), Some(4 * HOUR), Some(36 * HOUR)], random),
        now,
    };
    Drawn { row, contact, zone: zone.tz, zones: names, notice }
}

fn draw_entry(changes_at: i16, random: &mut SmallRng) -> Entry {
    match random.random_range(0..3) {
        0 => Entry::Days(random.random_range(0..8), None),
        1 => {
            let near = (changes_at + 1_440 + random.random_range(-90..90)) % 1_440;
            let at = *pick(&[near, 0, 150, 600, 1_439], random);
            Entry::Days(random.random_range(0..8), Some(at))
        }
        _ if random.random_bool(0.1) => Entry::Elapsed(random.random_range(0..72 * 3_600) * 1_000_000),
        _ => Entry::Elapsed(random.random_range(0..72 * 60) * MINUTE),
    }
}

fn draw_window(changes_at: i16, is_wide: bool, random: &mut SmallRng) -> Option<Window> {
    let days = *pick(&[WEEK, WEEK, 0b001_1111, 0b110_0000, 0b101_0101, 0b000_0100], random);
    if is_wide {
        return Some(Window { days: WEEK, from: 360, to: 1_320 });
    }
    let near = |random: &mut SmallRng| (changes_at + 1_440 + random.random_range(-60..60)) % 1_440;
    let (from, to) = match random.random_range(0..7) {
        0 => (540, 1_020),
        1 => (1_200, 120),
        2 => (0, 0),
        3 => (near(random), near(random)),
        4 => (near(random), 720),
        5 => (1_080, near(random)),
        _ => return None,
    };
    Some(Window { days, from, to })
}

fn draw_closed(day: Date, random: &mut SmallRng) -> Vec<Date> {
    let count = *pick(&[0, 0, 1, 2], random);
    let shift = |random: &mut SmallRng| jiff::Span::new().days(random.random_range(-2_i64..4));
    (0..count).map(|_| day.checked_add(shift(random)).expect("a date")).collect()
}

fn pick<'t, T>(all: &'t [T], random: &mut SmallRng) -> &'t T {
    &all[random.random_range(0..all.len())]
}

impl Drawn<'_> {
    fn schedule(&self) -> Schedule {
        let send = self.row.entries.iter().map(|entry| match *entry {
            Entry::Days(days, at) => SendEntry::DaysBefore { days, at: at.map(terms::time) },
            Entry::Elapsed(before) => SendEntry::HoursBefore { before: duration(before) },
        });
        Schedule {
            send: send.collect(),
            windows: terms::windows(self.contact.window),
            closed_dates: terms::dates(&self.contact.closed),
            when_closed: match self.row.when_closed {
                Closed::Later => WhenClosed::Later,
                Closed::Earlier => WhenClosed::Earlier,
                Closed::Nearest => WhenClosed::Nearest,
                Closed::Skip => WhenClosed::Skip,
            },
            closing_margin: duration(self.row.closing_margin),
            min_notice: duration(self.notice),
            max_lateness: self.row.max_lateness.map(duration),
            ..Schedule::default()
        }
    }

    fn rules<'r>(&self, rules: &'r [BoundRule<'r>]) -> &'r [BoundRule<'r>] {
        if self.contact.rule.is_some() { rules } else { &[] }
    }

    fn appointment(&self) -> Appointment {
        Appointment::new(terms::local(self.row.written), self.zone)
    }

    fn told(&self) -> String {
        format!("{:?}, {:?}, {:?}", self.row, self.contact.window, self.contact.closed)
    }

    fn compare_plans(&self, span: &Span<'_>, rules: &[BoundRule<'_>], proof: &mut Proof) {
        let schedule = self.schedule();
        let appointment = self.appointment();
        let plans = plan_row(&PlanInput {
            schedule: &schedule,
            method: METHOD,
            appointment: Some(&appointment),
            zones: &self.zones,
            rules: self.rules(rules),
            now: instant(self.row.now),
        });
        let expected = self.row.plan(&self.contact);
        check(proof, span, plans.len() == expected.len(), || format!("{} plans", plans.len()));
        for ((plan, expected), entry) in plans.iter().zip(expected).zip(&self.row.entries) {
            let found = outcome_of(plan);
            check(proof, span, found == Some(expected), || {
                format!("{entry:?} is {expected:?}, not {:?}; {}", plan.outcome, self.told())
            });
            let base = self.row.base(*entry);
            let same = plan.trace.base_at == instant(base);
            check(proof, span, same, || format!("{entry:?} counts from {base}; {}", self.told()));
            if let PlanOutcome::Planned { at, legal } = plan.outcome {
                self.check_interval(span, at.timestamp_micros(), legal, proof);
                self.compare_deliveries(span, rules, at.timestamp_micros(), legal, proof);
            }
            *proof.fired.entry(self.fired(expected, base)).or_default() += 1;
            if self.row.closing_margin > 0 && matches!(expected, Planned::At(at) if at < base) {
                *proof.fired.entry("plan with a margin until closing").or_default() += 1;
            }
            if self.contact.rule.is_some() {
                *proof.fired.entry("plan under a rule pack").or_default() += 1;
            }
        }
    }

    /// What the rules did to an entry.
    fn fired(&self, planned: Planned, base: Micros) -> &'static str {
        match (planned, self.row.when_closed) {
            (Planned::NoLegalInstant, Closed::Skip) => "plan skipped, as the campaign says",
            (Planned::NoLegalInstant, _) => "plan without a legal instant",
            (Planned::PastDue, _) => "plan past due",
            (Planned::Duplicate, _) => "plan given up for a nearer one of the day",
            (Planned::At(at), _) if at == base => "plan at its base",
            (Planned::At(at), _) if base < self.row.now && at >= self.row.now => "plan caught up",
            (Planned::At(_), Closed::Later) => "plan moved later",
            (Planned::At(_), Closed::Earlier) => "plan moved earlier",
            (Planned::At(at), _) if at < base => "plan moved to the nearest, earlier",
            (Planned::At(_), _) => "plan moved to the nearest, later",
        }
    }

    /// A message that was planned and comes up at another time.
    fn compare_catch_up(
        &self,
        span: &Span<'_>,
        rules: &[BoundRule<'_>],
        random: &mut SmallRng,
        proof: &mut Proof,
    ) {
        let schedule = self.schedule();
        let appointment = self.appointment();
        let planned = span.middle() + random.random_range(-26 * 60..26 * 60) * MINUTE;
        let now = planned + random.random_range(0..DAY);
        let found = catch_up(&LateInput {
            schedule: &schedule,
            method: METHOD,
            appointment: Some(&appointment),
            zones: &self.zones,
            rules: self.rules(rules),
            planned_at: instant(planned),
            now: instant(now),
        });
        let expected = caught_up(&self.contact, planned, now, self.row.max_lateness);
        check(proof, span, instant_of(found) == expected, || {
            format!("planned for {planned}, up at {now}: {expected:?}, not {found:?}; {}", self.told())
        });
        if let CatchUp::SendAt { at, legal } = found {
            self.check_interval(span, at.timestamp_micros(), legal, proof);
            self.compare_deliveries(span, rules, at.timestamp_micros(), legal, proof);
        }
        let what = if expected.is_some() { "message caught up" } else { "message too late" };
        *proof.fired.entry(what).or_default() += 1;
    }

    /// An answer to somebody who wrote: at once within five minutes, else when it is legal; there is nothing to be in time for.
    fn compare_follow_up(
        &self,
        span: &Span<'_>,
        rules: &[BoundRule<'_>],
        random: &mut SmallRng,
        proof: &mut Proof,
    ) {
        let incoming = span.middle() + random.random_range(-26 * 60..26 * 60) * MINUTE;
        let now = incoming + random.random_range(0..10 * MINUTE);
        let (schedule, rules) = (self.schedule(), self.rules(rules));
        let found = follow_up_instant(&schedule, METHOD, &self.zones, rules, instant(incoming), instant(now));
        let contact = Contact { latest: None, ..self.contact.clone() };
        let in_grace = now <= incoming + 5 * MINUTE;
        let expected = if in_grace { Some(now) } else { contact.first(now) };
        check(proof, span, instant_of(found) == expected, || {
            format!("an answer to {incoming} at {now}: {expected:?}, not {found:?}; {}", self.told())
        });
        *proof.fired.entry(if in_grace { "answer at once" } else { "answer that waits" }).or_default() += 1;
    }

    /// Until when is delivered what starts when it should, in the last moment at which it may, and when it may not any more.
    fn compare_deliveries(
        &self,
        span: &Span<'_>,
        rules: &[BoundRule<'_>],
        planned: Micros,
        legal: LegalInterval,
        proof: &mut Proof,
    ) {
        let (schedule, appointment) = (self.schedule(), self.appointment());
        let contact = self.contact.to_deliver(Some(meant(self.row.zone, self.row.written)));
        let end = legal.until.timestamp_micros();
        for at in [planned, end - 1, end] {
            let (zones, rules) = (&self.zones, self.rules(rules));
            let found = deliver_until(&schedule, METHOD, Some(&appointment), zones, rules, instant(at));
            let found = found.map(|until| until.timestamp_micros());
            let expected = contact.legal_until(at);
            check(proof, span, ends_as(expected, at, found), || {
                format!("what starts at {at} is delivered until {expected:?}, not {found:?}; {}", self.told())
            });
            if expected.is_some_and(|until| self.contact.latest.is_some_and(|latest| until > latest + 1)) {
                *proof.fired.entry("delivery within the notice").or_default() += 1;
            }
        }
    }

    fn check_interval(&self, span: &Span<'_>, at: Micros, legal: LegalInterval, proof: &mut Proof) {
        let (from, until) = (legal.from.timestamp_micros(), legal.until.timestamp_micros());
        let fits = self.contact.is_interval(at, from, until);
        check(proof, span, fits, || format!("{legal:?} is not the interval of {at}; {}", self.told()));
    }
}

fn outcome_of(plan: &EntryPlan) -> Option<Planned> {
    match plan.outcome {
        PlanOutcome::Planned { at, .. } => Some(Planned::At(at.timestamp_micros())),
        PlanOutcome::Skipped(SkipReason::NoLegalInstant) => Some(Planned::NoLegalInstant),
        PlanOutcome::Skipped(SkipReason::PastDue) => Some(Planned::PastDue),
        PlanOutcome::Skipped(SkipReason::Duplicate) => Some(Planned::Duplicate),
        PlanOutcome::Skipped(_) => None,
    }
}

fn instant_of(caught_up: CatchUp) -> Option<Micros> {
    match caught_up {
        CatchUp::SendAt { at, .. } => Some(at.timestamp_micros()),
        CatchUp::TooLate => None,
    }
}

pub(super) fn duration(micros: Micros) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}
