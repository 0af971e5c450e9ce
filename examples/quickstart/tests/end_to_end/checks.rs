//! `check`: what is wrong or unwise about a campaign and a sample of its data.

use std::fs;
use std::path::Path;

use serde_json::{Value, json as value};

use crate::program::{Ended, bundled, directory, json, quickstart};

const HEADER: &str = "Appt ID,Patient ID,First Name,Cell,E-mail,Date,Time,Zone\n";
const ROW: &str = "A-1,P-1,Ann,(602) 555-0150,,03/06/2026,09:30 AM,\n";

fn check(directory: &Path, campaign: &str, data: &str, extra: &[&str]) -> Ended {
    let before = fs::read_dir(directory).unwrap().count();
    let arguments = ["check", "--campaign", campaign, "--data", data, "--start", "2026-03-02T14:00:00Z"];
    let ended = quickstart(directory, arguments.iter().chain(extra));
    assert_eq!(fs::read_dir(directory).unwrap().count(), before, "nothing is written");
    ended
}

/// Checks a variant of the doctor's campaign with a file of this text.
fn check_variant(edit: impl FnOnce(&mut Value), data: &str) -> Ended {
    let directory = directory();
    let mut campaign = json(&bundled("doctor_smith.json"));
    edit(&mut campaign);
    fs::write(directory.path().join("c.json"), campaign.to_string()).unwrap();
    fs::write(directory.path().join("d.csv"), data).unwrap();
    check(directory.path(), "c.json", "d.csv", &[])
}

fn assert_says(ended: &Ended, code: i32, words: &[&str]) {
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
}

#[test]
fn a_usable_file_is_told_with_its_faults_texts_and_volume() {
    let directory = directory();
    let (campaign, data) = (bundled("doctor_smith.json"), bundled("doctor_smith_2026-03.csv"));
    let (campaign, data) = (campaign.to_str().unwrap(), data.to_str().unwrap());
    let ended = check(directory.path(), campaign, data, &[]);
    let facts = [
        "1943 rows read, 1931 usable",
        "field_count",
        "835, 1899",
        "excel_number",
        "568, 1206",
        "unknown_time_zone",
        "Columns that the campaign does not read: Last Name, Provider, Notes",
        "Text messages by segments:",
        "U+00ED",
        "skipped: no_contact_point",
        "Estimated cost:",
        "warning: data: 12 of 1943 rows cannot be used",
        "\nUsable.\n",
    ];
    assert_says(&ended, 0, &facts);
    assert_eq!(ended.stderr, "");
    for personal in ["Núria", "@example", "555-01", "5550"] {
        assert!(!ended.stdout.contains(personal), "{personal}");
    }
}

#[test]
fn prices_are_those_that_are_given() {
    let directory = directory();
    let campaign = bundled("doctor_smith.json");
    let campaign = campaign.to_str().unwrap();
    fs::write(directory.path().join("d.csv"), HEADER.to_owned() + ROW).unwrap();
    let cost = |extra: &[&str]| {
        let ended = check(directory.path(), campaign, "d.csv", extra);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let line = ended.stdout.lines().find(|line| line.starts_with("Estimated cost:")).unwrap().to_owned();
        line.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap()
    };
    // Two entries, each one text message of one segment or more.
    let (one, two) = (cost(&["--price", "sms=1"]), cost(&["--price", "sms=2", "--price", "email=5"]));
    assert!(one >= 2.0 && (two - 2.0 * one).abs() < 1e-9, "{one} {two}");
    for bad in ["fax=1", "sms", "sms=-1", "sms=much"] {
        let ended = check(directory.path(), campaign, "d.csv", &["--price", bad]);
        assert_eq!(
            (ended.code, ended.stderr.trim_end().lines().count()),
            (Some(2), 1),
            "{bad}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_missing_column_is_named() {
    let data = HEADER.replace("Cell", "Mobile") + ROW;
    assert_says(&check_variant(|_| {}, &data), 1, &["data file d.csv", "Cell"]);
}

#[test]
fn a_file_without_a_usable_row_is_not_usable() {
    let data = HEADER.to_owned() + &ROW.replace("03/06", "02/30") + &ROW.replace("A-1", "");
    let words = ["2 rows read, 0 usable", "error: data: none of the 2 rows can be used", "Not usable"];
    assert_says(&check_variant(|_| {}, &data), 1, &words);
    assert_says(&check_variant(|_| {}, HEADER), 1, &["error: data: the file has no row"]);
}

#[test]
fn every_problem_of_a_campaign_is_told() {
    let edit = |campaign: &mut Value| {
        campaign["name"] = value!("");
        campaign["schedule"]["when_closed"] = value!("never");
        campaign["messages"]["sms"]["text"] = value!("See you, {{ firstname }}.");
    };
    let words = ["c.json has 3 problems", "$.name", "$.schedule.when_closed", "$.messages.sms.text"];
    assert_says(&check_variant(edit, &(HEADER.to_owned() + ROW)), 1, &words);
}

#[test]
fn a_schedule_that_can_never_send_is_an_error() {
    let edit = |campaign: &mut Value| {
        campaign["schedule"]["min_notice"] = value!("2d");
        campaign["schedule"]["when_closed"] = value!("later");
        campaign["schedule"].as_object_mut().unwrap().remove("closing_margin");
        campaign["schedule"]["send"] = value!([{ "hours_before": 3 }]);
    };
    let words = ["error: $.schedule.send[0]", "error: data: no message would go", "no_legal_instant: 1"];
    assert_says(&check_variant(edit, &(HEADER.to_owned() + ROW)), 1, &words);
}

#[test]
fn what_is_unwise_is_a_warning_only() {
    let edit = |campaign: &mut Value| {
        campaign["messages"]["sms"]["text"] = value!("You have an appointment, {{ first_name }}. ✂");
    };
    let words = ["warning: $.messages.sms.text", "name the sender", "how to opt out", "U+2702", "Usable."];
    assert_says(&check_variant(edit, &(HEADER.to_owned() + ROW)), 0, &words);
}
