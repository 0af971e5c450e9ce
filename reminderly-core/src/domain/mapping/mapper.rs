//! Maps the rows of one file.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use minijinja::{Expression, Value};

use super::clean::clean;
use super::compiled::{CompiledCampaign, FieldPlan, Role};
use super::mapped_row::{ContactField, MappedRow, RowNote};
use super::names::{RowValues, TIME_ZONE};
use super::unfit_header::UnfitHeader;
use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::call::CallKind;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, EmailAddress, InvalidContactPoint, PhoneNumber};
use crate::domain::content::Content;
use crate::domain::local_time::LocalTimeNote;
use crate::domain::one_liner::{self, OneLinerRow};
use crate::domain::person::PersonKey;
use crate::domain::row::{Header, RejectedRow, Row, RowFault};
use crate::domain::segments::count_segments;
use crate::domain::template::function::{Datum, ValueFault};
use crate::domain::template::{TemplateFault, VALUE_BYTES_MAX};

/// Maps the rows of files with one header. Cheap to use, not to make: one for each file.
#[derive(Debug)]
pub struct RowMapper<'c> {
    campaign: &'c CompiledCampaign,
    kind: CallKind,
    fields: Vec<BoundField<'c>>,
}

#[derive(Debug)]
struct BoundField<'c> {
    plan: &'c FieldPlan,
    /// The positions of the plan's columns.
    positions: Vec<usize>,
    /// Of expressions that are no pipeline.
    expression: Option<Expression<'c, 'static>>,
}

/// The position of a column that a one-liner does not name: no row has a cell there.
const NOT_GIVEN: usize = usize::MAX;

/// Why a field of a row cannot be used: for machines and for people.
type FieldFault = (RowFault, Cow<'static, str>);

impl<'c> RowMapper<'c> {
    pub(super) fn new(campaign: &'c CompiledCampaign, header: &Header) -> Result<Self, UnfitHeader> {
        UnfitHeader::check(header, campaign.columns())?;
        Ok(Self::bind(campaign, CallKind::Rows, |column| header.position(column)))
    }

    /// For the row of a one-liner, which lacks the columns that its caller has not named.
    pub(super) fn of_one_liner(campaign: &'c CompiledCampaign, header: &Header) -> Self {
        let position = |column: &str| Some(one_liner::position(header, column).unwrap_or(NOT_GIVEN));
        Self::bind(campaign, CallKind::OneLiner, position)
    }

    fn bind(
        campaign: &'c CompiledCampaign,
        kind: CallKind,
        position: impl Fn(&str) -> Option<usize>,
    ) -> Self {
        let bind = |plan: &'c FieldPlan| BoundField {
            plan,
            positions: plan.columns.iter().filter_map(|column| position(column)).collect(),
            // It compiled when the campaign did.
            expression: match plan.pipeline {
                Some(_) => None,
                None => campaign.environment.compile_expression_owned(plan.source.clone()).ok(),
            },
        };
        Self { campaign, kind, fields: campaign.plans.iter().map(bind).collect() }
    }

    /// What the row means.
    ///
    /// # Errors
    ///
    /// The row lacks its key or appointment, or a value is not of its form; the fault names the columns, never a value. A
    /// contact point that cannot be used is no fault: it stands in [`MappedRow::contacts`]. But a number that a spreadsheet has
    /// shortened is one: the file is broken, and the person's number was in it.
    pub fn map(&self, row: &Row) -> Result<MappedRow, RejectedRow> {
        let mut draft = Draft::new(self.campaign);
        let one_liner = match self.kind {
            CallKind::Rows => None,
            CallKind::OneLiner => Some(OneLinerRow::read(row).ok_or_else(|| not_a_one_liner(row))?),
        };
        for field in &self.fields {
            let given = one_liner.map_or(Given::ByExpression, |one_liner| field.given(&one_liner));
            let taken = match given {
                Given::ByExpression => {
                    field.evaluate(row, &mut draft.removed).and_then(|datum| draft.take(field.plan, datum))
                }
                Given::As(text) => draft.take(field.plan, Ok(Datum::Text(text.into()))),
                Given::Not => Ok(()),
            };
            taken.map_err(|fault| rejected(row, field.plan, fault))?;
        }
        if let Some(one_liner) = one_liner {
            draft.take_one_liner(&one_liner).map_err(|(code, reason)| {
                let detail = format!("line {}: {reason}", row.line);
                RejectedRow { row: row.number, column: None, code, detail }
            })?;
        }
        draft.finish(row)
    }
}

/// Where the value of a field comes from in the row of a one-liner.
enum Given<'r> {
    ByExpression,
    As(&'r str),
    Not,
}

impl BoundField<'_> {
    /// What the caller says itself goes before what the campaign makes of the columns.
    fn given<'r>(&self, one_liner: &OneLinerRow<'r>) -> Given<'r> {
        let or_expression = |text: Option<&'r str>| text.map_or(Given::ByExpression, Given::As);
        match self.plan.role {
            Role::Contact(method) if method == one_liner.method => Given::As(one_liner.contact),
            Role::Contact(_) | Role::Methods => Given::Not,
            // Of a key that is given in part, or that reads nothing, every one-liner would have the same.
            Role::Key if self.positions.is_empty() || self.positions.contains(&NOT_GIVEN) => {
                Given::As(one_liner.identity)
            }
            Role::Person => or_expression(one_liner.person),
            Role::Language => or_expression(one_liner.language),
            Role::ContactTimeZone => or_expression(one_liner.time_zone),
            Role::Key | Role::AppointmentAt | Role::TimeZone | Role::Plain => Given::ByExpression,
        }
    }

    /// The value, or the contact fault that it has: that is a matter of its method, not of the row.
    fn evaluate<'r>(
        &self,
        row: &'r Row,
        removed: &mut bool,
    ) -> Result<Result<Datum<'r>, InvalidContactPoint>, FieldFault> {
        let evaluated = match (&self.plan.pipeline, &self.expression) {
            (Some(pipeline), _) => pipeline.run(row, &self.positions, removed).map_err(TemplateFault::Value),
            (None, Some(expression)) => self.interpret(expression, row, removed),
            (None, None) => Err(TemplateFault::Operation("not compiled")),
        };
        match evaluated {
            Ok(datum) => Ok(Ok(datum)),
            Err(TemplateFault::Value(ValueFault::Contact(invalid))) if self.plan.role.is_contact() => {
                Ok(Err(invalid))
            }
            Err(TemplateFault::Value(fault)) => Err((value_code(fault), fault.to_string().into())),
            Err(fault) => Err((RowFault::MappingFailed, format!("the expression failed: {fault}").into())),
        }
    }

    fn interpret<'r>(
        &self,
        expression: &Expression<'_, '_>,
        row: &Row,
        removed: &mut bool,
    ) -> Result<Datum<'r>, TemplateFault> {
        let cells = self.plan.columns.iter().zip(&self.positions).map(|(column, position)| {
            let (text, some_removed) = clean(row.field(*position).unwrap_or_default());
            *removed |= some_removed;
            (column.as_str(), Value::from(text.as_ref()))
        });
        let row = Value::from_pairs(cells);
        let context = Value::from_pairs([("row", row)]);
        let value = expression.eval(context).map_err(|error| TemplateFault::from(&error))?;
        Ok(match Datum::from_value(&value) {
            Datum::Text(text) => Datum::Text(Cow::Owned(text.into_owned())),
            Datum::Empty => Datum::Empty,
            Datum::DateTime(local) => Datum::DateTime(local),
            Datum::Date(local) => Datum::Date(local),
            Datum::Time(local) => Datum::Time(local),
            Datum::Phone(number) => Datum::Phone(number),
            Datum::Email(address) => Datum::Email(address),
        })
    }
}

pub(super) const fn value_code(fault: ValueFault) -> RowFault {
    match fault {
        ValueFault::Date => RowFault::InvalidDate,
        ValueFault::Serial(_) => RowFault::ExcelDate,
        ValueFault::TooLong => RowFault::ValueTooLong,
        ValueFault::Contact(InvalidContactPoint::SpreadsheetNumber) => RowFault::ExcelNumber,
        ValueFault::Contact(_) | ValueFault::Amount => RowFault::InvalidValue,
        ValueFault::Arguments(_) => RowFault::MappingFailed,
    }
}

fn rejected(row: &Row, plan: &FieldPlan, (code, reason): FieldFault) -> RejectedRow {
    RejectedRow {
        row: row.number,
        column: plan.column_list(),
        code,
        detail: format!("line {}: {}: {reason}", row.line, plan.name),
    }
}

/// The parts of a mapped row while they come together.
struct Draft<'c> {
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
    removed: bool,
}

impl<'c> Draft<'c> {
    fn new(campaign: &'c CompiledCampaign) -> Self {
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
    fn take(
        &mut self,
        plan: &FieldPlan,
        datum: Result<Datum<'_>, InvalidContactPoint>,
    ) -> Result<(), FieldFault> {
        let datum = match (plan.role, datum) {
            (Role::Contact(method), datum) => return self.take_contact(plan, method, datum),
            (_, Ok(datum)) => datum,
            (_, Err(invalid)) => return Err((RowFault::InvalidValue, invalid.to_string().into())),
        };
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
            Role::Key => false,
            Role::AppointmentAt => self.campaign.definition.schedule.is_on_demand(),
            _ => true,
        };
        if optional { Ok(()) } else { Err((RowFault::MissingValue, "the value is empty".into())) }
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
            Role::Key => self.key = Some(key(text)?),
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
            Role::AppointmentAt | Role::Contact(_) | Role::Plain => {}
        }
        Ok(())
    }

    /// What a one-liner says of itself, whether the campaign has a field for it or not.
    fn take_one_liner(&mut self, one_liner: &OneLinerRow<'_>) -> Result<(), FieldFault> {
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

    fn finish(mut self, row: &Row) -> Result<MappedRow, RejectedRow> {
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

fn not_a_one_liner(row: &Row) -> RejectedRow {
    let detail = format!("line {}: not a row of a one-liner: make the call again", row.line);
    RejectedRow { row: row.number, column: None, code: RowFault::MappingFailed, detail }
}

fn key(text: &str) -> Result<AppointmentKey, FieldFault> {
    refuse_shortened(text)?;
    // A blank key was refused before, so it can only be too long.
    let long = || format!("longer than {} characters", AppointmentKey::MAX_CHARS).into();
    AppointmentKey::new(text).ok_or_else(|| (RowFault::ValueTooLong, long()))
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
