//! A row after its mapping.

use std::fmt;

use chrono_tz::Tz;
use minijinja::Value;

use super::texts::LanguageIndex;
use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, InvalidContactPoint};
use crate::domain::content::Content;
use crate::domain::person::PersonKey;
use crate::domain::row::RowNumber;

/// What a row means to its campaign. Personal data: `Debug` shows its place only.
#[derive(Clone)]
pub struct MappedRow {
    /// Its position in the packet.
    pub row: RowNumber,
    /// The line of the file on which it starts, from 1.
    pub line: u64,
    /// The identity of the appointment.
    pub key: AppointmentKey,
    /// The person, if the row names one; otherwise the contact point stands for them.
    pub person: Option<PersonKey>,
    /// When the appointment is; `None` if the campaign maps none.
    pub appointment: Option<Appointment>,
    /// The zone in which contact windows hold.
    pub contact_zone: Tz,
    /// The row's own choice and order of methods, all of them methods of the campaign.
    pub methods: Option<Vec<ContactMethod>>,
    /// The contact point of every method of the campaign, in its order.
    pub contacts: Vec<(ContactMethod, ContactField)>,
    /// The language that the row names.
    pub language: Option<String>,
    /// The campaign's language that stands for it.
    pub(super) texts: LanguageIndex,
    /// The text that the row brings itself, as that of a one-liner may; `None` is the campaign's.
    pub content: Option<Content>,
    /// The values that texts can show.
    pub fields: Value,
    /// What was done to the row that people should know.
    pub notes: Vec<RowNote>,
}

impl MappedRow {
    /// What the row says about a method; absent for methods that the campaign does not use.
    pub fn contact(&self, method: ContactMethod) -> &ContactField {
        let found = self.contacts.iter().find(|(of, _)| *of == method);
        found.map_or(&ContactField::Absent, |(_, contact)| contact)
    }
}

impl fmt::Debug for MappedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedRow").field("row", &self.row).field("line", &self.line).finish_non_exhaustive()
    }
}

/// What a row says about one way to reach the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactField {
    /// Nothing.
    Absent,
    /// Something that is no contact point.
    Invalid(InvalidContactPoint),
    /// A contact point.
    Valid(ContactPoint),
}

/// What was done to a row that people should know. It was taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowNote {
    /// The appointment's local time does not exist in its zone; it was moved forward by the gap.
    AppointmentInGap,
    /// The appointment's local time exists twice in its zone; the first is meant.
    AppointmentAmbiguous,
    /// Control or invisible characters were removed from a cell.
    CharactersRemoved,
    /// The row names a language in which the campaign has no text, or none that exists; it gets another one.
    NoTextInLanguage,
}
