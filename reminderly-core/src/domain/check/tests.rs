use std::collections::BTreeMap;
use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::sample::about_texts;
use super::*;
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::mapping::{CompiledCampaign, check};
use crate::domain::packet::RowCounts;
use crate::domain::phone_keys::{KeyAction, PhoneKeys};
use crate::domain::report::PacketCounts;
use crate::domain::row::{Header, RejectedRow, Row, RowFault, RowNumber};
use crate::domain::segments::count_segments;
use crate::domain::skip_reason::SkipReason;

fn document() -> Value {
    json!({
        "name": "Test",
        "sender_name": "Smith Clinic",
        "time_zone": "America/Phoenix",
        "mapping": { "key": "row['Id']", "fields": {
            "name": "row['Name']",
            "appointment_at": "row['At'] | datetime('%Y-%m-%d %H:%M')",
            "sms": "row['Cell'] | phone('US')"
        } },
        "messages": { "sms": { "text": "Smith Clinic: see you. STOP to opt out." } },
        "schedule": {
            "send": [{ "days_before": 2, "at": "10:00" }],
            "windows": { "default": { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "16:30" } },
            "min_notice": "1h"
        }
    })
}

/// The document with values put at JSON pointers; null takes a member away.
pub(super) fn compiled(changes: &[(&str, Value)]) -> Arc<CompiledCampaign> {
    let mut document = document();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(parent.remove(key)),
            value => drop(parent.insert(key.to_owned(), value.clone())),
        }
    }
    Arc::new(check(&document.to_string()).unwrap())
}

fn findings(changes: &[(&str, Value)]) -> Vec<(Severity, String)> {
    let now = "2026-03-02T14:00:00Z".parse().unwrap();
    let found = check_campaign(&compiled(changes), now);
    found.into_iter().map(|finding| (finding.severity, finding.place)).collect()
}

#[test]
fn a_wise_campaign_has_no_findings() {
    assert_eq!(findings(&[]), []);
}

#[rstest]
#[case::no_sender("/sender_name", Value::Null, Severity::Warning, "$.sender_name")]
#[case::night_only("/schedule/when_closed", json!("skip"), Severity::Error, "$.schedule.send[0]")]
#[case::too_little_notice("/schedule/send", json!([{ "hours_before": 0.5 }]), Severity::Error, "$.schedule.send[0]")]
#[case::past("/schedule/closed_dates", json!(["2025-12-25"]), Severity::Note, "$.schedule.closed_dates")]
fn contradictions_are_found(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] severity: Severity,
    #[case] place: &str,
) {
    let mut changes = vec![(pointer, value)];
    if pointer == "/schedule/when_closed" {
        changes.push(("/schedule/send", json!([{ "days_before": 2, "at": "20:00" }])));
    }
    assert!(findings(&changes).contains(&(severity, place.to_owned())), "{:?}", findings(&changes));
}

#[rstest]
// The federal hours begin at eight.
#[case::hours(
    &[("/schedule/windows/default/from", json!("05:00")), ("/schedule/windows/default/to", json!("07:00"))],
    "us_federal_hours",
)]
#[case::never(&[("/purpose", json!("marketing"))], "us_care_message")]
fn a_schedule_that_a_rule_pack_contradicts_is_found(#[case] changes: &[(&str, Value)], #[case] pack: &str) {
    assert_eq!(findings(changes), [], "without the pack it is as it should be");
    let packs = ("/schedule/rule_packs", json!([pack]));
    let found = findings(&changes.iter().cloned().chain([packs]).collect::<Vec<_>>());
    assert_eq!(found, [(Severity::Error, "$.schedule.send[0]".to_owned())]);
}

#[test]
fn limits_that_a_rule_pack_asks_for_are_missed() {
    let packs = ("/schedule/rule_packs", json!(["us_care_message"]));
    let (day, week) = ("$.limits.per_person_per_day".to_owned(), "$.limits.per_person_per_week".to_owned());
    let limits = |per_day, per_week| {
        let limits = json!({ "per_person_per_day": per_day, "per_person_per_week": per_week });
        findings(&[packs.clone(), ("/limits", limits)])
    };
    let missed = |place: &String| (Severity::Warning, place.clone());
    assert_eq!(findings(std::slice::from_ref(&packs)), [missed(&day), missed(&week)]);
    assert_eq!(limits(2, 3), [missed(&day)]);
    assert_eq!(limits(1, 4), [missed(&week)]);
    assert_eq!(limits(1, 3), []);
}

#[test]
fn numbers_for_which_no_hour_is_open_are_told() {
    let careful = ("/schedule/area_code_zones", json!(true));
    let told = (Severity::Note, "$.schedule.area_code_zones".to_owned());
    assert_eq!(findings(std::slice::from_ref(&careful)), [told]);
    let london = ("/time_zone", json!("Europe/London"));
    assert_eq!(findings(&[careful.clone(), london]), [], "nobody has a toll-free number of America there");
    let always = json!({ "default": {
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "00:00"
    } });
    assert_eq!(findings(&[careful, ("/schedule/windows", always)]), []);
}

#[test]
fn an_entry_that_always_gives_way_is_found() {
    let twice = json!([{ "days_before": 2, "at": "09:00" }, { "days_before": 2, "at": "10:00" }]);
    let found = findings(&[("/schedule/send", twice)]);
    assert_eq!(found, [(Severity::Warning, "$.schedule.send[0]".to_owned())]);
}

fn row(number: u64, fields: [&str; 4]) -> Row {
    Row::new(RowNumber(number), number + 1, fields)
}

fn header() -> Header {
    Header(["Id", "Name", "At", "Cell"].map(String::from).to_vec())
}

#[test]
fn fields_and_columns_are_counted() {
    let header = Header(["Id", "Name", "At", "Cell", "Notes"].map(String::from).to_vec());
    let mut sample = Sample::new(compiled(&[]), &header).unwrap();
    sample.add_rows(&[
        row(1, ["A", "Ann", "2026-03-09 09:00", "5205550100"]),
        row(2, ["B", " ", "2026-03-09 09:00", "5205550101"]),
        row(3, ["C", "", "2026-03-09 09:00", ""]),
        row(4, ["D", "", "never", "5205550101"]),
    ]);
    let counts = PacketCounts {
        rows: RowCounts { read: 4, loaded: 4, failed: 1, ..RowCounts::default() },
        planned: 2,
        ..PacketCounts::default()
    };
    let report = sample.finish(&counts);
    assert_eq!(report.rows, 3);
    assert_eq!(report.unused_columns, ["Notes"]);
    let empty: BTreeMap<&str, u64> =
        report.fields.iter().map(|field| (field.field.as_str(), field.empty)).collect();
    assert_eq!(empty, BTreeMap::from([("appointment_at", 0), ("name", 2), ("sms", 1)]));
    let places: Vec<&str> = report.findings.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["data", "$.mapping.fields.name", "$.mapping.fields.sms"]);
}

#[test]
fn faults_name_their_rows() {
    let mut sample = Sample::new(compiled(&[]), &header()).unwrap();
    for number in 1..=30 {
        let column = Some("At".to_owned());
        sample.reject(&RejectedRow {
            row: RowNumber(number),
            column,
            code: RowFault::InvalidDate,
            detail: format!("line {number}"),
        });
    }
    let report = sample.finish(&PacketCounts::default());
    let [fault] = report.faults.as_slice() else { panic!("{:?}", report.faults) };
    assert_eq!((fault.rows, fault.first_rows.len(), fault.example.as_str()), (30, 20, "line 1"));
    assert_eq!(report.findings[0].severity, Severity::Error, "there is no row");
}

#[test]
fn texts_are_measured_exactly() {
    let mut texts = TextUse::default();
    let sms = |text: &str| Content::Sms { text: text.into(), segments: count_segments(text).count };
    let long = "x".repeat(161);
    texts.add(RowNumber(1), &sms("Smith Clinic: see you. STOP to opt out."), Some("Smith Clinic"));
    texts.add(RowNumber(2), &sms("See you, Zoë’s friend’s"), Some("Smith Clinic"));
    texts.add(RowNumber(3), &sms(&long), Some("Smith Clinic"));
    assert_eq!(texts.segments, BTreeMap::from([(1, 2), (2, 1)]));
    assert_eq!(texts.worst.map(|(size, row)| (size.count, row)), Some((2, RowNumber(3))));
    assert_eq!((texts.without_sender, texts.without_opt_out), (2, 2));
    let found: Vec<(char, Vec<RowNumber>)> =
        texts.non_gsm.into_iter().map(|(character, found)| (character, found.first_rows)).collect();
    assert_eq!(found, [('ë', vec![RowNumber(2)]), ('’', vec![RowNumber(2)])]);
}

/// What a script says of text messages stops no call.
#[test]
fn calls_need_a_key_that_opts_out() {
    let confirm = ('1'.try_into().unwrap(), KeyAction::Confirm);
    let opt_out = ('9'.try_into().unwrap(), KeyAction::OptOut);
    for (keys, without) in [(vec![], 1), (vec![confirm.clone()], 1), (vec![confirm, opt_out], 0)] {
        let mut texts = TextUse::default();
        let keys = Arc::new(PhoneKeys(keys.into_iter().collect()));
        let script = "Smith Clinic. Text STOP to opt out.".into();
        texts.add(RowNumber(1), &Content::Phone { script, voicemail: None, keys }, Some("Smith Clinic"));
        assert_eq!((texts.without_sender, texts.without_opt_out), (0, without));
        let mut findings = Vec::new();
        about_texts(ContactMethod::Phone, &texts, &mut findings);
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, vec!["$.responses.phone"; usize::try_from(without).unwrap()]);
    }
}

#[test]
fn nothing_to_send_is_an_error() {
    let sample = Sample::new(compiled(&[]), &header()).unwrap();
    let counts = PacketCounts {
        rows: RowCounts { read: 3, loaded: 3, skipped: 3, ..RowCounts::default() },
        skipped_at_planning: BTreeMap::from([(SkipReason::NoContactPoint, 3)]),
        ..PacketCounts::default()
    };
    let report = sample.finish(&counts);
    assert_eq!(report.findings[0].message, "no message would go; skipped as no_contact_point: 3");
    assert!(!report.texts.contains_key(&ContactMethod::Sms));
}
