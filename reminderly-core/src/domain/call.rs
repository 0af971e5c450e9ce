//! A call: data that a caller hands over at once, instead of a file.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The caller's own name of a call: the same key again is the same call, however often it is made. Unique within a campaign.
/// Callers may put personal data into it: `Debug` shows nothing.
///
/// Keys are compared character by character, so white space around them and control characters are refused rather than
/// repaired.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct CallKey(Arc<str>);

impl CallKey {
    /// The longest key, in characters.
    pub const MAX_CHARS: usize = 200;

    /// A key.
    ///
    /// ```
    /// use reminderly_core::domain::call::CallKey;
    ///
    /// assert_eq!(CallKey::new("order-17")?.as_str(), "order-17");
    /// assert!(CallKey::new("").is_err());
    /// assert!(CallKey::new(" order-17").is_err());
    /// # Ok::<(), reminderly_core::domain::call::InvalidCallKey>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is empty or longer than [`MAX_CHARS`](Self::MAX_CHARS), begins or ends with white space, or has a control
    /// character.
    pub fn new(text: &str) -> Result<Self, InvalidCallKey> {
        let fits = !text.is_empty() && text.chars().take(Self::MAX_CHARS + 1).count() <= Self::MAX_CHARS;
        let plain = text.trim().len() == text.len() && !text.chars().any(char::is_control);
        if fits && plain { Ok(Self(text.into())) } else { Err(InvalidCallKey) }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallKey(redacted)")
    }
}

impl TryFrom<Arc<str>> for CallKey {
    type Error = InvalidCallKey;

    fn try_from(text: Arc<str>) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<CallKey> for Arc<str> {
    fn from(key: CallKey) -> Self {
        key.0
    }
}

/// The text is no [`CallKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a call key: expected 1 to {} characters without white space around them and without control characters",
    CallKey::MAX_CHARS
)]
pub struct InvalidCallKey;

/// What a call brings: how its rows are to be read. A closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// Rows with columns, as a file has them.
    Rows,
    /// One contact point: a row of the form that [`OneLiner`](crate::domain::one_liner::OneLiner) makes.
    OneLiner,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_as_they_are_or_refused() {
        let longest = "é".repeat(CallKey::MAX_CHARS);
        for good in ["a", "order 17", "50%–ß", longest.as_str()] {
            assert_eq!(CallKey::new(good).unwrap().as_str(), good);
        }
        let long = "é".repeat(CallKey::MAX_CHARS + 1);
        for bad in ["", " ", "a ", "\ta", "a\u{0}b", "a\nb", long.as_str()] {
            assert_eq!(CallKey::new(bad), Err(InvalidCallKey));
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = CallKey::new("ann@example.com").unwrap();
        assert!(!format!("{key:?}").contains("ann"));
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<CallKey>(&json).unwrap(), key);
        assert!(serde_json::from_str::<CallKey>("\"\"").is_err());
    }
}
