//! Responses: what a person answered to a message.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::reply::AnswerName;
use crate::ids::IncomingId;

/// What a person answered to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Response {
    /// The answer.
    pub kind: ResponseKind,
    /// The message that said so.
    pub incoming: IncomingId,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// An answer: about the appointment, or one that the campaign asks for beside these. Its stored form is its name.
///
/// ```
/// use reminderly_core::domain::response::ResponseKind;
///
/// let kind: ResponseKind = serde_json::from_str(r#""positive""#)?;
/// assert_eq!(kind, ResponseKind::Answer("positive".parse()?));
/// assert_eq!(serde_json::to_string(&ResponseKind::RescheduleWanted)?, r#""reschedule_wanted""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResponseKind {
    /// The person will come.
    Confirmed,
    /// The person will not come.
    Cancelled,
    /// The person wants another time.
    RescheduleWanted,
    /// The person gave an answer of the campaign's own. It says nothing about the appointment.
    Answer(AnswerName),
}

impl ResponseKind {
    /// Every answer about an appointment, in the order of reports. The campaigns' own come after them, by name.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Cancelled, Self::RescheduleWanted];

    /// The name in reports and storage. No campaign's answer has the name of one about an appointment.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::RescheduleWanted => "reschedule_wanted",
            Self::Answer(name) => name.as_str(),
        }
    }

    /// Whether it is about the appointment, and so shared by all messages about that.
    pub const fn is_about_appointment(self) -> bool {
        !matches!(self, Self::Answer(_))
    }

    /// Whether what has the answer `earlier` (if any) can still be given this one: for an answer about the appointment the
    /// appointment, for a campaign's own the message.
    ///
    /// Who confirmed may still cancel or ask for another time; who cancelled or asked has released the appointment, and the
    /// office speaks next. A campaign's own answer may be changed for another one, gives way to one about the appointment, and
    /// never replaces that.
    pub fn may_follow(self, earlier: Option<Self>) -> bool {
        match (earlier, self) {
            (Some(Self::Answer(earlier)), Self::Answer(later)) => later != earlier,
            (None | Some(Self::Answer(_)), _) => true,
            (Some(_), Self::Answer(_)) | (Some(Self::Cancelled | Self::RescheduleWanted), _) => false,
            (Some(Self::Confirmed), later) => later != Self::Confirmed,
        }
    }

    /// Whether further reminders of the appointment would be wrong.
    pub const fn ends_reminders(self) -> bool {
        matches!(self, Self::Cancelled | Self::RescheduleWanted)
    }
}

impl fmt::Display for ResponseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ResponseKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ResponseKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        match Self::ALL.into_iter().find(|kind| kind.as_str() == name) {
            Some(kind) => Ok(kind),
            None => name.parse().map(Self::Answer).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaigns_answer_neither_replaces_one_about_the_appointment_nor_stands_in_its_way() {
        let [good, bad] = ["positive", "negative"].map(|name| ResponseKind::Answer(name.parse().unwrap()));
        for about in ResponseKind::ALL {
            assert!(about.may_follow(Some(good)) && !good.may_follow(Some(about)));
        }
        assert!(good.may_follow(None) && good.may_follow(Some(bad)) && !good.may_follow(Some(good)));
        assert!(!good.ends_reminders());
    }

    #[test]
    fn kinds_are_keys_of_json_objects() {
        let kinds = [ResponseKind::Cancelled, ResponseKind::Answer("neutral".parse().unwrap())];
        let counts: std::collections::BTreeMap<_, _> = kinds.into_iter().zip([1_u64, 2]).collect();
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(json, r#"{"cancelled":1,"neutral":2}"#);
        assert_eq!(serde_json::from_str::<std::collections::BTreeMap<_, _>>(&json).unwrap(), counts);
    }
}
