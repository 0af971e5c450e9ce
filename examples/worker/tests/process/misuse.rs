//! What is wrong is said, with its place and what to do, and without secrets.

use std::fs;
use std::process::Output;

use crate::site::{CONFIGURATION, Site};

/// Nobody listens there.
const NOWHERE: &str = "mysql://root:hush@127.0.0.1:1/reminderly";

fn said(output: &Output) -> String {
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("hush"), "{said}");
    said
}

#[test]
fn a_configuration_that_is_not_there() {
    let site = Site::new(NOWHERE);
    fs::remove_file(site.path().join("worker.toml")).expect("removed");
    let said = said(&site.worker(&[]));
    assert!(said.contains("worker.toml cannot be read"), "{said}");
}

#[test]
fn a_configuration_that_is_not_understood() {
    let site = Site::new(NOWHERE);
    for (wrong, place, what) in [
        ("[database]\nurl = \"hush", "worker.toml:2:", "string"),
        ("deployment = \"test\"\nurl = \"hush\"\n", "worker.toml:2:1", "unknown field"),
        (
            &CONFIGURATION.replace("tick_seconds = 1", "tick_seconds = \"hush\""),
            "worker.toml:9:16",
            "expected u64",
        ),
        ("database = \"mysql://root:hush@localhost/reminderly\"", "worker.toml:1:12", "expected struct"),
        (&CONFIGURATION.replace("tick_seconds = 1", "tick_seconds = 0"), "tick_seconds", "from 1 to 3600"),
        (&CONFIGURATION.replace("019ac000-", ""), "worker.toml:", "UUID"),
    ] {
        site.configure(wrong);
        let said = said(&site.worker(&[]));
        assert!(said.contains(place) && said.contains(what), "{wrong}: {said}");
    }
}

#[test]
fn a_database_that_does_not_answer() {
    let site = Site::new(NOWHERE);
    let said = said(&site.worker(&["--log", "off"]));
    assert!(said.contains("the database 127.0.0.1:1/reminderly cannot be used"), "{said}");
}

#[test]
fn a_url_that_is_none() {
    let said = said(&Site::new("postgres://root:hush@localhost/reminderly").worker(&[]));
    assert!(said.contains("REMINDERLY_DATABASE_URL") && said.contains("mysql://"), "{said}");
}

#[test]
fn help_says_how_to_begin() {
    let output = Site::new(NOWHERE).worker(&["--help"]);
    let said = String::from_utf8_lossy(&output.stdout);
    for word in ["--init", "--status", "REMINDERLY_DATABASE_URL", "SIGTERM"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}
