//! From mapped rows to texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::clean::clean;
use super::compiled::CompiledCampaign;
use super::mapped_row::MappedRow;
use crate::domain::campaign::definition::{CampaignDefinition, FollowUpTrigger};
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::row::{RejectedRow, RowFault, RowNumber};
use crate::domain::segments::count_segments;
use crate::domain::template::function::ValueFault;
use crate::domain::template::{TemplateFault, render};

const SMS_TEXT: &str = "sms.text";
const EMAIL_SUBJECT: &str = "email.subject";
const EMAIL_TEXT: &str = "email.text";
const EMAIL_HTML: &str = "email.html";

/// A text of a campaign: the name is its path below `messages` or `responses`.
pub(super) struct Part<'d> {
    pub(super) name: String,
    pub(super) source: &'d str,
}

/// Every text of a campaign.
pub(super) fn parts(definition: &CampaignDefinition) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut add = |name: &str, source| parts.push(Part { name: name.to_owned(), source });
    if let Some(sms) = &definition.messages.sms {
        add(SMS_TEXT, sms.text.as_str());
    }
    if let Some(email) = &definition.messages.email {
        add(EMAIL_SUBJECT, email.subject.as_str());
        add(EMAIL_TEXT, email.text.as_str());
        if let Some(html) = &email.html {
            add(EMAIL_HTML, html);
        }
    }
    for (trigger, texts) in &definition.responses.follow_up {
        for (method, text) in texts {
            add(&follow_up_part(*trigger, *method), text);
        }
    }
    parts
}

/// Why a row's text could not be made. Never carries a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RenderFault {
    /// The position of the row.
    pub row: RowNumber,
    /// The columns behind the fields that the text lacks, joined by ` + `.
    pub column: Option<String>,
    /// What is wrong, for machines.
    pub code: RowFault,
    /// What is wrong, for people; begins with the line of the file.
    pub detail: String,
}

impl From<RenderFault> for RejectedRow {
    fn from(fault: RenderFault) -> Self {
        Self { row: fault.row, column: fault.column, code: fault.code, detail: fault.detail }
    }
}

impl CompiledCampaign {
    /// The content of a message to a row's person: the text that the row brings, or the campaign's.
    ///
    /// # Errors
    ///
    /// The text shows an empty field, grows beyond its limits, comes out empty, or has a line break in its subject; or the
    /// campaign has no text for the method.
    pub fn render(&self, method: ContactMethod, row: &MappedRow) -> Result<Content, RenderFault> {
        if let Some(content) = &row.content {
            // A row with a text of its own has one method.
            return Ok(content.clone());
        }
        match method {
            ContactMethod::Sms => self.sms(SMS_TEXT, row),
            ContactMethod::Email => {
                let has_html =
                    self.definition.messages.email.as_ref().is_some_and(|email| email.html.is_some());
                let html = has_html.then(|| self.part(EMAIL_HTML, row)).transpose()?;
                self.email(EMAIL_TEXT, html, row)
            }
            ContactMethod::Phone => {
                Err(fault(row, "phone", RowFault::TemplateFailed, "the campaign has no such text"))
            }
        }
    }

    /// The content of a follow-up after an answer; `None` if the campaign sends none. An e-mail takes the subject of the
    /// message.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn render_follow_up(
        &self,
        trigger: FollowUpTrigger,
        method: ContactMethod,
        row: &MappedRow,
    ) -> Result<Option<Content>, RenderFault> {
        let texts = self.definition.responses.follow_up.get(&trigger);
        if texts.and_then(|texts| texts.get(&method)).is_none() {
            return Ok(None);
        }
        let part = follow_up_part(trigger, method);
        match method {
            ContactMethod::Email => self.email(&part, None, row).map(Some),
            ContactMethod::Sms | ContactMethod::Phone => self.sms(&part, row).map(Some),
        }
    }

    fn sms(&self, part: &str, row: &MappedRow) -> Result<Content, RenderFault> {
        let text = self.part(part, row)?;
        let (text, _) = clean(&text);
        let segments = count_segments(&text).count;
        Ok(Content::Sms { text: Arc::from(text.as_ref()), segments })
    }

    fn email(&self, part: &str, html: Option<String>, row: &MappedRow) -> Result<Content, RenderFault> {
        let subject = self.part(EMAIL_SUBJECT, row)?;
        if subject.contains(['\r', '\n']) {
            return Err(fault(row, EMAIL_SUBJECT, RowFault::TemplateFailed, "the subject has a line break"));
        }
        let text = self.part(part, row)?;
        let (subject, _) = clean(&subject);
        Ok(Content::Email { subject: subject.into(), text: text.into(), html: html.map(Arc::from) })
    }

    /// A part that is not blank.
    fn part(&self, part: &str, row: &MappedRow) -> Result<String, RenderFault> {
        let text =
            render(&self.environment, part, &row.fields).map_err(|cause| self.explain(part, row, cause))?;
        if text.trim().is_empty() {
            return Err(fault(row, part, RowFault::TemplateFailed, "the text is empty"));
        }
        Ok(text)
    }

    fn explain(&self, part: &str, row: &MappedRow, cause: TemplateFault) -> RenderFault {
        let code = match cause {
            TemplateFault::MissingValue => RowFault::MissingValue,
            TemplateFault::Value(ValueFault::Date) => RowFault::InvalidDate,
            TemplateFault::Value(ValueFault::Contact(_) | ValueFault::Amount) => RowFault::InvalidValue,
            _ => RowFault::TemplateFailed,
        };
        let mut fault = fault(row, part, code, &cause.to_string());
        if cause == TemplateFault::MissingValue {
            let empty = self.empty_fields(part, row);
            let columns: Vec<_> = self
                .plans
                .iter()
                .filter(|plan| empty.contains(&plan.name) && plan.place.is_some())
                .flat_map(|plan| &plan.columns)
                .map(String::as_str)
                .collect();
            fault.column = (!columns.is_empty()).then(|| columns.join(" + "));
            if !empty.is_empty() {
                let names: Vec<_> = empty.into_iter().collect();
                fault.detail = format!("{}: {}", fault.detail, names.join(", "));
            }
        }
        fault
    }

    /// The fields that a text names and the row leaves empty.
    fn empty_fields(&self, part: &str, row: &MappedRow) -> BTreeSet<String> {
        let Ok(template) = self.environment.get_template(part) else { return BTreeSet::new() };
        let used = template.undeclared_variables(false).into_iter();
        used.filter(|name| row.fields.get_attr(name).is_ok_and(|value| value.is_undefined())).collect()
    }
}

fn fault(row: &MappedRow, part: &str, code: RowFault, reason: &str) -> RenderFault {
    let detail = format!("line {}: {part}: {reason}", row.line);
    RenderFault { row: row.row, column: None, code, detail }
}

fn follow_up_part(trigger: FollowUpTrigger, method: ContactMethod) -> String {
    let trigger = match trigger {
        FollowUpTrigger::Confirm => "confirm",
        FollowUpTrigger::Cancel => "cancel",
        FollowUpTrigger::Reschedule => "reschedule",
        FollowUpTrigger::Unclear => "unclear",
        FollowUpTrigger::Help => "help",
    };
    format!("follow_up.{trigger}.{method}")
}
