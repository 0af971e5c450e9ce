//! Recipients as rows of a CSV file.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::recipient::Recipient;

const COLUMNS: [&str; 16] = [
    "packet",
    "message",
    "row",
    "person",
    "method",
    "contact",
    "language",
    "day",
    "appointment_at",
    "planned_at",
    "sent_at",
    "status",
    "reason",
    "disposition",
    "response",
    "attempts",
];

/// What spreadsheets take for the beginning of a formula, the wide forms of East Asian keyboards among it.
const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Behind what a spreadsheet may begin a new field, whatever the quotes.
const SEPARATORS: [char; 5] = [',', ';', '\t', '\r', '\n'];

pub(super) fn header() -> Vec<u8> {
    let mut text = Vec::new();
    write_row(&COLUMNS.map(str::to_owned), &mut text);
    text
}

pub(super) fn write(recipient: &Recipient, to: &mut Vec<u8>) {
    let group = &recipient.group;
    let row = [
        recipient.packet.to_string(),
        recipient.message.to_string(),
        text(recipient.row.map(|row| row.0)),
        recipient.person.as_ref().map_or_else(String::new, |person| guarded(person.as_str())),
        group.method.to_string(),
        recipient.contact.as_ref().map_or_else(String::new, |contact| guarded(contact.address())),
        text(recipient.language.as_ref()),
        text(group.day),
        instant(recipient.appointment_at),
        instant(recipient.planned_at),
        instant(recipient.sent_at),
        group.status.to_string(),
        group.reason.as_deref().map_or_else(String::new, guarded),
        group.disposition.as_ref().map_or_else(String::new, |report| guarded(&report.to_string())),
        group.response.as_ref().map_or_else(String::new, |response| guarded(response.as_str())),
        recipient.attempts.to_string(),
    ];
    write_row(&row, to);
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn instant(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A text of somebody else, which no spreadsheet takes for a formula: nor a part of it, where one parts fields elsewhere than we do.
fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len());
    let mut begins = true;
    for character in text.chars() {
        if begins && BEGINNINGS.contains(&character) {
            guarded.push('\'');
        }
        guarded.push(character);
        begins = SEPARATORS.contains(&character);
    }
    guarded
}

fn write_row(fields: &[String; COLUMNS.len()], to: &mut Vec<u8>) {
    for (position, field) in fields.iter().enumerate() {
        if position > 0 {
            to.push(b',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            to.push(b'"');
            to.extend(field.replace('"', "\"\"").bytes());
            to.push(b'"');
        } else {
            to.extend(field.bytes());
        }
    }
    to.extend(b"\r\n");
}
