//! The reply grammar.

use serde::{Deserialize, Serialize};

/// The words by which a campaign's recipients answer, normalised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplyWords {
    /// Confirms the appointment.
    pub confirm: Vec<String>,
    /// Cancels it.
    pub cancel: Vec<String>,
    /// Asks for another time.
    pub reschedule: Vec<String>,
}
