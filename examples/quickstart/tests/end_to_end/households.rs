//! A mother of two gets one message.

use std::fs;
use std::path::Path;

use serde_json::{Value, json as value};

use crate::program::{Record, assert_closes, bundled, csv, directory, json, quickstart};

const DATA: &str = "Appt ID,Patient ID,First Name,Cell,E-mail,Date,Time,Zone
A-1,P-1,Ann,(602) 555-0150,,03/04/2026,09:30 AM,
A-2,P-2,Ben,(602) 555-0150,,03/04/2026,10:00 AM,
A-3,P-3,Cy,(602) 555-0151,,03/04/2026,10:00 AM,
";

const TEXT: &str = "Smith Clinic: {% for one in household %}{{ one.first_name }} {{ one.appointment_at | time('%-I:%M %p') }}\
                    {% if not loop.last %}, {% endif %}{% endfor %}. Reply 1 to confirm, 2 to cancel, STOP to opt out.";

fn prepare(path: &Path) {
    let mut campaign = json(&bundled("doctor_smith.json"));
    campaign["messages"] = value!({ "sms": { "text": TEXT } });
    campaign["methods"] = value!({ "order": ["sms"], "household": "same_day" });
    campaign["responses"]["follow_up"] = value!({});
    fs::write(path.join("campaign.json"), campaign.to_string()).unwrap();
    fs::write(path.join("visits.csv"), DATA).unwrap();
}

#[test]
fn one_message_names_both_children() {
    let directory = directory();
    let path = directory.path();
    prepare(path);
    let arguments = ["run", "--campaign", "campaign.json", "--data", "visits.csv", "--out", "out"];
    let ended = quickstart(path, arguments.into_iter().chain(["--start", "2026-03-01T14:00:00Z"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let summary: Value = json(&path.join("out/summary.json"));
    assert_closes(&summary);
    let messages = csv(&path.join("out/messages.csv"));
    let household: Vec<&Record> = messages.iter().filter(|message| message["kind"] == "household").collect();
    assert_eq!(household.len(), 2, "one for each entry of send");
    for household in &household {
        assert_eq!(household["row"], "1 2");
        assert!(household["body"].contains("Ann 9:30 AM, Ben 10:00 AM."), "{household:?}");
        assert!(!household["sent_at"].is_empty());
    }
    for message in messages.iter().filter(|message| message["kind"] == "reminder") {
        let alone = message["key"] == "A-3";
        assert_eq!(
            (message["reason"] == "grouped", !message["sent_at"].is_empty()),
            (!alone, alone),
            "{message:?}"
        );
    }
    let member = messages.iter().find(|message| message["key"] == "A-2").unwrap();
    let explained = quickstart(path, ["explain", "--out", "out", "--message", &member["message"]]);
    assert!(
        explained.stdout.contains(&format!("told by message {}", household[0]["message"])),
        "{}",
        explained.stdout
    );
}

#[test]
fn the_check_tells_how_long_a_text_for_two_is() {
    let directory = directory();
    prepare(directory.path());
    let ended =
        quickstart(directory.path(), ["check", "--campaign", "campaign.json", "--data", "visits.csv"]);
    assert!(
        ended.stdout.contains("Longest for a household of two: 1 segments"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}
