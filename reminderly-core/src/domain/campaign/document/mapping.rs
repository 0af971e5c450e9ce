//! `source`, `constants` and `mapping`: where values come from.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::definition::{Delimiter, Encoding, Mapping, Source, Vanished};
use super::super::file_pattern::FilePattern;
use super::super::problem::{Problems, is_identifier};
use super::node::Node;
use super::reader::Field;

/// The most bytes of all constants together.
const CONSTANTS_BYTES_MAX: usize = 16 * 1024;

/// The most fields of a mapping.
const FIELDS_MAX: usize = 200;

/// The most bytes of one expression.
const EXPRESSION_BYTES_MAX: usize = 4 * 1024;

/// Takes the place of an expression that has been reported.
const HARMLESS_EXPRESSION: &str = "''";

/// Names that the language of templates keeps for itself, and the row.
const RESERVED: [&str; 17] = [
    "and", "elif", "else", "endfor", "endif", "false", "for", "if", "in", "is", "loop", "none", "not", "or",
    "row", "self", "true",
];

pub(super) fn source(field: Option<Field<'_>>, problems: &mut Problems) -> Source {
    let (encoding, delimiter) = (Encoding::default(), Delimiter::default());
    let mut source = Source { file: None, encoding, delimiter, sheet: None };
    let Some(mut object) = field.and_then(|field| field.object(problems)) else { return source };
    source.file = object.optional("file").and_then(|field| field.parsed(file_pattern, problems));
    if let Some(field) = object.optional("kind") {
        // Hosts hand in files and rows alike: the word tells people only.
        field.choice(&[("upload", ()), ("api", ())], problems);
    }
    if let Some(field) = object.optional("encoding") {
        let words = Encoding::ALL.map(|encoding| (encoding.as_str(), encoding));
        source.encoding = field.choice(&words, problems).unwrap_or_default();
    }
    if let Some(field) = object.optional("delimiter") {
        source.delimiter = field.choice(DELIMITERS, problems).unwrap_or_default();
    }
    source.sheet = object.optional("sheet").and_then(|field| field.parsed(sheet_name, problems));
    object.finish(problems);
    source
}

const VANISHED: &[(&str, Vanished)] = &[("keep", Vanished::Keep), ("cancel", Vanished::Cancel)];

const DELIMITERS: &[(&str, Delimiter)] = &[
    ("auto", Delimiter::Auto),
    (",", Delimiter::Byte(b',')),
    (";", Delimiter::Byte(b';')),
    ("|", Delimiter::Byte(b'|')),
    ("\t", Delimiter::Byte(b'\t')),
];

/// The most characters of the name of a worksheet, by
/// [Excel's limits](https://support.microsoft.com/office/rename-a-worksheet-3f1f7148-ee83-404d-8ef0-9ff99fbad1f9).
const SHEET_CHARS_MAX: usize = 31;

fn sheet_name(name: &str) -> Result<String, String> {
    let fits = !name.trim().is_empty() && name.chars().count() <= SHEET_CHARS_MAX;
    let expected = || format!("expected the name of a worksheet, of 1 to {SHEET_CHARS_MAX} characters");
    fits.then(|| name.to_owned()).ok_or_else(expected)
}

fn file_pattern(pattern: &str) -> Result<FilePattern, String> {
    FilePattern::new(pattern).map_err(|error| error.to_string())
}

pub(super) fn constants(field: Option<Field<'_>>, problems: &mut Problems) -> Map<String, Value> {
    let mut constants = Map::new();
    let Some(field) = field else { return constants };
    for (name, member) in field.members(problems).unwrap_or_default() {
        if check_name(name, &member, problems) {
            duplicate_keys(&member, problems);
            constants.insert(name.to_owned(), member.node.to_value());
        }
    }
    if serde_json::to_string(&constants).map_or(0, |text| text.len()) > CONSTANTS_BYTES_MAX {
        field.fault(format!("more than {CONSTANTS_BYTES_MAX} bytes"), problems);
    }
    constants
}

fn duplicate_keys(field: &Field<'_>, problems: &mut Problems) {
    match field.node {
        Node::Object(_) => {
            for (_, member) in field.members(problems).unwrap_or_default() {
                duplicate_keys(&member, problems);
            }
        }
        Node::List(_) => {
            for item in field.list(problems).unwrap_or_default() {
                duplicate_keys(&item, problems);
            }
        }
        _ => {}
    }
}

pub(super) fn mapping(
    field: Option<Field<'_>>,
    constants: &Map<String, Value>,
    problems: &mut Problems,
) -> Mapping {
    let mut mapping = Mapping {
        key: HARMLESS_EXPRESSION.to_owned(),
        vanished: Vanished::default(),
        fields: BTreeMap::new(),
    };
    let Some(mut object) = field.and_then(|field| field.object(problems)) else { return mapping };
    if let Some(field) = object.required("key", problems) {
        mapping.key = expression(&field, problems);
    }
    if let Some(field) = object.optional("vanished") {
        mapping.vanished = field.choice(VANISHED, problems).unwrap_or_default();
    }
    if let Some(field) = object.required("fields", problems) {
        mapping.fields = fields(&field, constants, problems);
    }
    object.finish(problems);
    mapping
}

fn fields(
    field: &Field<'_>,
    constants: &Map<String, Value>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let Some(members) = field.members(problems) else { return BTreeMap::new() };
    if members.len() > FIELDS_MAX {
        field.fault(format!("more than {FIELDS_MAX} fields"), problems);
    }
    let mut fields = BTreeMap::new();
    for (name, member) in members {
        if constants.contains_key(name) {
            member.fault("a constant has the same name", problems);
        }
        if check_name(name, &member, problems) {
            fields.insert(name.to_owned(), expression(&member, problems));
        }
    }
    fields
}

fn expression(field: &Field<'_>, problems: &mut Problems) -> String {
    let Some(text) = field.text(problems) else { return HARMLESS_EXPRESSION.to_owned() };
    if text.trim().is_empty() || text.len() > EXPRESSION_BYTES_MAX {
        field.fault(format!("expected an expression of 1 to {EXPRESSION_BYTES_MAX} bytes"), problems);
        return HARMLESS_EXPRESSION.to_owned();
    }
    text.to_owned()
}

fn check_name(name: &str, field: &Field<'_>, problems: &mut Problems) -> bool {
    let reserved = RESERVED.contains(&name.to_ascii_lowercase().as_str());
    if reserved {
        field.fault("the name is a word of the template language; choose another", problems);
    } else if !is_identifier(name) {
        field.fault("expected a name of letters, digits and _ that begins with a letter", problems);
    }
    !reserved && is_identifier(name)
}
