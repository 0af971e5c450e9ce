//! The next file of a campaign whose first was sent by one method after the other, or by one of several.

use chrono::TimeDelta;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const NUMBER: &str = "+15202340000";

/// When the second file comes, unless the test says otherwise: the next morning, within what a reminder may be late.
const NEXT_DAY: &str = "2026-03-05T17:00:00Z";

/// A ladder of text message and e-mail that is due two days before the appointment, and may be two days late.
fn document(wait: &str) -> Value {
    let mut document = material::document_with(&[
        ("/methods", json!({ "order": ["sms", "email"], "use": "ladder", "ladder_wait": wait })),
        ("/schedule/send", json!([{ "days_before": 2, "at": "11:00" }])),
        ("/schedule/max_lateness", json!("48h")),
    ]);
    document["messages"]["sms"]["text"] = json!("Clinic: {{ first_name }}, see you. STOP to opt out.");
    document
}

fn nameless(mut document: Value) -> Value {
    document["mapping"]["fields"].as_object_mut().unwrap().remove("person");
    document
}

fn file(name: &str) -> String {
    format!("{}K0,{name},{NUMBER},ann@example.com,2026-03-06 14:00,P0\n", material::HEADER)
}

/// A world in which the one file came at the start and the other at this instant; to its end.
fn two_files(persona: impl Into<Value>, document: &Value, files: [&str; 2], at: &str) -> (World, Campaign) {
    let script = json!({ "contact_points": { NUMBER: persona.into() } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, document);
    let [first, second] = files;
    world.load(company, campaign.id, first);
    world.start_worker();
    world.run_until(instant(at));
    world.load(company, campaign.id, second);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    (world, campaign)
}

/// How many text messages and e-mails about the appointment were accepted.
fn accepted(world: &World) -> [usize; 2] {
    let about_it = |method: ContactMethod| {
        let of_method = world.sandbox.accepted().into_iter().filter(|request| request.method == method);
        of_method.filter(|request| request.content.text().contains("see you")).count()
    };
    [about_it(ContactMethod::Sms), about_it(ContactMethod::Email)]
}

#[test]
fn a_rung_that_jumped_does_not_go_again_with_the_next_file() {
    let again = format!("{}\n", file("Ann"));
    let (world, _) = two_files("invalid", &document("30m"), [&file("Ann"), &again], NEXT_DAY);
    assert_eq!(accepted(&world), [0, 1]);
}

#[test]
fn rungs_that_went_do_not_go_again_when_the_row_is_amended() {
    let files = [&*file("Ann"), &*file("Miss Ann")];
    let (world, _) = two_files("delivers", &document("30m"), files, NEXT_DAY);
    assert_eq!(accepted(&world), [1, 1]);
}

#[test]
fn a_first_rung_that_went_early_does_not_go_again_when_the_row_is_amended() {
    // So that the e-mail fits two days later, the text message goes at 13:00 today and not at 11:00 on the day itself.
    let mut early = document("48h");
    early["schedule"]["send"] = json!([{ "hours_before": 3 }]);
    let files = [&*file("Ann"), &*file("Miss Ann")];
    let (world, _) = two_files("delivers", &early, files, NEXT_DAY);
    assert_eq!(accepted(&world)[0], 1);
}

#[test]
fn who_answered_is_left_alone_when_the_row_is_amended() {
    for document in [document("2h"), nameless(document("2h"))] {
        for at in ["2026-03-04T18:10:00Z", NEXT_DAY] {
            let files = [&*file("Ann"), &*file("Miss Ann")];
            let (world, _) = two_files("confirms", &document, files, at);
            assert_eq!(accepted(&world), [1, 0], "amended at {at}");
        }
    }
}

/// Half an hour after the text message, which may stay unanswered for two.
const SOON: &str = "2026-03-04T18:30:00Z";

#[test]
fn the_next_rung_waits_from_when_the_person_was_told() {
    let amended = file("Miss Ann");
    let unreachable = file("Ann").replace(NUMBER, "unknown");
    for second in [&*amended, &*unreachable] {
        let (world, _) = two_files("delivers", &document("2h"), [&file("Ann"), second], SOON);
        assert_eq!(accepted(&world), [1, 1], "{second}");
        let by_mail = world.sandbox.accepted().into_iter().find(|sent| sent.method == ContactMethod::Email);
        assert_eq!(by_mail.map(|sent| sent.at), Some(instant("2026-03-04T20:00:00Z")), "{second}");
    }
}

#[test]
fn an_answer_by_a_number_that_is_gone_ends_the_ladder() {
    let answers =
        |replies: Value| json!({ "reports": [{ "after": "8s", "report": "delivered" }], "replies": replies });
    let before = answers(json!([{ "after": "10m", "text": "1" }]));
    let after = answers(json!([{ "after": "45m", "text": "1" }]));
    let gone = [file("Ann").replace(NUMBER, "unknown"), file("Ann").replace(NUMBER, "")];
    for document in [document("2h"), nameless(document("2h"))] {
        for (persona, second) in
            [&before, &after].iter().flat_map(|one| gone.iter().map(move |gone| (*one, gone)))
        {
            let (world, _) = two_files(persona.clone(), &document, [&file("Ann"), second], SOON);
            assert_eq!(accepted(&world), [1, 0], "{persona} {second}");
        }
        // Who opts out after the answer has answered all the same.
        let stops = answers(json!([{ "after": "10m", "text": "1" }, { "after": "20m", "text": "STOP" }]));
        let (world, _) = two_files(stops, &document, [&file("Ann"), &file("Miss Ann")], SOON);
        assert_eq!(accepted(&world), [1, 0]);
    }
}

#[test]
fn a_number_that_is_gone_leaves_later_ladders_alone() {
    // The person confirms the first reminder; the second is another one, and goes by e-mail alone.
    let mut twice = document("30m");
    twice["schedule"]["send"] =
        json!([{ "days_before": 2, "at": "11:00" }, { "days_before": 1, "at": "11:00" }]);
    let files = [&*file("Ann"), &*file("Ann").replace(NUMBER, "unknown")];
    let (world, _) = two_files("confirms", &twice, files, SOON);
    assert_eq!(accepted(&world), [1, 1]);
}

#[test]
fn who_was_told_by_one_method_is_not_told_by_another_that_is_first_now() {
    let mut any = document("2h");
    any["methods"] = json!({ "order": ["sms", "email"] });
    any["mapping"]["fields"]["methods"] = json!("row['Person']");
    let [first, second] = [("Ann", "email,sms"), ("Miss Ann", "sms,email")]
        .map(|(name, methods)| file(name).replace(",P0", &format!(",\"{methods}\"")));
    for at in [instant("2026-03-04T18:30:00Z"), instant(NEXT_DAY)] {
        let (world, _) = two_files("delivers", &any, [&first, &second], &at.to_rfc3339());
        assert_eq!(accepted(&world), [0, 1], "amended at {at}");
    }
    // Another number is another way: who was told at the old one was perhaps not told.
    any["methods"] = json!({ "order": ["sms"] });
    any["mapping"]["fields"].as_object_mut().unwrap().remove("methods");
    let files = [&*file("Ann"), &*file("Ann").replace(NUMBER, "+15202340009")];
    let later = instant("2026-03-04T18:00:00Z") + TimeDelta::minutes(30);
    let (world, _) = two_files("delivers", &any, files, &later.to_rfc3339());
    assert_eq!(accepted(&world), [2, 0]);
}
