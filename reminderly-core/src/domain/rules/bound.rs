//! A rule as it binds one contact.

use chrono::NaiveDate;

use super::{DayHours, Demand, HourRule, Rule, RuleId, RulePack, RulePacks};
use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::number_area::{Territory, territory_of};

/// A rule as it binds one contact: the hours of each local day at which it permits it.
#[derive(Debug, Clone, Copy)]
pub struct BoundRule<'a> {
    pack: &'a RulePack,
    rule: &'a Rule,
    /// Hours, or none at all.
    hours: Option<&'a HourRule>,
}

impl<'a> BoundRule<'a> {
    /// The rule as it binds this contact; `None` if it does not, or has nothing to say about instants.
    fn of(pack: &'a RulePack, rule: &'a Rule, contact: &Asked) -> Option<Self> {
        let hours = match &rule.demand {
            Demand::Hours(hours) => Some(hours),
            Demand::Never => None,
            Demand::TextCharactersMax(max) if contact.characters.is_some_and(|found| found > *max) => None,
            Demand::TextCharactersMax(_)
            | Demand::ContactsMax { .. }
            | Demand::CallSecondsMax(_)
            | Demand::RevocationByAnyMeans
            | Demand::RevocationCoversAll => return None,
        };
        contact.is_bound_by(rule).then_some(Self { pack, rule, hours })
    }

    /// The rule's full name.
    pub fn id(&self) -> RuleId {
        RuleId::new(self.pack.name(), &self.rule.id)
    }

    /// The rule.
    pub const fn rule(&self) -> &'a Rule {
        self.rule
    }

    /// The hours of a local day at which it permits the contact; `None` if there are none.
    pub fn hours_on(&self, day: NaiveDate) -> Option<DayHours> {
        if self.rule.in_force(day) { self.hours?.on(day) } else { Some(DayHours::WHOLE) }
    }
}

/// What decides which rules bind.
pub(super) struct Asked {
    purpose: Purpose,
    method: ContactMethod,
    territory: Territory,
    characters: Option<usize>,
}

impl Asked {
    pub(super) fn new(point: &ContactPoint, purpose: Purpose, characters: Option<usize>) -> Self {
        let territory = match point {
            ContactPoint::Sms(number) | ContactPoint::Phone(number) => territory_of(number),
            ContactPoint::Email(_) => Territory::Unknown,
        };
        Self { purpose, method: point.method(), territory, characters }
    }

    pub(super) fn is_bound_by(&self, rule: &Rule) -> bool {
        rule.purposes.contains(&self.purpose)
            && rule.methods.contains(&self.method)
            && rule.place.may_contain(self.territory)
    }
}

impl RulePacks {
    /// The rules that bind a contact, in the order of the packs. `characters` is the length of its text, if it has one that
    /// is known: without it, limits of length do not bind.
    pub fn binding(
        &self,
        point: &ContactPoint,
        purpose: Purpose,
        characters: Option<usize>,
    ) -> Vec<BoundRule<'_>> {
        if self.is_empty() {
            return Vec::new();
        }
        let asked = Asked::new(point, purpose, characters);
        let rules = self.iter().flat_map(|pack| pack.rules().iter().map(move |rule| (pack, rule)));
        rules.filter_map(|(pack, rule)| BoundRule::of(pack, rule, &asked)).collect()
    }
}
