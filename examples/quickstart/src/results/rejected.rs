//! `rejected.csv`: rows that could not be read or mapped.

use std::path::PathBuf;

use reminderly_core::domain::row::RowNumber;
use reminderly_core::services::Messages;

use super::csv_file::{CsvFile, guarded};
use super::{PAGE, View};
use crate::failure::Failure;

const HEADER: [&str; 4] = ["row", "column", "code", "detail"];

/// File by file, each in the order of its rows. Of several files the detail begins with the name of the row's own.
pub(super) async fn write(view: &View<'_>, path: PathBuf) -> Result<(), Failure> {
    let messages = Messages::new(&view.host.ports);
    let mut csv = CsvFile::create(path, &HEADER)?;
    let several = view.outcome.files.len() > 1;
    for packet in &view.outcome.packets {
        let Some(file) = &packet.file else { continue };
        let mut after = RowNumber::default();
        loop {
            let page = messages.rejected(&view.scope, packet.report.packet, after, PAGE).await?;
            for rejected in &page.items {
                let place = if several { format!("{file}, ") } else { String::new() };
                csv.row(&[
                    rejected.row.to_string(),
                    guarded(rejected.column.as_deref().unwrap_or_default()).into_owned(),
                    rejected.code.to_string(),
                    guarded(&format!("{place}{}", rejected.detail)).into_owned(),
                ])?;
            }
            let Some(next) = page.next else { break };
            after = next;
        }
    }
    csv.finish()
}
