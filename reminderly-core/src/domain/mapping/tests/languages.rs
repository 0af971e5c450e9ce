use rstest::rstest;
use serde_json::{Value, json};

use super::{COLUMNS, GOOD, check, compiled, document, map, with};
use crate::domain::campaign::definition::FollowUpTrigger;
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::mapping::RowNote;

/// Text messages in three languages, e-mails in two, thanks in one more.
fn multilingual() -> Value {
    let mut document = document();
    document["messages"]["sms"]["text"] = json!({
        "en": "See you {{ appointment_at | date('%A, %B %-d, %-I:%M %p') }}.",
        "es": "Nos vemos el {{ appointment_at | date('%A %-d de %B, %-I:%M %p') }}.",
        "es-MX": "Te esperamos el {{ appointment_at | date('%a %-d %b') }}.",
        "fr": "À {{ appointment_at | date('%a %-d %b') }}."
    });
    document["messages"]["email"] = json!({
        "subject": "Smith Clinic, {{ appointment_at | date('%a') }}",
        "text": { "en": "Hello {{ first_name }}", "es": "Hola {{ first_name }}" }
    });
    document["responses"]["follow_up"]["confirm"] =
        json!({ "sms": { "en": "Thanks.", "de": "Danke." }, "email": "Thank you." });
    document
}

#[rstest]
#[case::none_named("", "en", "See you Monday, March 9, 9:15 AM.")]
#[case::exact("es", "es", "Nos vemos el lunes 9 de marzo, 9:15 AM.")]
#[case::exact_with_region("es-MX", "es-MX", "Te esperamos el lun 9 mar.")]
#[case::in_any_case("ES_mx", "es-MX", "Te esperamos el lun 9 mar.")]
#[case::without_its_region("es-AR", "es", "Nos vemos el lunes 9 de marzo, 9:15 AM.")]
#[case::french("fr", "fr", "À lun. 9 mars.")]
#[case::no_such_text("de", "en", "See you Monday, March 9, 9:15 AM.")]
#[case::no_language("Spanish", "en", "See you Monday, March 9, 9:15 AM.")]
fn the_row_chooses_the_text(#[case] named: &str, #[case] language: &str, #[case] text: &str) {
    let campaign = compiled(&multilingual());
    let mapped = map(&campaign, &with("Lang", named)).unwrap();
    assert_eq!(campaign.language_of(ContactMethod::Sms, &mapped).as_str(), language);
    assert_eq!(campaign.render(ContactMethod::Sms, &mapped).unwrap().text(), text);
}

#[rstest]
#[case("", false)]
#[case("en", false)]
#[case("en-GB", false)]
#[case("es-AR", false)]
// The e-mail has no French text, and nothing but thanks are in German.
#[case("fr", true)]
#[case("de", true)]
#[case("Spanish", true)]
fn a_row_without_a_text_in_its_language_is_noted(#[case] named: &str, #[case] noted: bool) {
    let campaign = compiled(&multilingual());
    let notes = map(&campaign, &with("Lang", named)).unwrap().notes;
    assert_eq!(notes.contains(&RowNote::NoTextInLanguage), noted, "{notes:?}");
}

#[test]
fn a_message_is_in_one_language_throughout() {
    let campaign = compiled(&multilingual());
    let mail = |named: &str| match campaign
        .render(ContactMethod::Email, &map(&campaign, &with("Lang", named)).unwrap())
    {
        Ok(Content::Email { subject, text, .. }) => (subject.to_string(), text.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(mail("es-MX"), ("Smith Clinic, lun".to_owned(), "Hola Anna".to_owned()));
    assert_eq!(mail("fr"), ("Smith Clinic, Mon".to_owned(), "Hello Anna".to_owned()));
}

#[test]
fn follow_ups_choose_for_themselves() {
    let campaign = compiled(&multilingual());
    let thanks = |named: &str, method| {
        let mapped = map(&campaign, &with("Lang", named)).unwrap();
        let (language, content) =
            campaign.render_follow_up(FollowUpTrigger::Confirm, method, &mapped, &[]).unwrap().unwrap();
        (language.to_string(), content.text().to_owned())
    };
    assert_eq!(thanks("de", ContactMethod::Sms), ("de".to_owned(), "Danke.".to_owned()));
    assert_eq!(thanks("es", ContactMethod::Sms), ("en".to_owned(), "Thanks.".to_owned()));
    assert_eq!(thanks("es", ContactMethod::Email), ("en".to_owned(), "Thank you.".to_owned()));
}

#[test]
fn plain_texts_are_in_the_campaigns_language() {
    let mut document = document();
    document["language"] = json!("fr");
    let campaign = compiled(&document);
    let row: Vec<&str> = COLUMNS.iter().zip(GOOD).map(|(_, good)| good).collect();
    let mapped = map(&campaign, &row).unwrap();
    assert_eq!(mapped.notes, [RowNote::NoTextInLanguage], "the row says en");
    assert_eq!(
        campaign.render(ContactMethod::Sms, &mapped).unwrap().text(),
        "Anna, lun. mars 9, 9:15 AM at Main St."
    );
}

#[rstest]
#[case::no_campaign_language("$.messages.sms.text", json!({ "es": "Hola" }), "$.messages.sms.text.en")]
#[case::nothing("$.messages.sms.text", json!({}), "$.messages.sms.text.en")]
#[case::no_tag("$.messages.sms.text", json!({ "en": "a", "Spanish": "b" }), "$.messages.sms.text.Spanish")]
#[case::another_case("$.messages.sms.text", json!({ "en": "a", "es-mx": "b" }), "$.messages.sms.text['es-mx']")]
#[case::empty("$.messages.sms.text", json!({ "en": "a", "es": " " }), "$.messages.sms.text.es")]
#[case::unknown_name("$.messages.sms.text", json!({ "en": "a", "es-MX": "{{ firstname }}" }), "$.messages.sms.text['es-MX']")]
#[case::unknown_function("$.messages.sms.text", json!({ "en": "a", "es": "{{ first_name | nam }}" }), "$.messages.sms.text.es")]
#[case::half_translated("$.messages.email.html", json!({ "en": "a", "es": "b" }), "$.messages.email.text.es")]
#[case::two_lines("$.messages.email.subject", json!({ "en": "a\nb" }), "$.messages.email.subject.en")]
#[case::follow_up("$.responses.follow_up.confirm.sms", json!({ "en": "{{ x }}" }), "$.responses.follow_up.confirm.sms.en")]
#[case::no_language("$.language", json!("english"), "$.language")]
fn faulty_languages_are_refused_with_their_place(
    #[case] place: &str,
    #[case] value: Value,
    #[case] path: &str,
) {
    let mut document = document();
    document["messages"]["email"]["text"] = json!({ "en": "Hello" });
    let names = place.strip_prefix("$.").unwrap().split('.');
    *names.fold(&mut document, |node, name| &mut node[name]) = value;
    let invalid = check(&document.to_string()).unwrap_err();
    let paths: Vec<&str> = invalid.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, [path], "{invalid}");
}

#[test]
fn a_faulty_text_for_everybody_is_told_once() {
    let mut document = multilingual();
    document["messages"]["email"]["subject"] = json!("{{ firstname }}");
    let invalid = check(&document.to_string()).unwrap_err();
    assert_eq!(invalid.problems.len(), 1, "{invalid}");
    assert_eq!(invalid.problems[0].path, "$.messages.email.subject");
}
