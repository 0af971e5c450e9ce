//! `docs/rule-packs.md` lists every rule of every pack, and shows a pack that can be read.

use std::collections::BTreeSet;

use reminderly_core::domain::rules::{RulePack, RulePacks};

use crate::workspace::read;

const DOCUMENT: &str = "docs/rule-packs.md";

#[test]
fn every_rule_is_listed_with_its_source() {
    let document = read(DOCUMENT);
    let packs = RulePacks::standard();
    let mut listed = 0;
    for pack in packs.iter() {
        let (_, section) = document
            .split_once(&format!("### `{}`", pack.name()))
            .unwrap_or_else(|| panic!("{}", pack.name()));
        let section = section.split("\n##").next().unwrap_or_default();
        let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
        let named: BTreeSet<&str> = rows.iter().filter_map(|row| row.split('`').nth(1)).collect();
        let known: BTreeSet<&str> = pack.rules().iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(named, known, "{}", pack.name());
        for rule in pack.rules() {
            let row = rows.iter().find(|row| row.contains(&format!("| `{}` |", rule.id))).expect("a row");
            assert!(row.contains(&rule.source), "{}/{}: {}", pack.name(), rule.id, rule.source);
            let from = rule.from.map(|from| format!("since {from}"));
            assert!(from.is_none_or(|from| row.contains(&from)), "{}/{}", pack.name(), rule.id);
        }
        listed += rows.len();
    }
    assert!(listed > 25, "the tables were read: {listed}");
}

#[test]
fn the_example_is_a_pack() {
    let document = read(DOCUMENT);
    let (_, rest) = document.split_once("```json\n").expect("the document has an example");
    let (json, _) = rest.split_once("```").expect("the example ends");
    let pack: RulePack = serde_json::from_str(json).expect("the example is a pack");
    assert_eq!(pack.rules().len(), 1);
}
