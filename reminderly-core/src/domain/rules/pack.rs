//! Rule packs and their rules: data, checked when it is read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Demand;
use crate::domain::campaign::definition::Purpose;
use crate::domain::contact_method::ContactMethod;
use crate::domain::number_area::{Territory, UsState};

/// The longest name of a pack or rule, in bytes.
const NAME_BYTES_MAX: usize = 40;

/// Rules under one name. Made by [`new`](Self::new), or read from JSON with serde; both check it.
///
/// ```
/// use reminderly_core::domain::rules::{RulePack, RulePacks};
///
/// let pack: RulePack = serde_json::from_str(r#"{
///     "name": "siesta",
///     "title": "Nobody is called at noon",
///     "rules": [{
///         "id": "afternoons",
///         "says": "Calls from three in the afternoon.",
///         "purposes": ["care_reminder", "informational", "marketing"],
///         "methods": ["phone"],
///         "place": "anywhere",
///         "source": "The clinic's own rule of 2 March 2026.",
///         "demand": { "hours": { "week": { "mon-sun": "15:00-21:00" } } }
///     }]
/// }"#)?;
/// let packs = RulePacks::standard().with(pack)?;
/// assert!(packs.get("siesta").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PackData")]
pub struct RulePack {
    name: String,
    title: String,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackData {
    name: String,
    title: String,
    rules: Vec<Rule>,
}

impl TryFrom<PackData> for RulePack {
    type Error = InvalidRulePack;

    fn try_from(data: PackData) -> Result<Self, Self::Error> {
        Self::new(&data.name, &data.title, data.rules)
    }
}

impl RulePack {
    /// A pack of these rules.
    ///
    /// # Errors
    ///
    /// [`InvalidRulePack`], the first fault.
    pub fn new(name: &str, title: &str, rules: Vec<Rule>) -> Result<Self, InvalidRulePack> {
        if !is_name(name) {
            return Err(InvalidRulePack::Name(name.to_owned()));
        }
        let mut ids = BTreeSet::new();
        for rule in &rules {
            if !is_name(&rule.id) {
                return Err(InvalidRulePack::Name(rule.id.clone()));
            }
            let fault = rule.fault().or_else(|| (!ids.insert(&rule.id)).then_some("its id stands twice"));
            if let Some(fault) = fault {
                return Err(InvalidRulePack::Rule { id: RuleId::new(name, &rule.id), fault });
            }
        }
        Ok(Self { name: name.to_owned(), title: title.to_owned(), rules })
    }

    /// The name by which campaigns choose it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about, for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(legal)
}

/// Data that makes no pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRulePack {
    /// The name of a pack or rule is no name.
    #[error("\"{0}\" is no name: expected 1 to 40 of a-z, 0-9 and _")]
    Name(String),
    /// A rule that cannot be meant so.
    #[error("{id}: {fault}")]
    Rule {
        /// The rule.
        id: RuleId,
        /// What is wrong.
        fault: &'static str,
    },
}

/// A pack's name and the id of one of its rules: `us_state_hours/tx_texts`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Arc<str>);

impl RuleId {
    pub(crate) fn new(pack: &str, rule: &str) -> Self {
        Self(format!("{pack}/{rule}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the people are whom a rule protects, as far as their contact point tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Everywhere.
    Anywhere,
    /// These states of the United States. A contact point that does not tell its state may be of any: a toll-free number, an
    /// unknown area code, an e-mail address.
    UsStates(BTreeSet<UsState>),
}

impl Place {
    /// Whether a contact point of this territory may be there.
    pub fn may_contain(&self, territory: Territory) -> bool {
        match (self, territory) {
            (Self::Anywhere, _) | (Self::UsStates(_), Territory::Unknown) => true,
            (Self::UsStates(states), Territory::State(state)) => states.contains(&state),
            (Self::UsStates(_), Territory::Elsewhere) => false,
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name within the pack.
    pub id: String,
    /// What it says, in a sentence.
    pub says: String,
    /// The purposes that it binds.
    pub purposes: Vec<Purpose>,
    /// The methods that it binds.
    pub methods: Vec<ContactMethod>,
    /// Where it holds.
    pub place: Place,
    /// The first local date on which it is in force; `None` is ever since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last local date on which it is in force; `None` is until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Where it is written: a citation or an address, and when it was read.
    pub source: String,
    /// What a reader of the rule should know: where sources disagree, what was decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What it demands.
    pub demand: Demand,
}

impl Rule {
    /// Whether it is in force on a local date.
    pub fn in_force(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    fn fault(&self) -> Option<&'static str> {
        let no_state = matches!(&self.place, Place::UsStates(states) if states.is_empty());
        let backwards = self.from.zip(self.until).is_some_and(|(from, until)| until < from);
        let faults = [
            (self.purposes.is_empty(), "it binds no purpose"),
            (self.methods.is_empty(), "it binds no method"),
            (no_state, "it names no state"),
            (backwards, "it ends before it begins"),
            (self.source.trim().is_empty(), "it has no source"),
        ];
        faults.into_iter().find_map(|(is_faulty, fault)| is_faulty.then_some(fault))
    }
}
