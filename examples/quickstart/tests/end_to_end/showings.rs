//! The showings: invitations by e-mail, answers from 5 to 1.

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::all::{Accepted, accepted, file};
use crate::program::{bundled, csv, json};

fn to<'a>(all: &'a [Accepted], address: &str) -> Vec<&'a Accepted> {
    all.iter().filter(|request| request.to(address)).collect()
}

#[test]
fn an_invitation_says_what_when_and_where() {
    let rows = csv(&bundled("house_showings_2026-05.csv"));
    let row = rows.iter().find(|row| row["Buyer E-mail"] == "five.buyer@example.com").unwrap();
    let all = accepted("showings");
    let invitation = &to(&all, "five.buyer@example.com")[0].request["body"];
    let time = row["Time"].trim_start_matches('0');
    for part in [&*row["Address"], &*row["Town"], &*row["Agent"], &*row["Agent Phone"], time] {
        assert!(invitation.contains(part), "{part:?} in {invitation:?}");
    }
}

#[test]
fn an_e_mail_address_goes_before_a_number_and_all_inside_the_window() {
    let all = accepted("showings");
    let reminders = || all.iter().filter(|request| request.is("kind", "reminder"));
    for request in reminders() {
        assert!(request.is_within(Tz::America__New_York, 8..20, 7), "{}", request.at);
    }
    let has_address: Vec<_> =
        reminders().filter(|it| it.is("method", "email")).map(|it| &it.message["key"]).collect();
    let texts: Vec<_> =
        reminders().filter(|it| it.is("method", "sms")).map(|it| &it.message["key"]).collect();
    assert!(has_address.len() > 150 && texts.len() > 20);
    assert!(texts.iter().all(|key| !has_address.contains(key)));
}

#[test]
fn answers_from_5_to_1_are_counted() {
    let messages = csv(&file("showings", "messages.csv"));
    let answer = |address: &str| -> Vec<String> {
        let to = messages.iter().filter(|it| it["contact_point"] == address && it["kind"] == "reminder");
        to.map(|message| message["reply"].clone()).filter(|reply| !reply.is_empty()).collect()
    };
    let expected = [
        ("five", "eager"),
        ("four", "interested"),
        ("three", "neutral"),
        ("two", "doubtful"),
        ("one", "not_interested"),
    ];
    for (name, reply) in expected {
        assert_eq!(answer(&format!("{name}.buyer@example.com")), [reply]);
    }
    let responses = &json(&file("showings", "summary.json"))["counts"]["responses"];
    let counted = |reply: &str| messages.iter().filter(|message| message["reply"] == reply).count() as u64;
    for reply in ["eager", "interested", "neutral", "doubtful", "not_interested"] {
        assert_eq!(responses[reply], counted(reply), "{reply}");
    }
    assert!(counted("eager") >= 5);
}

#[test]
fn what_people_write_is_followed_up_by_e_mail() {
    let all = accepted("showings");
    let cases = [
        ("confirms", "Thank you"),
        ("cancels", "is cancelled"),
        ("later", "another time"),
        ("changes", "is cancelled"),
    ];
    for (name, text) in cases {
        let address = format!("{name}.buyer@example.com");
        let requests = to(&all, &address);
        let answers: Vec<_> = requests.iter().filter(|request| request.is("kind", "follow_up")).collect();
        assert!(answers.iter().any(|answer| answer.request["body"].contains(text)), "{name}");
        assert!(answers.iter().all(|answer| answer.is("method", "email")), "{name}");
    }
    let requests = to(&all, "stops.buyer@example.com");
    let stop = requests[0].at + TimeDelta::minutes(4) + TimeDelta::seconds(1);
    assert!(requests.iter().all(|request| request.at <= stop));
}
