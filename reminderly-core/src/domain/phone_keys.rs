//! The keys that a person may press during a call, and what each does.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::contact_point::PhoneNumber;
use crate::domain::reply::{Classification, OptOutScope, ReplyKind, ReplyReason};

/// A key of a phone: a digit, `*` or `#`; the tones of [ITU-T Q.23](https://www.itu.int/rec/T-REC-Q.23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct PhoneKey(char);

/// A character is no key of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not a key of a phone: expected one of 0 to 9, * and #")]
pub struct InvalidPhoneKey;

impl TryFrom<char> for PhoneKey {
    type Error = InvalidPhoneKey;

    fn try_from(key: char) -> Result<Self, InvalidPhoneKey> {
        if matches!(key, '0'..='9' | '*' | '#') { Ok(Self(key)) } else { Err(InvalidPhoneKey) }
    }
}

impl From<PhoneKey> for char {
    fn from(key: PhoneKey) -> Self {
        key.0
    }
}

impl std::str::FromStr for PhoneKey {
    type Err = InvalidPhoneKey;

    fn from_str(text: &str) -> Result<Self, InvalidPhoneKey> {
        let mut characters = text.trim().chars();
        match (characters.next(), characters.next()) {
            (Some(key), None) => key.try_into(),
            _ => Err(InvalidPhoneKey),
        }
    }
}

impl fmt::Display for PhoneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a key does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAction {
    /// The person will come.
    Confirm,
    /// The person will not come.
    Cancel,
    /// The person wants another time.
    Reschedule,
    /// The person wants no more calls. What artificial voices must offer in the United States: 47 CFR 64.1200(b)(3).
    OptOut,
    /// The script is spoken again. The provider does it by itself.
    Repeat,
    /// The call is connected to somebody. The provider does it by itself.
    Transfer {
        /// To this number.
        to: PhoneNumber,
    },
}

impl KeyAction {
    /// Whether the provider deals with the key; the others come back as incoming messages whose text is the key.
    pub const fn is_the_providers(&self) -> bool {
        matches!(self, Self::Repeat | Self::Transfer { .. })
    }
}

/// The keys of a campaign's calls: each does one thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneKeys(pub BTreeMap<PhoneKey, KeyAction>);

impl PhoneKeys {
    /// What a key does; `None` if the campaign does not name it.
    pub fn action(&self, key: PhoneKey) -> Option<&KeyAction> {
        self.0.get(&key)
    }

    /// Classifies what a person pressed. Only these keys count: the grammar of replies is for text, in which `8` is no opt-out.
    ///
    /// ```
    /// use reminderly_core::domain::phone_keys::{KeyAction, PhoneKeys};
    /// use reminderly_core::domain::reply::{OptOutScope, ReplyKind};
    ///
    /// let keys = PhoneKeys([('1'.try_into()?, KeyAction::Confirm), ('8'.try_into()?, KeyAction::OptOut)].into());
    /// assert_eq!(keys.classify("1").kind, ReplyKind::Confirm);
    /// assert_eq!(keys.classify("8").kind, ReplyKind::OptOut(OptOutScope::ContactPoint));
    /// assert_eq!(keys.classify("STOP").kind, ReplyKind::Unclear);
    /// # Ok::<(), reminderly_core::domain::phone_keys::InvalidPhoneKey>(())
    /// ```
    pub fn classify(&self, pressed: &str) -> Classification {
        let action = pressed.parse().ok().and_then(|key| self.action(key));
        let kind = match action {
            Some(KeyAction::Confirm) => ReplyKind::Confirm,
            Some(KeyAction::Cancel) => ReplyKind::Cancel,
            Some(KeyAction::Reschedule) => ReplyKind::Reschedule,
            Some(KeyAction::OptOut) => ReplyKind::OptOut(OptOutScope::ContactPoint),
            Some(KeyAction::Repeat | KeyAction::Transfer { .. }) | None => {
                let empty = pressed.trim().is_empty();
                let reason = if empty { ReplyReason::Empty } else { ReplyReason::NotUnderstood };
                return Classification { kind: ReplyKind::Unclear, reason };
            }
        };
        Classification { kind, reason: ReplyReason::CampaignKey }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_keys_are_keys() {
        let keys: String = (char::MIN..='\u{3000}').filter(|key| PhoneKey::try_from(*key).is_ok()).collect();
        assert_eq!(keys, "#*0123456789");
    }

    #[test]
    fn keys_are_stored_as_an_object() {
        let to = PhoneNumber::parse("+15205550100", None).unwrap();
        let keys = [('1', KeyAction::Confirm), ('0', KeyAction::Transfer { to })];
        let keys = PhoneKeys(keys.map(|(key, action)| (key.try_into().unwrap(), action)).into());
        let json = serde_json::to_value(&keys).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "1": "confirm", "0": { "transfer": { "to": "+15205550100" } } })
        );
        assert_eq!(serde_json::from_value::<PhoneKeys>(json).unwrap(), keys);
    }

    #[test]
    fn what_is_not_one_key_of_the_campaign_is_unclear() {
        let keys = PhoneKeys([('1'.try_into().unwrap(), KeyAction::Confirm)].into());
        for pressed in ["", "2", "11", "yes", "STOP", "١"] {
            assert_eq!(keys.classify(pressed).kind, ReplyKind::Unclear, "{pressed}");
        }
        assert_eq!(keys.classify(" 1 ").kind, ReplyKind::Confirm);
    }
}
