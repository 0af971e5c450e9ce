//! Rules of law and of good manners about when and what to send: packs of dated data, each rule with its source.
//!
//! A campaign names the packs that hold for it (`schedule.rule_packs`). A pack only ever forbids, so another pack never
//! permits more. Which packs a campaign needs is for its owner's counsel to decide: see `docs/rule-packs.md`.

mod bound;
mod demand;
mod holidays;
mod pack;
mod permission;
mod revocation;
mod standard;
#[cfg(test)]
mod tests;
mod week_hours;

use std::sync::Arc;

pub use self::bound::BoundRule;
pub use self::demand::{Demand, HourRule};
pub use self::holidays::HolidayCalendar;
pub use self::pack::{InvalidRulePack, Place, Rule, RuleId, RulePack};
pub use self::permission::{Permission, RuleContact};
pub use self::week_hours::{DayHours, InvalidHours, WeekHours};

/// Rule packs: those that a host knows, or those that one campaign names. Cheap to clone.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use reminderly_core::domain::campaign::definition::Purpose;
/// use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
/// use reminderly_core::domain::rules::{Permission, RuleContact, RulePacks};
///
/// let packs = RulePacks::standard().select(&["us_federal_hours", "us_state_hours"])?;
/// let texan = ContactPoint::Sms(PhoneNumber::parse("(214) 555-0100", Some("US"))?);
/// let contact = RuleContact { point: &texan, zones: &[chrono_tz::America::Chicago] };
/// let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
///
/// // Sunday, 10:00 in Dallas: advertising waits until noon, a reminder may go.
/// let sunday = at("2026-05-03T15:00:00Z");
/// let noon = at("2026-05-03T17:00:00Z");
/// assert_eq!(packs.permitted(sunday, &contact, Purpose::Marketing, None), Permission::Next(noon));
/// assert_eq!(packs.permitted(sunday, &contact, Purpose::CareReminder, None), Permission::Yes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RulePacks(Vec<Arc<RulePack>>);

impl RulePacks {
    /// No packs: everything is permitted.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The packs that come with this library.
    pub fn standard() -> Self {
        Self(standard::packs().to_vec())
    }

    /// These packs and one more, of the host's own.
    ///
    /// # Errors
    ///
    /// [`RulePackTaken`] if a pack has the name already: rules are not replaced under a name that campaigns rely on.
    pub fn with(mut self, pack: RulePack) -> Result<Self, RulePackTaken> {
        if self.get(pack.name()).is_some() {
            return Err(RulePackTaken { name: pack.name().to_owned() });
        }
        self.0.push(Arc::new(pack));
        Ok(self)
    }

    /// The pack of a name.
    pub fn get(&self, name: &str) -> Option<&RulePack> {
        self.0.iter().map(|pack| &**pack).find(|pack| pack.name() == name)
    }

    /// Every pack.
    pub fn iter(&self) -> impl Iterator<Item = &RulePack> + Clone {
        self.0.iter().map(|pack| &**pack)
    }

    /// Whether there is no pack.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The packs of these names.
    ///
    /// # Errors
    ///
    /// [`UnknownRulePack`], the first.
    pub fn select(&self, names: &[impl AsRef<str>]) -> Result<Self, UnknownRulePack> {
        let find = |(position, name): (usize, &str)| {
            let found = self.0.iter().find(|pack| pack.name() == name).cloned();
            found.ok_or_else(|| UnknownRulePack { position, name: name.to_owned() })
        };
        names.iter().map(AsRef::as_ref).enumerate().map(find).collect::<Result<_, _>>().map(Self)
    }
}

/// No pack has the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no rule pack \"{name}\": see the host's list, or docs/rule-packs.md for those of the library"
)]
pub struct UnknownRulePack {
    /// Its position among the names that were asked for.
    pub position: usize,
    /// The name.
    pub name: String,
}

/// Two packs have one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a rule pack \"{name}\" already: give the new one another name")]
pub struct RulePackTaken {
    /// The name.
    pub name: String,
}
