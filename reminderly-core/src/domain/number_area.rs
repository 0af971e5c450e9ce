//! Where the numbering plans place a phone number: its time zones, and its state in the United States.
//!
//! Neither says where the person is: mobile phones move, and numbers are ported. Both are for rules that must hold wherever
//! the person may be. The data is that of Google's [libphonenumber](https://github.com/google/libphonenumber) 9.0.43
//! (Apache-2.0), in `number_area/*.txt`; `scripts/number_areas.py` of this crate makes it again.

mod us_state;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use chrono_tz::Tz;

use crate::domain::contact_point::PhoneNumber;

pub use self::us_state::{UnknownUsState, UsState};

/// Time zones by calling code and by area code.
const ZONES: &str = include_str!("number_area/zones.txt");

/// States of the United States by area code.
const STATES: &str = include_str!("number_area/states.txt");

static ZONES_BY_CODE: LazyLock<HashMap<u16, Arc<[Tz]>>> = LazyLock::new(zones_by_code);
static STATES_BY_AREA: LazyLock<HashMap<u16, UsState>> = LazyLock::new(states_by_area);

/// Every zone in which a number may be at home: all zones of its area in the North American plan, else of its country.
///
/// An area code that is unknown, and one that belongs to no area such as a toll-free one, is as wide as its plan: all zones of
/// the North American plan. Empty if even the country is unknown, as for satellite phones.
///
/// ```
/// use chrono_tz::{America, Tz};
/// use reminderly_core::domain::contact_point::PhoneNumber;
/// use reminderly_core::domain::number_area::zones_of;
///
/// let zones = |number: &str| zones_of(&PhoneNumber::parse_stored(number).unwrap());
/// assert_eq!(zones("+15205550100"), [America::Phoenix]);
/// assert_eq!(zones("+12705550100"), [America::Chicago, America::New_York]); // Kentucky lies in two
/// assert!(zones("+18005550100").len() > 40); // toll-free
/// assert_eq!(zones("+81312345678"), [Tz::Asia__Tokyo]);
/// assert!(zones("+881612345678").is_empty()); // a satellite phone
/// ```
pub fn zones_of(number: &PhoneNumber) -> &'static [Tz] {
    let area = area_code(number).and_then(|area| ZONES_BY_CODE.get(&(1_000 + area)));
    // No calling code is the beginning of another.
    let found = area.or_else(|| (1..=3).find_map(|length| ZONES_BY_CODE.get(&leading(number, length)?)));
    found.map_or(&[], |zones| zones)
}

/// What is known about the state of a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Territory {
    /// A state or territory of the United States.
    State(UsState),
    /// A number of the North American plan whose area code belongs to no area, or to none that is known: toll-free,
    /// non-geographic, or assigned after the data was made. It may be of any state.
    Unknown,
    /// A number of another country.
    Elsewhere,
}

/// The state of a number by its area code.
///
/// ```
/// use reminderly_core::domain::contact_point::PhoneNumber;
/// use reminderly_core::domain::number_area::{Territory, UsState, territory_of};
///
/// let territory = |number: &str| territory_of(&PhoneNumber::parse_stored(number).unwrap());
/// assert_eq!(territory("+12145550100"), Territory::State("TX".parse::<UsState>().unwrap()));
/// assert_eq!(territory("+18005550100"), Territory::Unknown);
/// assert_eq!(territory("+16135550100"), Territory::Elsewhere); // Ottawa
/// assert_eq!(territory("+442079460018"), Territory::Elsewhere);
/// ```
pub fn territory_of(number: &PhoneNumber) -> Territory {
    let Some(area) = area_code(number) else { return Territory::Elsewhere };
    match STATES_BY_AREA.get(&area) {
        Some(state) => Territory::State(*state),
        None if ZONES_BY_CODE.contains_key(&(1_000 + area)) => Territory::Elsewhere,
        None => Territory::Unknown,
    }
}

/// The area code of a number of the North American plan.
fn area_code(number: &PhoneNumber) -> Option<u16> {
    leading(number, 4).filter(|code| code / 1_000 == 1).map(|code| code - 1_000)
}

/// The first digits of a number.
fn leading(number: &PhoneNumber, digits: usize) -> Option<u16> {
    number.as_str().get(1..=digits)?.parse().ok()
}

/// A group with a zone that the time-zone data does not know is left out: its numbers then count as unknown.
fn zones_by_code() -> HashMap<u16, Arc<[Tz]>> {
    let mut by_code = HashMap::new();
    for group in groups(ZONES) {
        let zones: Result<Arc<[Tz]>, _> = group.shared.iter().map(|name| name.parse::<Tz>()).collect();
        let Ok(zones) = zones else { continue };
        by_code.extend(group.codes.into_iter().map(|code| (code, Arc::clone(&zones))));
    }
    by_code
}

fn states_by_area() -> HashMap<u16, UsState> {
    let state = |group: &Group| group.shared.first().and_then(|name| UsState::of_table(name));
    let areas = groups(STATES).into_iter().filter_map(|group| Some((state(&group)?, group.codes)));
    areas.flat_map(|(state, codes)| codes.into_iter().map(move |code| (code, state))).collect()
}

/// Codes, and what they have in common.
struct Group {
    shared: Vec<&'static str>,
    codes: Vec<u16>,
}

/// Reads a data file: names, the last with a colon, then codes, and so on; lines that begin with `#` are comments.
fn groups(text: &'static str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let tokens = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    for token in tokens {
        let code = token.parse().ok();
        match (groups.last_mut(), code) {
            (Some(group), Some(code)) => group.codes.push(code),
            (Some(group), None) if group.codes.is_empty() => group.shared.push(token.trim_end_matches(':')),
            (_, None) => {
                groups.push(Group { shared: vec![token.trim_end_matches(':')], codes: Vec::new() });
            }
            (None, Some(_)) => {}
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse_stored(text).unwrap()
    }

    #[test]
    fn every_zone_of_the_data_is_known_and_every_code_stands_once() {
        let groups = groups(ZONES);
        for group in &groups {
            assert!(!group.codes.is_empty() && !group.shared.is_empty());
            for zone in &group.shared {
                assert!(zone.parse::<Tz>().is_ok(), "unknown zone {zone}");
            }
        }
        let codes: Vec<u16> = groups.iter().flat_map(|group| group.codes.clone()).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        assert_eq!(ZONES_BY_CODE.len(), codes.len());
        assert!(codes.len() > 640, "{}", codes.len());
    }

    #[test]
    fn every_state_of_the_data_has_areas_with_zones() {
        let states: BTreeSet<_> = STATES_BY_AREA.values().collect();
        assert_eq!(states.len(), 56, "50 states, the district and five territories");
        for area in STATES_BY_AREA.keys() {
            assert!(ZONES_BY_CODE.contains_key(&(1_000 + area)), "{area}");
        }
    }

    #[test]
    fn the_plan_is_as_wide_as_all_its_areas() {
        let plan: BTreeSet<String> =
            zones_of(&number("+18005550100")).iter().map(ToString::to_string).collect();
        for area in 201..=989 {
            for zone in zones_of(&number(&format!("+1{area}5550100"))) {
                assert!(plan.contains(zone.name()), "{area} {zone}");
            }
        }
    }

    #[rstest]
    #[case::one("+12125550100", &["America/New_York"])]
    #[case::alaska("+19075550100", &["America/Adak", "America/Anchorage", "America/Juneau", "Pacific/Honolulu"])]
    #[case::overlay_has_the_zones_of_what_it_lies_over("+13645550100", &["America/Chicago", "America/New_York"])]
    #[case::puerto_rico("+17875550100", &["America/Puerto_Rico"])]
    #[case::two_digits("+442079460018", &["Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey", "Europe/London"])]
    #[case::three_digits("+977123456789", &["Asia/Katmandu"])]
    #[case::no_country("+80012345678", &[])]
    #[case::no_such_code("+2101234567", &[])]
    fn zones(#[case] text: &str, #[case] expected: &[&str]) {
        let names: Vec<&str> = zones_of(&number(text)).iter().map(|zone| zone.name()).collect();
        assert_eq!(names, expected);
    }

    #[rstest]
    #[case::state("+15205550100", "AZ")]
    #[case::district("+12025550100", "DC")]
    #[case::named_by_places_only_in_the_source("+17135550100", "TX")]
    #[case::territory("+16715550100", "GU")]
    fn states(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(territory_of(&number(text)), Territory::State(expected.parse().unwrap()));
    }

    #[rstest]
    #[case::toll_free("+18885550100", Territory::Unknown)]
    #[case::personal("+15005550100", Territory::Unknown)]
    #[case::unassigned("+12115550100", Territory::Unknown)]
    #[case::canada("+14165550100", Territory::Elsewhere)]
    #[case::jamaica("+18765550100", Territory::Elsewhere)]
    #[case::france("+33142685300", Territory::Elsewhere)]
    fn no_state(#[case] text: &str, #[case] expected: Territory) {
        assert_eq!(territory_of(&number(text)), expected);
    }
}
