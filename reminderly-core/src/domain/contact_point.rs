//! Where a person is reached: a validated, canonical address and the method that uses it.

mod area_codes;
mod email_address;
mod invalid;
mod phone_number;

use serde::{Deserialize, Serialize};

pub use email_address::EmailAddress;
pub use invalid::InvalidContactPoint;
pub use phone_number::PhoneNumber;

use super::contact_method::ContactMethod;
use super::unsubscribe::RefusalKey;

/// A method together with the address that it uses. Personal data: `Debug` shows the method only.
///
/// ```
/// use reminderly_core::domain::contact_method::ContactMethod;
/// use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
///
/// let point = ContactPoint::Sms(PhoneNumber::parse("(520) 555-0100", Some("US"))?);
/// assert_eq!(point.method(), ContactMethod::Sms);
/// assert_eq!(point.address(), "+15205550100");
/// assert_eq!(format!("{point:?}"), "Sms(PhoneNumber(redacted))");
/// # Ok::<(), reminderly_core::domain::contact_point::InvalidContactPoint>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "method", content = "address", rename_all = "lowercase")]
pub enum ContactPoint {
    /// Text messages to a number.
    Sms(PhoneNumber),
    /// E-mails to an address.
    Email(EmailAddress),
    /// Voice calls to a number.
    Phone(PhoneNumber),
}

impl ContactPoint {
    /// Reads back what [`method`](Self::method) and [`address`](Self::address) gave, for adapters.
    ///
    /// # Errors
    ///
    /// The address does not have the canonical form. Numbering plans are not consulted: see
    /// [`PhoneNumber::parse_stored`].
    pub fn parse_stored(method: ContactMethod, address: &str) -> Result<Self, InvalidContactPoint> {
        Ok(match method {
            ContactMethod::Sms => Self::Sms(PhoneNumber::parse_stored(address)?),
            ContactMethod::Email => Self::Email(EmailAddress::parse(address)?),
            ContactMethod::Phone => Self::Phone(PhoneNumber::parse_stored(address)?),
        })
    }

    /// The method that uses the address.
    pub const fn method(&self) -> ContactMethod {
        match self {
            Self::Sms(_) => ContactMethod::Sms,
            Self::Email(_) => ContactMethod::Email,
            Self::Phone(_) => ContactMethod::Phone,
        }
    }

    /// The canonical address: E.164, or a lower-case e-mail address.
    pub fn address(&self) -> &str {
        match self {
            Self::Sms(number) | Self::Phone(number) => number.as_str(),
            Self::Email(address) => address.as_str(),
        }
    }

    /// The key under which an opt-out of this contact point stands. Text messages and calls to one number share it.
    pub fn refusal_key(&self) -> RefusalKey {
        match self {
            Self::Sms(number) | Self::Phone(number) => RefusalKey::Number(number.clone()),
            Self::Email(address) => RefusalKey::Email(address.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
