//! The doctor's second file: appointments have moved, vanished and appeared.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::all::{Accepted, accepted, file};
use crate::bundled::{FILES, rows_of};
use crate::program::{csv, instant, json};

fn arrival() -> DateTime<Utc> {
    instant("2026-03-04T14:00:00Z")
}

/// What a file says about appointments: by key, those that stand in it once and have a time.
fn appointments(name: &str) -> HashMap<String, Option<NaiveDateTime>> {
    let rows = rows_of(name);
    let mut times: HashMap<String, Vec<Option<NaiveDateTime>>> = HashMap::new();
    for row in &rows {
        let cell = |column: &str| row.get(column).map(String::as_str).unwrap_or_default();
        let time = format!("{} {}", cell("Date"), cell("Time"));
        let time = NaiveDateTime::parse_from_str(&time, "%m/%d/%Y %I:%M %p").ok();
        times.entry(cell("Appt ID").to_owned()).or_default().push(time);
    }
    times.into_iter().filter(|(_, times)| times.len() == 1).map(|(key, times)| (key, times[0])).collect()
}

/// Keys of appointments at another time, with the old one.
fn moved() -> HashMap<String, NaiveDateTime> {
    let later = appointments(FILES[1]);
    let old = appointments(FILES[0]).into_iter().filter_map(|(key, time)| Some((key, time?)));
    old.filter(|(key, time)| later.get(key).copied().flatten().is_some_and(|later| later != *time)).collect()
}

/// Keys of appointments that were ahead and are not named any more.
fn vanished() -> BTreeSet<String> {
    let later: BTreeSet<String> = rows_of(FILES[1]).into_iter().map(|row| row["Appt ID"].clone()).collect();
    let is_ahead =
        |time: NaiveDateTime| Tz::America__Phoenix.from_local_datetime(&time).unwrap().to_utc() > arrival();
    let known = appointments(FILES[0]).into_iter();
    let gone = known.filter(|(key, time)| time.is_some_and(is_ahead) && !later.contains(key));
    gone.map(|(key, _)| key).collect()
}

fn says(request: &Accepted, time: NaiveDateTime) -> bool {
    let formats: &[&str] = match request.request["method"].as_str() {
        "sms" => &["%a %b %-d, %-I:%M %p"],
        _ => &["%A, %B %-d at %-I:%M %p"],
    };
    formats.iter().any(|format| request.request["body"].contains(&time.format(format).to_string()))
}

#[test]
fn nobody_is_told_the_old_time_any_more() {
    let moved = moved();
    assert!(moved.len() > 50, "{}", moved.len());
    let (mut before, mut after) = (0, 0);
    for request in accepted("doctor").iter().filter(|request| !request.is("kind", "follow_up")) {
        let Some(old) = moved.get(&request.message["key"]) else { continue };
        if request.at <= arrival() + TimeDelta::seconds(1) {
            before += usize::from(says(request, *old));
        } else {
            assert!(!says(request, *old), "{}: {}", request.message["key"], request.at);
            after += 1;
        }
    }
    assert!(before > 0 && after > 50, "{before} {after}");
}

#[test]
fn who_was_told_is_corrected_once_and_nobody_else() {
    let moved = moved();
    let all = accepted("doctor");
    let told: BTreeSet<(&String, &String)> = all
        .iter()
        .filter(|request| request.at <= arrival() && moved.contains_key(&request.message["key"]))
        .filter(|request| request.is("kind", "reminder") && says(request, moved[&request.message["key"]]))
        .map(|request| (&request.message["key"], &request.request["contact_point"]))
        .collect();
    let messages = csv(&file("doctor", "messages.csv"));
    let corrections: Vec<(&String, &String)> = messages
        .iter()
        .filter(|message| message["kind"] == "correction")
        .map(|message| (&message["key"], &message["contact_point"]))
        .collect();
    assert_eq!(corrections.iter().copied().collect::<BTreeSet<_>>(), told);
    assert_eq!(corrections.len(), told.len(), "once");
    let went: Vec<&Accepted> = all.iter().filter(|request| request.is("kind", "correction")).collect();
    assert_eq!(json(&file("doctor", "summary.json"))["corrections"].as_u64(), u64::try_from(went.len()).ok());
    assert!(!went.is_empty());
    let now = appointments(FILES[1]);
    for request in went {
        assert!(says(request, now[&request.message["key"]].unwrap()), "it names the new time");
        assert!(request.at - arrival() < TimeDelta::hours(8), "on the same day: {}", request.at);
    }
}

#[test]
fn nothing_goes_for_what_vanished() {
    let vanished = vanished();
    let late = arrival() + TimeDelta::seconds(1);
    for request in accepted("doctor") {
        let gone = vanished.contains(&request.message["key"]) && !request.is("kind", "follow_up");
        assert!(!gone || request.at <= late, "{}", request.message["key"]);
    }
    let messages = csv(&file("doctor", "messages.csv"));
    let cancelled: Vec<_> = messages.iter().filter(|message| message["status"] == "cancelled").collect();
    assert!(cancelled.iter().all(|message| vanished.contains(&message["key"])));
    let report = &json(&file("doctor", "summary.json"))["packets"][1]["vanished"];
    assert_eq!(report["cancelled"].as_u64(), u64::try_from(cancelled.len()).ok());
    let dropped = report["appointments"].as_u64().unwrap();
    assert!(dropped > 20 && dropped <= vanished.len() as u64, "{dropped} of {}", vanished.len());
    assert!(report["kept"].is_null());
}

#[test]
fn what_is_throttled_before_closing_still_goes() {
    let messages = csv(&file("doctor", "messages.csv"));
    // Closed at their base instant, they go ten minutes before half past four.
    let closing = messages.iter().filter(|message| message["planned_at"].ends_with("T23:20:00Z")).count();
    assert!(closing > 50, "{closing}");
    let expired = messages.iter().filter(|message| message["status"] == "expired").count();
    assert_eq!(expired, 0);
}

#[test]
fn what_appeared_is_reminded_and_what_stayed_is_told_once() {
    let known = appointments(FILES[0]);
    let messages = csv(&file("doctor", "messages.csv"));
    let new = messages.iter().filter(|it| !known.contains_key(&it["key"]) && it["key"].starts_with("A-70"));
    assert!(new.filter(|message| message["status"] == "delivered").count() > 20);
    let mut days: HashMap<(String, String, String), usize> = HashMap::new();
    for request in accepted("doctor").iter().filter(|request| request.is("kind", "reminder")) {
        let day = request.at.with_timezone(&Tz::America__Phoenix).date_naive().to_string();
        let address = request.request["contact_point"].clone();
        *days.entry((request.message["key"].clone(), address, day)).or_default() += 1;
    }
    let twice: Vec<_> =
        days.iter().filter(|((key, ..), count)| known.contains_key(key) && **count > 1).collect();
    assert_eq!(twice, [], "no appointment twice on a day, whichever file says so");
}
