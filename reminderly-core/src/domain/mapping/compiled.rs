//! A campaign whose expressions and texts are compiled.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono_tz::Tz;
use minijinja::{Environment, Error, Value};

use super::mapper::RowMapper;
use super::names::{HOUSEHOLD, Names};
use super::pipeline::Pipeline;
use super::texts::{Texts, parts};
use super::unfit_header::UnfitHeader;
use crate::domain::call::CallKind;
use crate::domain::campaign::definition::{CampaignDefinition, LocalizedText};
use crate::domain::campaign::document;
use crate::domain::campaign::problem::{InvalidCampaign, Problems, hint, member_path};
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::packet::{Packet, PacketOrigin};
use crate::domain::plan::{ContactTerms, contact_zones};
use crate::domain::row::Header;
use crate::domain::rules::{RulePack, RulePacks};
use crate::domain::template::calendar_names::CalendarNames;
use crate::domain::template::environment;
use crate::domain::template::scan::{SourceKind, scan};

/// Reads a campaign document and compiles it. It may name the rule packs of the library; a host with packs of its own uses
/// [`check_with`].
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
    check_with(json, &RulePacks::standard())
}

/// As [`check`], for a document that may name these rule packs.
///
/// # Errors
///
/// As [`check`].
pub fn check_with(json: &str, known: &RulePacks) -> Result<CompiledCampaign, InvalidCampaign> {
    let (definition, problems) = document::read(json)?;
    CompiledCampaign::compile(Arc::new(definition), known, problems)
}

/// A campaign, ready to map rows and make texts. Shared between threads.
#[derive(Debug)]
pub struct CompiledCampaign {
    pub(super) definition: Arc<CampaignDefinition>,
    /// Of expressions.
    pub(super) environment: Environment<'static>,
    pub(super) texts: Texts,
    pub(super) plans: Vec<FieldPlan>,
    pub(super) names: Arc<Names>,
    rule_packs: RulePacks,
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
            "phone" => Self::Contact(ContactMethod::Phone),
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
    /// Compiles a campaign, which may name the rule packs of the library.
    ///
    /// # Errors
    ///
    /// Every problem of its expressions and texts: faults of syntax, unknown functions, and names that no field and no
    /// constant has; and rule packs that do not exist.
    pub fn new(definition: Arc<CampaignDefinition>) -> Result<Self, InvalidCampaign> {
        Self::with_rule_packs(definition, &RulePacks::standard())
    }

    /// As [`new`](Self::new), for a campaign that may name these rule packs.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_rule_packs(
        definition: Arc<CampaignDefinition>,
        known: &RulePacks,
    ) -> Result<Self, InvalidCampaign> {
        Self::compile(definition, known, Problems::default())
    }

    fn compile(
        definition: Arc<CampaignDefinition>,
        known: &RulePacks,
        mut problems: Problems,
    ) -> Result<Self, InvalidCampaign> {
        let rule_packs = rule_packs(&definition.schedule.rule_packs, known, &mut problems);
        let names = Names::new(&definition);
        if names.has_household() {
            household_is_no_field(&definition, &mut problems);
        }
        let environment = environment(CalendarNames::English);
        let plans = plans(&definition, &names, &environment, &mut problems);
        let parts = parts(&definition);
        let mut texts = Texts::new(&definition.language, &parts);
        for part in &parts {
            let mut checked = false;
            for (language, environment) in texts.languages_mut() {
                let Some(source) = part.text.of(language) else { continue };
                let mut path = text_path(&part.name);
                if let LocalizedText::ByLanguage(_) = part.text {
                    path = member_path(&path, language.as_str());
                } else if std::mem::replace(&mut checked, true) {
                    // The same text in another language: its problems have been told.
                    environment.add_template_owned(part.name.clone(), source.to_owned()).ok();
                    continue;
                }
                add_text(environment, &names, &part.name, &path, source, &mut problems);
                if names.has_household() && part.must_name_household() {
                    must_name_household(environment, &part.name, &path, &mut problems);
                }
            }
        }
        drop(parts);
        problems.unless(Self { definition, environment, texts, plans, names: Arc::new(names), rule_packs })
    }

    /// The definition that was compiled.
    pub fn definition(&self) -> &Arc<CampaignDefinition> {
        &self.definition
    }

    /// The rule packs that the campaign names.
    pub const fn rule_packs(&self) -> &RulePacks {
        &self.rule_packs
    }

    /// What binds a message of the campaign besides its schedule. `content` is its text, if it is known: rules may limit its
    /// length.
    pub fn terms(
        &self,
        contact: &ContactPoint,
        contact_zone: Tz,
        content: Option<&Content>,
    ) -> ContactTerms<'_> {
        let zones = contact_zones(&self.definition.schedule, contact_zone, contact);
        let characters = content.filter(|_| !self.rule_packs.is_empty());
        let characters = characters.map(|content| content.text().chars().count());
        ContactTerms { zones, rules: self.rule_packs.binding(contact, self.definition.purpose, characters) }
    }

    /// The columns that the expressions read: the JSON path of each expression, and its columns in order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.plans.iter().map(|plan| (plan.path.as_str(), plan.columns.as_slice()))
    }

    /// A mapper for files with this header.
    ///
    /// # Errors
    ///
    /// The header lacks columns, or has one twice; all of them are listed.
    pub fn mapper(&self, header: &Header) -> Result<RowMapper<'_>, UnfitHeader> {
        RowMapper::new(self, header)
    }

    /// A mapper for the rows of a packet, whose header is known.
    ///
    /// # Errors
    ///
    /// The header lacks columns. That of a one-liner may.
    pub fn mapper_of(&self, packet: &Packet) -> Result<RowMapper<'_>, UnfitHeader> {
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

/// The packs of these names; those that do not exist are problems.
fn rule_packs(names: &[String], known: &RulePacks, problems: &mut Problems) -> RulePacks {
    let packs = known.iter().map(RulePack::name);
    for (position, name) in names.iter().enumerate().filter(|(_, name)| known.get(name).is_none()) {
        let hint = hint(name, packs.clone());
        let list: Vec<&str> = packs.clone().collect();
        let path = format!("$.schedule.rule_packs[{position}]");
        let message = format!("unknown rule pack \"{name}\"{hint}; there are {}", list.join(", "));
        problems.add(&path, message);
    }
    known.select(names).unwrap_or_default()
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
    path: &str,
    source: &str,
    problems: &mut Problems,
) {
    let faults = scan(source, SourceKind::Text).faults;
    for (line, message) in &faults {
        problems.add(path, format!("line {line}: {message}"));
    }
    if let Err(error) = environment.add_template_owned(part.to_owned(), source.to_owned()) {
        // What is left out on purpose needs no second sentence.
        if faults.is_empty() {
            problems.add(path, syntax_message(&error));
        }
        return;
    }
    let Ok(template) = environment.get_template(part) else { return };
    for used in template.undeclared_variables(true).into_iter().collect::<BTreeSet<_>>() {
        if let Err(message) = check_name(names, &used) {
            let name = used.split('.').next().unwrap_or_default();
            let line = 1 + source.lines().position(|line| line.contains(name)).unwrap_or_default();
            problems.add(path, format!("line {line}: {message}"));
        }
    }
}

/// With households the name is the campaign's no more.
fn household_is_no_field(definition: &CampaignDefinition, problems: &mut Problems) {
    let message =
        "with methods.household texts have the appointments of a household by this name: choose another";
    if definition.mapping.fields.contains_key(HOUSEHOLD) {
        problems.add(&format!("$.mapping.fields.{HOUSEHOLD}"), message);
    }
    if definition.constants.contains_key(HOUSEHOLD) {
        problems.add(&format!("$.constants.{HOUSEHOLD}"), message);
    }
}

/// A text that names one appointment would keep silent about the others.
fn must_name_household(environment: &Environment<'_>, part: &str, path: &str, problems: &mut Problems) {
    let Ok(template) = environment.get_template(part) else { return };
    if !template.undeclared_variables(false).contains(HOUSEHOLD) {
        let message = "must name every appointment, as methods.household is \"same_day\": \
                       {% for one in household %}{{ one.appointment_at | time('%-I:%M %p') }} {% endfor %}";
        problems.add(path, message);
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
    if name == HOUSEHOLD && names.has_household() {
        let message = || format!("\"{HOUSEHOLD}\" is a list: read it with {{% for one in {HOUSEHOLD} %}}");
        return path.next().map_or(Ok(()), |_| Err(message()));
    }
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
