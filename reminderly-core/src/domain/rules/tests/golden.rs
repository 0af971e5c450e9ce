//! The packs against tables that people can read. Each row says what a contact's own clock shows.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rstest::rstest;

use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::local_time::resolve;
use crate::domain::rules::{Permission, RuleContact, RulePacks};

const SHOWN: &str = "%a %Y-%m-%d %H:%M";

#[rstest]
#[case::federal("us_federal_hours", include_str!("golden/us_federal_hours.txt"), 40)]
#[case::states("us_state_hours", include_str!("golden/us_state_hours.txt"), 150)]
#[case::care("us_care_message", include_str!("golden/us_care_message.txt"), 12)]
fn pack(#[case] name: &str, #[case] table: &str, #[case] at_least: usize) {
    let packs = RulePacks::standard().select(&[name]).unwrap();
    let rows: Vec<&str> =
        table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
    assert!(rows.len() >= at_least, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [clock, zone, address, method, purpose, characters, expected] = cells[..] else {
            panic!("seven cells: {row}")
        };
        let zone: Tz = zone.parse().unwrap();
        let method: ContactMethod = method.parse().unwrap();
        let point = ContactPoint::parse_stored(method, address).unwrap();
        let purpose: Purpose = serde_json::from_value(purpose.into()).unwrap();
        let contact = RuleContact { point: &point, zones: &[zone] };
        let answer = packs.permitted(instant(clock, zone), &contact, purpose, characters.parse().ok());
        assert_eq!(shown(&answer, zone), expected, "{row}");
    }
}

/// What a clock shows; with `2nd` the second time that it does.
fn instant(clock: &str, zone: Tz) -> DateTime<Utc> {
    let (clock, later) = match clock.strip_suffix(" 2nd") {
        Some(clock) => (clock, TimeDelta::hours(1)),
        None => (clock, TimeDelta::zero()),
    };
    let local = NaiveDateTime::parse_from_str(clock, SHOWN).unwrap();
    resolve(local, zone).at + later
}

fn shown(answer: &Permission, zone: Tz) -> String {
    match answer {
        Permission::Yes => "yes".to_owned(),
        Permission::Next(at) => format!("next {}", at.with_timezone(&zone).format(SHOWN)),
        Permission::Never(rule) => format!("never {rule}"),
    }
}
