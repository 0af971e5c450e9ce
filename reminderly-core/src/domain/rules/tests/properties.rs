//! What holds for all packs, against an oracle that asks every minute and reads the rules by their words.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::{America, Australia, Pacific, Tz};
use proptest::prelude::*;

use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::number_area::{Territory, territory_of};
use crate::domain::rules::{
    DayHours, Demand, HolidayCalendar, HourRule, Permission, Place, Rule, RuleContact, RulePack, RulePacks,
    WeekHours,
};
use crate::domain::schedule::{ContactWindow, Day};
use crate::domain::window::{LegalTimes, SEARCH_DAYS};

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const SPAN_MINUTES: i32 = 4 * 24 * 60;
const ZONES: [Tz; 6] = [
    America::New_York,
    America::Chicago,
    America::Phoenix,
    Pacific::Honolulu,
    Australia::Lord_Howe,
    America::St_Johns,
];
const NUMBERS: [&str; 7] = [
    "+12145550100",  // Texas
    "+12055550100",  // Alabama
    "+14015550100",  // Rhode Island
    "+15025550100",  // Kentucky
    "+15205550100",  // Arizona
    "+18005550100",  // toll-free
    "+442079460018", // London
];
/// Days around which a clock changes, a holiday falls or a rule begins.
const DAYS: [&str; 7] =
    ["2026-03-08", "2026-11-01", "2026-10-04", "2026-04-05", "2026-11-26", "2025-08-31", "2026-07-03"];
const STANDARD: [&str; 4] = ["us_federal_hours", "us_state_hours", "us_care_message", "us_revocation"];
const PURPOSES: [Purpose; 3] = [Purpose::CareReminder, Purpose::Informational, Purpose::Marketing];

#[derive(Debug, Clone)]
struct Case {
    packs: RulePacks,
    point: ContactPoint,
    zones: Vec<Tz>,
    purpose: Purpose,
    characters: Option<usize>,
    at: DateTime<Utc>,
}

impl Case {
    fn asked(&self, at: DateTime<Utc>) -> Permission {
        let contact = RuleContact { point: &self.point, zones: &self.zones };
        self.packs.permitted(at, &contact, self.purpose, self.characters)
    }

    fn oracle(&self) -> Oracle<'_> {
        let territory = match &self.point {
            ContactPoint::Sms(number) | ContactPoint::Phone(number) => territory_of(number),
            ContactPoint::Email(_) => Territory::Unknown,
        };
        let binds = |rule: &&Rule| {
            let here = match (&rule.place, territory) {
                (Place::Anywhere, _) | (_, Territory::Unknown) => true,
                (Place::UsStates(_), Territory::Elsewhere) => false,
                (Place::UsStates(states), Territory::State(state)) => {
                    states.iter().any(|other| *other == state)
                }
            };
            here && rule.purposes.contains(&self.purpose) && rule.methods.contains(&self.point.method())
        };
        let rules = self.packs.iter().flat_map(RulePack::rules).filter(binds);
        Oracle { case: self, rules: rules.map(|rule| (rule, written_week(rule))).collect() }
    }
}

/// The hours of a week as data writes them, in minutes from midnight, Monday first.
type Week = [Option<(u32, u32)>; 7];

fn written_week(rule: &Rule) -> Week {
    let Demand::Hours(hours) = &rule.demand else { return [None; 7] };
    let written: BTreeMap<String, DayHours> = hours.week.into();
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap()
    };
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| {
        let span = written.get(day)?.to_string();
        let (from, to) = span.split_once('-').unwrap();
        Some((minute(from), minute(to)))
    })
}

/// The rules that bind a case, read by their words.
struct Oracle<'a> {
    case: &'a Case,
    rules: Vec<(&'a Rule, Week)>,
}

impl Oracle<'_> {
    fn permits(&self, at: DateTime<Utc>) -> bool {
        self.rules.iter().all(|rule| self.allows(rule, at))
    }

    fn allows(&self, rule: &(&Rule, Week), at: DateTime<Utc>) -> bool {
        let shown = |zone: &Tz| at.with_timezone(zone).naive_local();
        let holds = |zone| allows(rule.0, &rule.1, shown(zone), self.case.characters);
        let says_nothing = match &rule.0.demand {
            Demand::TextCharactersMax(max) => self.case.characters.is_none_or(|found| found <= *max),
            Demand::Hours(_) | Demand::Never => false,
            Demand::ContactsMax { .. }
            | Demand::CallSecondsMax(_)
            | Demand::RevocationByAnyMeans
            | Demand::RevocationCoversAll => true,
        };
        says_nothing || (!self.case.zones.is_empty() && self.case.zones.iter().all(holds))
    }
}

fn allows(rule: &Rule, week: &Week, shown: NaiveDateTime, characters: Option<usize>) -> bool {
    let day = shown.date();
    if rule.from.is_some_and(|from| day < from) || rule.until.is_some_and(|until| day > until) {
        return true;
    }
    match &rule.demand {
        Demand::Never => false,
        Demand::TextCharactersMax(max) => characters.is_none_or(|found| found <= *max),
        Demand::ContactsMax { .. }
        | Demand::CallSecondsMax(_)
        | Demand::RevocationByAnyMeans
        | Demand::RevocationCoversAll => true,
        Demand::Hours(hours) => {
            let holiday = hours.closed_on.is_some_and(|calendar| calendar.contains(day));
            let minute = shown.hour() * 60 + shown.minute();
            let span = week[day.weekday().num_days_from_monday() as usize];
            !holiday && span.is_some_and(|(from, to)| from <= minute && minute < to)
        }
    }
}

fn hours() -> impl Strategy<Value = DayHours> {
    (0_u32..96, 1_u32..=96).prop_map(|(from, length)| {
        let to = (from + length).min(96);
        let clock = |quarter: u32| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        format!("{}-{}", clock(from), clock(to)).parse().unwrap()
    })
}

fn demands() -> impl Strategy<Value = Demand> {
    let week = prop::collection::btree_map(0_usize..7, hours(), 0..7).prop_map(|days| {
        let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let spans: BTreeMap<String, DayHours> =
            days.into_iter().map(|(day, hours)| (week[day].to_owned(), hours)).collect();
        WeekHours::try_from(spans).unwrap()
    });
    let holidays = prop::option::weighted(0.3, Just(HolidayCalendar::UsFederal));
    prop_oneof![
        8 => (week, holidays).prop_map(|(week, closed_on)| Demand::Hours(HourRule { week, closed_on })),
        1 => Just(Demand::TextCharactersMax(160)),
        1 => Just(Demand::Never),
    ]
}

/// A pack of a host, around a day.
fn packs(around: NaiveDate) -> impl Strategy<Value = RulePack> {
    let date = prop::option::weighted(0.4, -3_i64..4);
    let rule =
        (demands(), date.clone(), date, any::<bool>()).prop_map(move |(demand, from, until, texas)| {
            let day = |shift: i64| around + TimeDelta::days(shift);
            let from = from.map(day);
            let states = BTreeSet::from(["TX".parse().unwrap(), "AZ".parse().unwrap()]);
            Rule {
                id: String::new(),
                says: "As the case may be.".to_owned(),
                purposes: PURPOSES.to_vec(),
                methods: vec![ContactMethod::Sms, ContactMethod::Phone],
                place: if texas { Place::UsStates(states) } else { Place::Anywhere },
                from,
                until: until.map(day).map(|until| from.map_or(until, |from| until.max(from))),
                source: "generated".to_owned(),
                note: String::new(),
                demand,
            }
        });
    prop::collection::vec(rule, 1..4).prop_map(|rules| {
        let named = rules.into_iter().enumerate().map(|(n, rule)| Rule { id: format!("r{n}"), ..rule });
        RulePack::new("own", "The host's own", named.collect()).unwrap()
    })
}

fn cases() -> impl Strategy<Value = Case> {
    (0..DAYS.len()).prop_flat_map(|day| {
        let day: NaiveDate = DAYS[day].parse().unwrap();
        let shift = prop_oneof![-1_440_i64..2_880, (-96_i64..192).prop_map(|quarter| quarter * 15)];
        let own = prop::option::weighted(0.6, packs(day));
        let zones = prop::collection::btree_set(0..ZONES.len(), 1..3);
        let characters = prop::option::of(prop_oneof![Just(100_usize), Just(160), Just(161)]);
        let methods = prop_oneof![4 => Just(ContactMethod::Sms), 1 => Just(ContactMethod::Phone)];
        let who = (0..NUMBERS.len(), methods, 0..PURPOSES.len(), characters);
        (shift, own, prop::sample::subsequence(STANDARD.to_vec(), 0..=4), zones, who).prop_map(
            move |(shift, own, names, zones, (number, method, purpose, characters))| {
                let packs = RulePacks::standard().select(&names).unwrap();
                Case {
                    packs: own.map_or(packs.clone(), |own| packs.with(own).unwrap()),
                    point: ContactPoint::parse_stored(method, NUMBERS[number]).unwrap(),
                    zones: zones.into_iter().map(|zone| ZONES[zone]).collect(),
                    purpose: PURPOSES[purpose],
                    characters,
                    at: day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(shift),
                }
            },
        )
    })
}

fn minutes(from: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    (0..=SPAN_MINUTES).map(move |minute| from + MINUTE * minute)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_is_the_one_that_a_scan_finds(case in cases()) {
        let oracle = case.oracle();
        let scanned = minutes(case.at).find(|at| oracle.permits(*at));
        match (case.asked(case.at), scanned) {
            (Permission::Yes, found) => prop_assert_eq!(found, Some(case.at)),
            (Permission::Next(next), Some(found)) => {
                prop_assert_eq!(next, found);
                prop_assert_eq!(case.asked(next), Permission::Yes);
            }
            (Permission::Next(next), None) => {
                prop_assert!(next > case.at + MINUTE * SPAN_MINUTES && oracle.permits(next));
                prop_assert!(!oracle.permits(next - MINUTE));
            }
            (Permission::Never(rule), found) => {
                prop_assert_eq!(found, None);
                let forbids = |bound: &&(&Rule, Week)| rule.as_str().ends_with(&format!("/{}", bound.0.id));
                let named = oracle.rules.iter().find(forbids).unwrap();
                prop_assert!(!oracle.allows(named, case.at));
                let far = (5..SEARCH_DAYS).map(|day| case.at + TimeDelta::days(day));
                prop_assert!(far.into_iter().all(|at| !oracle.permits(at)));
            }
        }
    }

    #[test]
    fn another_pack_never_permits_more(case in cases(), fewer in prop::collection::vec(any::<bool>(), 5)) {
        let kept = case.packs.iter().zip(&fewer).filter(|(_, kept)| **kept);
        let names: Vec<&str> = kept.map(|(pack, _)| pack.name()).collect();
        let less = Case { packs: case.packs.select(&names).unwrap(), ..case.clone() };
        for at in minutes(case.at).step_by(211) {
            let strict = case.asked(at);
            prop_assert!(strict != Permission::Yes || less.asked(at) == Permission::Yes);
            if let (Permission::Next(strict), Permission::Next(free)) = (strict, less.asked(at)) {
                prop_assert!(free <= strict);
            }
        }
    }

    #[test]
    fn another_zone_never_permits_more(case in cases(), zone in 0..ZONES.len()) {
        let zones = case.zones.iter().copied().chain([ZONES[zone]]).collect();
        let more = Case { zones, ..case.clone() };
        for at in minutes(case.at).step_by(211) {
            prop_assert!(more.asked(at) != Permission::Yes || case.asked(at) == Permission::Yes);
        }
    }

    #[test]
    fn without_a_zone_nothing_that_is_bound_is_permitted(case in cases()) {
        let nowhere = Case { zones: Vec::new(), ..case };
        let bound = !nowhere.packs.binding(&nowhere.point, nowhere.purpose, nowhere.characters).is_empty();
        prop_assert_eq!(matches!(nowhere.asked(nowhere.at), Permission::Never(_)), bound);
    }

    /// Windows and rules together, each search of planning.
    #[test]
    fn a_window_and_rules_are_searched_together(
        case in cases(),
        (from, to, days) in (0_u32..24, 0_u32..24, 1_u8..128),
    ) {
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let week = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
        let days = week.into_iter().filter(|day| days & (1 << (*day as u8)) != 0).collect();
        let (window, none) = (ContactWindow { days, from: hour(from), to: hour(to) }, BTreeSet::new());
        let alone = LegalTimes::new(&window, &none, &case.zones, None);
        let rules = case.packs.binding(&case.point, case.purpose, case.characters);
        let times = alone.with_rules(&rules);
        let oracle = case.oracle();
        let legal = |at| alone.is_legal(at) && oracle.permits(at);

        let horizon = case.at + MINUTE * SPAN_MINUTES;
        let scanned = minutes(case.at).find(|at| legal(*at));
        prop_assert_eq!(times.first_at_or_after(case.at, horizon), scanned);
        let back = (1..=SPAN_MINUTES).map(|minute| case.at - MINUTE * minute).find(|at| legal(*at));
        prop_assert_eq!(times.last_minute_before(case.at, case.at - MINUTE * SPAN_MINUTES), back);
        prop_assert_eq!(times.interval_at(case.at).is_some(), legal(case.at));
        if let Some(interval) = scanned.and_then(|at| times.interval_at(at)) {
            let inside = minutes(interval.from).take_while(|at| *at < interval.until);
            prop_assert!(inside.into_iter().all(legal));
            let cut = interval.until - scanned.unwrap() >= TimeDelta::days(2);
            prop_assert!(cut || !legal(interval.until));
        }
        prop_assert_eq!(times.blocked_by(case.at).is_none(), oracle.permits(case.at));
    }
}
