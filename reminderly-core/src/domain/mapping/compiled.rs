//! A campaign whose expressions and texts are compiled.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, Error, Value};

use super::mapper::RowMapper;
use super::missing_columns::MissingColumns;
use super::names::Names;
use super::pipeline::Pipeline;
use super::render::parts;
use crate::domain::call::CallKind;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::campaign::document;
use crate::domain::campaign::problem::{InvalidCampaign, Problems, hint};
use crate::domain::contact_method::ContactMethod;
use crate::domain::packet::{Packet, PacketOrigin};
use crate::domain::row::Header;
use crate::domain::template::environment;
use crate::domain::template::scan::{SourceKind, scan};

/// Reads a campaign document and compiles it.
///
/// ```
/// use reminderly_core::domain::mapping::check;
/// use reminderly_core::domain::row::{Header, Row, RowNumber};
///
/// let campaign = check(r#"{
///     "name": "Two days out",
///     "time_zone": "America/Phoenix",
///     "mapping": {
///         "key": "row['Id']",
///         "fields": {
///             "first_name": "row['First'] | name",
///             "appointment_at": "row['When'] | datetime('%m/%d/%Y %I:%M %p')",
///             "sms": "row['Cell'] | phone('US')"
///         }
///     },
///     "messages": { "sms": { "text": "{{ first_name }}, see you {{ appointment_at | date('%a %-I:%M %p') }}." } },
///     "schedule": {
///         "send": [{ "days_before": 2 }],
///         "windows": { "default": { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "17:00" } }
///     }
/// }"#)?;
/// let header = Header(["Id", "First", "When", "Cell"].map(String::from).to_vec());
/// let mapper = campaign.mapper(&header)?;
/// let fields = ["A-1", "ANNA", "03/09/2026 09:15 AM", "(520) 555-0100"];
/// let mapped = mapper.map(&Row::new(RowNumber(1), 2, fields)).unwrap();
/// let content = campaign.render(reminderly_core::domain::contact_method::ContactMethod::Sms, &mapped)?;
/// assert_eq!(content.text(), "Anna, see you Mon 9:15 AM.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Every problem of the document, and those of its expressions and texts, as far as they can be told.
pub fn check(json: &str) -> Result<CompiledCampaign, InvalidCampaign> {
    let (definition, problems) = document::read(json)?;
    CompiledCampaign::compile(Arc::new(definition), problems)
}

/// A campaign, ready to map rows and make texts. Shared between threads.
#[derive(Debug)]
pub struct CompiledCampaign {
    pub(super) definition: Arc<CampaignDefinition>,
    pub(super) environment: Environment<'static>,
    pub(super) plans: Vec<FieldPlan>,
    pub(super) names: Arc<Names>,
}

/// How one value comes from a row.
#[derive(Debug)]
pub(super) struct FieldPlan {
    pub(super) name: String,
    path: String,
    pub(super) source: String,
    pub(super) columns: Vec<String>,
    pub(super) role: Role,
    /// Where texts find the value; the key is not for texts.
    pub(super) place: Option<usize>,
    pub(super) pipeline: Option<Pipeline>,
}

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    AppointmentAt,
    TimeZone,
    ContactTimeZone,
    Contact(ContactMethod),
    Person,
    Language,
    Methods,
    Plain,
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "appointment_at" => Self::AppointmentAt,
            "time_zone" => Self::TimeZone,
            "contact_time_zone" => Self::ContactTimeZone,
            "sms" => Self::Contact(ContactMethod::Sms),
            "email" => Self::Contact(ContactMethod::Email),
            "person" => Self::Person,
            "language" => Self::Language,
            "methods" => Self::Methods,
            _ => Self::Plain,
        }
    }

    pub(super) const fn is_contact(self) -> bool {
        matches!(self, Self::Contact(_))
    }
}

impl FieldPlan {
    /// The columns for reports.
    pub(super) fn column_list(&self) -> Option<String> {
        (!self.columns.is_empty()).then(|| self.columns.join(" + "))
    }
}

impl CompiledCampaign {
    /// Compiles a campaign.
    ///
    /// # Errors
    ///
    /// Every problem of its expressions and texts: faults of syntax, unknown functions, and names that no field and no
    /// constant has.
    pub fn new(definition: Arc<CampaignDefinition>) -> Result<Self, InvalidCampaign> {
        Self::compile(definition, Problems::default())
    }

    fn compile(definition: Arc<CampaignDefinition>, mut problems: Problems) -> Result<Self, InvalidCampaign> {
        let names = Names::new(&definition);
        let mut environment = environment();
        let plans = plans(&definition, &names, &environment, &mut problems);
        for part in parts(&definition) {
            add_text(&mut environment, &names, &part.name, part.source, &mut problems);
        }
        problems.unless(Self { definition, environment, plans, names: Arc::new(names) })
    }

    /// The definition that was compiled.
    pub fn definition(&self) -> &Arc<CampaignDefinition> {
        &self.definition
    }

    /// The columns that the expressions read: the JSON path of each expression, and its columns in order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.plans.iter().map(|plan| (plan.path.as_str(), plan.columns.as_slice()))
    }

    /// A mapper for files with this header.
    ///
    /// # Errors
    ///
    /// The header lacks columns; all of them are listed.
    pub fn mapper(&self, header: &Header) -> Result<RowMapper<'_>, MissingColumns> {
        RowMapper::new(self, header)
    }

    /// A mapper for the rows of a packet, whose header is known.
    ///
    /// # Errors
    ///
    /// The header lacks columns. That of a one-liner may.
    pub fn mapper_of(&self, packet: &Packet) -> Result<RowMapper<'_>, MissingColumns> {
        match packet.origin {
            PacketOrigin::OnDemand { kind: CallKind::OneLiner, .. } => {
                Ok(RowMapper::of_one_liner(self, &packet.ingest.header))
            }
            PacketOrigin::OnDemand { kind: CallKind::Rows, .. }
            | PacketOrigin::File { .. }
            | PacketOrigin::FollowUp => self.mapper(&packet.ingest.header),
        }
    }
}

fn plans(
    definition: &CampaignDefinition,
    names: &Names,
    environment: &Environment<'static>,
    problems: &mut Problems,
) -> Vec<FieldPlan> {
    let key = ("key", "$.mapping.key".to_owned(), definition.mapping.key.as_str(), Role::Key);
    let fields = definition.mapping.fields.iter().map(|(name, source)| {
        (name.as_str(), format!("$.mapping.fields.{name}"), source.as_str(), Role::of(name))
    });
    let mut plans = Vec::new();
    for (name, path, source, role) in std::iter::once(key).chain(fields) {
        let scan = scan(source, SourceKind::Expression);
        for (_, message) in &scan.faults {
            problems.add(&path, message.as_str());
        }
        match environment.compile_expression_owned(source.to_owned()) {
            Err(error) => problems.add(&path, syntax_message(&error)),
            Ok(expression) => {
                let foreign: BTreeSet<_> =
                    expression.undeclared_variables(false).into_iter().filter(|name| name != "row").collect();
                for name in foreign {
                    problems
                        .add(&path, format!("unknown name \"{name}\": expressions read row['Column'] only"));
                }
            }
        }
        if role == Role::AppointmentAt
            && source != "''"
            && !scan.functions.iter().any(|used| used == "datetime")
        {
            problems.add(&path, "the format must be declared: pipe it through datetime('…')");
        }
        // The key has no name in texts, even if a field is called so.
        let place = if role == Role::Key { None } else { names.field(name) };
        let pipeline = Pipeline::parse(source, &scan.columns);
        let (name, source) = (name.to_owned(), source.to_owned());
        plans.push(FieldPlan { name, path, source, columns: scan.columns, role, place, pipeline });
    }
    plans
}

fn add_text(
    environment: &mut Environment<'static>,
    names: &Names,
    part: &str,
    source: &str,
    problems: &mut Problems,
) {
    let path = text_path(part);
    let faults = scan(source, SourceKind::Text).faults;
    for (line, message) in &faults {
        problems.add(&path, format!("line {line}: {message}"));
    }
    if let Err(error) = environment.add_template_owned(part.to_owned(), source.to_owned()) {
        // What is left out on purpose needs no second sentence.
        if faults.is_empty() {
            problems.add(&path, syntax_message(&error));
        }
        return;
    }
    let Ok(template) = environment.get_template(part) else { return };
    for used in template.undeclared_variables(true).into_iter().collect::<BTreeSet<_>>() {
        if let Err(message) = check_name(names, &used) {
            let name = used.split('.').next().unwrap_or_default();
            let line = 1 + source.lines().position(|line| line.contains(name)).unwrap_or_default();
            problems.add(&path, format!("line {line}: {message}"));
        }
    }
}

/// The JSON path of a part, whose name says it.
fn text_path(part: &str) -> String {
    if part.starts_with("follow_up.") { format!("$.responses.{part}") } else { format!("$.messages.{part}") }
}

fn syntax_message(error: &Error) -> String {
    let detail = error.detail().unwrap_or("cannot be compiled");
    error.line().map_or_else(|| detail.to_owned(), |line| format!("line {line}: {detail}"))
}

/// Whether a row has what a text names: a field, or a constant with its members.
fn check_name(names: &Names, used: &str) -> Result<(), String> {
    let mut path = used.split('.');
    let name = path.next().unwrap_or_default();
    if names.field(name).is_some() {
        let message = || format!("the field \"{name}\" is one value and has no members");
        return path.next().map_or(Ok(()), |_| Err(message()));
    }
    let Some(constant) = names.constant(name) else {
        let hint = hint(name, names.all());
        return Err(format!("neither the mapping nor the constants make \"{name}\"{hint}"));
    };
    let mut value: Value = constant.clone();
    for member in path {
        value = value.get_attr(member).unwrap_or_default();
        if value.is_undefined() {
            return Err(format!("the constant \"{name}\" has no \"{member}\""));
        }
    }
    Ok(())
}
