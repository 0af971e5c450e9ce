//! E-mail addresses.

use std::fmt;
use std::sync::Arc;

use email_address::Options;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::InvalidContactPoint;

/// The longest address in bytes: a path has 256, two of them angle brackets
/// ([RFC 5321 §4.5.3.1.3](https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3)).
const BYTES_MAX: usize = 254;

/// A canonical e-mail address. Personal data: `Debug` does not show it.
///
/// Canonical means trimmed, NFC, lower case and without the dot of the root domain. The local part is lower-cased too:
/// the standard leaves its case to the receiver, but none in use tells addresses apart by it, and an opt-out must match
/// however the next file spells the address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// Reads an address as a person or a file gives it; a `mailto:` in front is dropped.
    ///
    /// ```
    /// use reminderly_core::domain::contact_point::EmailAddress;
    ///
    /// let address = EmailAddress::parse(" Ann.Lee@Example.COM. ")?;
    /// assert_eq!(address.as_str(), "ann.lee@example.com");
    /// assert!(EmailAddress::parse("Ann Lee <ann@example.com>").is_err());
    /// # Ok::<(), reminderly_core::domain::contact_point::InvalidContactPoint>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Email`](InvalidContactPoint::Email) or [`UnicodeEmailDomain`](InvalidContactPoint::UnicodeEmailDomain).
    pub fn parse(text: &str) -> Result<Self, InvalidContactPoint> {
        let trimmed = text.trim();
        let bare = match trimmed.split_at_checked("mailto:".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => rest,
            _ => trimmed,
        };
        // Lower-casing may add combining marks, so compose after it. Capped first, to bound the work on hostile input.
        if bare.len() > BYTES_MAX * 2 {
            return Err(InvalidContactPoint::Email);
        }
        let lower =
            if bare.is_ascii() { bare.to_ascii_lowercase() } else { bare.to_lowercase().nfc().collect() };
        let address = lower.strip_suffix('.').unwrap_or(&lower);
        let (local, domain) = address.rsplit_once('@').ok_or(InvalidContactPoint::Email)?;
        if !domain.is_ascii() {
            return Err(InvalidContactPoint::UnicodeEmailDomain);
        }
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let valid = address.len() <= BYTES_MAX
            && is_plain_local_part(local)
            && is_host_name(domain)
            && email_address::EmailAddress::parse_with_options(address, options).is_ok();
        if valid { Ok(Self(Arc::from(address))) } else { Err(InvalidContactPoint::Email) }
    }

    /// The canonical address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Quoted local parts may hold spaces and brackets, which later readers of a header misread; nobody has one.
fn is_plain_local_part(local: &str) -> bool {
    !local.contains(|c: char| c == '"' || c.is_control() || c.is_whitespace())
}

/// The crate lets a domain label have any character of an atom; host names have fewer, and no numeric top.
fn is_host_name(domain: &str) -> bool {
    domain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && domain.rsplit('.').next().is_some_and(|top| top.bytes().any(|b| b.is_ascii_alphabetic()))
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        Self::from(&*address.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidContactPoint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(redacted)")
    }
}
