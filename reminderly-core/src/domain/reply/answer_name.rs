//! The answers that a campaign names itself.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name, in bytes.
const BYTES_MAX: usize = 24;

/// Names that mean something already, in reports or in classification.
const RESERVED: [&str; 12] = [
    "answer",
    "cancel",
    "cancelled",
    "confirm",
    "confirmed",
    "help",
    "opt_in",
    "opt_out",
    "reschedule",
    "reschedule_wanted",
    "unclear",
    "needs_review",
];

/// The name of an answer that a campaign asks for beside the usual ones, such as `positive`: 1 to 24 lower-case letters, digits
/// and underscores, a letter first. It belongs to the campaign's document and holds nothing about a person.
///
/// ```
/// use reminderly_core::domain::reply::{AnswerName, Sentiment};
///
/// let name: AnswerName = "positive".parse()?;
/// assert_eq!((name.as_str(), name.sentiment()), ("positive", Some(Sentiment::Positive)));
/// assert_eq!("running_late".parse::<AnswerName>()?.sentiment(), None);
/// assert!("confirmed".parse::<AnswerName>().is_err());
/// # Ok::<(), reminderly_core::domain::reply::InvalidAnswerName>(())
/// ```
// Stored in place, so that answers are copied as freely as the other kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerName([u8; BYTES_MAX]);

/// How an answer speaks of what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sentiment {
    /// Well.
    Positive,
    /// Neither well nor badly.
    Neutral,
    /// Badly.
    Negative,
}

/// Why a text is no name of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswerName {
    /// Its form is not that of a name.
    #[error("expected 1 to {} lower-case letters, digits and underscores, a letter first", BYTES_MAX)]
    Form,
    /// It means something already.
    #[error("the name means something already; choose another one")]
    Reserved,
}

impl AnswerName {
    /// The name.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(BYTES_MAX);
        // Only ASCII gets in.
        self.0.get(..len).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// What the names `positive`, `neutral` and `negative` say; others say nothing.
    pub fn sentiment(&self) -> Option<Sentiment> {
        match self.as_str() {
            "positive" => Some(Sentiment::Positive),
            "neutral" => Some(Sentiment::Neutral),
            "negative" => Some(Sentiment::Negative),
            _ => None,
        }
    }
}

impl FromStr for AnswerName {
    type Err = InvalidAnswerName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_letter = |byte: &u8| byte.is_ascii_lowercase();
        let is_part = |byte: &u8| is_letter(byte) || byte.is_ascii_digit() || *byte == b'_';
        let is_name = text.as_bytes().first().is_some_and(is_letter) && text.as_bytes().iter().all(is_part);
        let mut name = [0; BYTES_MAX];
        match name.get_mut(..text.len()) {
            Some(place) if is_name => place.copy_from_slice(text.as_bytes()),
            _ => return Err(InvalidAnswerName::Form),
        }
        if RESERVED.contains(&text) { Err(InvalidAnswerName::Reserved) } else { Ok(Self(name)) }
    }
}

impl fmt::Display for AnswerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for AnswerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for AnswerName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AnswerName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_free() {
        for name in ["a", "positive", "x_1", "abcdefghijklmnopqrstuvwx"] {
            assert_eq!(name.parse::<AnswerName>().unwrap().as_str(), name);
        }
        for text in ["", "1a", "_a", "A", "é", "a b", "a\0", "abcdefghijklmnopqrstuvwxy"] {
            assert_eq!(text.parse::<AnswerName>(), Err(InvalidAnswerName::Form), "{text:?}");
        }
        assert_eq!("unclear".parse::<AnswerName>(), Err(InvalidAnswerName::Reserved));
    }

    #[test]
    fn names_order_as_texts_and_read_back() {
        let mut names: Vec<AnswerName> =
            ["b", "ab", "a", "a_b"].iter().map(|name| name.parse().unwrap()).collect();
        names.sort_unstable();
        let json = serde_json::to_string(&names).unwrap();
        assert_eq!(json, r#"["a","a_b","ab","b"]"#);
        assert_eq!(serde_json::from_str::<Vec<AnswerName>>(&json).unwrap(), names);
        serde_json::from_str::<AnswerName>(r#""Confirmed""#).unwrap_err();
    }
}
