//! The same terms for both implementations.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use jiff::civil;
use reminderly_core::domain::campaign::definition::Purpose;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, EmailAddress};
use reminderly_core::domain::rules::{BoundRule, RulePacks};
use reminderly_core::domain::schedule::{ContactWindow, ContactWindows, Day};

use super::oracle::{Micros, Week, Window};
use crate::prove::Failure;

/// The method of every contact: windows of all methods are the same here.
pub(super) const METHOD: ContactMethod = ContactMethod::Email;

/// Every day of the week.
pub(super) const WEEK: u8 = 0b111_1111;

/// What the rule of [`rule_pack`] says.
pub(super) const RULE: Week =
    [(540, 1260), (540, 1260), (540, 1260), (540, 1260), (540, 1260), (0, 1440), (720, 1080)];

/// A pack of one rule with the hours of [`RULE`].
pub(super) fn rule_pack() -> Result<RulePacks, Failure> {
    let pack = serde_json::json!({
        "name": "proof",
        "title": "Hours of every kind",
        "rules": [{
            "id": "hours",
            "says": "Weekdays from nine to nine, Saturdays always, Sundays in the afternoon.",
            "purposes": ["care_reminder"],
            "methods": ["email"],
            "place": "anywhere",
            "source": "Made for this proof.",
            "demand": { "hours": { "week": {
                "mon-fri": "09:00-21:00", "sat": "00:00-24:00", "sun": "12:00-18:00"
            } } }
        }]
    });
    Ok(RulePacks::none().with(serde_json::from_value(pack)?)?)
}

/// The rules of the packs that bind everybody here.
pub(super) fn binding(packs: &RulePacks) -> Result<Vec<BoundRule<'_>>, Failure> {
    let contact = ContactPoint::Email(EmailAddress::parse("ann@example.com")?);
    Ok(packs.binding(&contact, Purpose::CareReminder, None))
}

/// The window as a campaign has it.
pub(super) fn window(window: Window) -> ContactWindow {
    let week = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
    let days = week.into_iter().filter(|day| window.days & (1 << (*day as u8)) != 0).collect();
    ContactWindow { days, from: time(window.from), to: time(window.to) }
}

/// The windows of a campaign that has this one, or none.
pub(super) fn windows(of_all: Option<Window>) -> ContactWindows {
    ContactWindows { default: of_all.map(window), by_method: BTreeMap::new() }
}

/// The dates as a campaign has them.
pub(super) fn dates(dates: &[civil::Date]) -> BTreeSet<NaiveDate> {
    dates.iter().map(|day| date(*day)).collect()
}

/// The time of a minute of the day.
pub(super) fn time(minute: i16) -> NaiveTime {
    let seconds = u32::try_from(minute).expect("of a day") * 60;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).expect("a time")
}

/// What a clock shows.
pub(super) fn local(shown: civil::DateTime) -> NaiveDateTime {
    let part = |number: i8| u32::try_from(number).expect("of a time");
    let time = NaiveTime::from_hms_opt(part(shown.hour()), part(shown.minute()), part(shown.second()));
    date(shown.date()).and_time(time.expect("a time"))
}

/// An instant.
pub(super) fn instant(at: Micros) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at).expect("an instant")
}

fn date(day: civil::Date) -> NaiveDate {
    let part = |number: i8| u32::try_from(number).expect("of a date");
    NaiveDate::from_ymd_opt(i32::from(day.year()), part(day.month()), part(day.day())).expect("a date")
}
