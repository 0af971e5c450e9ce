//! Until when a provider may deliver, around a change of a clock.

use chrono_tz::Tz;
use jiff::civil;
use reminderly_core::domain::appointment::Appointment;
use reminderly_core::domain::plan::deliver_until;
use reminderly_core::domain::rules::BoundRule;
use reminderly_core::domain::schedule::Schedule;

use super::oracle::{Contact, DAY, MINUTE, Micros, ends_as, meant};
use super::rows::duration;
use super::spans::{Span, check};
use super::terms::{self, METHOD, instant};
use crate::prove::Proof;

/// The notice of every campaign: it bounds the start of a request, and must not bound its delivery.
const NOTICE: Micros = 90 * MINUTE;

/// What starts at minutes that follow one another.
pub(super) struct Deliveries<'a> {
    pub(super) contact: &'a Contact<'a>,
    pub(super) zones: &'a [Tz],
    pub(super) rules: &'a [BoundRule<'a>],
    /// The local time for which the appointment is written.
    pub(super) written: Option<civil::DateTime>,
    pub(super) minutes: &'a [Micros],
    /// Whether the clocks let contact be made at each of them.
    pub(super) is_open: &'a [bool],
}

impl Deliveries<'_> {
    /// Compares the end of what starts at each minute: in turn at its beginning and in its last moment.
    pub(super) fn compare(&self, span: &Span<'_>, proof: &mut Proof) {
        let schedule = Schedule {
            windows: terms::windows(self.contact.window),
            closed_dates: terms::dates(&self.contact.closed),
            min_notice: duration(NOTICE),
            ..Schedule::default()
        };
        let appointment = self.written.map(|written| Appointment::new(terms::local(written), span.zone.tz));
        let meant = self.written.map(|written| meant(&span.zone.jiff, written));
        let contact = self.contact.to_deliver(meant);
        let all = contact.all_legal_until(self.minutes, self.is_open);
        for (index, (minute, expected)) in self.minutes.iter().zip(all).enumerate() {
            let at = if index % 2 == 0 { *minute } else { minute + MINUTE - 1 };
            let expected = expected.filter(|_| meant.is_none_or(|appointment| at <= appointment));
            let (zones, rules) = (self.zones, self.rules);
            let found = deliver_until(&schedule, METHOD, appointment.as_ref(), zones, rules, instant(at));
            let found = found.map(|until| until.timestamp_micros());
            check(proof, span, ends_as(expected, at, found), || {
                format!("what starts at {at} is delivered until {expected:?}, not {found:?}; {contact:?}")
            });
            if let Some(kind) = expected.and_then(|until| kind(span, at, until, meant)) {
                *proof.fired.entry(kind).or_default() += 1;
            }
        }
    }
}

/// What is remarkable about its end; nothing if it comes with the window and the clock does not change before.
fn kind(span: &Span<'_>, at: Micros, until: Micros, appointment: Option<Micros>) -> Option<&'static str> {
    let changes_at = span.change.at * 1_000_000;
    let is_over_change = span.change.by != 0 && at < changes_at && changes_at < until;
    match appointment {
        _ if until - at >= 2 * DAY => Some("delivery for two days"),
        Some(appointment) if until > appointment => Some("delivery that ends with the appointment"),
        _ if is_over_change => Some("delivery over a change of the clock"),
        _ => None,
    }
}
