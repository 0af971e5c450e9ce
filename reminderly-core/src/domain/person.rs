//! Persons, as far as reminders know them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::contact_point::ContactPoint;

/// Names a person within a company: caps, replies and "stop all" go by it. Personal data: `Debug` does not show it.
///
/// The host's own key is best: two siblings on one number are two persons. Without one it is the address, so that a text
/// message and a call to one number reach one person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PersonKey(Arc<str>);

impl PersonKey {
    /// The longest key, in characters: that of an e-mail address, the key of a person for whom the host names none.
    pub const CHARS_MAX: usize = 254;

    /// The key without surrounding white space; `None` if it is empty or longer than [`CHARS_MAX`](Self::CHARS_MAX).
    ///
    /// ```
    /// use reminderly_core::domain::person::PersonKey;
    ///
    /// assert_eq!(PersonKey::new(" P-17 ").as_ref().map(PersonKey::as_str), Some("P-17"));
    /// assert_eq!(PersonKey::new("  "), None);
    /// ```
    pub fn new(text: &str) -> Option<Self> {
        let key = text.trim();
        let fits = !key.is_empty() && key.chars().take(Self::CHARS_MAX + 1).count() <= Self::CHARS_MAX;
        fits.then(|| Self(Arc::from(key)))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The person behind an address when the host names none.
impl From<&ContactPoint> for PersonKey {
    fn from(contact: &ContactPoint) -> Self {
        Self(Arc::from(contact.address()))
    }
}

/// The text is empty or too long for a [`PersonKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a person's key has 1 to {} characters", PersonKey::CHARS_MAX)]
pub struct InvalidPersonKey;

impl From<PersonKey> for String {
    fn from(key: PersonKey) -> Self {
        Self::from(&*key.0)
    }
}

impl TryFrom<String> for PersonKey {
    type Error = InvalidPersonKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or(InvalidPersonKey)
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(redacted)")
    }
}
