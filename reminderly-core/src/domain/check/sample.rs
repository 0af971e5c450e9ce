//! A sample: rows of a file, what they map to, and the messages that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::finding::{Finding, Severity};
use super::text_use::{TextUse, place};
use crate::domain::campaign::definition::HouseholdUse;
use crate::domain::contact_method::ContactMethod;
use crate::domain::mapping::{CompiledCampaign, ContactField, MappedRow, UnfitHeader};
use crate::domain::message::Message;
use crate::domain::report::PacketCounts;
use crate::domain::row::{Header, RejectedRow, Row, RowFault, RowNumber};

/// How many rows are named for each fault.
const ROWS_NAMED: usize = 20;

/// From this share of rows without a value on, people are told. A tenth of the patients is worth a look.
const MANY_EMPTY: f64 = 0.1;

/// How often a field has a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldUse {
    /// The field of the mapping.
    pub field: String,
    /// The columns that it is made from.
    pub columns: Vec<String>,
    /// How many of the rows that could be mapped leave it empty.
    pub empty: u64,
    /// Of so many.
    pub of: u64,
}

impl FieldUse {
    /// The share of rows that leave it empty, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share of at most 2^53 rows")]
    pub fn empty_share(&self) -> f64 {
        if self.of == 0 { 0.0 } else { self.empty as f64 / self.of as f64 }
    }
}

/// Rows that were rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultUse {
    /// What is wrong, for machines.
    pub code: RowFault,
    /// In which column, if it is in one.
    pub column: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// The first of them, at most 20.
    pub first_rows: Vec<RowNumber>,
    /// What is wrong with the first of them, for people.
    pub example: String,
}

/// What a sample says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleReport {
    /// How many rows could be read and mapped.
    pub rows: u64,
    /// The columns of the file that no expression of the campaign reads.
    pub unused_columns: Vec<String>,
    /// How often each field has a value, by name.
    pub fields: Vec<FieldUse>,
    /// What rows were rejected for.
    pub faults: Vec<FaultUse>,
    /// What the texts come to, by method.
    pub texts: BTreeMap<ContactMethod, TextUse>,
    /// What people should know.
    pub findings: Vec<Finding>,
}

/// Gathers what a sample says, row by row; keeps counts and no row.
#[derive(Debug)]
pub struct Sample {
    campaign: Arc<CompiledCampaign>,
    header: Header,
    rows: u64,
    /// By field, in the order of the mapping: rows that leave it empty.
    empty: BTreeMap<String, u64>,
    faults: BTreeMap<(RowFault, Option<String>), FaultUse>,
    texts: BTreeMap<ContactMethod, TextUse>,
}

impl Sample {
    /// A sample of files with this header.
    ///
    /// # Errors
    ///
    /// The header lacks columns that the campaign reads; all of them are listed.
    pub fn new(campaign: Arc<CompiledCampaign>, header: &Header) -> Result<Self, UnfitHeader> {
        campaign.mapper(header)?;
        let fields = campaign.definition().mapping.fields.keys();
        let empty = fields.map(|field| (field.clone(), 0)).collect();
        let header = header.clone();
        Ok(Self { campaign, header, rows: 0, empty, faults: BTreeMap::new(), texts: BTreeMap::new() })
    }

    /// Takes rows that could be read; those that cannot be mapped are counted as faults by [`reject`](Self::reject).
    pub fn add_rows(&mut self, rows: &[Row]) {
        let Ok(mapper) = self.campaign.mapper(&self.header) else { return };
        for mapped in rows.iter().filter_map(|row| mapper.map(row).ok()) {
            self.rows += 1;
            for (field, empty) in &mut self.empty {
                let value = mapped.fields.get_attr(field).unwrap_or_default();
                let blank = value.is_undefined() || value.as_str().is_some_and(|text| text.trim().is_empty());
                *empty += u64::from(blank);
            }
            add_two(&self.campaign, &mapped, &mut self.texts);
        }
    }

    /// Takes a row that was rejected, on reading or in mapping.
    pub fn reject(&mut self, row: &RejectedRow) {
        let found = self.faults.entry((row.code, row.column.clone())).or_insert_with(|| FaultUse {
            code: row.code,
            column: row.column.clone(),
            rows: 0,
            first_rows: Vec::new(),
            example: row.detail.clone(),
        });
        found.rows += 1;
        if found.first_rows.len() < ROWS_NAMED {
            found.first_rows.push(row.row);
        }
    }

    /// Takes a message. Of the messages of a row the first entry of `send` stands for all: their text is the same.
    pub fn add_message(&mut self, message: &Message) {
        let (Some(row), Some(content)) = (message.origin.row(), &message.content) else { return };
        let sender = self.campaign.definition().sender_name.as_deref();
        self.texts.entry(message.method).or_default().add(row, content, sender);
    }

    /// What the sample says. `counts` are those of its packet.
    pub fn finish(self, counts: &PacketCounts) -> SampleReport {
        let read: Vec<&String> = self.campaign.columns().flat_map(|(_, columns)| columns).collect();
        let unused_columns = self.header.0.iter().filter(|column| !read.contains(column)).cloned().collect();
        let fields: Vec<FieldUse> = self
            .empty
            .iter()
            .map(|(field, empty)| {
                let path = format!("$.mapping.fields.{field}");
                let plan = self.campaign.columns().find(|(of, _)| *of == path);
                let columns = plan.map(|(_, columns)| columns.to_vec()).unwrap_or_default();
                FieldUse { field: field.clone(), columns, empty: *empty, of: self.rows }
            })
            .collect();
        let mut findings = Vec::new();
        goes(counts, &mut findings);
        findings.extend(fields.iter().filter_map(often_empty));
        for (method, texts) in &self.texts {
            about_texts(*method, texts, &mut findings);
            about_two(*method, texts, self.campaign.definition().limits.sms_segments, &mut findings);
        }
        let faults = self.faults.into_values().collect();
        SampleReport { rows: self.rows, unused_columns, fields, faults, texts: self.texts, findings }
    }
}

/// Takes a row as if two of a household had it: a text may be too long for two that is not for one.
fn add_two(campaign: &CompiledCampaign, row: &MappedRow, texts: &mut BTreeMap<ContactMethod, TextUse>) {
    let methods = &campaign.definition().methods;
    if methods.household == HouseholdUse::Off {
        return;
    }
    for method in &methods.order {
        let is_reached = matches!(row.contact(*method), ContactField::Valid(_));
        if let (true, Ok(content)) = (is_reached, campaign.render_household(*method, row, &[row])) {
            texts.entry(*method).or_default().add_two(row.row, &content);
        }
    }
}

/// Whether anything goes.
fn goes(counts: &PacketCounts, findings: &mut Vec<Finding>) {
    let rows = counts.rows;
    if rows.read == 0 {
        findings.push(Finding::new(Severity::Error, "data", "the file has no row"));
    } else if rows.loaded == rows.failed {
        let message = format!("none of the {} rows can be used: see the faults", rows.read);
        findings.push(Finding::new(Severity::Error, "data", message));
    } else if counts.planned == 0 {
        let reasons: Vec<String> = counts
            .skipped_at_planning
            .iter()
            .map(|(reason, messages)| format!("{reason}: {messages}"))
            .collect();
        let message = format!("no message would go; skipped as {}", reasons.join(", "));
        findings.push(Finding::new(Severity::Error, "data", message));
    }
    let bad = rows.rejected + rows.failed;
    if bad > 0 && rows.loaded > rows.failed {
        let message = format!("{bad} of {} rows cannot be used", rows.read);
        findings.push(Finding::new(Severity::Warning, "data", message));
    }
}

fn often_empty(field: &FieldUse) -> Option<Finding> {
    let share = field.empty_share();
    (share >= MANY_EMPTY).then(|| {
        let place = format!("$.mapping.fields.{}", field.field);
        let severity = if share >= 1.0 { Severity::Warning } else { Severity::Note };
        let message = format!("empty in {} of {} rows ({:.1} %)", field.empty, field.of, share * 100.0);
        Finding::new(severity, place, message)
    })
}

/// What becomes of the text when it names two appointments.
fn about_two(method: ContactMethod, texts: &TextUse, limit: Option<u32>, findings: &mut Vec<Finding>) {
    let Some((size, row)) = &texts.worst_of_two else { return };
    let parts = size.count;
    let finding = if limit.is_some_and(|limit| parts > limit) {
        let message = format!(
            "with two appointments of a household the text takes {parts} parts (row {row}), more than limits.sms_segments: such \
             appointments are told one by one"
        );
        Finding::new(Severity::Warning, place(method), message)
    } else {
        let message =
            format!("with two appointments of a household the text takes up to {parts} parts (row {row})");
        Finding::new(Severity::Note, place(method), message)
    };
    findings.push(finding);
}

pub(super) fn about_texts(method: ContactMethod, texts: &TextUse, findings: &mut Vec<Finding>) {
    let place = place(method);
    if texts.without_sender > 0 {
        let message = format!(
            "{} of {} texts do not name the sender: people take them for spam",
            texts.without_sender, texts.rows
        );
        findings.push(Finding::new(Severity::Warning, place, message));
    }
    if texts.without_opt_out > 0 && method == ContactMethod::Phone {
        let message = "no key opts out: name one under \"opt_out\" and say so in the script";
        findings.push(Finding::new(Severity::Warning, "$.responses.phone", message));
    } else if texts.without_opt_out > 0 {
        let message = format!(
            "{} of {} texts do not say how to opt out, such as \"Reply STOP to opt out\"",
            texts.without_opt_out, texts.rows
        );
        findings.push(Finding::new(Severity::Warning, place, message));
    }
    if !texts.non_gsm.is_empty() {
        let characters: String = texts.non_gsm.keys().collect();
        let message = format!(
            "characters outside the GSM alphabet: {characters}; a text with one of them has parts of 70 characters instead of 160"
        );
        findings.push(Finding::new(Severity::Note, place, message));
    }
}
