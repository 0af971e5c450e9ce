//! Nothing about a person shows up where it does not belong.

use std::fs;

use crate::program::{bundled, directory, quickstart};

#[test]
fn no_personal_data_is_logged_or_shown() {
    let directory = directory();
    let header = "Appt ID,Patient ID,First Name,Last Name,Cell,E-mail,Date,Time,Zone,Provider,Notes\n";
    let rows = [
        "KEYCANARY1,PERSONCANARY,Namecanary,Lastcanary,(602) 555-0191,mailcanary@example.org,03/05/2026,09:30 AM,,,Notecanary\n",
        "KEYCANARY2,PERSONCANARY,Namecanary,Lastcanary,,mailcanary@example.org,03/05/2026,09:30 AM,,,\n",
        "KEYCANARY3,PERSONCANARY,Namecanary,Lastcanary,Cellcanary,badcanary@,03/05/2026,09:30 AM,,,\n",
        "KEYCANARY4,PERSONCANARY,Namecanary,Lastcanary,(602) 555-0191,,Datecanary,09:30 AM,,,\n",
        "KEYCANARY5,PERSONCANARY,Namecanary,Lastcanary,(602) 555-0191,,03/05/2026,09:30 AM,Zonecanary,,\n",
        "KEYCANARY6,PERSONCANARY,Namecanary\n",
    ];
    fs::write(directory.path().join("data.csv"), header.to_owned() + &rows.concat()).unwrap();
    let script = r#"{"contact_points": {"+16025550191": {
        "reports": [{"after": "1s", "report": "delivered"}],
        "replies": [{"after": "1m", "text": "1"}, {"after": "2m", "text": "Replycanary"}, {"after": "3m", "text": "STOP"}]
    }}}"#;
    fs::write(directory.path().join("people.json"), script).unwrap();
    let campaign = bundled("doctor_smith.json");
    let ended = quickstart(
        directory.path(),
        [
            "run",
            "--log",
            "trace",
            "--campaign",
            campaign.to_str().unwrap(),
            "--data",
            "data.csv",
            "--sandbox",
            "people.json",
            "--out",
            "out",
            "--start",
            "2026-03-02T14:00:00Z",
        ],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("incoming recorded"), "the log is on");
    let read = |name: &str| fs::read_to_string(directory.path().join("out").join(name)).unwrap();
    assert!(read("messages.csv").contains("Namecanary"), "the data was used");
    let places = [
        ("stdout", ended.stdout),
        ("stderr", ended.stderr),
        ("decisions.jsonl", read("decisions.jsonl")),
        ("summary.json", read("summary.json")),
        ("rejected.csv", read("rejected.csv")),
    ];
    for (place, text) in places {
        let text = text.to_lowercase();
        for secret in ["canary", "5550191", "555-0191", "smith clinic:"] {
            assert!(!text.contains(secret), "{secret:?} in {place}");
        }
    }
}
