//! Languages of texts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest tag, in bytes: what [RFC 5646, section 4.4.1](https://www.rfc-editor.org/rfc/rfc5646#section-4.4.1) says every
/// program should take.
const TAG_BYTES_MAX: usize = 35;

/// A language by its tag ([BCP 47](https://www.rfc-editor.org/info/bcp47)) in canonical case: `en`, `es-MX`, `zh-Hant-TW`.
/// Cheap to clone.
///
/// ```
/// use reminderly_core::domain::language::Language;
///
/// let mexican: Language = "ES_mx".parse()?;
/// assert_eq!(mexican.as_str(), "es-MX");
/// assert_eq!(mexican.primary(), "es");
/// assert!("Spanish".parse::<Language>().is_err());
/// # Ok::<(), reminderly_core::domain::language::InvalidLanguage>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(Arc<str>);

/// A text is no tag of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not a language tag such as \"en\", \"es\" or \"es-MX\"")]
pub struct InvalidLanguage;

impl Language {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without script, region and variants: `es` of `es-MX`.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The region, if the tag names one: `MX` of `es-MX`.
    pub fn region(&self) -> Option<&str> {
        self.0.split('-').skip(1).find(|part| part.len() == 2)
    }
}

impl Default for Language {
    /// English.
    fn default() -> Self {
        Self("en".into())
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    /// Reads a tag in any case; `_` counts as `-`, as other systems write it.
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        let text = text.trim();
        if text.len() > TAG_BYTES_MAX || !text.is_ascii() {
            return Err(InvalidLanguage);
        }
        let mut tag = String::with_capacity(text.len());
        for (position, part) in text.split(['-', '_']).enumerate() {
            if position == 0 {
                if !matches!(part.len(), 2 | 3) || !part.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    return Err(InvalidLanguage);
                }
                tag.push_str(&part.to_ascii_lowercase());
                continue;
            }
            if !(2..=8).contains(&part.len()) || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(InvalidLanguage);
            }
            tag.push('-');
            let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
            match (part.len(), letters, part.split_at_checked(1)) {
                (2, true, _) => tag.push_str(&part.to_ascii_uppercase()),
                (4, true, Some((first, rest))) => {
                    tag.push_str(&first.to_ascii_uppercase());
                    tag.push_str(&rest.to_ascii_lowercase());
                }
                _ => tag.push_str(&part.to_ascii_lowercase()),
            }
        }
        Ok(Self(tag.into()))
    }
}

impl TryFrom<String> for Language {
    type Error = InvalidLanguage;

    fn try_from(tag: String) -> Result<Self, InvalidLanguage> {
        tag.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0.as_ref().to_owned()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("en", Some("en"))]
    #[case(" ES ", Some("es"))]
    #[case("es_mx", Some("es-MX"))]
    #[case("ZH-HANT-tw", Some("zh-Hant-TW"))]
    #[case("es-419", Some("es-419"))]
    #[case("fil", Some("fil"))]
    #[case("", None)]
    #[case("e", None)]
    #[case("Spanish", None)]
    #[case("es-", None)]
    #[case("es-M", None)]
    #[case("e5", None)]
    #[case("español", None)]
    #[case("en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", None)]
    fn tags_are_read_in_any_case(#[case] text: &str, #[case] tag: Option<&str>) {
        let language = text.parse::<Language>().ok();
        assert_eq!(language.as_ref().map(Language::as_str), tag);
        if let Some(language) = language {
            assert_eq!(language.as_str().parse(), Ok(language.clone()), "a tag is its own canonical form");
        }
    }
}
