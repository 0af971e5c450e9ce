//! `docs/campaign.md` shows a document that is accepted, and lists keys that are refused.

use std::collections::BTreeSet;

use reminderly_core::domain::mapping::check;
use serde_json::Value;

use crate::workspace::{list, read, sources, table};

const DOCUMENT: &str = "docs/campaign.md";

fn example() -> Value {
    let document = read(DOCUMENT);
    let (_, rest) = document.split_once("```json\n").expect("the document has an example");
    let (json, _) = rest.split_once("```").expect("the example ends");
    serde_json::from_str(json).expect("the example is JSON")
}

#[test]
fn the_example_is_accepted() {
    if let Err(invalid) = check(&example().to_string()) {
        panic!("{invalid}");
    }
}

#[test]
fn every_listed_key_of_a_later_release_is_refused_with_its_path() {
    let mut refused = 0;
    for row in table(&read(DOCUMENT), "<!-- table: refused -->") {
        let (path, value) = (&row[0], serde_json::from_str(&row[1]).expect("the value is JSON"));
        let mut campaign = example();
        put(&mut campaign, path, value);
        let invalid = check(&campaign.to_string()).expect_err(path);
        let named = invalid.problems.iter().find(|problem| problem.path == *path);
        let problem = named.unwrap_or_else(|| panic!("{path} is not named: {invalid}"));
        assert!(problem.message.contains("not supported by this release"), "{problem}");
        refused += 1;
    }
    assert!(refused > 0, "the table was read");
}

/// The paths of the table of keys. `.cancel` stands for the same place as the path before it, `….days` for a place in the row
/// before.
fn listed_keys() -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut parent = String::new();
    for row in table(&read(DOCUMENT), "## Keys") {
        for key in list(&row[0]) {
            let path = match (key.strip_prefix("….").or(key.strip_prefix('.')), keys.last()) {
                (Some(name), Some(last)) if key.starts_with('.') => {
                    format!("{}.{name}", last.rsplit_once('.').expect("a place").0)
                }
                (Some(name), _) => format!("{parent}.{name}"),
                (None, _) => key.to_owned(),
            };
            keys.push(path);
        }
        if !row[0].starts_with('…') {
            parent.clone_from(keys.last().expect("a key"));
        }
    }
    keys
}

/// Whether the reader of documents has never heard of a key.
fn is_unknown(path: &str) -> bool {
    let mut campaign = example();
    let mut place = &mut campaign;
    for name in path.split('.') {
        let (name, in_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        place = &mut place[name];
        if in_list {
            *place = Value::Array(vec![Value::Null]);
            place = &mut place[0];
        }
    }
    *place = Value::Bool(true);
    let problems = check(&campaign.to_string()).err().map_or_else(Vec::new, |invalid| invalid.problems);
    let path = format!("$.{}", path.replace("[]", "[0]"));
    problems.iter().any(|problem| problem.path == path && problem.message.starts_with("unknown key"))
}

#[test]
fn every_listed_key_is_known() {
    let keys = listed_keys();
    assert!(keys.len() > 50, "the table was read: {keys:?}");
    let unknown: Vec<&String> = keys.iter().filter(|key| is_unknown(key)).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    for key in ["sender", "schedule.send[].days", "schedule.windows.sms.until", "messages.phone.retry.never"]
    {
        assert!(is_unknown(key), "{key}");
    }
}

/// What the sources ask a document for, by name: `optional("file")` and the like.
#[test]
fn every_key_that_is_read_is_listed() {
    let document = read(DOCUMENT);
    let mut rows = table(&document, "## Keys");
    rows.extend(table(&document, "<!-- table: refused -->"));
    let is_part = |c: char| !(c.is_alphanumeric() || c == '_');
    let names: BTreeSet<&str> =
        rows.iter().flat_map(|row| &row[..2]).flat_map(|cell| cell.split(is_part)).collect();
    let directory = "reminderly-core/src/domain/campaign";
    let mut asked = BTreeSet::new();
    for path in sources(directory) {
        let source = read(&path);
        for call in ["optional(", "required(", "required_text(&mut object, ", "refuse_unless("] {
            let arguments = source.split(call).skip(1).filter_map(|rest| rest.strip_prefix('"'));
            asked.extend(arguments.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    assert!(asked.len() > 45, "the sources were read: {asked:?}");
    let unlisted: Vec<&String> = asked.iter().filter(|name| !names.contains(name.as_str())).collect();
    assert_eq!(unlisted, Vec::<&String>::new());
}

/// Sets the value at a path of names.
fn put(campaign: &mut Value, path: &str, value: Value) {
    let names = path.strip_prefix("$.").expect("a path begins at the document").split('.');
    let place = names.fold(campaign, |node, name| &mut node[name]);
    *place = value;
}
