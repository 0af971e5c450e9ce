//! `docs/campaign.md` shows a document that is accepted, and lists keys that are refused.

use reminderly_core::domain::mapping::check;
use serde_json::Value;

use crate::workspace::{read, table};

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

/// Sets the value at a path of names.
fn put(campaign: &mut Value, path: &str, value: Value) {
    let names = path.strip_prefix("$.").expect("a path begins at the document").split('.');
    let place = names.fold(campaign, |node, name| &mut node[name]);
    *place = value;
}
