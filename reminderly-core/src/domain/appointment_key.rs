//! The identity of an appointment.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Identifies an appointment within a company, as the host's own system does. May be personal data: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AppointmentKey(Arc<str>);

impl AppointmentKey {
    /// The longest key, in characters.
    pub const CHARS_MAX: usize = 200;

    /// The key without surrounding white space.
    ///
    /// ```
    /// use reminderly_core::domain::appointment_key::{AppointmentKey, InvalidAppointmentKey};
    ///
    /// assert_eq!(AppointmentKey::new(" A-17 ").map(|key| key.as_str().to_owned()), Ok("A-17".to_owned()));
    /// assert_eq!(AppointmentKey::new("  "), Err(InvalidAppointmentKey::Empty));
    /// ```
    ///
    /// # Errors
    ///
    /// Nothing is left of it, or more than [`CHARS_MAX`](Self::CHARS_MAX) characters.
    pub fn new(text: &str) -> Result<Self, InvalidAppointmentKey> {
        let key = text.trim();
        if key.is_empty() {
            Err(InvalidAppointmentKey::Empty)
        } else if key.chars().take(Self::CHARS_MAX + 1).count() > Self::CHARS_MAX {
            Err(InvalidAppointmentKey::TooLong)
        } else {
            Ok(Self(Arc::from(key)))
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no [`AppointmentKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAppointmentKey {
    /// It is empty.
    #[error("the key is empty")]
    Empty,
    /// It is too long.
    #[error("the key has more than {} characters", AppointmentKey::CHARS_MAX)]
    TooLong,
}

impl From<AppointmentKey> for String {
    fn from(key: AppointmentKey) -> Self {
        Self::from(&*key.0)
    }
}

impl TryFrom<String> for AppointmentKey {
    type Error = InvalidAppointmentKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl fmt::Debug for AppointmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppointmentKey(redacted)")
    }
}
