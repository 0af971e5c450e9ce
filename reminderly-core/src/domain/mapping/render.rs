//! From mapped rows to texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, Value};

use super::bound_field::value_code;
use super::clean::{clean, is_blank};
use super::compiled::CompiledCampaign;
use super::mapped_row::MappedRow;
use super::names::HouseholdValues;
use super::texts::{
    EMAIL_HTML, EMAIL_SUBJECT, EMAIL_TEXT, Group, LanguageIndex, PHONE_SCRIPT, PHONE_VOICEMAIL, SMS_TEXT,
    follow_up_part,
};
use crate::domain::campaign::definition::FollowUpTrigger;
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::language::Language;
use crate::domain::row::{RejectedRow, RowFault, RowNumber};
use crate::domain::segments::count_segments;
use crate::domain::template::function::ValueFault;
use crate::domain::template::{TemplateFault, render};

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

/// What a text is about: one row, or several of a household.
struct Shown<'r> {
    /// The first, whose fields stand at the top.
    row: &'r MappedRow,
    values: Value,
}

impl CompiledCampaign {
    /// The language in which a row's person gets the campaign's messages by a method: the one that the row names, or what
    /// stands for it.
    pub fn language_of(&self, method: ContactMethod, row: &MappedRow) -> Language {
        let index = self.texts.choice(Group::Message(method), row.texts);
        self.texts.get(index).map(|(language, _)| language.clone()).unwrap_or_default()
    }

    /// The content of a message to a row's person: the text that the row brings, or the campaign's, in the language of
    /// [`language_of`](Self::language_of).
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
        self.message(method, &self.shown(row, &[]))
    }

    /// The content of one message about several rows: the campaign's text in the language of the first, whose fields stand at the
    /// top. They are in the order of their appointments.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn render_household(
        &self,
        method: ContactMethod,
        first: &MappedRow,
        others: &[&MappedRow],
    ) -> Result<Content, RenderFault> {
        self.message(method, &self.shown(first, others))
    }

    /// Rows as texts see them. Where a campaign may name several, one is a list as well.
    fn shown<'r>(&self, row: &'r MappedRow, others: &[&MappedRow]) -> Shown<'r> {
        let values = if self.names.has_household() {
            let rows: Vec<&Value> =
                std::iter::once(row).chain(others.iter().copied()).map(|row| &row.fields).collect();
            Value::from_object(HouseholdValues::new(&rows))
        } else {
            row.fields.clone()
        };
        Shown { row, values }
    }

    fn message(&self, method: ContactMethod, row: &Shown<'_>) -> Result<Content, RenderFault> {
        let language = self.texts.choice(Group::Message(method), row.row.texts);
        match method {
            ContactMethod::Sms => self.sms(SMS_TEXT, language, row),
            ContactMethod::Email => {
                let has_html =
                    self.definition.messages.email.as_ref().is_some_and(|email| email.html.is_some());
                let html = has_html.then(|| self.part(EMAIL_HTML, language, row)).transpose()?;
                self.email(EMAIL_TEXT, html, language, row)
            }
            ContactMethod::Phone => self.call(language, row),
        }
    }

    /// The content of a follow-up after an answer, and its language; `None` if the campaign sends none. An e-mail takes the subject of the
    /// message. `others` are the further rows that the answer was about.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn render_follow_up(
        &self,
        trigger: FollowUpTrigger,
        method: ContactMethod,
        row: &MappedRow,
        others: &[&MappedRow],
    ) -> Result<Option<(Language, Content)>, RenderFault> {
        let texts = self.definition.responses.follow_up.get(&trigger);
        if texts.and_then(|texts| texts.get(&method)).is_none() {
            return Ok(None);
        }
        let part = follow_up_part(trigger, method);
        let language = self.texts.choice(Group::FollowUp(trigger, method), row.texts);
        let row = &self.shown(row, others);
        let content = match method {
            ContactMethod::Email => self.email(&part, None, language, row)?,
            ContactMethod::Sms => self.sms(&part, language, row)?,
            // Nobody is called back to be thanked; the document has no such texts.
            ContactMethod::Phone => return Ok(None),
        };
        Ok(self.texts.get(language).map(|(language, _)| (language.clone(), content)))
    }

    fn sms(&self, part: &str, language: LanguageIndex, row: &Shown<'_>) -> Result<Content, RenderFault> {
        let text = self.visible(part, language, row)?;
        let segments = count_segments(&text).count;
        Ok(Content::Sms { text: text.into(), segments })
    }

    fn call(&self, language: LanguageIndex, row: &Shown<'_>) -> Result<Content, RenderFault> {
        let spoken = |part| self.visible(part, language, row).map(Arc::from);
        let phone = self.definition.messages.phone.as_ref();
        let has_voicemail = phone.is_some_and(|phone| phone.voicemail.is_some());
        Ok(Content::Phone {
            script: spoken(PHONE_SCRIPT)?,
            voicemail: has_voicemail.then(|| spoken(PHONE_VOICEMAIL)).transpose()?,
            keys: Arc::clone(&self.definition.responses.phone),
        })
    }

    fn email(
        &self,
        part: &str,
        html: Option<String>,
        language: LanguageIndex,
        row: &Shown<'_>,
    ) -> Result<Content, RenderFault> {
        // The subject of a follow-up in a language that the e-mail lacks.
        let subjects = self.texts.choice(Group::Message(ContactMethod::Email), language);
        let subject = self.part(EMAIL_SUBJECT, subjects, row)?;
        if subject.contains(['\r', '\n']) {
            return Err(fault(
                row.row,
                EMAIL_SUBJECT,
                RowFault::TemplateFailed,
                "the subject has a line break",
            ));
        }
        let text = self.part(part, language, row)?;
        let (subject, _) = clean(&subject);
        Ok(Content::Email { subject: subject.into(), text: text.into(), html: html.map(Arc::from) })
    }

    /// A part without control and invisible characters.
    fn visible(&self, part: &str, language: LanguageIndex, row: &Shown<'_>) -> Result<String, RenderFault> {
        self.part(part, language, row).map(|text| clean(&text).0.into_owned())
    }

    /// A part in which something can be seen.
    fn part(&self, part: &str, language: LanguageIndex, row: &Shown<'_>) -> Result<String, RenderFault> {
        let missing = || fault(row.row, part, RowFault::TemplateFailed, "the campaign has no such text");
        let (_, environment) = self.texts.get(language).ok_or_else(missing)?;
        let text = render(environment, part, &row.values)
            .map_err(|cause| self.explain(environment, part, row.row, cause))?;
        if is_blank(&text) {
            return Err(fault(row.row, part, RowFault::TemplateFailed, "the text is empty"));
        }
        Ok(text)
    }

    fn explain(
        &self,
        environment: &Environment<'_>,
        part: &str,
        row: &MappedRow,
        cause: TemplateFault,
    ) -> RenderFault {
        let code = match cause {
            TemplateFault::MissingValue => RowFault::MissingValue,
            TemplateFault::Value(
                fault @ (ValueFault::Date
                | ValueFault::Serial(_)
                | ValueFault::Contact(_)
                | ValueFault::Amount),
            ) => value_code(fault),
            _ => RowFault::TemplateFailed,
        };
        let mut fault = fault(row, part, code, &cause.to_string());
        if cause == TemplateFault::MissingValue {
            let empty = empty_fields(environment, part, row);
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
}

/// The fields that a text names and the row leaves empty.
fn empty_fields(environment: &Environment<'_>, part: &str, row: &MappedRow) -> BTreeSet<String> {
    let Ok(template) = environment.get_template(part) else { return BTreeSet::new() };
    let used = template.undeclared_variables(false).into_iter();
    used.filter(|name| row.fields.get_attr(name).is_ok_and(|value| value.is_undefined())).collect()
}

fn fault(row: &MappedRow, part: &str, code: RowFault, reason: &str) -> RenderFault {
    let detail = format!("line {}: {part}: {reason}", row.line);
    RenderFault { row: row.row, column: None, code, detail }
}
