//! All bundled campaigns in one go.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike as _, NaiveTime, Utc};
use chrono_tz::Tz;
use tempfile::TempDir;

use crate::program::{Record, assert_closes, csv, directory, instant, json, quickstart};

/// One run for all tests that only look.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = directory();
    let ended = quickstart(directory.path(), ["bundled", "all", "--out", "all"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout.matches("nothing is unaccounted for").count(), 4, "{}", ended.stdout);
    directory
});

pub(crate) const NAMES: [&str; 4] = ["doctor", "internet", "school", "showings"];

/// A file of the results of a bundled campaign.
pub(crate) fn file(campaign: &str, name: &str) -> PathBuf {
    RUN.path().join("all").join(campaign).join(name)
}

/// What the provider accepted, each with its message.
pub(crate) fn accepted(campaign: &str) -> Vec<Accepted> {
    let messages = csv(&file(campaign, "messages.csv"));
    let messages: HashMap<String, Record> =
        messages.into_iter().map(|message| (message["message"].clone(), message)).collect();
    let of = |request: Record| Accepted {
        at: instant(&request["at"]),
        message: messages[&request["message"]].clone(),
        request,
    };
    csv(&file(campaign, "accepted.csv")).into_iter().map(of).collect()
}

/// A request that the provider accepted.
pub(crate) struct Accepted {
    pub(crate) at: DateTime<Utc>,
    pub(crate) request: Record,
    pub(crate) message: Record,
}

impl Accepted {
    pub(crate) fn is(&self, column: &str, value: &str) -> bool {
        self.message[column] == value
    }

    pub(crate) fn to(&self, address: &str) -> bool {
        self.request["contact_point"] == address
    }

    /// Whether it was accepted between these hours on a day of the week up to this one (Monday is 1), by the clock of the zone.
    pub(crate) fn is_within(&self, zone: Tz, hours: std::ops::Range<u32>, last_day: u32) -> bool {
        let local = self.at.with_timezone(&zone);
        let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        local.weekday().number_from_monday() <= last_day
            && (clock(hours.start)..clock(hours.end)).contains(&local.time())
    }
}

#[test]
fn every_campaign_closes_and_agrees_with_its_provider() {
    for name in NAMES {
        let summary = json(&file(name, "summary.json"));
        assert_closes(&summary);
        assert_eq!(summary["counts"]["open"], 0, "{name}");
        assert!(summary["packets"].as_array().unwrap().iter().all(|packet| packet["stage"] == "complete"));
        let accepted = accepted(name);
        assert_eq!(summary["provider"]["accepted"].as_u64(), u64::try_from(accepted.len()).ok(), "{name}");
        let calls = accepted.iter().filter(|request| request.is("method", "phone")).count();
        assert_eq!(summary["calls"].as_u64(), u64::try_from(calls).ok(), "{name}");
        assert_eq!(calls > 0, ["internet", "school"].contains(&name));
    }
}

/// Only a call may be made again, and only one that reached nobody.
#[test]
fn no_message_is_accepted_twice() {
    for name in NAMES {
        let mut times: HashMap<String, Vec<Accepted>> = HashMap::new();
        for accepted in accepted(name) {
            times.entry(accepted.message["message"].clone()).or_default().push(accepted);
        }
        for requests in times.into_values().filter(|requests| requests.len() > 1) {
            assert!(requests[0].is("method", "phone"), "{name}");
            assert!(requests.len() <= 3, "{name}");
        }
    }
}

#[test]
fn without_a_name_the_campaigns_are_listed() {
    let directory = directory();
    let ended = quickstart(directory.path(), ["bundled"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let names: Vec<&str> = ended.stdout.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(names, NAMES);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is run");
    let ended = quickstart(directory.path(), ["bundled", "dentist"]);
    assert_eq!((ended.code, ended.stderr.trim_end().lines().count()), (Some(2), 1), "{}", ended.stderr);
    assert!(ended.stderr.contains("showings"), "{}", ended.stderr);
}
