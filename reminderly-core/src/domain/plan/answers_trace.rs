//! What the answers model said, for people who ask why so.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::answers::Chance;
use crate::domain::contact_method::ContactMethod;

/// Why a method was preferred. Numbers only, nothing of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersTrace {
    /// The method that the campaign or the row names first, of those that reach the person.
    pub first: ContactMethod,
    /// How likely an answer to it is, in thousandths.
    pub first_chance: Chance,
    /// The method that was chosen.
    pub chosen: ContactMethod,
    /// How likely an answer to that is, in thousandths.
    pub chosen_chance: Chance,
    /// The instant whose knowledge the model holds.
    pub as_of: DateTime<Utc>,
}

impl fmt::Display for AnswersTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chosen, chosen_chance) = (self.chosen, self.chosen_chance);
        if self.chosen == self.first {
            return write!(
                f,
                "{chosen} stays first: an answer is expected with {chosen_chance}, by no other method more."
            );
        }
        let (first, first_chance) = (self.first, self.first_chance);
        write!(
            f,
            "{chosen} goes before {first}: an answer is expected with {chosen_chance}, and with {first_chance} by {first}."
        )
    }
}

/// Why an hour was preferred. Numbers only, nothing of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourTrace {
    /// How likely an answer is at the instant that the rules planned, in thousandths.
    pub planned_chance: Chance,
    /// The instant that was chosen.
    pub chosen_at: DateTime<Utc>,
    /// How likely an answer is then, in thousandths.
    pub chosen_chance: Chance,
    /// The instant whose knowledge the model holds.
    pub as_of: DateTime<Utc>,
}
