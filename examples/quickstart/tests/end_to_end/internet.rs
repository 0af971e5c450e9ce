//! The installations: a text message, then a call to who has not answered.

use std::collections::HashMap;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::all::{Accepted, accepted, file};
use crate::program::csv;

/// Where the areas of the bundled numbers lie, besides Chicago.
fn zones(address: &str) -> Vec<Tz> {
    let area = match address.get(2..5).unwrap() {
        "303" => Tz::America__Denver,
        "213" => Tz::America__Los_Angeles,
        _ => Tz::America__Chicago,
    };
    vec![Tz::America__Chicago, area]
}

fn reminders() -> Vec<Accepted> {
    accepted("internet").into_iter().filter(|request| request.is("kind", "reminder")).collect()
}

#[test]
fn everything_is_accepted_inside_the_window_in_every_zone_of_the_person() {
    let reminders = reminders();
    assert!(reminders.len() > 400);
    for request in &reminders {
        let (hours, last_day) = if request.is("method", "phone") { (10..19, 5) } else { (9..19, 6) };
        // The provider's own delay may carry a request over the end, but then it is never delivered.
        let expired = request.is("disposition", "undelivered:expired");
        for zone in zones(&request.request["contact_point"]) {
            assert!(request.is_within(zone, hours.clone(), last_day) || expired, "{} {zone}", request.at);
        }
    }
    let far = reminders.iter().filter(|request| request.request["contact_point"].starts_with("+1213"));
    assert!(far.count() > 10, "numbers of other zones are in the data");
}

#[test]
fn nobody_is_called_who_answered_the_text_message() {
    // Whose text message was answered is told by the thanks that they got.
    let all = accepted("internet");
    let messages = csv(&file("internet", "messages.csv"));
    let mobile: HashMap<&String, &String> = messages
        .iter()
        .filter(|message| message["method"] == "sms" && message["kind"] == "reminder")
        .map(|message| (&message["key"], &message["contact_point"]))
        .collect();
    let answered: HashMap<&String, _> = all
        .iter()
        .filter(|request| request.is("kind", "follow_up") && request.request["body"].starts_with("Thank you"))
        .map(|request| (&request.request["contact_point"], request.at))
        .collect();
    assert!(answered.len() > 80);
    for call in all.iter().filter(|request| request.is("method", "phone")) {
        let thanked = mobile.get(&call.message["key"]).and_then(|number| answered.get(*number));
        assert!(thanked.is_none_or(|thanked| call.at < *thanked), "{}", call.message["key"]);
    }
    let spared = messages.iter().filter(|message| message["reason"] == "answered").count();
    assert!(spared > 100, "{spared}");
}

#[test]
fn a_call_waits_for_an_answer_unless_the_text_message_did_not_arrive() {
    let messages = csv(&file("internet", "messages.csv"));
    let texts: HashMap<&String, _> = messages
        .iter()
        .filter(|message| message["method"] == "sms" && message["kind"] == "reminder")
        .map(|message| (&message["key"], message))
        .collect();
    let mut waited = 0;
    for call in reminders().iter().filter(|request| request.is("method", "phone")) {
        let Some(text) = texts.get(&call.message["key"]).filter(|text| !text["sent_at"].is_empty()) else {
            continue;
        };
        if text["status"] == "undelivered" {
            continue;
        }
        let sent = crate::program::instant(&text["sent_at"]);
        assert!(call.at >= sent + TimeDelta::hours(4), "{}", call.message["key"]);
        waited += 1;
    }
    assert!(waited > 80, "{waited}");
}

#[test]
fn the_scripted_people_go_through_the_ladder_as_they_should() {
    let all = accepted("internet");
    let requests =
        |address: &str| -> Vec<&Accepted> { all.iter().filter(|request| request.to(address)).collect() };
    let methods = |address: &str| -> Vec<String> {
        let kinds = requests(address);
        kinds
            .iter()
            .map(|request| [&*request.request["method"], &*request.message["kind"]].join(" "))
            .collect()
    };
    assert_eq!(methods("+13125550199"), ["sms reminder"]);
    assert_eq!(methods("+16085550199"), ["phone reminder"], "confirms by key in the call");
    assert_eq!(requests("+16085550199")[0].message["reply"], "confirmed");
    assert_eq!(methods("+15155550199"), ["sms reminder", "sms follow_up"], "confirms after three hours");
    assert_eq!(methods("+14025550199"), ["sms reminder", "sms follow_up"], "wants another day");
    assert_eq!(methods("+17735550199"), ["sms reminder"], "does not arrive");
    let soon = requests("+18155550199")[0].at - requests("+17735550199")[0].at;
    assert!(soon < TimeDelta::hours(4), "{soon}");
    assert_eq!(methods("+12175550199"), ["sms reminder"]);
    assert_eq!(methods("+13095550199"), ["phone reminder"], "presses 8");
}

#[test]
fn people_are_addressed_in_their_language() {
    let bodies: Vec<(String, String)> =
        reminders().iter().map(|it| (it.request["method"].clone(), it.request["body"].clone())).collect();
    for (method, text) in
        [("sms", "instalamos"), ("sms", "we install"), ("phone", "Pulse 1"), ("phone", "Press 1")]
    {
        assert!(bodies.iter().any(|(by, body)| by == method && body.contains(text)), "{method}: {text}");
    }
}
