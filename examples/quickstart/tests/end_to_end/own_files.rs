//! The user's own files: several of them, later ones, cut-off runs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json as value};

use crate::program::{Ended, assert_closes, bundled, csv, directory, instant, json, quickstart};

const HEADER: &str = "Appt ID,Patient ID,First Name,Cell,E-mail,Date,Time,Zone\n";
const MONDAY: &str =
    "A-1,P-1,Ann,(602) 555-0150,,03/04/2026,09:30 AM,\nA-2,P-2,Bob,,bob@example.org,03/06/2026,09:30 AM,\n";
const TUESDAY: &str = "B-1,P-3,Cy,(602) 555-0151,,03/05/2026,02:30 PM,\nB-2,P-4,,,,03/06/2026,09:30 AM,\n";

fn run(directory: &Path, extra: &[&str]) -> Ended {
    let campaign = bundled("doctor_smith.json");
    let arguments =
        ["run", "--campaign", campaign.to_str().unwrap(), "--out", "out", "--start", "2026-03-02T14:00:00Z"];
    quickstart(directory, arguments.iter().chain(extra))
}

fn summary(directory: &Path) -> Value {
    json(&directory.join("out/summary.json"))
}

#[test]
fn a_file_may_arrive_later_and_have_an_at_sign_in_its_name() {
    let directory = directory();
    let path = directory.path();
    fs::write(path.join("smith@work.csv"), HEADER.to_owned() + MONDAY).unwrap();
    fs::write(path.join("tuesday.csv"), HEADER.to_owned() + TUESDAY).unwrap();
    let ended = run(path, &["--data", "tuesday.csv@2026-03-03T15:00:00Z", "--data", "smith@work.csv"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_closes(&summary(path));
    let names: Vec<_> =
        summary(path)["files"].as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
    assert_eq!(names, ["smith@work.csv", "tuesday.csv"]);
    let arrival = instant("2026-03-03T15:00:00Z");
    for message in csv(&path.join("out/messages.csv")) {
        let late = message["key"].starts_with("B-") && !message["sent_at"].is_empty();
        assert!(!late || instant(&message["sent_at"]) >= arrival);
    }
}

#[test]
fn files_of_one_name_are_told_apart_by_their_paths() {
    let directory = directory();
    let path = directory.path();
    for (folder, data) in [("monday", MONDAY), ("tuesday", TUESDAY)] {
        fs::create_dir(path.join(folder)).unwrap();
        fs::write(path.join(folder).join("visits.csv"), format!("{HEADER}{data}{folder},too,few\n")).unwrap();
    }
    let ended = run(path, &["--data", "tuesday/visits.csv", "--data", "monday/visits.csv"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let rejected = csv(&path.join("out/rejected.csv"));
    let found: Vec<_> =
        rejected.iter().map(|row| [&*row["file"], &*row["row"], &*row["code"]].join(":")).collect();
    let expected = ["tuesday/visits.csv:3:field_count", "monday/visits.csv:3:field_count"];
    assert_eq!(found, expected);
    let summary = summary(path);
    let names: Vec<_> =
        summary["files"].as_array().unwrap().iter().map(|file| file["name"].clone()).collect();
    assert_eq!(names, ["tuesday/visits.csv", "monday/visits.csv"]);
}

#[test]
fn a_declared_delimiter_that_is_not_the_files_is_told_in_words() {
    let directory = directory();
    let path = directory.path();
    let campaign = fs::read_to_string(bundled("doctor_smith.json")).unwrap();
    let mut campaign: Value = serde_json::from_str(&campaign).unwrap();
    campaign["source"]["delimiter"] = ",".into();
    fs::write(path.join("commas.json"), campaign.to_string()).unwrap();
    campaign["source"]["delimiter"] = "x".into();
    fs::write(path.join("unknown.json"), campaign.to_string()).unwrap();
    fs::write(path.join("tabs.tsv"), (HEADER.to_owned() + MONDAY).replace(',', "\t")).unwrap();
    let ended = quickstart(path, ["run", "--campaign", "commas.json", "--data", "tabs.tsv", "--out", "out"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("the header is one column with tabs in it"), "{}", ended.stderr);
    let refused =
        quickstart(path, ["run", "--campaign", "unknown.json", "--data", "tabs.tsv", "--out", "no"]);
    let words = "$.source.delimiter: expected one of \"auto\", \",\", \";\", \"|\", \"\\t\"";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert!(!ended.stderr.contains('\t') && !refused.stderr.contains('\t'));
}

#[test]
fn the_same_content_is_loaded_once() {
    let directory = directory();
    let path = directory.path();
    fs::write(path.join("a.csv"), HEADER.to_owned() + MONDAY).unwrap();
    fs::copy(path.join("a.csv"), path.join("b.csv")).unwrap();
    let ended = run(path, &["--data", "a.csv", "--data", "b.csv@2026-03-03T00:00:00Z"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("b.csv has the content of a.csv"), "{}", ended.stderr);
    assert_eq!(summary(path)["counts"]["rows"]["read"], 2);
}

#[test]
fn until_cuts_the_run() {
    let directory = directory();
    let path = directory.path();
    fs::write(path.join("a.csv"), HEADER.to_owned() + MONDAY).unwrap();
    let ended = run(path, &["--data", "a.csv", "--until", "2026-03-03T00:00:00Z"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let summary = summary(path);
    assert_closes(&summary);
    assert_eq!(summary["end"], "2026-03-03T00:00:00Z");
    assert!(summary["counts"]["open"].as_u64().unwrap() > 0);
    let cut = instant("2026-03-03T00:00:00Z");
    let accepted = csv(&path.join("out/accepted.csv"));
    assert!(!accepted.is_empty() && accepted.iter().all(|request| instant(&request["at"]) <= cut));
}

#[test]
fn an_unusable_file_does_not_hold_up_the_others() {
    let directory = directory();
    let path = directory.path();
    fs::write(path.join("good.csv"), HEADER.to_owned() + MONDAY).unwrap();
    fs::write(path.join("other.csv"), "Name,Number\nAnn,1\n").unwrap();
    let ended = run(path, &["--data", "other.csv", "--data", "good.csv"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("data file other.csv") && ended.stderr.contains("Appt ID"),
        "{}",
        ended.stderr
    );
    let summary = summary(path);
    assert_eq!(summary["packets"][0]["stage"], "failed");
    assert_eq!(summary["packets"][1]["stage"], "complete");
    assert!(csv(&path.join("out/messages.csv")).iter().any(|message| message["status"] == "delivered"));
}

#[test]
fn other_seeds_give_other_ids_and_the_same_plan() {
    let directory = directory();
    let path = directory.path();
    fs::write(path.join("a.csv"), HEADER.to_owned() + MONDAY).unwrap();
    let planned = |seed: &str| {
        assert_eq!(run(path, &["--data", "a.csv", "--seed", seed]).code, Some(0));
        csv(&path.join("out/messages.csv"))
    };
    let (one, other) = (planned("1"), planned("2"));
    assert!(one.iter().zip(&other).all(|(one, other)| one["message"] != other["message"]));
    assert!(one.iter().zip(&other).all(|(one, other)| one["planned_at"] == other["planned_at"]));
}

#[test]
fn a_campaign_may_call_people_in_their_language() {
    let directory = directory();
    let path = directory.path();
    let mut campaign = json(&bundled("doctor_smith.json"));
    campaign["messages"] = value!({ "phone": {
        "script": { "en": "See you on {{ appointment_at | date('%A') }}.", "es": "Nos vemos el {{ appointment_at | date('%A') }}." },
        "voicemail": { "en": "Please call us.", "es": "Llámenos, por favor." }
    } });
    campaign["mapping"]["fields"]["phone"] = value!("row['Cell'] | phone('US')");
    campaign["mapping"]["fields"]["language"] = value!("row['Lang']");
    campaign["methods"] = value!({ "order": ["phone"] });
    campaign["schedule"]["send"] = value!([{ "days_before": 1, "at": "10:00" }]);
    campaign["responses"] =
        value!({ "phone": { "confirm": ["1"], "cancel": ["9"], "opt_out": ["8"], "repeat": ["*"] } });
    fs::write(path.join("calls.json"), campaign.to_string()).unwrap();
    let header = HEADER.replace("Zone", "Zone,Lang");
    // +1 202 555 0119 presses 1; 0120 presses 9; 0124 is a machine; 0126 is busy once; 0128 does not answer.
    let people = [("0119", "es"), ("0120", ""), ("0124", "es"), ("0126", "en"), ("0128", "fr")];
    let rows = people.iter().enumerate().map(|(row, (number, language))| {
        format!("C-{row},P-{row},Ann,(202) 555-{number},,03/04/2026,09:30 AM,,{language}\n")
    });
    fs::write(path.join("calls.csv"), header + &rows.collect::<String>()).unwrap();
    let arguments = ["run", "--campaign", "calls.json", "--data", "calls.csv", "--out", "out"];
    let ended = quickstart(path, arguments.iter().chain(&["--start", "2026-03-02T14:00:00Z"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_closes(&summary(path));
    let messages = csv(&path.join("out/messages.csv"));
    let column = |name: &str| messages.iter().map(|message| message[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("status"), ["delivered", "delivered", "delivered", "delivered", "undelivered"]);
    assert_eq!(column("disposition"), ["delivered", "delivered", "voicemail", "delivered", "no_answer"]);
    assert_eq!(column("attempts"), ["1", "1", "1", "2", "1"]);
    assert_eq!(column("reply")[..2], ["confirmed", "cancelled"]);
    let accepted = csv(&path.join("out/accepted.csv"));
    assert_eq!(accepted.len(), 6);
    let spoken = |index: usize| (accepted[index]["body"].as_str(), accepted[index]["voicemail"].as_str());
    assert!(accepted.iter().all(|request| request["method"] == "phone"));
    assert_eq!(spoken(0), ("Nos vemos el miércoles.", "Llámenos, por favor."));
    assert_eq!(spoken(1), ("See you on Wednesday.", "Please call us."));
    assert_eq!(spoken(4), ("See you on Wednesday.", "Please call us."), "no French text");
}
