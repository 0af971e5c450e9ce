//! Values that are the same in every company, so that all of them collide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::access::Company;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::{ProviderName, ProviderReference};
use crate::domain::campaign::definition::{
    AnswersUse, CampaignDefinition, Delimiter, Encoding, HouseholdUse, Limits, Mapping, Messages,
    MethodChoice, Methods, Purpose, Responses, SmsTemplate, Source, UnknownOutcome, Vanished,
};
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, EmailAddress, PhoneNumber};
use crate::domain::language::Language;
use crate::domain::packet::Digest;
use crate::domain::person::PersonKey;
use crate::domain::response::ResponseKind;
use crate::domain::row::{RejectedRow, Row, RowFault, RowNumber};
use crate::domain::schedule::{ContactWindows, Schedule, SendEntry, WhenClosed};
use crate::ids::CompanyId;

pub(crate) fn company(id: CompanyId) -> Company {
    Company { id, name: "Smith Clinic".to_owned(), server_name: "main".to_owned() }
}

pub(crate) fn definition(name: &str) -> Arc<CampaignDefinition> {
    let hour = Duration::from_hours(1);
    Arc::new(CampaignDefinition {
        sender_name: None,
        name: name.to_owned(),
        time_zone: chrono_tz::UTC,
        language: Language::default(),
        purpose: Purpose::CareReminder,
        source: Source { file: None, encoding: Encoding::Auto, delimiter: Delimiter::Auto, sheet: None },
        constants: serde_json::Map::new(),
        mapping: Mapping { key: "row['Id']".to_owned(), vanished: Vanished::Keep, fields: BTreeMap::new() },
        messages: Messages { sms: Some(SmsTemplate { text: "See you.".into() }), email: None, phone: None },
        schedule: Schedule {
            send: vec![SendEntry::HoursBefore { before: 24 * hour }],
            windows: ContactWindows { default: None, by_method: BTreeMap::new() },
            closed_dates: BTreeSet::new(),
            when_closed: WhenClosed::Later,
            min_notice: hour,
            max_lateness: Some(4 * hour),
            ..Schedule::default()
        },
        methods: Methods {
            order: vec![ContactMethod::Sms],
            choice: MethodChoice::FirstAvailable,
            answers_model: AnswersUse::Off,
            household: HouseholdUse::Off,
        },
        responses: Responses::default(),
        limits: Limits::default(),
        unknown_outcome: UnknownOutcome::ResolveThenHold,
    })
}

pub(crate) fn digest(content: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&content.to_be_bytes());
    Digest(bytes)
}

pub(crate) fn row(number: u64) -> Row {
    Row::new(RowNumber(number), number + 1, ["Ann", "", "2026-05-01 10:00"])
}

pub(crate) fn rejected(row: u64, code: RowFault) -> RejectedRow {
    let detail = format!("line {}: expected three fields", row + 1);
    RejectedRow { row: RowNumber(row), column: Some("Date".to_owned()), code, detail }
}

pub(crate) fn key(n: u64) -> AppointmentKey {
    AppointmentKey::new(&format!("A-{n}")).expect("a key")
}

pub(crate) fn person(n: u64) -> PersonKey {
    PersonKey::new(&format!("P-{n}")).expect("a person's key")
}

pub(crate) fn number(n: u64) -> PhoneNumber {
    PhoneNumber::parse_stored(&format!("+1520555{n:04}")).expect("a number")
}

pub(crate) fn sms(n: u64) -> ContactPoint {
    ContactPoint::Sms(number(n))
}

pub(crate) fn email(n: u64) -> ContactPoint {
    ContactPoint::Email(EmailAddress::parse(&format!("ann{n}@example.com")).expect("an address"))
}

/// An answer that a campaign asks for beside those about the appointment.
pub(crate) fn own_answer(name: &str) -> ResponseKind {
    ResponseKind::Answer(name.parse().expect("a name of an answer"))
}

pub(crate) fn provider() -> ProviderName {
    ProviderName::from("stub")
}

pub(crate) fn reference(name: &str) -> ProviderReference {
    ProviderReference(name.into())
}
