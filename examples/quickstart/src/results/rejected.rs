//! `rejected.csv`: rows that could not be read or mapped.

use std::path::PathBuf;

use reminderly_core::domain::row::RowNumber;
use reminderly_core::services::Messages;

use super::csv_file::{CsvFile, guarded};
use super::{PAGE, View};
use crate::failure::Failure;

const HEADER: [&str; 5] = ["file", "row", "column", "code", "detail"];

/// File by file, each in the order of its rows.
pub(super) async fn write(view: &View<'_>, path: PathBuf) -> Result<(), Failure> {
    let messages = Messages::new(&view.host.ports);
    let mut csv = CsvFile::create(path, &HEADER)?;
    for packet in &view.outcome.packets {
        let Some(file) = &packet.file else { continue };
        let mut after = RowNumber::default();
        loop {
            let page = messages.rejected(&view.scope, packet.report.packet, after, PAGE).await?;
            for rejected in &page.items {
                csv.row(&[
                    guarded(file).into_owned(),
                    rejected.row.to_string(),
                    guarded(rejected.column.as_deref().unwrap_or_default()).into_owned(),
                    rejected.code.to_string(),
                    guarded(&rejected.detail).into_owned(),
                ])?;
            }
            let Some(next) = page.next else { break };
            after = next;
        }
    }
    csv.finish()
}
