use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::STATES_BY_AREA;

/// A state, the district or a territory of the United States, by its two letters (ANSI INCITS 38).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UsState([u8; 2]);

impl UsState {
    /// A name of the table of area codes.
    pub(super) fn of_table(name: &str) -> Option<Self> {
        name.as_bytes().try_into().ok().map(Self)
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for UsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the two capital letters of a state or territory that has area codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a state of the United States: expected two capital letters such as TX")]
pub struct UnknownUsState;

impl FromStr for UsState {
    type Err = UnknownUsState;

    fn from_str(letters: &str) -> Result<Self, Self::Err> {
        STATES_BY_AREA.values().find(|state| state.as_str() == letters).copied().ok_or(UnknownUsState)
    }
}

impl From<UsState> for String {
    fn from(state: UsState) -> Self {
        Self::from(state.as_str())
    }
}

impl TryFrom<String> for UsState {
    type Error = UnknownUsState;

    fn try_from(letters: String) -> Result<Self, Self::Error> {
        letters.parse()
    }
}
