//! What a campaign document says, once it has been checked.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::contact_method::ContactMethod;
use crate::domain::reply::ReplyWords;
use crate::domain::schedule::Schedule;

/// A checked campaign document. Made by `document::parse` only, so every value here is usable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignDefinition {
    /// The name for people.
    pub name: String,
    /// The zone of appointments whose row names none.
    pub time_zone: Tz,
    /// What the contact is for.
    pub purpose: Purpose,
    /// Where data comes from.
    pub source: Source,
    /// Template fields that are the same for every row.
    pub constants: serde_json::Map<String, serde_json::Value>,
    /// From columns to fields.
    pub mapping: Mapping,
    /// The texts, by method.
    pub messages: Messages,
    /// When to contact.
    pub schedule: Schedule,
    /// How to contact.
    pub methods: Methods,
    /// What people may answer, and what follows.
    pub responses: Responses,
    /// What a message may cost.
    pub limits: Limits,
    /// What to do when nobody knows whether an attempt was accepted.
    pub unknown_outcome: UnknownOutcome,
}

/// What the contact is for; rule packs permit by purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A reminder of care, from or for a health-care provider.
    CareReminder,
    /// A message about something that the person has arranged.
    Informational,
    /// Advertising.
    Marketing,
}

/// Where the data of a campaign comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Which file names are this campaign's, as a glob; `None` takes no file by name.
    pub file: Option<String>,
    /// The encoding of the files.
    pub encoding: Encoding,
    /// What separates fields.
    pub delimiter: Delimiter,
}

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark; anything else is refused with its place.
    #[default]
    Auto,
    /// The same, declared.
    #[serde(rename = "utf-8")]
    Utf8,
}

/// What separates the fields of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delimiter {
    /// Found from the header: the one of comma, semicolon, tab and bar that makes most columns.
    #[default]
    Auto,
    /// This byte.
    Byte(u8),
}

/// From columns to fields: expressions over `row`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The identity of the appointment.
    pub key: String,
    /// What becomes of appointments that the next file does not name.
    #[serde(default)]
    pub vanished: Vanished,
    /// The expression of each field; reserved names (`appointment_at`, `sms`, …) have a meaning of their own.
    pub fields: BTreeMap<String, String>,
}

/// What becomes of appointments that the next file of the campaign does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vanished {
    /// Nothing: files bring some of the appointments.
    #[default]
    Keep,
    /// Their messages are cancelled: every file brings all appointments that are ahead.
    Cancel,
}

/// The texts of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Messages {
    /// The text message.
    pub sms: Option<SmsTemplate>,
    /// The e-mail.
    pub email: Option<EmailTemplate>,
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsTemplate {
    /// Its text.
    pub text: String,
}

/// An e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailTemplate {
    /// Its subject: one line.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// Its HTML; values are escaped.
    pub html: Option<String>,
}

/// How to contact a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Methods {
    /// The methods in the order of preference, each once.
    pub order: Vec<ContactMethod>,
    /// Which of them are used.
    pub choice: MethodChoice,
}

/// Which of the methods are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodChoice {
    /// The first by which the person can be reached: contact point present, valid and not unsubscribed, text short enough.
    #[default]
    FirstAvailable,
    /// All of them.
    All,
}

/// What people may answer, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Responses {
    /// The campaign's own words in text messages, normalised.
    pub sms: ReplyWords,
    /// What is sent after an answer, by answer and method.
    pub follow_up: BTreeMap<FollowUpTrigger, BTreeMap<ContactMethod, String>>,
}

/// An answer that may be followed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpTrigger {
    /// The appointment was confirmed.
    Confirm,
    /// It was cancelled.
    Cancel,
    /// Another time is wanted.
    Reschedule,
    /// The answer was not understood.
    Unclear,
    /// The person asked for help.
    Help,
}

/// What a message may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// The most segments of a text message; `None` is no limit.
    pub sms_segments: Option<u32>,
}

/// What to do when nobody knows whether an attempt was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownOutcome {
    /// Wait for evidence; never ask, never resend.
    Hold,
    /// Ask the provider; resend only after proof of absence.
    #[default]
    ResolveThenHold,
    /// Ask the provider; if the answer stays open, resend once.
    ResolveThenResendOnce,
    /// Send again with the same idempotency key while the provider surely keeps it.
    KeyRetry,
}
