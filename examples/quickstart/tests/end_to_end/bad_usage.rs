//! What cannot be done is said in one clear line, and leaves nothing behind.

use std::fs;

use crate::program::{Ended, bundled, directory, quickstart};

fn run(extra: &[&str]) -> (Ended, bool) {
    let directory = directory();
    let (campaign, data) = (bundled("doctor_smith.json"), bundled("doctor_smith_2026-03.csv"));
    fs::write(directory.path().join("broken.json"), r#"{"default": "deliver"}"#).unwrap();
    fs::write(
        directory.path().join("unusable.json"),
        r#"{"name": "", "time_zone": "America/Phenix", "colour": 1}"#,
    )
    .unwrap();
    let mut arguments = vec!["run", "--out", "out"];
    if !extra.contains(&"--start") {
        arguments.extend(["--start", "2026-03-02T14:00:00Z"]);
    }
    if !extra.contains(&"--campaign") {
        arguments.extend(["--campaign", campaign.to_str().unwrap()]);
    }
    if !extra.contains(&"--data") {
        arguments.extend(["--data", data.to_str().unwrap()]);
    }
    arguments.extend(extra);
    let ended = quickstart(directory.path(), arguments);
    (ended, directory.path().join("out").exists())
}

fn assert_refused(extra: &[&str], code: i32, words: &[&str]) {
    let (ended, made) = run(extra);
    assert_eq!(ended.code, Some(code), "{extra:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} in {:?}", ended.stderr);
    }
    assert!(!made, "{extra:?} left a directory");
}

#[test]
fn bad_usage_is_one_line_and_exit_code_2() {
    assert_refused(&["--colour", "red"], 2, &["--colour", "--help"]);
    assert_refused(&["--start", "monday"], 2, &["--start", "RFC 3339"]);
    assert_refused(&["--seed", "-1"], 2, &["-1"]);
    assert_refused(&["--until", "2026-03-01T00:00:00Z"], 2, &["--until"]);
    assert_refused(&["--data", "a.csv@2026-03-01T00:00:00Z"], 2, &["before the start"]);
    assert_refused(&["--data", "broken.json@tomorrow"], 2, &["broken.json", "RFC 3339"]);
    let late = ["--data", "broken.json@2026-03-09T00:00:00Z", "--until", "2026-03-05T00:00:00Z"];
    assert_refused(&late, 2, &["broken.json", "after --until"]);
    let directory = directory();
    for arguments in [vec!["run"], vec!["send"], vec!["plan", "--campaign", "c.json"]] {
        let ended = quickstart(directory.path(), &arguments);
        assert_eq!((ended.code, ended.stderr.trim_end().lines().count()), (Some(2), 1), "{}", ended.stderr);
    }
}

#[test]
fn results_do_not_replace_what_they_are_made_from() {
    let directory = directory();
    let data = directory.path().join("messages.csv");
    fs::copy(bundled("doctor_smith_2026-03.csv"), &data).unwrap();
    let before = fs::read(&data).unwrap();
    let campaign = bundled("doctor_smith.json");
    let arguments = ["run", "--campaign", campaign.to_str().unwrap(), "--data", "messages.csv", "--out", "."];
    let ended = quickstart(directory.path(), arguments);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("would overwrite messages.csv"), "{}", ended.stderr);
    assert_eq!(fs::read(&data).unwrap(), before);
}

#[test]
fn missing_files_are_named() {
    assert_refused(&["--data", "none.csv"], 1, &["none.csv", "check the path"]);
    assert_refused(&["--data", "."], 1, &["data file", "not a regular file"]);
    assert_refused(&["--campaign", "none.json"], 1, &["campaign none.json"]);
    assert_refused(&["--sandbox", "none.json"], 1, &["sandbox script none.json"]);
    assert_refused(&["--sandbox", "broken.json"], 1, &["broken.json", "line 1, column 21"]);
}

#[test]
fn an_unusable_campaign_is_answered_with_every_problem() {
    let (ended, made) = run(&["--campaign", "unusable.json"]);
    assert_eq!(ended.code, Some(1));
    let paths: Vec<&str> =
        ended.stderr.lines().skip(1).filter_map(|line| line.split_once(": ").map(|(path, _)| path)).collect();
    for path in ["$.name", "$.time_zone", "$.mapping", "$.messages", "$.schedule", "$.colour"] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    assert!(!made);
}

#[test]
fn help_explains_the_files() {
    let ended = quickstart(directory().path(), ["run", "--help"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for word in ["messages.csv", "decisions.jsonl", "--until", "contact_points", "Examples"] {
        assert!(ended.stdout.contains(word), "{word}");
    }
}
