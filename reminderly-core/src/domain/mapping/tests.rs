mod fingerprint;
mod households;
mod keys;
mod languages;
mod saving;

use chrono_tz::Tz;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::{CompiledCampaign, ContactField, MappedRow, RowNote, check};
use crate::domain::campaign::definition::FollowUpTrigger;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::InvalidContactPoint;
use crate::domain::content::Content;
use crate::domain::row::{Header, RejectedRow, Row, RowFault, RowNumber};

const COLUMNS: [&str; 12] =
    ["Id", "First", "Date", "Time", "Cell", "Mail", "Zone", "Contact zone", "Lang", "How", "Person", "Due"];

const GOOD: [&str; 12] = [
    "A-1",
    "ANNA",
    "03/09/2026",
    "09:15 AM",
    "(520) 555-0100",
    "Anna@example.com",
    "",
    "",
    "",
    "",
    "",
    "12.5",
];

fn document() -> Value {
    json!({
        "name": "Test",
        "time_zone": "America/Phoenix",
        "constants": { "location": { "name": "Main St" }, "tags": ["a", "b"] },
        "mapping": {
            "key": "row['Id']",
            "fields": {
                "first_name": "row['First'] | name",
                "appointment_at": "(row['Date'] ~ ' ' ~ row['Time']) | datetime('%m/%d/%Y %I:%M %p')",
                "sms": "row['Cell'] | phone('US')",
                "email": "row['Mail']",
                "time_zone": "row['Zone']",
                "contact_time_zone": "row['Contact zone']",
                "language": "row['Lang'] | default('en')",
                "methods": "row['How']",
                "person": "row['Person']",
                "due": "row['Due'] | money"
            }
        },
        "messages": {
            "sms": { "text": "{{ first_name }}, {{ appointment_at | date('%a %b %-d, %-I:%M %p') }} at {{ location.name }}." },
            "email": { "subject": "For {{ first_name }}", "text": "Due: {{ due | default('nothing') }}", "html": "<p>{{ first_name }}</p>" }
        },
        "schedule": {
            "send": [{ "days_before": 2 }],
            "windows": { "default": { "days": ["mon"], "from": "08:00", "to": "17:00" } }
        },
        "responses": { "follow_up": { "confirm": { "sms": "Thank you, {{ first_name }}.", "email": "Thanks." } } }
    })
}

fn compiled(document: &Value) -> CompiledCampaign {
    check(&document.to_string()).unwrap()
}

fn header() -> Header {
    Header(COLUMNS.map(String::from).to_vec())
}

fn map(campaign: &CompiledCampaign, fields: &[&str]) -> Result<MappedRow, RejectedRow> {
    campaign.mapper(&header()).unwrap().map(&Row::new(RowNumber(7), 9, fields.iter().copied()))
}

/// The good row with one other field.
fn with<'a>(column: &str, value: &'a str) -> Vec<&'a str> {
    COLUMNS.iter().zip(GOOD).map(|(name, good)| if *name == column { value } else { good }).collect()
}

fn with_sms_text(text: &str) -> Value {
    let mut document = document();
    document["messages"]["sms"]["text"] = json!(text);
    document
}

#[test]
fn a_good_row_is_mapped_and_rendered() {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &GOOD).unwrap();

    assert_eq!((mapped.row, mapped.line), (RowNumber(7), 9));
    assert_eq!(mapped.key.as_str(), "A-1");
    let appointment = mapped.appointment.unwrap();
    assert_eq!(appointment.local.to_string(), "2026-03-09 09:15:00");
    assert_eq!(appointment.zone, Tz::America__Phoenix);
    assert_eq!(mapped.contact_zone, Tz::America__Phoenix);
    assert_eq!(mapped.language.as_deref(), Some("en"));
    assert_eq!((&mapped.person, &mapped.methods), (&None, &None));
    let address = |method| match mapped.contact(method) {
        ContactField::Valid(point) => point.address().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(address(ContactMethod::Sms), "+15205550100");
    assert_eq!(address(ContactMethod::Email), "anna@example.com");
    assert_eq!(mapped.notes, []);
    let sms = campaign.render(ContactMethod::Sms, &mapped).unwrap();
    assert_eq!(sms.text(), "Anna, Mon Mar 9, 9:15 AM at Main St.");
    assert_eq!(sms.segments(), 1);
    let Content::Email { subject, text, html } = campaign.render(ContactMethod::Email, &mapped).unwrap()
    else {
        panic!("no e-mail")
    };
    assert_eq!((&*subject, &*text, html.as_deref()), ("For Anna", "Due: $12.50", Some("<p>Anna</p>")));
}

#[test]
fn a_call_is_rendered_with_its_keys() {
    let mut document = document();
    document["mapping"]["fields"]["phone"] = json!("row['Cell'] | phone('US')");
    document["messages"]["phone"] = json!({ "script": "Hello {{ first_name }}, {{ phone }}.", "voicemail": "Call us, {{ first_name }}." });
    document["responses"]["phone"] = json!({ "confirm": ["1"] });
    let campaign = compiled(&document);
    let mapped = map(&campaign, &GOOD).unwrap();
    let Content::Phone { script, voicemail, keys } = campaign.render(ContactMethod::Phone, &mapped).unwrap()
    else {
        panic!("no call")
    };
    assert_eq!((&*script, voicemail.as_deref()), ("Hello Anna, +15205550100.", Some("Call us, Anna.")));
    assert_eq!(keys, campaign.definition().responses.phone);
    assert!(matches!(mapped.contact(ContactMethod::Phone), ContactField::Valid(_)));
    let none =
        campaign.render_follow_up(FollowUpTrigger::Confirm, ContactMethod::Phone, &mapped, &[]).unwrap();
    assert_eq!(none, None);
}

#[test]
fn follow_ups_are_rendered_where_there_are_some() {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &GOOD).unwrap();
    let follow_up = |trigger, method| campaign.render_follow_up(trigger, method, &mapped, &[]).unwrap();
    let (language, thanks) = follow_up(FollowUpTrigger::Confirm, ContactMethod::Sms).unwrap();
    assert_eq!(language.as_str(), "en");
    assert_eq!(thanks.text(), "Thank you, Anna.");
    let Some((_, Content::Email { subject, .. })) = follow_up(FollowUpTrigger::Confirm, ContactMethod::Email)
    else {
        panic!("no e-mail")
    };
    assert_eq!(&*subject, "For Anna");
    assert_eq!(follow_up(FollowUpTrigger::Cancel, ContactMethod::Sms), None);
}

#[rstest]
#[case("Date", "02/31/2026", RowFault::InvalidDate, "Date + Time")]
#[case("Date", "03/09/0026", RowFault::InvalidDate, "Date + Time")]
#[case("Time", "24:00", RowFault::InvalidDate, "Date + Time")]
#[case("Time", "", RowFault::InvalidDate, "Date + Time")]
#[case("Cell", "1.555E+10", RowFault::ExcelNumber, "Cell")]
#[case("Cell", "5.205551E+09", RowFault::ExcelNumber, "Cell")]
#[case("Id", "1.23457E+11", RowFault::ExcelNumber, "Id")]
#[case("Person", "4,2E+15", RowFault::ExcelNumber, "Person")]
#[case("Date", "46090", RowFault::ExcelDate, "Date + Time")]
#[case("Date", "46090.395", RowFault::ExcelDate, "Date + Time")]
#[case("Time", "0.395833333", RowFault::ExcelDate, "Date + Time")]
#[case("Id", "", RowFault::MissingValue, "Id")]
#[case("Id", " \u{200b}\u{0} ", RowFault::MissingValue, "Id")]
#[case("Id", &"x".repeat(201), RowFault::ValueTooLong, "Id")]
#[case("First", &"x".repeat(100_000), RowFault::ValueTooLong, "First")]
#[case("Zone", "Arizona", RowFault::UnknownTimeZone, "Zone")]
#[case("Contact zone", "-07:00", RowFault::UnknownTimeZone, "Contact zone")]
#[case("How", "sms, fax", RowFault::UnknownMethod, "How")]
#[case("How", "phone", RowFault::UnknownMethod, "How")]
#[case("Person", &"x".repeat(255), RowFault::ValueTooLong, "Person")]
#[case("Due", "1.234,50", RowFault::InvalidValue, "Due")]
fn rows_are_rejected(
    #[case] column: &str,
    #[case] value: &str,
    #[case] code: RowFault,
    #[case] reported: &str,
) {
    let rejected = map(&compiled(&document()), &with(column, value)).unwrap_err();
    assert_eq!(rejected.row, RowNumber(7));
    assert_eq!(rejected.code, code, "{rejected:?}");
    assert_eq!(rejected.column.as_deref(), Some(reported));
    assert!(rejected.detail.starts_with("line 9: "), "{rejected:?}");
    assert!(value.trim().len() < 4 || !rejected.detail.contains(value), "{rejected:?}");
}

#[test]
fn an_empty_appointment_is_a_missing_value() {
    let mut fields = GOOD;
    (fields[2], fields[3]) = ("", " ");
    assert_eq!(map(&compiled(&document()), &fields).unwrap_err().code, RowFault::MissingValue);
}

#[rstest]
#[case("Cell", "", ContactMethod::Sms, ContactField::Absent)]
#[case("Cell", "none", ContactMethod::Sms, ContactField::Invalid(InvalidContactPoint::Phone))]
#[case("Mail", "", ContactMethod::Email, ContactField::Absent)]
#[case("Mail", "anna", ContactMethod::Email, ContactField::Invalid(InvalidContactPoint::Email))]
fn bad_contact_points_do_not_reject_a_row(
    #[case] column: &str,
    #[case] value: &str,
    #[case] method: ContactMethod,
    #[case] expected: ContactField,
) {
    assert_eq!(map(&compiled(&document()), &with(column, value)).unwrap().contact(method), &expected);
}

#[test]
fn a_number_without_a_region_needs_its_country_code() {
    let mut document = document();
    document["mapping"]["fields"]["sms"] = json!("row['Cell']");
    let campaign = compiled(&document);
    let invalid = ContactField::Invalid(InvalidContactPoint::MissingRegion);
    assert_eq!(map(&campaign, &GOOD).unwrap().contact(ContactMethod::Sms), &invalid);
    let mapped = map(&campaign, &with("Cell", "+1 520 555 0100")).unwrap();
    assert!(matches!(mapped.contact(ContactMethod::Sms), ContactField::Valid(_)));
}

#[test]
fn what_is_sent_on_demand_needs_no_appointment() {
    let mut document = document();
    document["schedule"]["send"] = json!("now");
    let on_demand = compiled(&document);
    assert!(map(&on_demand, &GOOD).unwrap().appointment.is_some(), "one that is there bounds the plan");
    let undated = GOOD.map(|field| if field.contains('/') || field.ends_with("AM") { "" } else { field });
    assert_eq!(map(&compiled(&self::document()), &undated).unwrap_err().code, RowFault::MissingValue);
    let mut without_date = document;
    without_date["messages"]["sms"]["text"] = json!("School closes early.");
    assert!(map(&compiled(&without_date), &undated).unwrap().appointment.is_none());
}

#[test]
fn rows_choose_zones_and_methods() {
    let campaign = compiled(&document());
    let zone = |mapped: &MappedRow| mapped.appointment.unwrap().zone;
    let mapped = map(&campaign, &with("Zone", "Asia/Kathmandu")).unwrap();
    assert_eq!((zone(&mapped), mapped.contact_zone), (Tz::Asia__Kathmandu, Tz::Asia__Kathmandu));
    let mapped = map(&campaign, &with("Contact zone", "Europe/Madrid")).unwrap();
    assert_eq!((zone(&mapped), mapped.contact_zone), (Tz::America__Phoenix, Tz::Europe__Madrid));
    let mapped = map(&campaign, &with("How", "Email, sms email")).unwrap();
    assert_eq!(mapped.methods, Some(vec![ContactMethod::Email, ContactMethod::Sms]));
}

#[rstest]
#[case("03/08/2026", "02:30 AM", RowNote::AppointmentInGap)]
#[case("11/01/2026", "01:30 AM", RowNote::AppointmentAmbiguous)]
fn changes_of_the_clock_are_noted(#[case] date: &str, #[case] time: &str, #[case] note: RowNote) {
    let mut fields = GOOD;
    (fields[2], fields[3], fields[6]) = (date, time, "America/New_York");
    assert_eq!(map(&compiled(&document()), &fields).unwrap().notes, [note]);
}

#[test]
fn cells_are_cleaned() {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &with("First", " \u{feff}E\u{301}lo\u{0}die\u{200b} ")).unwrap();
    assert_eq!(mapped.notes, [RowNote::CharactersRemoved]);
    assert!(campaign.render(ContactMethod::Sms, &mapped).unwrap().text().starts_with("Élodie, "));
}

#[test]
fn an_empty_field_is_a_fault_only_where_a_text_shows_it() {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &with("Due", "")).unwrap();
    let email = campaign.render(ContactMethod::Email, &mapped).unwrap();
    assert_eq!(email.text(), "Due: nothing");
    let mapped = map(&campaign, &with("First", "")).unwrap();
    let rejected = RejectedRow::from(campaign.render(ContactMethod::Sms, &mapped).unwrap_err());
    assert_eq!(rejected.code, RowFault::MissingValue);
    assert_eq!(rejected.column.as_deref(), Some("First"));
    assert_eq!(rejected.detail, "line 9: sms.text: a value that it uses is empty: first_name");
}

#[rstest]
#[case("{{ Other }}")]
#[case("{% if true %}x{% endif %}")]
#[case("{{ [1] }} {# x")]
fn values_are_never_read_as_templates(#[case] value: &str) {
    let mut document = with_sms_text("{{ first_name }}");
    document["mapping"]["fields"]["first_name"] = json!("row['First']");
    let campaign = compiled(&document);
    let mapped = map(&campaign, &with("First", value)).unwrap();
    assert_eq!(campaign.render(ContactMethod::Sms, &mapped).unwrap().text(), value);
}

#[test]
fn html_is_escaped() {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &with("First", "<Script>")).unwrap();
    let Content::Email { subject, html, .. } = campaign.render(ContactMethod::Email, &mapped).unwrap() else {
        panic!("no e-mail")
    };
    assert_eq!(html.as_deref(), Some("<p>&lt;Script&gt;</p>"));
    assert_eq!(&*subject, "For <Script>");
}

#[rstest]
#[case("Anna\r\nBcc: eve@example.com")]
#[case("Anna\nx")]
#[case("Anna\rx")]
fn a_subject_never_has_two_lines(#[case] value: &str) {
    let mut document = document();
    document["mapping"]["fields"]["first_name"] = json!("row['First']");
    let campaign = compiled(&document);
    let mapped = map(&campaign, &with("First", value)).unwrap();
    let fault = campaign.render(ContactMethod::Email, &mapped).unwrap_err();
    assert_eq!(fault.code, RowFault::TemplateFailed);
    assert!(!fault.detail.contains("Bcc"));
}

#[test]
fn names_of_constants_and_loops_are_known() {
    let text = "{{ time_zone }}{% for tag in tags %} {{ loop.index }}{{ tag }}{% endfor %}";
    let campaign = compiled(&with_sms_text(text));
    let mapped = map(&campaign, &GOOD).unwrap();
    assert_eq!(campaign.render(ContactMethod::Sms, &mapped).unwrap().text(), "America/Phoenix 1a 2b");
}

#[rstest]
#[case("{% if language == 'en' and 'a' in tags %}yes{% else %}no{% endif %}", "yes")]
#[case("{% if person is defined %}yes{% else %}no{% endif %}", "no")]
#[case("{{ 'yes' if first_name != 'Bob' and not person else 'no' }}", "yes")]
fn texts_decide(#[case] text: &str, #[case] expected: &str) {
    let campaign = compiled(&with_sms_text(text));
    let mapped = map(&campaign, &GOOD).unwrap();
    assert_eq!(campaign.render(ContactMethod::Sms, &mapped).unwrap().text(), expected);
}

#[test]
fn a_text_of_which_nothing_can_be_seen_is_none() {
    let campaign = compiled(&with_sms_text("{% if person is undefined %}\u{200b}\u{1}{% endif %}"));
    let mapped = map(&campaign, &GOOD).unwrap();
    let fault = campaign.render(ContactMethod::Sms, &mapped).unwrap_err();
    assert_eq!(fault.detail, "line 9: sms.text: the text is empty");
}

#[test]
fn expressions_beyond_the_fast_path_work_alike() {
    let mut document = document();
    document["mapping"]["fields"]["first_name"] =
        json!("(row['First'] | name) ~ (', ' ~ row['Lang'] if row['Lang'] else '')");
    document["mapping"]["fields"]["sms"] = json!("(row['Cell'] or row['Due']) | phone('US')");
    let campaign = compiled(&document);
    let mapped = map(&campaign, &GOOD).unwrap();
    assert!(campaign.render(ContactMethod::Sms, &mapped).unwrap().text().starts_with("Anna, Mon"));
    assert!(matches!(mapped.contact(ContactMethod::Sms), ContactField::Valid(_)));
    let mapped = map(&campaign, &with("Cell", "12")).unwrap();
    assert!(matches!(mapped.contact(ContactMethod::Sms), ContactField::Invalid(_)));
}

#[test]
fn large_texts_end_with_a_fault() {
    let mut document =
        with_sms_text("{% for a in list %}{% for b in list %}{{ first_name }}{% endfor %}{% endfor %}");
    document["constants"]["list"] = json!(vec![0; 1_000]);
    let campaign = compiled(&document);
    let name = "X".repeat(1_000);
    let mapped = map(&campaign, &with("First", &name)).unwrap();
    let fault = campaign.render(ContactMethod::Sms, &mapped).unwrap_err();
    assert_eq!(fault.code, RowFault::TemplateFailed);
}

#[test]
fn nothing_personal_is_in_debug_output() {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &GOOD).unwrap();
    let shown = format!("{mapped:?} {:?} {:?} {:?}", mapped.key, mapped.contacts, mapped.fields);
    for personal in ["Anna", "ANNA", "A-1", "5205550100", "anna@"] {
        assert!(!shown.contains(personal), "{shown}");
    }
}

#[test]
fn compiled_campaigns_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<CompiledCampaign>();
    shared::<MappedRow>();
}

proptest! {
    /// The fast path and the virtual machine give the same: parentheses around the whole leave the fast path.
    #[test]
    fn both_paths_agree(
        cell in "\\PC{0,12}|[0-9/ :]{0,12}|[a-zA-Z' -]{0,12}|\\+?[0-9]{7,11}|[a-z]{1,4}@[a-z]{1,4}\\.com",
        chain in prop::collection::vec(prop::sample::select(vec![
            "name", "trim", "digits", "truncate(3)", "default('x')", "money", "money('€')", "phone('US')", "email",
            "date('%m/%d/%Y')", "time('%H:%M')",
        ]), 0..3),
    ) {
        let mut expression = "row['First']".to_owned();
        for function in chain {
            expression = format!("{expression} | {function}");
        }
        let run = |expression: &str| -> Result<String, Option<RowFault>> {
            let mut document = with_sms_text("[{{ first_name | default('none') }}]");
            document["mapping"]["fields"]["first_name"] = json!(expression);
            let Ok(campaign) = check(&document.to_string()) else { return Err(None) };
            let mapped = map(&campaign, &with("First", &cell)).map_err(|fault| Some(fault.code))?;
            Ok(campaign.render(ContactMethod::Sms, &mapped).unwrap().text().to_owned())
        };
        let fast = run(&expression);
        prop_assert_eq!(&fast, &run(&format!("(({expression}))")));
    }
}
