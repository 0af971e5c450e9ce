//! Who behaves how.

use std::collections::HashMap;
use std::fmt;

use reminderly_core::domain::contact_point::{ContactPoint, EmailAddress, PhoneNumber};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::named::NamedPersona;
use super::persona::{Persona, RequestBehaviour, ScriptedReply, ScriptedReport};
use super::script_choice::{Choice, Mix};

/// Who behaves how: see the format in the docs of the [module](super). `Debug` shows no contact points.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxScript {
    #[serde(rename = "default")]
    otherwise: Choice,
    contact_points: ByAddress,
}

/// A script is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sandbox script, line {line}, column {column}: {problem}")]
pub struct ScriptError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1; 0 before the first character of the line.
    pub column: usize,
    /// What is wrong there. Quotes no key of `contact_points`, but may quote a word that stands where a name or a duration was
    /// expected.
    pub problem: String,
}

impl SandboxScript {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] if it is no JSON, has an unknown field, persona or unit, a contact point that is not in canonical form
    /// or occurs twice, or a mix without weight.
    pub fn parse(json: &str) -> Result<Self, ScriptError> {
        serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let text = error.to_string();
            let position = format!(" at line {line} column {column}");
            let problem = text.strip_suffix(&position).unwrap_or(&text).to_owned();
            ScriptError { line, column, problem }
        })
    }

    /// A script by which every contact point behaves the same, except the well-known ones.
    pub fn uniform(persona: impl Into<Persona>) -> Self {
        Self { otherwise: Choice::One(persona.into().into()), contact_points: ByAddress::default() }
    }

    /// Sets the persona of one contact point.
    #[must_use]
    pub fn with_contact_point(mut self, contact: &ContactPoint, persona: impl Into<Persona>) -> Self {
        self.contact_points.0.insert(contact.address().to_owned(), Choice::One(persona.into().into()));
        self
    }

    /// How a contact point behaves: as the script says of it, else as its well-known address says, else by default.
    pub(super) fn persona(&self, seed: u64, contact: &ContactPoint) -> std::sync::Arc<Persona> {
        if let Some(choice) = self.contact_points.0.get(contact.address()) {
            return choice.pick(seed, contact);
        }
        match NamedPersona::well_known(contact) {
            Some(name) => std::sync::Arc::new(name.into()),
            None => self.otherwise.pick(seed, contact),
        }
    }
}

impl fmt::Debug for SandboxScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxScript")
            .field("default", &self.otherwise)
            .field("contact_points", &self.contact_points.0.len())
            .finish()
    }
}

/// Choices by canonical address: an address is a number or an e-mail address, so methods cannot be mixed up.
#[derive(Clone, Default)]
struct ByAddress(HashMap<String, Choice>);

impl<'de> Deserialize<'de> for ByAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByAddressVisitor)
    }
}

struct ByAddressVisitor;

impl<'de> Visitor<'de> for ByAddressVisitor {
    type Value = ByAddress;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("personas by contact point")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ByAddress, A::Error> {
        let mut choices = HashMap::new();
        while let Some(text) = map.next_key::<String>()? {
            let address = canonical(&text).ok_or_else(|| {
                A::Error::custom(
                    "not a contact point: expected a number such as +15205550100 or an e-mail address",
                )
            })?;
            if choices.insert(address, map.next_value()?).is_some() {
                return Err(A::Error::custom("this contact point occurs twice"));
            }
        }
        Ok(ByAddress(choices))
    }
}

fn canonical(text: &str) -> Option<String> {
    if text.contains('@') {
        EmailAddress::parse(text).ok().map(|address| address.as_str().to_owned())
    } else {
        PhoneNumber::parse_stored(text).ok().map(|number| number.as_str().to_owned())
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// Told apart by hand, not as an untagged enum, which would lose the line and the column of errors.
struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = Choice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a persona, a persona or a mix")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Choice, E> {
        let name = NamedPersona::deserialize(name.into_deserializer())?;
        Ok(Choice::One(Persona::from(name).into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Choice, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
        match fields {
            Fields { mix: Some(mix), request: None, reports: None, replies: None } => Ok(Choice::Mix(mix)),
            Fields { mix: Some(_), .. } => {
                Err(A::Error::custom("a mix has no request, reports or replies of its own"))
            }
            Fields { mix: None, request, reports, replies } => {
                let (reports, replies) = (reports.unwrap_or_default(), replies.unwrap_or_default());
                Ok(Choice::One(Persona { request: request.unwrap_or_default(), reports, replies }.into()))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    mix: Option<Mix>,
    request: Option<RequestBehaviour>,
    reports: Option<Vec<ScriptedReport>>,
    replies: Option<Vec<ScriptedReply>>,
}
