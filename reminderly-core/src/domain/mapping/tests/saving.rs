//! What is told when a campaign is saved, and when it meets a file.

use chrono_tz::Tz;
use rstest::rstest;
use serde_json::json;

use super::{check, compiled, document, with_sms_text};
use crate::domain::campaign::problem::Problem;
use crate::domain::contact_point::{ContactPoint, PhoneNumber};
use crate::domain::content::Content;
use crate::domain::mapping::check_with;
use crate::domain::row::Header;
use crate::domain::rules::{RulePack, RulePacks};

#[rstest]
#[case("key", "row['Id'", "$.mapping.key", "line 1")]
#[case("key", "'x' | nope", "$.mapping.key", "unknown function \"nope\"")]
#[case("key", "row[first]", "$.mapping.key", "row['Name']")]
#[case("key", "row", "$.mapping.key", "row['Name']")]
#[case("key", "row['Id'] ~ location", "$.mapping.key", "unknown name \"location\"")]
#[case("key", "range(10)", "$.mapping.key", "unknown name \"range\"")]
#[case("fields/appointment_at", "row['Date']", "$.mapping.fields.appointment_at", "datetime")]
#[case(
    "fields/appointment_at",
    "row['Date'] | datetime('%d %b')",
    "$.mapping.fields.appointment_at",
    "lacks a part"
)]
#[case(
    "fields/appointment_at",
    "row.Date | datetime('%m/%d/%Y %I:%M')",
    "$.mapping.fields.appointment_at",
    "%p"
)]
#[case("fields/sms", "row['Cell'] | phone('us of a')", "$.mapping.fields.sms", "region")]
fn expressions_are_refused(
    #[case] place: &str,
    #[case] source: &str,
    #[case] path: &str,
    #[case] message: &str,
) {
    let mut document = document();
    *document.pointer_mut(&format!("/mapping/{place}")).unwrap() = json!(source);
    let invalid = check(&document.to_string()).unwrap_err();
    let fits = |problem: &Problem| problem.path == path && problem.message.contains(message);
    assert!(invalid.problems.iter().any(fits), "{invalid}");
}

#[rstest]
#[case(
    "Hi\n{{ frist_name }}",
    "line 2: neither the mapping nor the constants make \"frist_name\"; did you mean"
)]
#[case("{{ row['First'] }}", "\"row\"")]
#[case("{{ location.street }}", "the constant \"location\" has no \"street\"")]
#[case("{{ first_name.x }}", "no members")]
#[case("a\n{{ first_name", "line 2")]
#[case("{% if first_name %}", "line 1")]
#[case("{% include 'x' %}", "include")]
#[case("{% for i in range(100000000) %}x{% endfor %}", "\"range\"")]
#[case("{{ first_name | nmae }}", "\"name\"?")]
fn texts_are_refused(#[case] text: &str, #[case] message: &str) {
    let invalid = check(&with_sms_text(text).to_string()).unwrap_err();
    assert_eq!(invalid.problems[0].path, "$.messages.sms.text", "{invalid}");
    assert!(invalid.to_string().contains(message), "{invalid}");
}

#[test]
fn follow_ups_are_checked_too() {
    let mut document = document();
    document["responses"]["follow_up"]["confirm"]["sms"] = json!("{{ nobody }}");
    let invalid = check(&document.to_string()).unwrap_err();
    assert_eq!(invalid.problems[0].path, "$.responses.follow_up.confirm.sms");
}

#[test]
fn one_list_has_the_problems_of_shape_and_of_texts() {
    let mut document = with_sms_text("{{ nobody }}");
    document["limits"] = json!({ "sms_segments": 99 });
    document["mapping"]["key"] = json!(1);
    let invalid = check(&document.to_string()).unwrap_err();
    let paths: Vec<_> = invalid.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["$.mapping.key", "$.limits.sms_segments", "$.messages.sms.text"]);
}

#[test]
fn missing_columns_are_all_listed() {
    let campaign = compiled(&document());
    let columns =
        ["Id", "first", "Date", "Time", "Cell", "Mail", "Zone", "Contact_Zone", "Lang", "How", "Person"];
    let missing = campaign.mapper(&Header(columns.map(String::from).to_vec())).unwrap_err();
    let found: Vec<_> = missing
        .missing
        .iter()
        .map(|one| (one.column.as_str(), one.near.as_ref().map(|near| near.name.as_str())))
        .collect();
    assert_eq!(found, [("Contact zone", Some("Contact_Zone")), ("Due", None), ("First", Some("first"))]);
    assert_eq!(missing.missing[2].needed_by, ["$.mapping.fields.first_name"]);
    assert!(missing.to_string().contains("did you mean \"first\"?"));
}

#[test]
fn columns_are_told_by_path() {
    let campaign = compiled(&document());
    let (path, columns) = campaign.columns().find(|(path, _)| path.ends_with("appointment_at")).unwrap();
    assert_eq!(
        (path, columns),
        ("$.mapping.fields.appointment_at", ["Date", "Time"].map(String::from).as_slice())
    );
}

#[rstest]
#[case::misspelt("us_state_hour", "did you mean \"us_state_hours\"?")]
#[case::of_nobody(
    "tcpa",
    "unknown rule pack \"tcpa\"; there are us_federal_hours, us_state_hours, us_care_message, us_revocation"
)]
fn unknown_rule_packs_are_refused(#[case] name: &str, #[case] message: &str) {
    let mut document = document();
    document["schedule"]["rule_packs"] = json!(["us_federal_hours", name]);
    let invalid = check(&document.to_string()).unwrap_err();
    let [problem] = invalid.problems.as_slice() else { panic!("{invalid}") };
    assert_eq!(problem.path, "$.schedule.rule_packs[1]");
    assert!(problem.message.contains(message), "{problem}");
}

#[test]
fn a_host_names_packs_of_its_own() {
    let own = serde_json::from_value::<RulePack>(json!({
        "name": "siesta",
        "title": "Not at noon",
        "rules": [{
            "id": "texts", "says": "Texts in the afternoon.", "purposes": ["care_reminder"], "methods": ["sms"],
            "place": "anywhere", "source": "The clinic.", "demand": { "hours": { "week": { "mon-sun": "15:00-21:00" } } }
        }]
    }));
    let known = RulePacks::standard().with(own.unwrap()).unwrap();
    let mut document = document();
    document["schedule"]["rule_packs"] = json!(["siesta"]);
    assert!(check(&document.to_string()).is_err());
    let campaign = check_with(&document.to_string(), &known).unwrap();
    let contact = ContactPoint::Sms(PhoneNumber::parse("+15205550100", None).unwrap());
    let terms = campaign.terms(&contact, Tz::America__Phoenix, None);
    assert_eq!(terms.rules.iter().map(|rule| rule.id().to_string()).collect::<Vec<_>>(), ["siesta/texts"]);
    assert_eq!(*terms.zones, [Tz::America__Phoenix]);
}

#[test]
fn the_length_of_a_text_is_known_to_its_rules() {
    let mut document = document();
    document["schedule"]["rule_packs"] = json!(["us_care_message"]);
    let campaign = check(&document.to_string()).unwrap();
    let contact = ContactPoint::Sms(PhoneNumber::parse("+15205550100", None).unwrap());
    let binding = |text: String| {
        let content = Content::Sms { text: text.into(), segments: 1 };
        campaign.terms(&contact, Tz::America__Phoenix, Some(&content)).rules.len()
    };
    assert_eq!(binding("ü".repeat(160)), 0);
    assert_eq!(binding("ü".repeat(161)), 1);
}
