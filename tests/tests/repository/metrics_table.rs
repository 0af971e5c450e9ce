//! `docs/observability.md` lists exactly the metrics of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::workspace::{read, root, sources, table};

const DOCUMENT: &str = "docs/observability.md";

/// The crates whose names look like metrics.
const CRATES: [&str; 6] = [
    "reminderly_core",
    "reminderly_mysql",
    "reminderly_providers",
    "reminderly_queue_memory",
    "reminderly_queue_sqs",
    "reminderly_tests",
];

#[test]
fn every_metric_is_in_the_table_and_the_other_way_round() {
    let written: BTreeSet<String> = kinds().into_keys().collect();
    let coded: BTreeSet<String> =
        ["reminderly-core/src", "reminderly-providers/src", "reminderly-queue-memory/src"]
            .into_iter()
            .flat_map(sources)
            .flat_map(|path| names(&fs::read_to_string(path).expect("a source is UTF-8")))
            .collect();
    assert!(coded.len() > 10, "the search finds metrics");
    assert_eq!(written, coded, "left: {DOCUMENT}, right: the sources below {}", root().display());
}

#[test]
fn names_tell_the_kind() {
    for (name, kind) in kinds() {
        let expected = match () {
            () if name.ends_with("_total") => "counter",
            () if name.ends_with("_seconds") => "histogram",
            () => "gauge",
        };
        assert_eq!(kind, expected, "{name}");
    }
}

/// Names and kinds of the table.
fn kinds() -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    for row in table(&read(DOCUMENT), "<!-- table: metrics -->") {
        assert_eq!(row.len(), 4, "name, kind, labels, meaning: {row:?}");
        assert!(kinds.insert(row[0].clone(), row[1].clone()).is_none(), "{} stands twice", row[0]);
    }
    kinds
}

/// The quoted names of metrics in a source.
fn names(source: &str) -> Vec<String> {
    let is_name = |text: &&str| {
        text.starts_with("reminderly_")
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && !CRATES.contains(text)
    };
    source.split('"').filter(is_name).map(str::to_owned).collect()
}
