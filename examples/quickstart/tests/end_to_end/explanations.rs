//! `explain`: why a message of an earlier run was sent, why not, and why then.

use std::fs;

use crate::all::file;
use crate::program::{csv, directory, quickstart};

fn explain(out: &std::path::Path, message: &str) -> crate::program::Ended {
    quickstart(directory().path(), ["explain", "--out", out.to_str().unwrap(), "--message", message])
}

#[test]
fn the_decisions_on_a_message_are_shown_first_to_last() {
    let out = file("doctor", "messages.csv").parent().unwrap().to_owned();
    let messages = csv(&out.join("messages.csv"));
    let cases = [
        ("status", "delivered", vec!["origin", "base_instant", "plan", "claimed", "accepted", "delivered"]),
        ("status", "cancelled", vec!["origin", "plan", "cancelled"]),
        ("reason", "superseded", vec!["origin", "plan", "skipped"]),
        ("kind", "correction", vec!["corrects what packet", "plan"]),
    ];
    for (column, value, rules) in cases {
        let message = messages.iter().find(|it| it[column] == value && it["kind"] != "follow_up").unwrap();
        let ended = explain(&out, &message["message"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.starts_with(&format!("Message {}\n", message["message"])));
        let mut rest = ended.stdout.as_str();
        for rule in rules {
            let (_, after) =
                rest.split_once(rule).unwrap_or_else(|| panic!("{value}: {rule} in {}", ended.stdout));
            rest = after;
        }
        let instants: Vec<&str> =
            ended.stdout.lines().skip(1).map(|line| line.split("  ").next().unwrap()).collect();
        assert!(instants.is_sorted(), "{}", ended.stdout);
        assert!(!ended.stdout.contains(&message["contact_point"]), "no personal data");
    }
}

#[test]
fn a_call_is_explained_by_its_ladder() {
    let out = file("internet", "messages.csv").parent().unwrap().to_owned();
    let messages = csv(&out.join("messages.csv"));
    let spared = messages.iter().find(|message| message["reason"] == "answered").unwrap();
    let ended = explain(&out, &spared["message"]);
    assert!(ended.code == Some(0) && ended.stdout.contains("answered"), "{}", ended.stdout);
}

#[test]
fn what_is_not_there_is_an_error() {
    let out = file("school", "messages.csv").parent().unwrap().to_owned();
    let unknown = "019c71d6-0000-7000-8000-000000000000";
    let ended = explain(&out, unknown);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains(unknown) && ended.stderr.contains("messages.csv"), "{}", ended.stderr);
    let ended = explain(&out, "12");
    assert_eq!((ended.code, ended.stderr.trim_end().lines().count()), (Some(2), 1), "{}", ended.stderr);
    let empty = directory();
    for missing in [empty.path().join("none"), empty.path().to_owned()] {
        let ended = explain(&missing, unknown);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains("decisions.jsonl") && ended.stderr.contains("check the path"),
            "{}",
            ended.stderr
        );
    }
    fs::write(empty.path().join("decisions.jsonl"), "no decision\n").unwrap();
    let ended = explain(empty.path(), unknown);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("line 1 is no decision"), "{}", ended.stderr);
}
