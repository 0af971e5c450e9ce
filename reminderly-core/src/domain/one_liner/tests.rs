use super::*;
use crate::domain::call::{CallKey, CallKind};
use crate::domain::content::Content;
use crate::domain::mapping::{ContactField, MappedRow, RowMapper, check};
use crate::domain::packet::{Digest, Draining, IngestProgress, Packet, PacketOrigin, PacketStage, RowCounts};
use crate::domain::restore::RestoreEpoch;
use crate::domain::row::{RejectedRow, RowFault, RowNumber};
use crate::domain::vanished::VanishedAppointments;
use crate::ids::{IdSourceExt as _, SeededIds};

fn campaign(mapping: &str) -> CompiledCampaign {
    let document = format!(
        r#"{{
            "name": "Ready", "time_zone": "America/Phoenix",
            "mapping": {mapping},
            "messages": {{
                "sms": {{ "text": "{{{{ first_name }}}}, your order is ready." }},
                "email": {{ "subject": "Ready", "text": "{{{{ first_name }}}}, your order is ready." }}
            }},
            "schedule": {{ "send": "now" }}
        }}"#
    );
    check(&document).unwrap()
}

fn ready() -> CompiledCampaign {
    campaign(
        r#"{ "key": "row['Order']", "fields": {
            "first_name": "row['First'] | name | default('Hello')", "sms": "row['Cell'] | phone('US')",
            "email": "row['Mail']", "language": "row['Lang'] | default('en')"
        } }"#,
    )
}

fn calling() -> CompiledCampaign {
    let document = r#"{
        "name": "Ready", "time_zone": "America/Phoenix",
        "mapping": { "key": "row['Order']", "fields": { "first_name": "row['First'] | name", "phone": "row['Cell']" } },
        "messages": { "phone": { "script": "{{ first_name }}, your order is ready. Press 8 for no more calls." } },
        "responses": { "phone": { "opt_out": ["8"] } },
        "schedule": { "send": "now" }
    }"#;
    check(document).unwrap()
}

fn identity() -> AppointmentKey {
    AppointmentKey::new("call-1").unwrap()
}

fn mapped(campaign: &CompiledCampaign, one_liner: &OneLiner) -> Result<MappedRow, RejectedRow> {
    let (header, row) = one_liner.to_row(campaign, &identity()).unwrap();
    let ids = SeededIds::new(1);
    let at = chrono::DateTime::UNIX_EPOCH;
    let packet = Packet {
        id: ids.next(at),
        company: ids.next(at),
        campaign: ids.next(at),
        campaign_version: 1,
        origin: PacketOrigin::OnDemand {
            key: CallKey::new("call-1").unwrap(),
            digest: Digest([0; 32]),
            kind: CallKind::OneLiner,
        },
        stage: PacketStage::Loaded,
        failure: None,
        draining: Draining::Off,
        ingest: IngestProgress { header, ..IngestProgress::default() },
        mapped_through: RowNumber(0),
        rows: RowCounts::default(),
        vanished: VanishedAppointments::default(),
        reconciled: RestoreEpoch::default(),
        created_at: at,
        stage_changed_at: at,
        offloaded_at: None,
    };
    let mapper: RowMapper<'_> = campaign.mapper_of(&packet).unwrap();
    mapper.map(&row)
}

#[test]
fn fields_go_through_the_mapping_and_what_is_not_named_is_empty() {
    let campaign = ready();
    let one_liner = OneLiner::sms("+1 (520) 555-0100").with_field("First", "MARY-ANN");
    let row = mapped(&campaign, &one_liner).unwrap();
    let content = campaign.render(ContactMethod::Sms, &row).unwrap();
    assert_eq!(content.text(), "Mary-Ann, your order is ready.");
    assert_eq!(row.key, identity());
    assert_eq!(row.methods, Some(vec![ContactMethod::Sms]));
    let ContactField::Valid(contact) = row.contact(ContactMethod::Sms) else { panic!("no contact") };
    assert_eq!(contact.address(), "+15205550100");
    assert_eq!(row.contact(ContactMethod::Email), &ContactField::Absent);
    assert_eq!((row.person, row.language.as_deref()), (None, Some("en")));
    assert_eq!(row.contact_zone, chrono_tz::America::Phoenix);

    let row = mapped(&campaign, &OneLiner::email("Ann@Example.com")).unwrap();
    let content = campaign.render(ContactMethod::Email, &row).unwrap();
    assert_eq!(content.text(), "Hello, your order is ready.");
}

#[test]
fn what_the_caller_says_goes_before_the_mapping() {
    let one_liner = OneLiner::sms("+15205550100")
        .with_person(" P-1 ")
        .with_language("es")
        .with_time_zone("America/New_York")
        .with_field("Lang", "fr")
        .with_field("Cell", "+15205550999")
        .with_field("Order", "O-7");
    let row = mapped(&ready(), &one_liner).unwrap();
    assert_eq!(row.person.as_ref().map(PersonKey::as_str), Some("P-1"));
    assert_eq!(row.language.as_deref(), Some("es"));
    assert_eq!(row.contact_zone, chrono_tz::America::New_York);
    let ContactField::Valid(contact) = row.contact(ContactMethod::Sms) else { panic!("no contact") };
    assert_eq!(contact.address(), "+15205550100");
    // The key is the campaign's where its columns are given.
    assert_eq!(row.key.as_str(), "O-7");
}

#[test]
fn a_text_of_the_callers_is_sent_word_by_word() {
    let campaign = ready();
    let one_liner = OneLiner::sms("+15205550100").with_text("  {{ first_name }} – 50\u{200b}% {% off %}");
    let row = mapped(&campaign, &one_liner).unwrap();
    let Content::Sms { text, segments } = campaign.render(ContactMethod::Sms, &row).unwrap() else {
        panic!("not a text message")
    };
    // Cleaned as a rendered text is: no invisible characters.
    assert_eq!((&*text, segments), ("{{ first_name }} – 50% {% off %}", 1));
    let one_liner =
        OneLiner::email("ann@example.com").with_subject_and_text("Moved", "To 5 Main St.\nSee you.");
    let row = mapped(&campaign, &one_liner).unwrap();
    let Content::Email { subject, text, html } = campaign.render(ContactMethod::Email, &row).unwrap() else {
        panic!("not an e-mail")
    };
    assert_eq!((&*subject, &*text, html), ("Moved", "To 5 Main St.\nSee you.", None));
}

#[test]
fn a_text_of_the_callers_is_about_the_call() {
    let campaign = ready();
    let ready = OneLiner::sms("+15205550100").with_field("Order", "O-7");
    assert_eq!(mapped(&campaign, &ready).unwrap().key.as_str(), "O-7");
    let moved = mapped(&campaign, &ready.with_text("We have moved.")).unwrap();
    assert_eq!(moved.key, identity(), "else the reminder of that day would be its duplicate");
}

#[test]
fn a_key_that_is_given_in_part_or_reads_nothing_is_the_calls() {
    for (key, expected) in
        [("row['A'] ~ '-' ~ row['B']", "call-1"), ("'always the same'", "call-1"), ("row['A']", "1")]
    {
        let mapping =
            format!(r#"{{ "key": "{key}", "fields": {{ "first_name": "row['A']", "sms": "row['C']" }} }}"#);
        let mapping = mapping.replace("\"email\"", "\"e\"");
        let document = format!(
            r#"{{ "name": "Ready", "time_zone": "America/Phoenix", "mapping": {mapping},
                "messages": {{ "sms": {{ "text": "{{{{ first_name }}}}" }} }}, "schedule": {{ "send": "now" }} }}"#
        );
        let campaign = check(&document).unwrap();
        let row = mapped(&campaign, &OneLiner::sms("+15205550100").with_field("A", "1")).unwrap();
        assert_eq!(row.key.as_str(), expected, "{key}");
    }
}

#[test]
fn what_a_text_needs_and_nobody_gives_rejects_the_row() {
    let campaign = campaign(
        r#"{ "key": "row['Order']", "fields": {
            "first_name": "row['First']", "sms": "row['Cell']", "email": "row['Mail']"
        } }"#,
    );
    let row = mapped(&campaign, &OneLiner::sms("+15205550100")).unwrap();
    let fault = campaign.render(ContactMethod::Sms, &row).unwrap_err();
    assert_eq!((fault.code, fault.column.as_deref()), (RowFault::MissingValue, Some("First")));
}

#[test]
fn columns_of_the_fixed_places_names_are_the_callers_own() {
    let campaign = campaign(
        r#"{ "key": "row['Order']", "fields": {
            "first_name": "row['@contact'] ~ row['@text']", "sms": "row['Cell']", "email": "row['Mail']"
        } }"#,
    );
    let one_liner = OneLiner::sms("+15205550100").with_field("@contact", "a").with_field("@text", "b");
    let row = mapped(&campaign, &one_liner).unwrap();
    assert_eq!(campaign.render(ContactMethod::Sms, &row).unwrap().text(), "ab, your order is ready.");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_without_its_value() {
    let campaign = ready();
    let secret = "S3cret";
    let sms = || OneLiner::sms("+15205550100");
    let cases: Vec<(OneLiner, &str)> = vec![
        (OneLiner::sms(secret), "contact: "),
        (OneLiner::sms("5205550100"), "contact: "),
        (OneLiner::email(secret), "contact: "),
        (OneLiner { method: ContactMethod::Phone, ..sms() }, "method: "),
        (sms().with_subject_and_text("a", secret), "text: "),
        (OneLiner::email("a@example.com").with_text(secret), "text: "),
        (sms().with_text(" \u{200b} "), "text: is empty"),
        (OneLiner::email("a@example.com").with_subject_and_text("", "b"), "subject: is empty"),
        (OneLiner::email("a@example.com").with_subject_and_text("a\nb", "b"), "subject: has a line break"),
        (sms().with_text("x".repeat(RENDERED_BYTES_MAX + 1)), "text: is longer than 65536 bytes"),
        (sms().with_person(" "), "person: "),
        (sms().with_person(secret.repeat(100)), "person: "),
        (sms().with_language(" "), "language: "),
        (sms().with_language(secret.repeat(10)), "language: "),
        (sms().with_time_zone(secret), "time_zone: "),
        (
            sms().with_field("Frist", secret),
            "fields: no expression of the campaign reads the column \"Frist\"; did you mean \"First\"?",
        ),
    ];
    for (one_liner, expected) in cases {
        let refused = one_liner.to_row(&campaign, &identity()).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}: {expected}");
        assert!(!refused.contains(secret), "{refused}");
        assert!(!format!("{one_liner:?} {:?}", one_liner.text).contains(secret));
    }
}

#[test]
fn a_call_says_the_campaigns_script_or_the_callers_word_by_word() {
    let campaign = calling();
    let said = |one_liner: OneLiner| {
        let row = mapped(&campaign, &one_liner).unwrap();
        assert_eq!(row.methods, Some(vec![ContactMethod::Phone]));
        let Content::Phone { script, voicemail, keys } = campaign.render(ContactMethod::Phone, &row).unwrap()
        else {
            panic!("no call")
        };
        // Who is called by a machine can say that they want no more of it, whatever the script.
        assert_eq!(keys, campaign.definition().responses.phone);
        (script.to_string(), voicemail.map(|text| text.to_string()))
    };
    let call = || OneLiner::phone("+1 520 555 0100");
    let own = "Ann, your order is ready. Press 8 for no more calls.";
    assert_eq!(said(call().with_field("First", "ANN")), (own.to_owned(), None));
    let script = "{{ first_name }}: the doctor is late.";
    assert_eq!(said(call().with_script(script)), (script.to_owned(), None));
    let left = call().with_script_and_voicemail(script, "Please call us.");
    assert_eq!(said(left), (script.to_owned(), Some("Please call us.".to_owned())));
}

#[test]
fn a_call_with_an_empty_part_or_a_text_of_another_method_is_refused() {
    let refused = |one_liner: OneLiner| one_liner.to_row(&calling(), &identity()).unwrap_err();
    let call = || OneLiner::phone("+1 520 555 0100");
    assert_eq!(refused(call().with_script(" \u{200b}")), InvalidOneLiner::EmptyText { part: "script" });
    let silent = call().with_script_and_voicemail("Hello.", "");
    assert_eq!(refused(silent), InvalidOneLiner::EmptyText { part: "voicemail" });
    let method = ContactMethod::Phone;
    assert_eq!(refused(call().with_text("Hello.")), InvalidOneLiner::TextOfOtherMethod { method });
    let long = "a".repeat(RENDERED_BYTES_MAX + 1);
    assert_eq!(refused(call().with_script(long)), InvalidOneLiner::TextTooLong { part: "script" });
}
