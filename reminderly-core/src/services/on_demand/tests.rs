use std::collections::BTreeMap;

use chrono::DateTime;

use super::call::OnDemandCall;
use super::{CallContent, CallRow, InvalidCall};
use crate::domain::call::{CallKey, CallKind};
use crate::domain::mapping::{CompiledCampaign, check};
use crate::domain::one_liner::OneLiner;
use crate::domain::row::{RowFault, RowNumber};
use crate::domain::table::MAX_COLUMNS;
use crate::ids::{CampaignId, IdSourceExt as _, SeededIds};
use crate::services::{QueueNames, Settings};

fn campaign() -> CompiledCampaign {
    check(
        r#"{
            "name": "Ready", "time_zone": "America/Phoenix",
            "mapping": { "key": "row['Id']", "fields": { "name": "row['Name']", "sms": "row['Cell']" } },
            "messages": { "sms": { "text": "{{ name }}, your order is ready." } },
            "schedule": { "send": "now" }
        }"#,
    )
    .unwrap()
}

fn settings() -> Settings {
    let names = QueueNames::of_deployment("test").unwrap();
    Settings { max_call_rows: 3, max_call_bytes: 200, max_row_bytes: 100, ..Settings::new(names) }
}

fn id(seed: u64) -> CampaignId {
    SeededIds::new(seed).next(DateTime::UNIX_EPOCH)
}

fn row(cells: &[(&str, &str)]) -> CallRow {
    cells.iter().map(|(column, cell)| ((*column).to_owned(), (*cell).to_owned())).collect()
}

fn rows(rows: Vec<CallRow>) -> OnDemandCall {
    OnDemandCall::rows(CallKey::new("k").unwrap(), rows)
}

fn line(one_liner: OneLiner) -> OnDemandCall {
    OnDemandCall::one_liner(CallKey::new("k").unwrap(), one_liner)
}

fn refusal(call: &OnDemandCall) -> InvalidCall {
    let read = call.check_size(&settings()).and_then(|()| call.read(id(1), &campaign(), &settings()));
    read.unwrap_err()
}

#[test]
fn the_header_is_the_union_of_the_columns_and_what_a_row_lacks_is_empty() {
    let call = rows(vec![
        row(&[("Id", "1"), ("Name", "Ann")]),
        row(&[("Cell", "+15205550100"), ("Id", "2"), ("Note", "x")]),
    ]);
    let read = call.read(id(1), &campaign(), &settings()).unwrap();
    assert_eq!(read.kind, CallKind::Rows);
    assert_eq!(read.rows.progress.header.0, ["Cell", "Id", "Name", "Note"]);
    let cells: Vec<Vec<&str>> = read.rows.rows.iter().map(|row| row.fields().collect()).collect();
    assert_eq!(cells, [["", "1", "Ann", ""], ["+15205550100", "2", "", "x"]]);
    let places: Vec<_> = read.rows.rows.iter().map(|row| (row.number, row.line)).collect();
    assert_eq!(places, [(RowNumber(1), 1), (RowNumber(2), 2)]);
    assert_eq!((read.rows.after, read.rows.progress.through), (RowNumber(0), RowNumber(2)));
}

#[test]
fn a_row_that_is_too_large_is_rejected_and_its_neighbours_are_not() {
    let large = "x".repeat(101);
    let call = rows(vec![
        row(&[("Id", "1"), ("Name", &large), ("Cell", "")]),
        row(&[("Id", "2"), ("Name", "Bob"), ("Cell", "")]),
    ]);
    let read = call.read(id(1), &campaign(), &settings()).unwrap().rows;
    assert_eq!(read.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [RowNumber(2)]);
    assert_eq!(read.rejected.len(), 1);
    assert_eq!((read.rejected[0].row, read.rejected[0].code), (RowNumber(1), RowFault::RowTooLarge));
    assert_eq!(read.rejected[0].detail, "line 1: row is larger than 100 bytes");
    assert_eq!(read.progress.through, RowNumber(2));
}

#[test]
fn what_is_too_much_is_refused_with_its_limit() {
    let small = || row(&[("Id", "1"), ("Name", "a"), ("Cell", "")]);
    assert_eq!(refusal(&rows(Vec::new())), InvalidCall::NoRows);
    assert_eq!(refusal(&rows(vec![small(); 4])), InvalidCall::TooManyRows { rows: 4, max: 3 });
    let long = row(&[("Id", &"1".repeat(198)), ("Name", "")]);
    assert_eq!(refusal(&rows(vec![long])), InvalidCall::TooLarge { max: 200 });
    let long = OneLiner::sms("+15205550100").with_text("x".repeat(100));
    assert_eq!(refusal(&line(long)), InvalidCall::TooLarge { max: 100 });
    let unnamed = row(&[("Id", "1"), (" ", "a")]);
    assert_eq!(refusal(&rows(vec![small(), unnamed])), InvalidCall::UnnamedColumn { row: 2 });

    // Few bytes, and many columns.
    let wide: CallRow = (0..=MAX_COLUMNS).map(|n| (format!("{n}"), String::new())).collect();
    let settings = Settings { max_call_bytes: 1 << 20, max_call_rows: 300, ..settings() };
    let read = |call: &OnDemandCall| call.read(id(1), &campaign(), &settings).unwrap_err();
    assert_eq!(read(&rows(vec![wide.clone()])), InvalidCall::TooManyColumns { found: MAX_COLUMNS + 1 });
    // A table of mostly nothing takes room for what is not there.
    let mut sparse = vec![wide.into_iter().take(MAX_COLUMNS).collect()];
    sparse.resize(220, BTreeMap::new());
    assert_eq!(read(&rows(sparse)), InvalidCall::TooLarge { max: 1 << 20 });
}

#[test]
fn a_column_that_no_row_has_is_missing_as_it_is_in_a_file() {
    let InvalidCall::UnfitHeader(missing) = refusal(&rows(vec![row(&[("Id", "1"), ("Nmae", "a")])])) else {
        panic!("not missing columns")
    };
    assert_eq!(
        missing.to_string(),
        "the column \"Name\" is missing; $.mapping.fields.name reads it; did you mean \"Nmae\"?\n\
         the column \"Cell\" is missing; $.mapping.fields.sms reads it"
    );
}

#[test]
fn other_calls_have_other_digests() {
    let sms = || OneLiner::sms("+15205550100");
    let calls = [
        rows(vec![row(&[("a", "b")])]),
        rows(vec![row(&[("a", "b")]), row(&[])]),
        rows(vec![row(&[]), row(&[("a", "b")])]),
        rows(vec![row(&[("a", "")]), row(&[("b", "")])]),
        rows(vec![row(&[("ab", "")])]),
        rows(vec![row(&[("", "ab")])]),
        rows(vec![row(&[("a", "b"), ("c", "")])]),
        rows(vec![row(&[("a", "bc"), ("", "")])]),
        line(sms()),
        line(OneLiner::email("+15205550100")),
        line(OneLiner::sms("+15205550101")),
        line(sms().with_text("")),
        line(sms().with_text("a")),
        line(sms().with_subject_and_text("", "a")),
        line(sms().with_subject_and_text("a", "")),
        line(sms().with_field("a", "b")),
        line(sms().with_field("a", "")),
        line(sms().with_person("")),
        line(sms().with_person("en")),
        line(sms().with_language("en")),
        line(sms().with_time_zone("en")),
    ];
    for (at, call) in calls.iter().enumerate() {
        let same = OnDemandCall { key: CallKey::new("another").unwrap(), content: call.content.clone() };
        assert_eq!(call.digest(), same.digest(), "the key is no part of it");
        for other in &calls[..at] {
            assert_ne!(call.digest(), other.digest(), "{at}");
        }
    }
}

#[test]
fn what_a_one_liner_is_about_differs_between_calls_and_campaigns() {
    let identity = |key: &str, campaign: u64| {
        let call = OnDemandCall::one_liner(CallKey::new(key).unwrap(), OneLiner::sms("+15205550100"));
        let read = call.read(id(campaign), &self::campaign(), &settings()).unwrap();
        assert_eq!(read.kind, CallKind::OneLiner);
        read.rows.rows[0].field(0).unwrap().to_owned()
    };
    assert_eq!(identity("a", 1), identity("a", 1));
    assert_ne!(identity("a", 1), identity("b", 1));
    assert_ne!(identity("a", 1), identity("a", 2));
    assert!(identity(&"é".repeat(CallKey::MAX_CHARS), 1).len() < 100, "as long as an identity may be");
}

#[test]
fn debug_shows_how_much_it_is() {
    let call = rows(vec![row(&[("Name", "Ann")]); 2]);
    assert_eq!(format!("{call:?}"), "OnDemandCall { key: CallKey(redacted), content: Rows { rows: 2, .. } }");
    let call = line(OneLiner::sms("+15205550100").with_text("secret"));
    assert!(matches!(&call.content, CallContent::OneLiner(_)));
    assert_eq!(
        format!("{call:?}"),
        "OnDemandCall { key: CallKey(redacted), content: OneLiner { method: Sms, .. } }"
    );
}
