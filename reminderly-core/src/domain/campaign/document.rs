//! From the JSON text of a campaign to its definition.

mod mapping;
mod messages;
mod node;
mod reader;
mod responses;
mod schedule;
#[cfg(test)]
mod tests;
mod texts;
mod values;

use chrono_tz::Tz;

use self::node::Node;
use self::reader::{Field, ObjectReader};
use super::definition::{AnswersUse, CampaignDefinition, HouseholdUse, Purpose, UnknownOutcome, Vanished};
use super::problem::{InvalidCampaign, Problems};
use crate::domain::language::Language;

/// The largest campaign document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// The longest name of a campaign, in characters.
pub const NAME_CHARS_MAX: usize = 200;

/// Reads a campaign document: its shape and single values. Its expressions and texts are not compiled; `check` of
/// [`crate::domain::mapping`] does both.
///
/// ```
/// use reminderly_core::domain::campaign::document::parse;
///
/// let invalid = parse(r#"{ "name": "Recall", "time_zone": "America/Phenix" }"#).unwrap_err();
/// let zone = invalid.problems.iter().find(|problem| problem.path == "$.time_zone").unwrap();
/// assert!(zone.message.contains("America/Phoenix"));
/// ```
///
/// # Errors
///
/// Every problem that was found, with its JSON path. Text that is no JSON is the one problem of `$`, with line and column.
pub fn parse(json: &str) -> Result<CampaignDefinition, InvalidCampaign> {
    let (definition, problems) = read(json)?;
    problems.unless(definition)
}

/// Reads as far as possible: values that cannot be used are replaced by harmless ones, so that what depends on the others
/// can still be checked.
///
/// # Errors
///
/// The text is no JSON object.
pub(crate) fn read(json: &str) -> Result<(CampaignDefinition, Problems), InvalidCampaign> {
    let mut problems = Problems::default();
    let root = match syntax(json) {
        Ok(root) => root,
        Err(message) => {
            problems.add("$", message);
            return Err(problems.into());
        }
    };
    let Some(mut document) = Field::root(&root).object(&mut problems) else { return Err(problems.into()) };
    let definition = definition(&mut document, &mut problems);
    document.finish(&mut problems);
    Ok((definition, problems))
}

fn syntax(json: &str) -> Result<Node, String> {
    if json.len() > DOCUMENT_BYTES_MAX {
        return Err(format!("the document has more than {DOCUMENT_BYTES_MAX} bytes"));
    }
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"))
}

fn definition(document: &mut ObjectReader<'_>, problems: &mut Problems) -> CampaignDefinition {
    let name = document.required("name", problems).and_then(|field| name(&field, problems));
    let sender_name = document.optional("sender_name").and_then(|field| self::name(&field, problems));
    let zone =
        document.required("time_zone", problems).and_then(|field| field.parsed(values::zone, problems));
    let language =
        document.optional("language").and_then(|field| field.parsed(str::parse::<Language>, problems));
    let language = language.unwrap_or_default();
    let purpose = document.optional("purpose").and_then(|field| field.choice(PURPOSES, problems));
    let source = mapping::source(document.optional("source"), problems);
    let constants = mapping::constants(document.optional("constants"), problems);
    let mapping = mapping::mapping(document.required("mapping", problems), &constants, problems);
    let messages = messages::messages(document.required("messages", problems), &language, problems);
    let methods = messages::methods(document.optional("methods"), &messages, &mapping, problems);
    let schedule = schedule::schedule(document.required("schedule", problems), &methods.order, problems);
    if !schedule.is_on_demand() && !mapping.fields.contains_key("appointment_at") {
        problems.add("$.mapping.fields.appointment_at", "is required, unless schedule.send is \"now\"");
    }
    if schedule.is_on_demand() && mapping.vanished == Vanished::Cancel {
        let message = "what is sent \"now\" is not compared with other files; leave \"cancel\" out";
        problems.add("$.mapping.vanished", message);
    }
    if schedule.is_on_demand() && methods.household == HouseholdUse::SameDay {
        let message =
            "what is sent \"now\" goes row by row; leave it out, or plan by entries of schedule.send";
        problems.add("$.methods.household", message);
    }
    let goes_late = !schedule.is_on_demand() && schedule.max_lateness.is_some();
    if methods.answers_model == AnswersUse::Order && !goes_late {
        let message = "\"order\" needs schedule.max_lateness, within which it chooses the hour, and entries that are not \"now\"";
        problems.add("$.methods.answers_model", message);
    }
    let responses = responses::responses(document.optional("responses"), &messages, &language, problems);
    let limits = responses::limits(document.optional("limits"), problems);
    let unknown_outcome = document.optional("unknown_outcome").and_then(|field| unknown(&field, problems));
    CampaignDefinition {
        name: name.unwrap_or_default(),
        sender_name,
        time_zone: zone.unwrap_or(Tz::UTC),
        language,
        purpose: purpose.unwrap_or(Purpose::CareReminder),
        source,
        constants,
        mapping,
        messages,
        schedule,
        methods,
        responses,
        limits,
        unknown_outcome: unknown_outcome.unwrap_or_default(),
    }
}

const PURPOSES: &[(&str, Purpose)] = &[
    ("care_reminder", Purpose::CareReminder),
    ("informational", Purpose::Informational),
    ("marketing", Purpose::Marketing),
];

fn name(field: &Field<'_>, problems: &mut Problems) -> Option<String> {
    let name = field.text(problems)?.trim();
    let usable = !name.is_empty()
        && !name.chars().any(char::is_control)
        && name.chars().take(NAME_CHARS_MAX + 1).count() <= NAME_CHARS_MAX;
    if !usable {
        field.fault(format!("expected one line of 1 to {NAME_CHARS_MAX} characters"), problems);
    }
    usable.then(|| name.to_owned())
}

fn unknown(field: &Field<'_>, problems: &mut Problems) -> Option<UnknownOutcome> {
    if matches!(field.node, Node::Text(text) if text == "key_retry") {
        field.fault(format!("{}: none of its providers keeps idempotency keys", reader::LATER), problems);
        return None;
    }
    let choices = [
        ("hold", UnknownOutcome::Hold),
        ("resolve_then_hold", UnknownOutcome::ResolveThenHold),
        ("resolve_then_resend_once", UnknownOutcome::ResolveThenResendOnce),
    ];
    field.choice(&choices, problems)
}
