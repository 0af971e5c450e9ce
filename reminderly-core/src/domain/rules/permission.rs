//! The answer to "may we now, and if not, when?"

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{RuleId, RulePacks};
use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_point::ContactPoint;
use crate::domain::window::LegalTimes;

/// Whom to contact, and where they may be.
#[derive(Debug, Clone, Copy)]
pub struct RuleContact<'a> {
    /// How they are reached.
    pub point: &'a ContactPoint,
    /// The zones in which they may be: a rule must permit the instant in all of them.
    pub zones: &'a [Tz],
}

/// Whether rules permit a contact at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// They do.
    Yes,
    /// Not then: this is the first instant after it at which they do.
    Next(DateTime<Utc>),
    /// Neither then nor in the 400 days after it ([`SEARCH_DAYS`](crate::domain::window::SEARCH_DAYS)); a rule that forbids
    /// it at the instant that was asked for.
    Never(RuleId),
}

impl RulePacks {
    /// Whether every pack permits a contact at an instant. Only the packs are asked: a campaign's windows, dates and notice
    /// are not theirs.
    ///
    /// Fails closed: of a person whose zone nobody knows (`zones` is empty) nobody knows the hour, so nothing that a rule
    /// binds is permitted.
    pub fn permitted(
        &self,
        at: DateTime<Utc>,
        contact: &RuleContact<'_>,
        purpose: Purpose,
        characters: Option<usize>,
    ) -> Permission {
        let rules = self.binding(contact.point, purpose, characters);
        let Some(first) = rules.first() else { return Permission::Yes };
        let never_closed = BTreeSet::new();
        let times = LegalTimes::always(&never_closed, contact.zones, None).with_rules(&rules);
        let next = times.first_at_or_after(at, DateTime::<Utc>::MAX_UTC);
        match next {
            Some(next) if next == at => Permission::Yes,
            Some(next) => Permission::Next(next),
            None => Permission::Never(times.blocked_by(at).unwrap_or(first).id()),
        }
    }
}
