//! How far an opt-out reaches by rule.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::bound::Asked;
use super::{Demand, Rule, RulePack, RulePacks};
use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_point::ContactPoint;
use crate::domain::reply::OptOutScope;

/// So long a day of the calendar goes on somewhere after it has ended in UTC.
const DAY_ENDS_LATER: TimeDelta = TimeDelta::hours(12);

impl RulePacks {
    /// What an opt-out covers that came from a contact point at `at`, of somebody whom a campaign of this purpose may contact:
    /// every contact point of the person if a rule that demands it ([`Demand::RevocationCoversAll`]) binds and is in force,
    /// else what the person said. Never less than that.
    ///
    /// Days begin in UTC, some hours before they do in America, and end when they have ended everywhere, so that an opt-out
    /// reaches rather too far than not far enough.
    ///
    /// ```
    /// use reminderly_core::domain::campaign::definition::Purpose::CareReminder;
    /// use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
    /// use reminderly_core::domain::reply::OptOutScope::{ContactPoint as Point, Person};
    /// use reminderly_core::domain::rules::RulePacks;
    ///
    /// let packs = RulePacks::standard().select(&["us_revocation"])?;
    /// let from = ContactPoint::Sms(PhoneNumber::parse("(214) 555-0100", Some("US"))?);
    /// let scope = |packs: &RulePacks, at: &str| {
    ///     packs.opt_out_scope(Point, &from, CareReminder, at.parse().unwrap())
    /// };
    /// assert_eq!(scope(&packs, "2027-01-30T12:00:00Z"), Point);
    /// assert_eq!(scope(&packs, "2027-01-31T12:00:00Z"), Person);
    /// assert_eq!(scope(&RulePacks::none(), "2027-01-31T12:00:00Z"), Point);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn opt_out_scope(
        &self,
        said: OptOutScope,
        from: &ContactPoint,
        purpose: Purpose,
        at: DateTime<Utc>,
    ) -> OptOutScope {
        let contact = Asked::new(from, purpose, None);
        let covers_all = |rule: &Rule| {
            rule.demand == Demand::RevocationCoversAll && contact.is_bound_by(rule) && was_in_force(rule, at)
        };
        let covers_all = self.iter().flat_map(RulePack::rules).any(covers_all);
        if covers_all { OptOutScope::Person } else { said }
    }
}

fn was_in_force(rule: &Rule, at: DateTime<Utc>) -> bool {
    let last = at.date_naive();
    let first = at.checked_sub_signed(DAY_ENDS_LATER).map_or(NaiveDate::MIN, |at| at.date_naive());
    rule.in_force(first) || rule.in_force(last)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use rstest::rstest;

    use super::*;
    use crate::domain::contact_method::ContactMethod;
    use OptOutScope::{ContactPoint as Point, Person};
    use Purpose::{CareReminder, Informational, Marketing};

    static US: LazyLock<RulePacks> =
        LazyLock::new(|| RulePacks::standard().select(&["us_revocation"]).unwrap());

    fn point(method: ContactMethod) -> ContactPoint {
        let address = if method == ContactMethod::Email { "ann@example.com" } else { "+12145550100" };
        ContactPoint::parse_stored(method, address).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::last_moment_before("2027-01-30T23:59:59.999999999Z", Point)]
    #[case::first_moment("2027-01-31T00:00:00Z", Person)]
    #[case::long_after("2036-01-01T00:00:00Z", Person)]
    #[case::when_any_means_began("2025-04-11T12:00:00Z", Point)]
    fn revoke_all_begins_on_its_day(#[case] when: &str, #[case] expected: OptOutScope) {
        for purpose in [CareReminder, Informational, Marketing] {
            for method in [ContactMethod::Sms, ContactMethod::Email, ContactMethod::Phone] {
                let from = point(method);
                assert_eq!(US.opt_out_scope(Point, &from, purpose, at(when)), expected, "{method}");
                assert_eq!(US.opt_out_scope(Person, &from, purpose, at(when)), Person, "they said all");
            }
        }
    }

    #[test]
    fn other_packs_say_nothing_of_it() {
        let others = RulePacks::standard();
        let names: Vec<&str> =
            others.iter().map(RulePack::name).filter(|name| *name != "us_revocation").collect();
        let others = others.select(&names).unwrap();
        assert!(!others.is_empty());
        let from = point(ContactMethod::Sms);
        assert_eq!(others.opt_out_scope(Point, &from, Marketing, at("2030-01-01T00:00:00Z")), Point);
    }

    /// A host's own: advertising in Texas, for a day.
    #[rstest]
    #[case::it_binds("+12145550100", Marketing, "2026-05-06T12:00:00Z", Person)]
    #[case::evening_in_america("+12145550100", Marketing, "2026-05-07T11:00:00Z", Person)]
    #[case::over_everywhere("+12145550100", Marketing, "2026-05-07T12:00:00Z", Point)]
    #[case::not_begun("+12145550100", Marketing, "2026-05-05T23:00:00Z", Point)]
    #[case::other_purpose("+12145550100", CareReminder, "2026-05-06T12:00:00Z", Point)]
    #[case::other_state("+14015550100", Marketing, "2026-05-06T12:00:00Z", Point)]
    #[case::any_state("+18005550100", Marketing, "2026-05-06T12:00:00Z", Person)]
    fn a_rule_counts_for_whom_it_binds(
        #[case] number: &str,
        #[case] purpose: Purpose,
        #[case] when: &str,
        #[case] expected: OptOutScope,
    ) {
        let pack: RulePack = serde_json::from_value(serde_json::json!({
            "name": "own", "title": "Own", "rules": [{
                "id": "all", "says": "All.", "purposes": ["marketing"], "methods": ["sms"],
                "place": { "us_states": ["TX"] }, "from": "2026-05-06", "until": "2026-05-06",
                "source": "The host.", "demand": "revocation_covers_all"
            }]
        }))
        .unwrap();
        let packs = RulePacks::none().with(pack).unwrap();
        let from = ContactPoint::parse_stored(ContactMethod::Sms, number).unwrap();
        assert_eq!(packs.opt_out_scope(Point, &from, purpose, at(when)), expected);
    }
}
