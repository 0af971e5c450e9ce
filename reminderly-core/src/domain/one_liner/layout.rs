//! How a one-liner lies in its row: cells of its own at fixed places, then the caller's columns.
//!
//! That a row is of this form says the packet's origin, so no column of a file can pass for one of these.

use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::one_liner::{OneLiner, OneLinerText};
use crate::domain::row::{Header, Row, RowNumber};

/// What stands at the fixed places, in their order. Rows are stored, so a place never changes its meaning.
const NAMES: [&str; 9] = [
    "@identity",
    "@method",
    "@contact",
    "@person",
    "@language",
    "@time_zone",
    "@subject",
    "@text",
    "@voicemail",
];

/// What the fixed places of a row say.
#[derive(Clone, Copy)]
pub(in crate::domain) struct OneLinerRow<'r> {
    pub(in crate::domain) identity: &'r str,
    pub(in crate::domain) method: ContactMethod,
    pub(in crate::domain) contact: &'r str,
    pub(in crate::domain) person: Option<&'r str>,
    pub(in crate::domain) language: Option<&'r str>,
    pub(in crate::domain) time_zone: Option<&'r str>,
    pub(in crate::domain) subject: &'r str,
    /// What is said in whatever way; `None`: the campaign's own.
    pub(in crate::domain) text: Option<&'r str>,
    pub(in crate::domain) voicemail: Option<&'r str>,
}

impl<'r> OneLinerRow<'r> {
    /// Reads a row; `None` if it is not of this form.
    pub(in crate::domain) fn read(row: &'r Row) -> Option<Self> {
        let given = |position| row.field(position).map(|cell| Some(cell).filter(|cell| !cell.is_empty()));
        Some(Self {
            identity: row.field(0)?,
            method: row.field(1)?.parse().ok()?,
            contact: row.field(2)?,
            person: given(3)?,
            language: given(4)?,
            time_zone: given(5)?,
            subject: row.field(6)?,
            text: given(7)?,
            voicemail: given(8)?,
        })
    }
}

/// The place of one of the caller's columns; `None` if the one-liner does not name it.
pub(in crate::domain) fn position(header: &Header, column: &str) -> Option<usize> {
    let named = header.0.iter().skip(NAMES.len()).position(|name| name == column)?;
    Some(named + NAMES.len())
}

/// The header and the row of a one-liner that was checked.
pub(super) fn write(
    one_liner: &OneLiner,
    contact: &ContactPoint,
    identity: &AppointmentKey,
) -> (Header, Row) {
    let (subject, text, voicemail) = match &one_liner.text {
        OneLinerText::Campaign => ("", "", ""),
        OneLinerText::Sms { text } => ("", text.as_str(), ""),
        OneLinerText::Email { subject, text } => (subject.as_str(), text.as_str(), ""),
        OneLinerText::Phone { script, voicemail } => {
            ("", script.as_str(), voicemail.as_deref().unwrap_or_default())
        }
    };
    let optional = |text: &'_ Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let (person, language) = (optional(&one_liner.person), optional(&one_liner.language));
    let zone = optional(&one_liner.time_zone);
    let own = [
        identity.as_str(),
        one_liner.method.as_str(),
        contact.address(),
        &person,
        &language,
        &zone,
        subject,
        text,
        voicemail,
    ];
    let names = NAMES.into_iter().chain(one_liner.fields.keys().map(String::as_str));
    let cells = own.into_iter().chain(one_liner.fields.values().map(String::as_str));
    (Header(names.map(str::to_owned).collect()), Row::new(RowNumber(1), 1, cells))
}
