//! The names that texts can say, and their values for one row.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Object, Serde};

use crate::domain::campaign::definition::{CampaignDefinition, HouseholdUse};

/// The name of the appointment's zone: every row has one.
pub(super) const TIME_ZONE: &str = "time_zone";

/// The name of the rows that a text is about, in campaigns that may name several at once.
pub(super) const HOUSEHOLD: &str = "household";

/// The names of a campaign, each with its place.
#[derive(Debug)]
pub(super) struct Names {
    places: HashMap<Box<str>, Place>,
    fields: usize,
}

#[derive(Debug)]
enum Place {
    /// A value of the row.
    Field(usize),
    /// The same for every row.
    Constant(Value),
    /// All rows of the text.
    Household,
}

impl Names {
    /// The names of a campaign: fields, constants and the zone.
    pub(super) fn new(definition: &CampaignDefinition) -> Self {
        let mut places = HashMap::new();
        for (name, value) in &definition.constants {
            places.insert(name.as_str().into(), Place::Constant(Value::from(Serde(value))));
        }
        let fields = definition.mapping.fields.keys().map(String::as_str);
        let zone = (!definition.mapping.fields.contains_key(TIME_ZONE)).then_some(TIME_ZONE);
        let mut count = 0;
        for name in fields.chain(zone) {
            places.insert(name.into(), Place::Field(count));
            count += 1;
        }
        if definition.methods.household == HouseholdUse::SameDay {
            places.insert(HOUSEHOLD.into(), Place::Household);
        }
        Self { places, fields: count }
    }

    /// Every name.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(AsRef::as_ref)
    }

    /// The place of a field's value.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        match self.places.get(name)? {
            Place::Field(place) => Some(*place),
            Place::Constant(_) | Place::Household => None,
        }
    }

    /// The constant of a name.
    pub(super) fn constant(&self, name: &str) -> Option<&Value> {
        match self.places.get(name)? {
            Place::Field(_) | Place::Household => None,
            Place::Constant(value) => Some(value),
        }
    }

    /// Whether texts can name several rows.
    pub(super) fn has_household(&self) -> bool {
        matches!(self.places.get(HOUSEHOLD), Some(Place::Household))
    }

    /// How many fields there are.
    pub(super) const fn fields(&self) -> usize {
        self.fields
    }
}

/// The values of one row, as templates see them. Personal data: `Debug` shows none of them.
pub(super) struct RowValues {
    /// What is named where.
    pub(super) names: Arc<Names>,
    /// The values of the fields; undefined where the row has none.
    pub(super) values: Vec<Value>,
}

impl Object for RowValues {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.names.places.get(key)? {
            Place::Field(place) => self.values.get(*place).filter(|value| !value.is_undefined()).cloned(),
            Place::Constant(value) => Some(value.clone()),
            Place::Household => None,
        }
    }
}

/// The values of the rows of a household, as templates see them: those of the first one, and all as a list. Personal data, like
/// the rows.
pub(super) struct HouseholdValues {
    first: Value,
    all: Value,
}

impl HouseholdValues {
    /// The values of these rows, the first one's at the top.
    pub(super) fn new(rows: &[&Value]) -> Self {
        let first = rows.first().map(|row| (*row).clone()).unwrap_or_default();
        Self { first, all: rows.iter().map(|row| (*row).clone()).collect() }
    }
}

impl Object for HouseholdValues {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == HOUSEHOLD {
            return Some(self.all.clone());
        }
        self.first.get_attr(key).ok().filter(|value| !value.is_undefined())
    }
}

impl fmt::Debug for HouseholdValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HouseholdValues").finish_non_exhaustive()
    }
}

impl fmt::Debug for RowValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowValues").field("fields", &self.values.len()).finish_non_exhaustive()
    }
}
