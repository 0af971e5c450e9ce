//! `accepted.csv`: what the provider accepted, by its own log.

use std::path::PathBuf;

use reminderly_core::domain::content::Content;

use super::View;
use super::csv_file::{CsvFile, guarded, instant};
use crate::failure::Failure;

const HEADER: [&str; 8] =
    ["message", "attempt", "method", "contact_point", "at", "reference", "body", "voicemail"];

/// In the order of acceptance. A message that is in it twice was sent twice.
pub(super) fn write(view: &View<'_>, path: PathBuf) -> Result<(), Failure> {
    let mut csv = CsvFile::create(path, &HEADER)?;
    for request in view.host.sandbox.accepted() {
        csv.row(&[
            request.message.to_string(),
            request.attempt.to_string(),
            request.method.to_string(),
            request.contact.address().to_owned(),
            instant(Some(request.at)),
            request.reference.to_string(),
            guarded(request.content.text()).into_owned(),
            voicemail(&request.content),
        ])?;
    }
    csv.finish()
}

/// What a call leaves on an answering machine.
fn voicemail(content: &Content) -> String {
    match content {
        Content::Phone { voicemail: Some(text), .. } => guarded(text).into_owned(),
        Content::Phone { .. } | Content::Sms { .. } | Content::Email { .. } => String::new(),
    }
}
