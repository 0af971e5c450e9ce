//! The American rules on revoking consent, as dated data.
//!
//! They are the pack [`US_REVOCATION`], which a campaign names in `schedule.rule_packs`. What counts as a revocation is read
//! the same way with and without it: the words opt out everywhere. The pack decides how far an opt-out reaches, and from when.
//! A host's counsel decides whether it applies.

use chrono::{DateTime, NaiveDate, Utc};

use super::OptOutScope;

/// The name of the pack in `schedule.rule_packs`.
pub const US_REVOCATION: &str = "us_revocation";

/// A rule of law with where it is written and from when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedRule {
    /// What it says, in short.
    pub says: &'static str,
    /// Where it is written.
    pub source: &'static str,
    /// The first day on which it holds.
    pub in_force_from: NaiveDate,
}

impl DatedRule {
    /// Whether it holds at an instant. Days begin in UTC: some hours before they do in Washington, so that an opt-out reaches
    /// rather too far than not far enough.
    pub fn holds_at(&self, at: DateTime<Utc>) -> bool {
        at.date_naive() >= self.in_force_from
    }
}

/// The words that revoke consent by themselves.
pub const REVOCATION_WORDS: [&str; 7] = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"];

/// Consent is revoked by any reasonable means, and by each of [`REVOCATION_WORDS`].
pub const REASONABLE_MEANS: DatedRule = DatedRule {
    says: "consent may be revoked by any reasonable means; the words stop, quit, end, revoke, opt out, cancel and unsubscribe \
           revoke by themselves",
    source: "47 CFR 64.1200(a)(10); 89 FR 15756 (2024-03-05); in force by 89 FR 84840",
    in_force_from: date(2025, 4, 11),
};

/// A revocation in answer to one kind of message covers all calls and texts of the caller.
///
/// Waived until 2027-01-31 by the FCC's order DA 26-12 of 2026-01-06, and under review in CG docket 02-278: look again before
/// that day.
pub const REVOKE_ALL: DatedRule = DatedRule {
    says: "a revocation covers all further calls and texts of the caller, on unrelated matters too",
    source: "47 CFR 64.1200(a)(10); waived until 2027-01-31 by FCC DA 26-12 (2026-01-06)",
    in_force_from: date(2027, 1, 31),
};

/// What an opt-out covers that was given at `at`, in a company whose campaigns name these packs.
///
/// Without the pack, or before the day of [`REVOKE_ALL`], it covers what the person said. From that day on it covers every
/// contact point of the person, e-mail included, which is more than the rule asks for.
///
/// ```
/// use reminderly_core::domain::reply::OptOutScope::{ContactPoint, Person};
/// use reminderly_core::domain::reply::revocation::{US_REVOCATION, opt_out_scope};
///
/// let (before, after) = ("2027-01-30T12:00:00Z".parse()?, "2027-01-31T12:00:00Z".parse()?);
/// assert_eq!(opt_out_scope(ContactPoint, [US_REVOCATION], before), ContactPoint);
/// assert_eq!(opt_out_scope(ContactPoint, [US_REVOCATION], after), Person);
/// assert_eq!(opt_out_scope(ContactPoint, [], after), ContactPoint);
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn opt_out_scope<'a>(
    said: OptOutScope,
    packs: impl IntoIterator<Item = &'a str>,
    at: DateTime<Utc>,
) -> OptOutScope {
    let applies = packs.into_iter().any(|pack| pack == US_REVOCATION);
    if applies && REVOKE_ALL.holds_at(at) { OptOutScope::Person } else { said }
}

/// A day of the table above.
const fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReplyKind, ReplyWords, classify};
    use super::*;

    #[test]
    fn each_word_of_the_rule_opts_out_by_itself() {
        for word in REVOCATION_WORDS {
            let kind = classify(word, &ReplyWords::default()).kind;
            assert!(matches!(kind, ReplyKind::OptOut(_)), "{word}: {kind:?}");
        }
    }

    #[test]
    fn the_days_of_the_table_are_days() {
        for (rule, day) in [(REASONABLE_MEANS, "2025-04-11"), (REVOKE_ALL, "2027-01-31")] {
            assert_eq!(rule.in_force_from.to_string(), day);
            let first: DateTime<Utc> = format!("{day}T00:00:00Z").parse().unwrap();
            assert!(rule.holds_at(first) && !rule.holds_at(first - chrono::TimeDelta::nanoseconds(1)));
        }
    }

    #[test]
    fn who_said_all_meant_all_before_the_rule_too() {
        let before = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(opt_out_scope(OptOutScope::Person, [], before), OptOutScope::Person);
    }
}
