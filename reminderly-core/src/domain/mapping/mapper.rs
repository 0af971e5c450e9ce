//! Maps the rows of one file.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use minijinja::{Expression, Value};

use super::clean::clean;
use super::compiled::{CompiledCampaign, FieldPlan, Role};
use super::mapped_row::{ContactField, MappedRow, RowNote};
use super::missing_columns::MissingColumns;
use super::names::{RowValues, TIME_ZONE};
use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, EmailAddress, InvalidContactPoint, PhoneNumber};
use crate::domain::local_time::LocalTimeNote;
use crate::domain::person::PersonKey;
use crate::domain::row::{Header, RejectedRow, Row, RowFault};
use crate::domain::template::function::{Datum, ValueFault};
use crate::domain::template::{TemplateFault, VALUE_BYTES_MAX};

/// Maps the rows of files with one header. Cheap to use, not to make: one for each file.
#[derive(Debug)]
pub struct RowMapper<'c> {
    campaign: &'c CompiledCampaign,
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

/// Why a field of a row cannot be used: for machines and for people.
type FieldFault = (RowFault, Cow<'static, str>);

impl<'c> RowMapper<'c> {
    pub(super) fn new(campaign: &'c CompiledCampaign, header: &Header) -> Result<Self, MissingColumns> {
        MissingColumns::check(header, campaign.columns())?;
        let bind = |plan: &'c FieldPlan| BoundField {
            plan,
            positions: plan.columns.iter().filter_map(|column| header.position(column)).collect(),
            // It compiled when the campaign did.
            expression: match plan.pipeline {
                Some(_) => None,
                None => campaign.environment.compile_expression_owned(plan.source.clone()).ok(),
            },
        };
        Ok(Self { campaign, fields: campaign.plans.iter().map(bind).collect() })
    }

    /// What the row means.
    ///
    /// # Errors
    ///
    /// The row lacks its key or appointment, or a value is not of its form; the fault names the columns, never a value. A
    /// contact point that cannot be used is no fault: it stands in [`MappedRow::contacts`].
    pub fn map(&self, row: &Row) -> Result<MappedRow, RejectedRow> {
        let mut draft = Draft::new(self.campaign);
        for field in &self.fields {
            let taken =
                field.evaluate(row, &mut draft.removed).and_then(|datum| draft.take(field.plan, datum));
            taken.map_err(|fault| rejected(row, field.plan, fault))?;
        }
        draft.finish(row)
    }
}

impl RowMapper<'_> {
    /// The key of the row, if that much of it can be read: also of a row that cannot be mapped.
    pub fn key(&self, row: &Row) -> Option<AppointmentKey> {
        let field = self.fields.iter().find(|field| field.plan.role == Role::Key)?;
        let datum = field.evaluate(row, &mut false).ok()?.ok()?;
        AppointmentKey::new(&datum.into_text())
    }
}

impl BoundField<'_> {
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

const fn value_code(fault: ValueFault) -> RowFault {
    match fault {
        ValueFault::Date => RowFault::InvalidDate,
        ValueFault::TooLong => RowFault::ValueTooLong,
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
            (Role::Contact(method), datum) => {
                self.take_contact(plan, method, datum);
                return Ok(());
            }
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

    fn take_contact(
        &mut self,
        plan: &FieldPlan,
        method: ContactMethod,
        datum: Result<Datum<'_>, InvalidContactPoint>,
    ) {
        let contact = match datum.and_then(|datum| contact(method, datum)) {
            Ok(None) => ContactField::Absent,
            Ok(Some(point)) => ContactField::Valid(point),
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
            fields: Value::from_object(RowValues { names: Arc::clone(names), values: self.values }),
            notes,
        })
    }
}

fn key(text: &str) -> Result<AppointmentKey, FieldFault> {
    // A blank key was refused before, so it can only be too long.
    let long = || format!("longer than {} characters", AppointmentKey::MAX_CHARS).into();
    AppointmentKey::new(text).ok_or_else(|| (RowFault::ValueTooLong, long()))
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
