use serde_json::{Value, json};

use super::{check, compiled, document, map, with};
use crate::domain::campaign::definition::FollowUpTrigger;
use crate::domain::contact_method::ContactMethod;
use crate::domain::row::RowFault;

const NAMES_ALL: &str = "{{ first_name }}'s: {% for one in household %}{{ one.first_name }} \
                         {{ one.appointment_at | time('%-I:%M %p') }} at {{ one.location.name }}\
                         {% if not loop.last %}, {% endif %}{% endfor %}.";

fn for_households() -> Value {
    let mut document = document();
    document["methods"] = json!({ "order": ["sms"], "household": "same_day" });
    document["messages"] = json!({ "sms": { "text": NAMES_ALL } });
    document["responses"] =
        json!({ "follow_up": { "confirm": { "sms": "Thanks, {{ household | length }}." } } });
    document
}

/// Where the document with a value at a pointer is refused, and why.
fn refused(pointer: &str, value: Value) -> Vec<(String, String)> {
    let mut document = for_households();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    let problems = check(&document.to_string()).unwrap_err().problems;
    problems.into_iter().map(|problem| (problem.path.clone(), problem.message)).collect()
}

#[test]
fn one_text_serves_one_row_and_several() {
    let campaign = compiled(&for_households());
    let anna = map(&campaign, &with("First", "anna")).unwrap();
    let mut ben = with("First", "ben");
    ben[3] = "10:00 AM";
    let ben = map(&campaign, &ben).unwrap();
    let alone = campaign.render(ContactMethod::Sms, &anna).unwrap();
    assert_eq!(alone.text(), "Anna's: Anna 9:15 AM at Main St.");
    let both = campaign.render_household(ContactMethod::Sms, &anna, &[&ben]).unwrap();
    assert_eq!(both.text(), "Anna's: Anna 9:15 AM at Main St, Ben 10:00 AM at Main St.");
    let thanks = |others: &[&_]| {
        let follow_up =
            campaign.render_follow_up(FollowUpTrigger::Confirm, ContactMethod::Sms, &anna, others);
        follow_up.unwrap().unwrap().1.text().to_owned()
    };
    assert_eq!((thanks(&[]), thanks(&[&ben])), ("Thanks, 1.".to_owned(), "Thanks, 2.".to_owned()));
}

#[test]
fn an_empty_field_of_any_row_fails_the_text() {
    let campaign = compiled(&for_households());
    let anna = map(&campaign, &with("First", "anna")).unwrap();
    let nameless = map(&campaign, &with("First", "")).unwrap();
    let fault = campaign.render_household(ContactMethod::Sms, &anna, &[&nameless]).unwrap_err();
    assert_eq!(fault.code, RowFault::MissingValue);
}

#[test]
fn a_text_that_names_one_appointment_is_refused() {
    let silent = json!({ "en": "See you {{ appointment_at | date('%a') }}.", "es": NAMES_ALL });
    let found = refused("/messages/sms/text", silent);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].0 == "$.messages.sms.text.en" && found[0].1.contains("for one in household"),
        "{found:?}"
    );
    let e_mail = json!({ "subject": "Soon", "text": NAMES_ALL, "html": "<p>Soon</p>" });
    let found = refused("/messages/email", e_mail);
    assert_eq!(found.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["$.messages.email.html"]);
}

#[test]
fn what_a_household_does_not_go_with_is_refused() {
    for (pointer, value, path, why) in [
        ("/methods/use", json!("ladder"), "$.methods.household", "ladder"),
        ("/schedule/send", json!("now"), "$.methods.household", "\"now\""),
        ("/methods/household", json!("week"), "$.methods.household", "same_day"),
        ("/mapping/fields/household", json!("row['First']"), "$.mapping.fields.household", "choose another"),
        ("/constants/household", json!("ours"), "$.constants.household", "choose another"),
        ("/messages/sms/text", json!("{{ household.first_name }}"), "$.messages.sms.text", "is a list"),
    ] {
        let found = refused(pointer, value);
        assert!(
            found.iter().any(|(of, message)| of == path && message.contains(why)),
            "{pointer}: {found:?}"
        );
    }
}

#[test]
fn without_the_option_there_is_no_household() {
    for off in [json!({ "order": ["sms"] }), json!({ "order": ["sms"], "household": "off" })] {
        let found = refused("/methods", off);
        assert!(found[0].1.contains("\"household\""), "{found:?}");
    }
    let mut own = document();
    own["mapping"]["fields"]["household"] = json!("row['Due']");
    own["messages"]["sms"]["text"] = json!("{{ household }}");
    let campaign = compiled(&own);
    let text = campaign.render(ContactMethod::Sms, &map(&campaign, &super::GOOD).unwrap()).unwrap();
    assert_eq!(text.text(), "12.5", "a field of this name is the campaign's own");
}
