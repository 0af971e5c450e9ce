//! Maps the rows of one file.

use super::bound_field::{BoundField, FieldFault, Given, NOT_GIVEN};
use super::compiled::{CompiledCampaign, FieldPlan, Role};
use super::draft::{Draft, key};
use super::mapped_row::MappedRow;
use super::unfit_header::UnfitHeader;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::call::CallKind;
use crate::domain::one_liner::{self, OneLinerRow};
use crate::domain::row::{Header, RejectedRow, Row, RowFault};
use crate::domain::template::function::Datum;

/// Maps the rows of files with one header. Cheap to use, not to make: one for each file.
#[derive(Debug)]
pub struct RowMapper<'c> {
    campaign: &'c CompiledCampaign,
    kind: CallKind,
    fields: Vec<BoundField<'c>>,
}

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

    /// The key of the row, if that much of it can be read: also of a row that cannot be mapped. Exactly what [`map`](Self::map)
    /// takes for one.
    pub fn key(&self, row: &Row) -> Option<AppointmentKey> {
        let field = self.fields.iter().find(|field| field.plan.role == Role::Key)?;
        key(&field.evaluate(row, &mut false).ok()?.ok()?.into_text()).ok()
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

fn not_a_one_liner(row: &Row) -> RejectedRow {
    let detail = format!("line {}: not a row of a one-liner: make the call again", row.line);
    RejectedRow { row: row.number, column: None, code: RowFault::MappingFailed, detail }
}
