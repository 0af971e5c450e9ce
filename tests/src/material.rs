//! Campaign documents and data files to test with.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The header of [`csv`].
pub const HEADER: &str = "Key,Name,Cell,Email,At,Person\n";

/// A campaign of text messages in Phoenix, which has no daylight saving time: three hours before the appointment, Monday to
/// Friday from 08:00 to 16:30.
pub fn document() -> Value {
    json!({
        "name": "Visits",
        "time_zone": "America/Phoenix",
        "source": { "file": "*.csv" },
        "mapping": {
            "key": "row['Key']",
            "fields": {
                "first_name": "row['Name']",
                "appointment_at": "row['At'] | datetime('%Y-%m-%d %H:%M')",
                "sms": "row['Cell'] | phone('US')",
                "email": "row['Email']",
                "person": "row['Person']"
            }
        },
        "messages": {
            "sms": { "text": "Clinic: {{ first_name }}, see you {{ appointment_at | date('%a %-I:%M %p') }}. STOP to opt out." },
            "email": { "subject": "Your visit", "text": "Dear {{ first_name }}, see you soon." }
        },
        "schedule": {
            "send": [{ "hours_before": 3 }],
            "windows": { "default": { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "16:30" } },
            "min_notice": "1h",
            "max_lateness": "4h"
        },
        "methods": { "order": ["sms", "email"], "use": "first_available" },
        "responses": {
            "sms": { "confirm": ["1"], "cancel": ["2"], "reschedule": ["3"] },
            "follow_up": {
            "confirm": { "sms": "Thank you, {{ first_name }}." },
            "cancel": { "sms": "We have cancelled it, {{ first_name }}." }
        } }
    })
}

/// The document with one value put at a JSON pointer.
pub fn document_with(changes: &[(&str, Value)]) -> Value {
    let mut document = document();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
        let parent = document.pointer_mut(parent).expect("a parent that exists");
        match parent {
            Value::Object(object) => drop(object.insert(key.to_owned(), value.clone())),
            other => panic!("{other} has no members"),
        }
    }
    document
}

/// A campaign that sends on demand, at any hour, and reads the columns of [`HEADER`] but for the appointment.
pub fn on_demand() -> Value {
    let mapping = json!({
        "key": "row['Key']",
        "fields": {
            "first_name": "row['Name'] | default('Hello')",
            "sms": "row['Cell'] | phone('US')",
            "email": "row['Email']",
            "person": "row['Person']"
        }
    });
    let text = "Clinic: {{ first_name }}, your order is ready. STOP to opt out.";
    document_with(&[
        ("/mapping", mapping),
        ("/schedule", json!({ "send": "now", "max_lateness": "4h" })),
        ("/messages/sms/text", json!(text)),
    ])
}

/// A number of ours: every `index` below 600,000 gives another one.
pub fn number(index: usize) -> String {
    format!("+1520{:07}", 2_340_000 + index)
}

/// `rows` rows for the appointment at this local time, each for a person of its own.
pub fn csv(rows: usize, at: &str) -> String {
    let mut text = HEADER.to_owned();
    for index in 0..rows {
        text.push_str(&line(index, &number(index), at));
    }
    text
}

/// One row.
pub fn line(index: usize, cell: &str, at: &str) -> String {
    let mut text = String::new();
    writeln!(text, "K{index},Name{index},{cell},,{at},P{index}").expect("writing to a string does not fail");
    text
}
