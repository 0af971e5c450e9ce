//! The ways to reach a person.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactMethod {
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
    /// A voice call.
    Phone,
}

impl ContactMethod {
    /// Every method, in the order in which a campaign tries them when it names none.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Email, Self::Phone];

    /// The name in campaign documents, reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

impl fmt::Display for ContactMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no contact method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a contact method: expected one of sms, email, phone")]
pub struct UnknownContactMethod;

impl FromStr for ContactMethod {
    type Err = UnknownContactMethod;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|method| method.as_str() == name).ok_or(UnknownContactMethod)
    }
}
