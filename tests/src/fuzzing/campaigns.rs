//! Campaign documents, and the little languages in them.

use std::sync::LazyLock;

use reminderly_core::domain::campaign::definition::CampaignDefinition;
use reminderly_core::domain::campaign::document;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::mapping::{CompiledCampaign, check};
use reminderly_core::domain::row::{Header, Row, RowNumber};
use serde_json::{Value, json};

use super::text;
use crate::material;

/// The longest text of a message, bytes.
const TEXT_MAX: usize = 64 << 10;

/// Characters that nobody sees: a soft hyphen, spaces and joiners without width, marks of direction.
const ZERO_WIDTH: [char; 9] = [
    '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202e}', '\u{2060}', '\u{feff}',
];

/// The columns of [`material::HEADER`].
const COLUMNS: [&str; 6] = ["Key", "Name", "Cell", "Email", "At", "Person"];
const CELLS: [&str; 6] = ["K1", "Ann", "+15202340001", "ann@example.com", "2026-03-10 14:00", "P1"];

/// A small document: what is tried is one text or one expression in it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = material::document_with(&[("/methods", json!({ "order": ["sms"] }))]);
    document["messages"].as_object_mut().map(|messages| messages.remove("email"));
    document.as_object_mut().map(|members| members.remove("responses"));
    document
});

/// A document is read the same twice, what is kept of it comes back, and a refused one names paths.
pub(super) fn document(bytes: &[u8]) {
    let json = text(bytes);
    match document::parse(&json) {
        Ok(definition) => {
            assert_eq!(document::parse(&json).as_ref().ok(), Some(&definition));
            let kept = serde_json::to_string(&definition).expect("a definition can be kept");
            let back: CampaignDefinition = serde_json::from_str(&kept).expect("what was kept can be read");
            assert_eq!(back, definition);
            if let Some(pattern) = &definition.source.file {
                let _is_taken = pattern.matches("a.csv");
            }
            drop(check(&json));
        }
        Err(invalid) => {
            assert!(!invalid.problems.is_empty());
            assert!(invalid.problems.iter().all(|problem| problem.path.starts_with('$')));
        }
    }
}

/// A text that a campaign may have is made from a row within its limits, twice the same, or the row is told.
pub(super) fn template(bytes: &[u8]) {
    let mut document = DOCUMENT.clone();
    document["messages"]["sms"]["text"] = json!(text(bytes));
    if let Ok(campaign) = check(&document.to_string()) {
        render(&campaign);
    }
}

/// An expression that a campaign may have is evaluated twice the same, or the row is told.
pub(super) fn expression(bytes: &[u8]) {
    let mut document = DOCUMENT.clone();
    document["mapping"]["fields"]["first_name"] = json!(text(bytes));
    if let Ok(campaign) = check(&document.to_string()) {
        render(&campaign);
    }
}

fn render(campaign: &CompiledCampaign) {
    let header = Header(COLUMNS.map(str::to_owned).to_vec());
    // An expression may name columns that this file has not.
    let Ok(mapper) = campaign.mapper(&header) else { return };
    let row = Row::new(RowNumber(1), 2, CELLS);
    match (mapper.map(&row), mapper.map(&row)) {
        (Ok(once), Ok(again)) => {
            assert_eq!(once.key, again.key);
            let made = campaign.render(ContactMethod::Sms, &once);
            assert_eq!(campaign.render(ContactMethod::Sms, &again), made);
            if let Ok(content) = made {
                assert!(content.text().len() <= TEXT_MAX);
                assert!(content.text().chars().any(can_be_seen), "an empty text was made");
            }
        }
        (once, again) => assert_eq!(once.err(), again.err()),
    }
}

fn can_be_seen(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !ZERO_WIDTH.contains(&character)
}
