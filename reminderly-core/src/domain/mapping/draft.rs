//! The parts of a mapped row while they come together.

use std::sync::Arc;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use minijinja::Value;

use super::bound_field::FieldFault;
use super::clean::clean;
use super::compiled::{CompiledCampaign, FieldPlan, Role};
use super::mapped_row::{ContactField, MappedRow, RowNote};
use super::names::{RowValues, TIME_ZONE};
use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, EmailAddress, InvalidContactPoint, PhoneNumber};
use crate::domain::content::Content;
use crate::domain::local_time::LocalTimeNote;
use crate::domain::one_liner::OneLinerRow;
use crate::domain::person::PersonKey;
use crate::domain::row::{RejectedRow, Row, RowFault};
use crate::domain::segments::count_segments;
use crate::domain::template::VALUE_BYTES_MAX;
use crate::domain::template::function::Datum;

/// The parts of a mapped row while they come together.
pub(super) struct Draft<'c> {
    campaign: &'c CompiledCampaign,
    key: Option<AppointmentKey>,
    local: Option<NaiveDateTime>,
    zone: Tz,
    contact_zone: Option<Tz>,
    person: Option<PersonKey>,
    methods: Option<Vec<ContactMethod>>,
    contacts: Vec<(ContactMethod, ContactField)>,
    language: Option<String>,
    content: Option<Content>,
    values: Vec<Value>,
    pub(super) removed: bool,
}

impl<'c> Draft<'c> {
    pub(super) fn new(campaign: &'c CompiledCampaign) -> Self {
        let definition = &campaign.definition;
        Self {
            campaign,
            key: None,
            local: None,
            zone: definition.time_zone,
            contact_zone: None,
            person: None,
            methods: None,
            contacts: definition.methods.order.iter().map(|method| (*method, ContactField::Absent)).collect(),
            language: None,
            content: None,
            values: vec![Value::UNDEFINED; campaign.names.fields()],
            removed: false,
        }
    }

    /// Takes the value of a field.
    pub(super) fn take(
        &mut self,
        plan: &FieldPlan,
        datum: Result<Datum<'_>, InvalidContactPoint>,
    ) -> Result<(), FieldFault> {
        let datum = match (plan.role, datum) {
            (Role::Contact(method), datum) => return self.take_contact(plan, method, datum),
            (_, Ok(datum)) => datum,
            (_, Err(invalid)) => return Err((RowFault::InvalidValue, invalid.to_string().into())),
        };
        if plan.role == Role::Key {
            self.key = Some(key(&datum.into_text())?);
            return Ok(());
        }
        if let Datum::Text(text) = &datum
            && text.len() > VALUE_BYTES_MAX
        {
            return Err((RowFault::ValueTooLong, format!("longer than {VALUE_BYTES_MAX} bytes").into()));
        }
        if datum.is_blank() {
            return self.blank(plan.role);
        }
        self.take_role(plan.role, &datum)?;
        if let Some(value) = plan.place.and_then(|place| self.values.get_mut(place)) {
            *value = datum.into_value();
        }
        Ok(())
    }

    /// What a blank value means for a field.
    fn blank(&self, role: Role) -> Result<(), FieldFault> {
        let optional = match role {
            Role::AppointmentAt => self.campaign.definition.schedule.is_on_demand(),
            _ => true,
        };
        if optional { Ok(()) } else { Err(empty()) }
    }

    fn take_role(&mut self, role: Role, datum: &Datum<'_>) -> Result<(), FieldFault> {
        if let Role::AppointmentAt = role {
            let Datum::DateTime(local) = datum else {
                return Err((
                    RowFault::InvalidDate,
                    "not a date and time: pipe it through datetime('…')".into(),
                ));
            };
            self.local = Some(*local);
            return Ok(());
        }
        if let Role::Plain = role {
            return Ok(());
        }
        let owned;
        let text = if let Datum::Text(text) = datum {
            text.trim()
        } else {
            owned = datum.clone().into_text();
            owned.trim()
        };
        match role {
            Role::TimeZone => self.zone = zone(text)?,
            Role::ContactTimeZone => self.contact_zone = Some(zone(text)?),
            Role::Person => {
                refuse_shortened(text)?;
                let long = || {
                    (
                        RowFault::ValueTooLong,
                        format!("longer than {} characters", PersonKey::CHARS_MAX).into(),
                    )
                };
                self.person = Some(PersonKey::new(text).ok_or_else(long)?);
            }
            Role::Language => self.language = Some(text.to_owned()),
            Role::Methods => self.methods = Some(methods(text, &self.campaign.definition.methods.order)?),
            Role::Key | Role::AppointmentAt | Role::Contact(_) | Role::Plain => {}
        }
        Ok(())
    }

    /// What a one-liner says of itself, whether the campaign has a field for it or not.
    pub(super) fn take_one_liner(&mut self, one_liner: &OneLinerRow<'_>) -> Result<(), FieldFault> {
        self.methods = Some(vec![one_liner.method]);
        let said = [
            (Role::Person, one_liner.person),
            (Role::Language, one_liner.language),
            (Role::ContactTimeZone, one_liner.time_zone),
        ];
        for (role, text) in said {
            if let Some(text) = text {
                self.take_role(role, &Datum::Text(text.into()))?;
            }
        }
        self.content = one_liner.text.map(|text| {
            let (text, _) = clean(text);
            match one_liner.method {
                ContactMethod::Email => Content::Email {
                    subject: clean(one_liner.subject).0.into(),
                    text: text.into(),
                    html: None,
                },
                ContactMethod::Sms | ContactMethod::Phone => {
                    Content::Sms { segments: count_segments(&text).count, text: text.into() }
                }
            }
        });
        Ok(())
    }

    fn take_contact(
        &mut self,
        plan: &FieldPlan,
        method: ContactMethod,
        datum: Result<Datum<'_>, InvalidContactPoint>,
    ) -> Result<(), FieldFault> {
        let contact = match datum.and_then(|datum| contact(method, datum)) {
            Ok(None) => ContactField::Absent,
            Ok(Some(point)) => ContactField::Valid(point),
            Err(shortened @ InvalidContactPoint::SpreadsheetNumber) => {
                return Err((RowFault::ExcelNumber, shortened.to_string().into()));
            }
            Err(invalid) => ContactField::Invalid(invalid),
        };
        if let ContactField::Valid(point) = &contact
            && let Some(value) = plan.place.and_then(|place| self.values.get_mut(place))
        {
            *value = Value::from(point.address());
        }
        if let Some((_, known)) = self.contacts.iter_mut().find(|(of, _)| *of == method) {
            *known = contact;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, row: &Row) -> Result<MappedRow, RejectedRow> {
        let on_demand = self.campaign.definition.schedule.is_on_demand();
        let appointment = self.local.map(|local| Appointment::new(local, self.zone));
        // What is needed has an expression, and a blank value has been refused there.
        let (Some(key), true) = (self.key, appointment.is_some() || on_demand) else {
            let detail = format!("line {}: the key or the appointment is missing", row.line);
            return Err(RejectedRow { row: row.number, column: None, code: RowFault::MissingValue, detail });
        };
        let names = &self.campaign.names;
        if let Some(value) = names.field(TIME_ZONE).and_then(|place| self.values.get_mut(place)) {
            *value = Value::from(self.zone.name());
        }
        let mut notes = Vec::new();
        let texts = &self.campaign.texts;
        let language = self.language.as_deref();
        let index = language.map(|named| texts.find(named)).unwrap_or_default();
        if language.is_some_and(|named| !texts.speak(named, index)) {
            notes.push(RowNote::NoTextInLanguage);
        }
        match appointment.map_or(LocalTimeNote::Exact, |appointment| appointment.note) {
            LocalTimeNote::Exact => {}
            LocalTimeNote::Gap => notes.push(RowNote::AppointmentInGap),
            LocalTimeNote::Ambiguous => notes.push(RowNote::AppointmentAmbiguous),
        }
        if self.removed {
            notes.push(RowNote::CharactersRemoved);
        }
        Ok(MappedRow {
            row: row.number,
            line: row.line,
            key,
            person: self.person,
            appointment,
            contact_zone: self.contact_zone.unwrap_or(self.zone),
            methods: self.methods,
            contacts: self.contacts,
            language: self.language,
            texts: index,
            content: self.content,
            fields: Value::from_object(RowValues { names: Arc::clone(names), values: self.values }),
            notes,
        })
    }
}

/// The one way from a text to a key: what a row is rejected for names no appointment either.
pub(super) fn key(text: &str) -> Result<AppointmentKey, FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(empty());
    }
    refuse_shortened(text)?;
    // It is not empty, so it can only be too long.
    let long = || format!("longer than {} characters", AppointmentKey::MAX_CHARS).into();
    AppointmentKey::new(text).ok_or_else(|| (RowFault::ValueTooLong, long()))
}

fn empty() -> FieldFault {
    (RowFault::MissingValue, "the value is empty".into())
}

/// Identifiers that a spreadsheet has shortened make one of many.
fn refuse_shortened(text: &str) -> Result<(), FieldFault> {
    if is_shortened(text) {
        let advice =
            "a spreadsheet has shortened the identifier; format the column as text and export it again";
        return Err((RowFault::ExcelNumber, advice.into()));
    }
    Ok(())
}

/// Exactly the form in which a spreadsheet shows long numbers, `1.23457E+11`: identifiers such as `12E5` are meant.
fn is_shortened(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let Some((whole, fraction)) = mantissa.split_once(['.', ',']) else { return false };
    whole.len() == 1 && digits(whole) && digits(fraction) && exponent.len() == 2 && digits(exponent)
}

fn zone(text: &str) -> Result<Tz, FieldFault> {
    let unknown = || (RowFault::UnknownTimeZone, "not an IANA time zone such as America/New_York".into());
    text.parse().map_err(|_| unknown())
}

fn methods(text: &str, order: &[ContactMethod]) -> Result<Vec<ContactMethod>, FieldFault> {
    let mut methods = Vec::new();
    for name in text.split([',', ' ', '\n']).filter(|name| !name.is_empty()) {
        let method = name.to_ascii_lowercase().parse().ok().filter(|method| order.contains(method));
        let Some(method) = method else {
            return Err((RowFault::UnknownMethod, "names a method that the campaign does not use".into()));
        };
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    Ok(methods)
}

fn contact(method: ContactMethod, datum: Datum<'_>) -> Result<Option<ContactPoint>, InvalidContactPoint> {
    if datum.is_blank() {
        return Ok(None);
    }
    let number = |datum| match datum {
        Datum::Phone(number) => Ok(number),
        datum => PhoneNumber::parse(&datum.into_text(), None),
    };
    Ok(Some(match (method, datum) {
        (ContactMethod::Email, Datum::Email(address)) => ContactPoint::Email(address),
        (ContactMethod::Email, datum) => ContactPoint::Email(EmailAddress::parse(&datum.into_text())?),
        (ContactMethod::Sms, datum) => ContactPoint::Sms(number(datum)?),
        (ContactMethod::Phone, datum) => ContactPoint::Phone(number(datum)?),
    }))
}
