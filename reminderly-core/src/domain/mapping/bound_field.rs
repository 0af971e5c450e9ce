//! One field of a campaign, bound to the columns of a file.

use std::borrow::Cow;

use minijinja::{Expression, Value};

use super::clean::clean;
use super::compiled::{FieldPlan, Role};
use crate::domain::contact_point::InvalidContactPoint;
use crate::domain::one_liner::OneLinerRow;
use crate::domain::row::{Row, RowFault};
use crate::domain::template::TemplateFault;
use crate::domain::template::function::{Datum, ValueFault};

#[derive(Debug)]
pub(super) struct BoundField<'c> {
    pub(super) plan: &'c FieldPlan,
    /// The positions of the plan's columns.
    pub(super) positions: Vec<usize>,
    /// Of expressions that are no pipeline.
    pub(super) expression: Option<Expression<'c, 'static>>,
}

/// The position of a column that a one-liner does not name: no row has a cell there.
pub(super) const NOT_GIVEN: usize = usize::MAX;

/// Why a field of a row cannot be used: for machines and for people.
pub(super) type FieldFault = (RowFault, Cow<'static, str>);

/// Where the value of a field comes from in the row of a one-liner.
pub(super) enum Given<'r> {
    ByExpression,
    As(&'r str),
    Not,
}

impl BoundField<'_> {
    /// What the caller says itself goes before what the campaign makes of the columns.
    pub(super) fn given<'r>(&self, one_liner: &OneLinerRow<'r>) -> Given<'r> {
        let or_expression = |text: Option<&'r str>| text.map_or(Given::ByExpression, Given::As);
        match self.plan.role {
            Role::Contact(method) if method == one_liner.method => Given::As(one_liner.contact),
            Role::Contact(_) | Role::Methods => Given::Not,
            // A text of the caller's is no reminder of the appointment: neither may be a duplicate of the other.
            Role::Key if one_liner.text.is_some() => Given::As(one_liner.identity),
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
    pub(super) fn evaluate<'r>(
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
