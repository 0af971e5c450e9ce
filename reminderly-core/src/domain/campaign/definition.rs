//! What a campaign document says, once it has been checked.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::campaign::file_pattern::FilePattern;
use crate::domain::caps::Caps;
use crate::domain::contact_method::ContactMethod;
use crate::domain::language::Language;
use crate::domain::phone_keys::PhoneKeys;
use crate::domain::reply::{self, Classification, Reading, ReplyKind, ReplyReason, ReplyWords};
use crate::domain::schedule::Schedule;
use crate::domain::tie::Wording;

/// A checked campaign document. Made by `document::parse` only, so every value here is usable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignDefinition {
    /// The name for people.
    pub name: String,
    /// The sender as people know it: first messages should name it.
    pub sender_name: Option<String>,
    /// The zone of appointments whose row names none.
    pub time_zone: Tz,
    /// The language of its plain texts, and of people of whom no other is known.
    #[serde(default)]
    pub language: Language,
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
    /// What a message may cost, and how fast messages go.
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
    /// Which file names are this campaign's; `None` takes no file by name.
    pub file: Option<FilePattern>,
    /// The encoding of the files.
    pub encoding: Encoding,
    /// What separates fields.
    pub delimiter: Delimiter,
    /// The worksheet of Excel workbooks that is read; `None` takes the first visible one.
    #[serde(default)]
    pub sheet: Option<String>,
}

/// The encoding of files, as a campaign declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Encoding {
    /// What the bytes of a file prove: UTF-8, or UTF-16 by its byte order mark or its zero bytes. A file that is certainly
    /// neither is refused with its first bad byte: which of the many other encodings it is in, its bytes do not tell.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16; the byte order mark or the zero bytes tell the order of bytes.
    #[serde(rename = "utf-16")]
    Utf16,
    /// UTF-16, the low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Windows-1252, of which Latin-1 is a part.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 6] =
        [Self::Auto, Self::Utf8, Self::Utf16, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// The word of the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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
    /// The call.
    #[serde(default)]
    pub phone: Option<PhoneTemplate>,
}

impl Messages {
    /// Whether a call may be made again that was made and reached nobody.
    pub fn calls_again(&self) -> bool {
        let retry = self.phone.as_ref().map(|phone| phone.retry);
        retry.is_some_and(|retry| retry.busy.times > 0 || retry.no_answer.times > 0)
    }
}

/// A text, or one for each language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LocalizedText {
    /// The same for everybody.
    Same(String),
    /// By language; the campaign's is among them.
    ByLanguage(BTreeMap<Language, String>),
}

impl LocalizedText {
    /// The text for a language; `None` if it has none of exactly this language.
    pub fn of(&self, language: &Language) -> Option<&str> {
        match self {
            Self::Same(text) => Some(text),
            Self::ByLanguage(texts) => texts.get(language).map(String::as_str),
        }
    }

    /// The languages that it tells apart; none if it is the same for all.
    pub fn languages(&self) -> impl Iterator<Item = &Language> {
        match self {
            Self::Same(_) => None,
            Self::ByLanguage(texts) => Some(texts.keys()),
        }
        .into_iter()
        .flatten()
    }
}

impl From<&str> for LocalizedText {
    fn from(text: &str) -> Self {
        Self::Same(text.to_owned())
    }
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsTemplate {
    /// Its text.
    pub text: LocalizedText,
}

/// An e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailTemplate {
    /// Its subject: one line.
    pub subject: LocalizedText,
    /// Its plain text.
    pub text: LocalizedText,
    /// Its HTML; values are escaped.
    pub html: Option<LocalizedText>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneTemplate {
    /// What a person hears who answers.
    pub script: LocalizedText,
    /// What is left on an answering machine; `None` leaves nothing.
    pub voicemail: Option<LocalizedText>,
    /// When a call that reached nobody is made again.
    pub retry: RedialRules,
}

/// When calls that reached nobody are made again, by what became of them.
///
/// The default, by our own judgement: two more calls to a busy line, ten minutes apart, because it did not ring and a call in
/// progress ends; none to a phone that rang unanswered, because that is a contact, and the person has seen who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RedialRules {
    /// After a busy line.
    pub busy: RedialRule,
    /// After a call that rang and was not answered.
    pub no_answer: RedialRule,
}

/// How often and how soon a call is made again. Only at legal instants, and never after the appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RedialRule {
    /// How many more calls.
    pub times: u32,
    /// How long after the report of the call before.
    pub after: Duration,
}

impl Default for RedialRules {
    fn default() -> Self {
        Self {
            busy: RedialRule { times: 2, after: Duration::from_mins(10) },
            no_answer: RedialRule { times: 0, after: Duration::from_hours(2) },
        }
    }
}

/// How to contact a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Methods {
    /// The methods in the order of preference, each once.
    pub order: Vec<ContactMethod>,
    /// Which of them are used.
    pub choice: MethodChoice,
    /// Whether the answers model has a say.
    #[serde(default)]
    pub answers_model: AnswersUse,
    /// Whether one message may name several appointments.
    #[serde(default)]
    pub household: HouseholdUse,
}

/// Whether one contact point is told of its appointments of a day by one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HouseholdUse {
    /// No: of each by a message of its own.
    #[default]
    Off,
    /// Yes, where all of them can be told at once.
    SameDay,
}

/// What the answers model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswersUse {
    /// For nothing.
    #[default]
    Off,
    /// With [`MethodChoice::FirstAvailable`]: of the methods that reach the person equally well, the one that is likeliest to be
    /// answered goes first.
    FirstMethod,
    /// Of the hours that a message may be late, on the same day and without leaving its window, the one at which it is likeliest to
    /// be answered is chosen.
    Order,
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
    /// One after the other, until the person answers.
    Ladder {
        /// How long a rung may stay unanswered before the next one goes.
        wait: Duration,
    },
}

/// What people may answer, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Responses {
    /// The campaign's own words, normalised, with its own answers (`responses.answers`).
    pub sms: ReplyWords,
    /// The campaign's keys in calls. Shared, because every call carries them.
    #[serde(default)]
    pub phone: Arc<PhoneKeys>,
    /// What is sent after an answer, by answer and method.
    pub follow_up: BTreeMap<FollowUpTrigger, BTreeMap<ContactMethod, LocalizedText>>,
}

impl Responses {
    /// What a reply by this method means. E-mails are read with the words of text messages; in a call only keys count, those of
    /// the campaign's own answers among them.
    pub fn read(&self, method: ContactMethod, text: &str) -> Reading {
        match method {
            ContactMethod::Sms | ContactMethod::Email => reply::read(text, &self.sms),
            ContactMethod::Phone => {
                Reading { classification: self.read_key(text.trim()), matched: Vec::new() }
            }
        }
    }

    /// Whether a reply is worded as the campaign asked for: one of its words or keys, and nothing beside it.
    pub fn wording(&self, method: ContactMethod, text: &str) -> Wording {
        let is_asked = match method {
            ContactMethod::Sms | ContactMethod::Email => reply::is_bare(text, &self.sms),
            ContactMethod::Phone => self.read_key(text.trim()).reason == ReplyReason::CampaignKey,
        };
        if is_asked { Wording::Asked } else { Wording::Own }
    }

    fn read_key(&self, pressed: &str) -> Classification {
        let classification = self.phone.classify(pressed);
        let answer = self.sms.answers.get(pressed).copied();
        match (classification.kind, answer) {
            (ReplyKind::Unclear, Some(answer)) => {
                Classification { kind: ReplyKind::Answer(answer), reason: ReplyReason::CampaignKey }
            }
            _ => classification,
        }
    }
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

/// What a message may cost, and how fast messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// The most segments of a text message; `None` is no limit.
    pub sms_segments: Option<u32>,
    /// The most messages of the campaign in every 60 seconds, whatever their method; `None` is no limit.
    pub per_minute: Option<NonZeroU32>,
    /// The most reminders of one person, on a day and in a week.
    pub caps: Caps,
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
