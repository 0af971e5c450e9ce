//! A one-liner: one contact point, and a text or the campaign's own. It becomes a row like any other, of a form that only the
//! mapper of one-liners reads.

mod layout;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use chrono_tz::Tz;

use crate::domain::appointment_key::AppointmentKey;
use crate::domain::campaign::problem::hint;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, EmailAddress, InvalidContactPoint, PhoneNumber};
use crate::domain::mapping::{CompiledCampaign, is_blank};
use crate::domain::person::{InvalidPersonKey, PersonKey};
use crate::domain::row::{Header, Row};
use crate::domain::template::RENDERED_BYTES_MAX;

pub(in crate::domain) use layout::{OneLinerRow, position};

/// The longest tag of a language, in bytes: what RFC 5646, section 4.4.1, asks implementations to hold.
const LANGUAGE_BYTES_MAX: usize = 35;

/// One message to one contact point, as a caller writes it. Personal data: `Debug` shows the method only.
///
/// ```
/// use reminderly_core::domain::one_liner::OneLiner;
///
/// // The campaign's own text, with a value for a column that its mapping reads …
/// let ready = OneLiner::sms("+1 520 555 0100").with_field("First", "Ann").with_time_zone("America/Phoenix");
/// // … or a text of the caller's.
/// let moved = OneLiner::email("ann@example.com").with_subject_and_text("We have moved", "Come to 5 Main St.");
/// let late = OneLiner::phone("+1 520 555 0100").with_script("Smith Clinic. The doctor is an hour late today.");
/// # assert_ne!(ready, moved);
/// # assert_ne!(ready, late);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct OneLiner {
    /// By which method; the campaign must use it.
    pub method: ContactMethod,
    /// Where to: an e-mail address, or a phone number with its country code.
    pub contact: String,
    /// What is said.
    pub text: OneLinerText,
    /// Cells by column, as the campaign's expressions read them; a column that is not named is empty.
    pub fields: BTreeMap<String, String>,
    /// Who it is, for refusals and replies; `None` is what the mapping makes of the fields, or the contact point.
    pub person: Option<String>,
    /// The person's language; `None` is what the mapping makes of the fields.
    pub language: Option<String>,
    /// The person's zone, an IANA name; `None` is what the mapping makes of the fields, or the campaign's.
    pub time_zone: Option<String>,
}

/// What a one-liner says.
#[derive(Clone, PartialEq, Eq)]
pub enum OneLinerText {
    /// The campaign's own text for the method.
    Campaign,
    /// This text message, word by word: it is not read as a template.
    Sms {
        /// Its text, at most 64 KiB.
        text: String,
    },
    /// This e-mail, word by word.
    Email {
        /// Its subject: one line.
        subject: String,
        /// Its plain text, at most 64 KiB.
        text: String,
    },
    /// This call, word by word. The keys are those of the campaign.
    Phone {
        /// What a person hears who answers, at most 64 KiB.
        script: String,
        /// What is left on an answering machine, at most 64 KiB; `None` leaves nothing.
        voicemail: Option<String>,
    },
}

impl OneLiner {
    /// A text message with the campaign's own text.
    pub fn sms(number: impl Into<String>) -> Self {
        Self::new(ContactMethod::Sms, number.into())
    }

    /// An e-mail with the campaign's own texts.
    pub fn email(address: impl Into<String>) -> Self {
        Self::new(ContactMethod::Email, address.into())
    }

    /// A call with the campaign's own script.
    pub fn phone(number: impl Into<String>) -> Self {
        Self::new(ContactMethod::Phone, number.into())
    }

    fn new(method: ContactMethod, contact: String) -> Self {
        Self {
            method,
            contact,
            text: OneLinerText::Campaign,
            fields: BTreeMap::new(),
            person: None,
            language: None,
            time_zone: None,
        }
    }

    /// Says this in a text message instead.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: OneLinerText::Sms { text: text.into() }, ..self }
    }

    /// Says this in an e-mail instead.
    #[must_use]
    pub fn with_subject_and_text(self, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { text: OneLinerText::Email { subject: subject.into(), text: text.into() }, ..self }
    }

    /// Says this in a call instead, and leaves nothing on answering machines.
    #[must_use]
    pub fn with_script(self, script: impl Into<String>) -> Self {
        Self { text: OneLinerText::Phone { script: script.into(), voicemail: None }, ..self }
    }

    /// Says this in a call instead, and leaves that on answering machines.
    #[must_use]
    pub fn with_script_and_voicemail(self, script: impl Into<String>, voicemail: impl Into<String>) -> Self {
        let voicemail = Some(voicemail.into());
        Self { text: OneLinerText::Phone { script: script.into(), voicemail }, ..self }
    }

    /// Gives a column a value.
    #[must_use]
    pub fn with_field(mut self, column: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.insert(column.into(), value.into());
        self
    }

    /// Names the person.
    #[must_use]
    pub fn with_person(self, person: impl Into<String>) -> Self {
        Self { person: Some(person.into()), ..self }
    }

    /// Names the person's language.
    #[must_use]
    pub fn with_language(self, language: impl Into<String>) -> Self {
        Self { language: Some(language.into()), ..self }
    }

    /// Names the person's zone.
    #[must_use]
    pub fn with_time_zone(self, zone: impl Into<String>) -> Self {
        Self { time_zone: Some(zone.into()), ..self }
    }

    /// The row that stands for this one-liner in a packet of its own, and that row's header. `identity` is the identity of
    /// the message, unless it has the campaign's own text and the fields name all columns of `mapping.key`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it, before anything is stored.
    pub fn to_row(
        &self,
        campaign: &CompiledCampaign,
        identity: &AppointmentKey,
    ) -> Result<(Header, Row), InvalidOneLiner> {
        let contact = self.checked_contact(campaign)?;
        self.check_text()?;
        self.check_person()?;
        self.check_fields(campaign)?;
        Ok(layout::write(self, &contact, identity))
    }

    fn checked_contact(&self, campaign: &CompiledCampaign) -> Result<ContactPoint, InvalidOneLiner> {
        let method = self.method;
        if !campaign.definition().methods.order.contains(&method) {
            return Err(InvalidOneLiner::MethodNotUsed { method });
        }
        let number = || PhoneNumber::parse(&self.contact, None);
        let contact = match method {
            ContactMethod::Sms => number().map(ContactPoint::Sms),
            ContactMethod::Phone => number().map(ContactPoint::Phone),
            ContactMethod::Email => EmailAddress::parse(&self.contact).map(ContactPoint::Email),
        };
        contact.map_err(|source| InvalidOneLiner::Contact { method, source })
    }

    fn check_text(&self) -> Result<(), InvalidOneLiner> {
        let method = self.method;
        if self.text.method().is_some_and(|of| of != method) {
            return Err(InvalidOneLiner::TextOfOtherMethod { method });
        }
        if let OneLinerText::Email { subject, .. } = &self.text
            && subject.contains(['\r', '\n'])
        {
            return Err(InvalidOneLiner::SubjectLineBreak);
        }
        for (part, text) in self.text.parts() {
            // What is left of it once invisible characters are removed, as they are from a campaign's texts.
            if is_blank(text) {
                return Err(InvalidOneLiner::EmptyText { part });
            }
            if text.len() > RENDERED_BYTES_MAX {
                return Err(InvalidOneLiner::TextTooLong { part });
            }
        }
        Ok(())
    }

    fn check_person(&self) -> Result<(), InvalidOneLiner> {
        if let Some(person) = &self.person {
            PersonKey::new(person).ok_or(InvalidOneLiner::Person(InvalidPersonKey))?;
        }
        if let Some(zone) = &self.time_zone {
            zone.trim().parse::<Tz>().map_err(|_| InvalidOneLiner::TimeZone)?;
        }
        match &self.language {
            Some(tag) if tag.trim().is_empty() || tag.len() > LANGUAGE_BYTES_MAX => {
                Err(InvalidOneLiner::Language)
            }
            _ => Ok(()),
        }
    }

    /// A column that nobody reads is a slip of the pen: the text would lack what it was to show.
    fn check_fields(&self, campaign: &CompiledCampaign) -> Result<(), InvalidOneLiner> {
        let known = || campaign.columns().flat_map(|(_, columns)| columns).map(String::as_str);
        match self.fields.keys().find(|column| !known().any(|known| known == **column)) {
            None => Ok(()),
            Some(column) => {
                Err(InvalidOneLiner::UnknownField { column: column.clone(), hint: hint(column, known()) })
            }
        }
    }
}

impl OneLinerText {
    /// The method of a text of the caller's; `None` if it is the campaign's.
    pub const fn method(&self) -> Option<ContactMethod> {
        match self {
            Self::Campaign => None,
            Self::Sms { .. } => Some(ContactMethod::Sms),
            Self::Email { .. } => Some(ContactMethod::Email),
            Self::Phone { .. } => Some(ContactMethod::Phone),
        }
    }

    /// The parts of a text of the caller's, by name; none if it is the campaign's.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts: [Option<(&'static str, &str)>; 2] = match self {
            Self::Campaign => [None, None],
            Self::Sms { text } => [Some(("text", text)), None],
            Self::Email { subject, text } => [Some(("subject", subject)), Some(("text", text))],
            Self::Phone { script, voicemail } => {
                [Some(("script", script)), voicemail.as_deref().map(|text| ("voicemail", text))]
            }
        };
        parts.into_iter().flatten()
    }
}

impl fmt::Debug for OneLiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneLiner").field("method", &self.method).finish_non_exhaustive()
    }
}

impl fmt::Debug for OneLinerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Campaign => "Campaign",
            Self::Sms { .. } => "Sms(redacted)",
            Self::Email { .. } => "Email(redacted)",
            Self::Phone { .. } => "Phone(redacted)",
        })
    }
}

/// Why a one-liner cannot be used. Never carries a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOneLiner {
    /// The campaign has no text, window or field for the method.
    #[error("method: the campaign does not use {method}; name one of its methods.order")]
    MethodNotUsed {
        /// The method.
        method: ContactMethod,
    },
    /// The contact point cannot be used.
    #[error("contact: not usable for {method}: {source}")]
    Contact {
        /// The method.
        method: ContactMethod,
        /// What is wrong with it.
        #[source]
        source: InvalidContactPoint,
    },
    /// The text is of another method than the contact point.
    #[error("text: not a text for {method}; give sms a text, email a subject and a text, and phone a script")]
    TextOfOtherMethod {
        /// The method of the contact point.
        method: ContactMethod,
    },
    /// A part of the text has nothing to read.
    #[error("{part}: is empty; give one, or use the campaign's own text")]
    EmptyText {
        /// The part.
        part: &'static str,
    },
    /// A part of the text is too long for any method.
    #[error("{part}: is longer than {RENDERED_BYTES_MAX} bytes")]
    TextTooLong {
        /// The part.
        part: &'static str,
    },
    /// The subject is more than one line.
    #[error("subject: has a line break; put the rest into the text")]
    SubjectLineBreak,
    /// The name of the person is empty or too long.
    #[error("person: {0}")]
    Person(InvalidPersonKey),
    /// Nobody knows the zone.
    #[error("time_zone: not an IANA time zone such as America/New_York")]
    TimeZone,
    /// The language is empty or too long.
    #[error("language: expected a tag of 1 to {LANGUAGE_BYTES_MAX} bytes such as en or pt-BR")]
    Language,
    /// No expression of the campaign reads a column of this name.
    #[error("fields: no expression of the campaign reads the column \"{column}\"{hint}")]
    UnknownField {
        /// Its name.
        column: String,
        /// `; did you mean "…"?`, if a column of the campaign is named nearly so.
        hint: String,
    },
}
