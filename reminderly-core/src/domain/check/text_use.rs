//! What the texts of one method come to, over all rows of a sample.

use std::collections::BTreeMap;

use serde::Serialize;

use super::hint::{names_sender, tells_how_to_opt_out};
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::phone_keys::KeyAction;
use crate::domain::row::RowNumber;
use crate::domain::segments::{Segments, count_segments, non_gsm_characters};

/// How many rows are named for each character.
const ROWS_NAMED: usize = 20;

/// A character that turns text messages into UCS-2, so that a part holds 70 characters instead of 160.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CharacterUse {
    /// How many rows have it in their text.
    pub rows: u64,
    /// The first of them, at most 20.
    pub first_rows: Vec<RowNumber>,
}

/// What the texts of one method come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TextUse {
    /// How many rows have a text for the method.
    pub rows: u64,
    /// Rows by how many parts their text message takes; empty for other methods.
    pub segments: BTreeMap<u32, u64>,
    /// The longest text message, and its first row.
    pub worst: Option<(Segments, RowNumber)>,
    /// The longest text message that names an appointment twice, as one for a household of two would, and its row; `None` if the
    /// campaign makes none.
    pub worst_of_two: Option<(Segments, RowNumber)>,
    /// The characters that no GSM alphabet has.
    pub non_gsm: BTreeMap<char, CharacterUse>,
    /// How many texts do not name the sender; zero if the campaign names none.
    pub without_sender: u64,
    /// How many texts do not tell how to opt out; of calls, how many have no key for it.
    pub without_opt_out: u64,
}

impl TextUse {
    pub(super) fn add(&mut self, row: RowNumber, content: &Content, sender: Option<&str>) {
        let text = whole_text(content);
        self.rows += 1;
        self.without_sender += u64::from(sender.is_some_and(|sender| !names_sender(&text, sender)));
        self.without_opt_out += u64::from(!offers_opt_out(content, &text));
        if let Content::Sms { text, .. } = content {
            self.add_sms(row, text);
        }
    }

    /// Takes the text that a household of two would get.
    pub(super) fn add_two(&mut self, row: RowNumber, content: &Content) {
        if let Content::Sms { text, .. } = content {
            keep_worst(&mut self.worst_of_two, count_segments(text), row);
        }
    }

    fn add_sms(&mut self, row: RowNumber, text: &str) {
        let size = count_segments(text);
        *self.segments.entry(size.count).or_default() += 1;
        keep_worst(&mut self.worst, size, row);
        let mut seen: Vec<char> = Vec::new();
        for (_, character) in non_gsm_characters(text) {
            if seen.contains(&character) {
                continue;
            }
            seen.push(character);
            let found = self.non_gsm.entry(character).or_default();
            found.rows += 1;
            if found.first_rows.len() < ROWS_NAMED {
                found.first_rows.push(row);
            }
        }
    }
}

fn keep_worst(worst: &mut Option<(Segments, RowNumber)>, size: Segments, row: RowNumber) {
    let key = |size: &Segments| (size.count, size.units);
    if worst.as_ref().is_none_or(|(worst, _)| key(worst) < key(&size)) {
        *worst = Some((size, row));
    }
}

/// Whether people can tell how to hear no more: in a call they press a key
/// ([47 CFR 64.1200(b)(3)](https://www.law.cornell.edu/cfr/text/47/64.1200)), whatever its script says of text messages.
fn offers_opt_out(content: &Content, text: &str) -> bool {
    match content {
        Content::Phone { keys, .. } => keys.0.values().any(|action| *action == KeyAction::OptOut),
        Content::Sms { .. } | Content::Email { .. } => tells_how_to_opt_out(text),
    }
}

/// Everything that a person reads or hears of a message.
fn whole_text(content: &Content) -> String {
    match content {
        Content::Email { subject, text, .. } => format!("{subject}\n{text}"),
        Content::Sms { .. } | Content::Phone { .. } => content.text().to_owned(),
    }
}

/// Where the text of a method stands in the document.
pub(super) const fn place(method: ContactMethod) -> &'static str {
    match method {
        ContactMethod::Sms => "$.messages.sms.text",
        ContactMethod::Email => "$.messages.email.text",
        ContactMethod::Phone => "$.messages.phone.script",
    }
}
