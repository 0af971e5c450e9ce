//! Rows and their values.

use std::sync::LazyLock;

use chrono::Datelike as _;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::mapping::{CompiledCampaign, ContactField, check};
use reminderly_core::domain::row::{Header, Row, RowNumber};
use serde_json::json;

use super::text;
use crate::material;

/// Formats of dates and times as files have them.
const FORMATS: [&str; 6] = [
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%d %B %Y %H:%M",
    "%a %b %d %Y %I:%M:%S %p",
];

static BY_FORMAT: LazyLock<Vec<CompiledCampaign>> = LazyLock::new(|| {
    let campaign = |format| {
        let at = format!("row['At'] | datetime('{format}')");
        compiled(&[("/mapping/fields/appointment_at", json!(at))])
    };
    FORMATS.into_iter().map(campaign).collect()
});

static EVERY_FUNCTION: LazyLock<CompiledCampaign> = LazyLock::new(|| {
    compiled(&[
        ("/mapping/fields/first_name", json!("row['Name'] | trim | name | truncate(30)")),
        ("/mapping/fields/due", json!("row['Due'] | money('€')")),
        ("/mapping/fields/born", json!("row['Born'] | date('%Y-%m-%d')")),
        ("/mapping/fields/opens", json!("row['Opens'] | time('%H:%M')")),
        ("/mapping/fields/code", json!("row['Code'] | digits | default('none') | upper | replace('0', 'O')")),
        ("/mapping/fields/email", json!("row['Email'] | email")),
        ("/mapping/fields/time_zone", json!("row['Zone']")),
        ("/mapping/fields/language", json!("row['Lang']")),
        ("/mapping/fields/methods", json!("row['By']")),
        (
            "/messages/sms/text",
            json!("{{ first_name }} {{ due }} {{ born | date('%a %b %-d') }} {{ opens }} {{ code }}"),
        ),
    ])
});

/// The columns of [`EVERY_FUNCTION`].
const COLUMNS: [&str; 12] =
    ["Key", "Name", "Cell", "Email", "At", "Person", "Due", "Born", "Opens", "Code", "Zone", "Lang"];

fn compiled(changes: &[(&str, serde_json::Value)]) -> CompiledCampaign {
    check(&material::document_with(changes).to_string()).expect("a usable document")
}

/// A date is one of the years that are allowed, and read the same twice.
pub(super) fn dates(bytes: &[u8]) {
    let Some((format, value)) = bytes.split_first() else { return };
    let campaign = &BY_FORMAT[usize::from(*format) % FORMATS.len()];
    let header = Header(material::HEADER.trim().split(',').map(str::to_owned).collect());
    let mapper = campaign.mapper(&header).expect("all columns are there");
    let value = text(value);
    let row = Row::new(RowNumber(1), 2, ["K1", "Ann", "+15202340001", "", &*value, "P1"]);
    let Ok(once) = mapper.map(&row) else { return };
    let appointment = once.appointment.expect("it is mapped");
    assert!((1999..=2101).contains(&appointment.at.year()), "{}", appointment.at);
    assert_eq!(mapper.map(&row).ok().and_then(|again| again.appointment), Some(appointment));
}

/// A row of any cells is mapped the same twice, to contact points that are what they say; its key is that of its mapping.
pub(super) fn row(bytes: &[u8]) {
    let text = text(bytes);
    let mut columns: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    columns.push("By".to_owned());
    let mut cells: Vec<&str> = text.splitn(columns.len(), '\n').collect();
    cells.resize(columns.len(), "");
    let header = Header(columns);
    let mapper = EVERY_FUNCTION.mapper(&header).expect("all columns are there");
    let row = Row::new(RowNumber(1), 2, cells);
    match (mapper.map(&row), mapper.map(&row)) {
        (Ok(once), Ok(again)) => {
            assert_eq!(mapper.key(&row), Some(once.key.clone()));
            assert_eq!((&once.key, &once.contacts), (&again.key, &again.contacts));
            for (method, contact) in &once.contacts {
                if let ContactField::Valid(contact) = contact {
                    let stored = ContactPoint::parse_stored(*method, contact.address());
                    assert_eq!(stored.as_ref(), Ok(contact));
                }
            }
            let made = EVERY_FUNCTION.render(ContactMethod::Sms, &once);
            assert_eq!(EVERY_FUNCTION.render(ContactMethod::Sms, &again), made);
        }
        (first, second) => {
            let fault = first.expect_err("it was rejected once");
            assert_eq!(second.expect_err("it was rejected once"), fault);
        }
    }
}
