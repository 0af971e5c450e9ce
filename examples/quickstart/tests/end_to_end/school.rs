//! The schools: everything at once, by every method.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::all::{accepted, file};
use crate::program::{csv, instant};

/// When the list with this pupil arrived.
fn arrival(key: &str) -> DateTime<Utc> {
    instant(if key.starts_with("S3") { "2026-02-18T18:05:00Z" } else { "2026-02-18T17:40:00Z" })
}

#[test]
fn everything_is_accepted_within_minutes_of_the_lists_arrival() {
    let mut first: HashMap<String, DateTime<Utc>> = HashMap::new();
    for request in accepted("school").iter().filter(|request| request.is("kind", "reminder")) {
        let arrived = arrival(&request.message["key"]);
        assert!(request.at >= arrived);
        assert!(request.at <= arrived + TimeDelta::minutes(10), "a further call: {}", request.at);
        first.entry(request.message["message"].clone()).or_insert(request.at - TimeDelta::zero());
        let late = first[&request.message["message"]] - arrived;
        assert!(late <= TimeDelta::minutes(4), "{late}");
    }
    assert!(first.len() > 1_400);
}

#[test]
fn no_minute_sees_more_than_the_campaign_allows() {
    let requests: Vec<DateTime<Utc>> = accepted("school").iter().map(|request| request.at).collect();
    for (position, start) in requests.iter().enumerate() {
        let end = requests.partition_point(|at| *at < *start + TimeDelta::seconds(60));
        assert!(end - position <= 1_200, "{start}");
    }
}

#[test]
fn every_method_that_reaches_a_parent_is_used() {
    let messages = csv(&file("school", "messages.csv"));
    let mut methods: HashMap<&String, Vec<&str>> = HashMap::new();
    for message in messages.iter().filter(|message| message["kind"] == "reminder") {
        methods.entry(&message["key"]).or_default().push(&message["method"]);
    }
    assert!(methods.values().all(|methods| *methods == ["sms", "email", "phone"]));
    let texts = ["cierra hoy a las", "closes at"];
    for (method, text) in
        ["sms", "email", "phone"].into_iter().flat_map(|method| texts.map(|text| (method, text)))
    {
        assert!(
            messages.iter().any(|it| it["method"] == method && it["body"].contains(text)),
            "{method}: {text}"
        );
    }
}

#[test]
fn nothing_goes_to_who_opted_out() {
    let messages = csv(&file("school", "messages.csv"));
    let all = accepted("school");
    // By text message, by e-mail, by key in a call: two, six and less than one minute after the first list.
    for (address, minutes) in [("+13035550199", 2), ("stop.parent@example.com", 6), ("+17205550199", 1)] {
        let requests: Vec<_> = all.iter().filter(|request| request.to(address)).collect();
        assert!(!requests.is_empty(), "{address}");
        let stop = requests[0].at + TimeDelta::minutes(minutes) + TimeDelta::seconds(1);
        assert!(requests.iter().all(|request| request.at <= stop), "{address}");
        let later =
            messages.iter().filter(|it| it["contact_point"] == address && it["key"].starts_with("S3"));
        let reasons: Vec<&str> = later.map(|message| message["reason"].as_str()).collect();
        assert!(
            !reasons.is_empty() && reasons.iter().all(|reason| *reason == "unsubscribed"),
            "{address}: {reasons:?}"
        );
    }
    let refused = messages.iter().filter(|message| message["reason"] == "unsubscribed");
    for message in refused {
        assert!(all.iter().all(|request| request.message["message"] != message["message"]));
    }
}
