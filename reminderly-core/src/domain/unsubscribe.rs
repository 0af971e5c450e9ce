//! Opt-outs: who must not be contacted, and who said so.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::contact_point::{ContactPoint, EmailAddress, InvalidContactPoint, PhoneNumber};
use super::person::PersonKey;
use crate::ids::{IncomingId, UserId};

/// What an opt-out covers, always within one company.
///
/// An opt-out on a number covers text messages and calls to that number, one by e-mail covers that address, and one that
/// says "all" covers every contact point of the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum RefusalKey {
    /// Text messages and calls to a number.
    Number(PhoneNumber),
    /// E-mails to an address.
    Email(EmailAddress),
    /// Every contact point of a person.
    Person(PersonKey),
}

impl RefusalKey {
    /// The kind's stable name: `number`, `email` or `person`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "number",
            Self::Email(_) => "email",
            Self::Person(_) => "person",
        }
    }

    /// The number, address or person's key.
    pub fn value(&self) -> &str {
        match self {
            Self::Number(number) => number.as_str(),
            Self::Email(address) => address.as_str(),
            Self::Person(person) => person.as_str(),
        }
    }

    /// The contact points that it covers wherever they stand: a number can be called and texted. None of a person, whose
    /// contact points only a store knows.
    pub fn contact_points(&self) -> Vec<ContactPoint> {
        match self {
            Self::Number(number) => {
                vec![ContactPoint::Sms(number.clone()), ContactPoint::Phone(number.clone())]
            }
            Self::Email(address) => vec![ContactPoint::Email(address.clone())],
            Self::Person(_) => Vec::new(),
        }
    }

    /// Reads back what [`kind`](Self::kind) and [`value`](Self::value) gave, for adapters.
    ///
    /// # Errors
    ///
    /// The kind is unknown or the value does not have its canonical form.
    pub fn parse_stored(kind: &str, value: &str) -> Result<Self, InvalidRefusalKey> {
        match kind {
            "number" => Ok(Self::Number(PhoneNumber::parse_stored(value)?)),
            "email" => Ok(Self::Email(EmailAddress::parse(value)?)),
            "person" => PersonKey::new(value).map(Self::Person).ok_or(InvalidRefusalKey::Person),
            _ => Err(InvalidRefusalKey::UnknownKind),
        }
    }
}

/// A stored refusal key does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRefusalKey {
    /// The kind is none of those that [`RefusalKey::kind`] gives.
    #[error("unknown kind of refusal key: expected one of number, email, person")]
    UnknownKind,
    /// The number or address is not canonical.
    #[error("not a canonical contact point")]
    ContactPoint(#[from] InvalidContactPoint),
    /// The person's key is empty or too long.
    #[error("not a person's key")]
    Person,
}

/// A person's will has changed. Kept for ever, so that each refusal can be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// What it covers.
    pub key: RefusalKey,
    /// Which way it changed.
    pub change: UnsubscribeChange,
    /// How we know.
    pub source: UnsubscribeSource,
    /// When the person said so; of two events on one key the later one stands.
    pub at: DateTime<Utc>,
}

/// Which way a person's will changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsubscribeChange {
    /// No more messages.
    OptedOut,
    /// Messages again, after an opt-out.
    OptedIn,
}

/// How an opt-out or opt-in became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsubscribeSource {
    /// The person wrote or said it.
    Reply(IncomingId),
    /// The provider reported it: its own keyword handling, or a refusal to send.
    Provider,
    /// A user recorded what the person told them.
    Operator(UserId),
}

/// The keys of which none may stand opted out when the person is contacted: that of the contact point and that of the
/// person.
///
/// ```
/// use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
/// use reminderly_core::domain::person::PersonKey;
/// use reminderly_core::domain::unsubscribe::{RefusalKey, keys_of};
///
/// let number = PhoneNumber::parse("+1 520 555 0100", None)?;
/// let call = ContactPoint::Phone(number.clone());
/// let person = PersonKey::from(&call);
/// assert_eq!(keys_of(&call, &person), [RefusalKey::Number(number), RefusalKey::Person(person)]);
/// # Ok::<(), reminderly_core::domain::contact_point::InvalidContactPoint>(())
/// ```
pub fn keys_of(contact: &ContactPoint, person: &PersonKey) -> [RefusalKey; 2] {
    [contact.refusal_key(), RefusalKey::Person(person.clone())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_message_and_a_call_share_the_refusal_of_their_number() {
        let number = PhoneNumber::parse("+15205550100", None).unwrap();
        let (sms, call) = (ContactPoint::Sms(number.clone()), ContactPoint::Phone(number));
        assert_eq!(sms.refusal_key(), call.refusal_key());
        assert_eq!(PersonKey::from(&sms), PersonKey::from(&call));
    }

    #[test]
    fn keys_read_back_as_stored_and_as_json() {
        let email = ContactPoint::Email(EmailAddress::parse("ann@example.com").unwrap());
        let person = PersonKey::new("P-17").unwrap();
        let number = RefusalKey::Number(PhoneNumber::parse("+15205550100", None).unwrap());
        for key in keys_of(&email, &person).into_iter().chain([number]) {
            assert_eq!(RefusalKey::parse_stored(key.kind(), key.value()), Ok(key.clone()));
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<RefusalKey>(&json).unwrap(), key);
            assert!(!format!("{key:?}").contains(key.value()));
        }
        assert_eq!(RefusalKey::parse_stored("fax", "1"), Err(InvalidRefusalKey::UnknownKind));
    }
}
