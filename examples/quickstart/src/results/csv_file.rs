//! CSV files that spreadsheets may open.

use std::borrow::Cow;
use std::fs::File;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::failure::Failure;

/// What a spreadsheet takes for the start of a formula.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A CSV file that is being written.
pub(super) struct CsvFile {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl CsvFile {
    /// Makes the file with its header.
    pub(super) fn create(path: PathBuf, header: &[&str]) -> Result<Self, Failure> {
        let writer = csv::Writer::from_path(&path).map_err(|error| Failure::unwritable(&path, &error))?;
        let mut file = Self { path, writer };
        file.row(header)?;
        Ok(file)
    }

    pub(super) fn row<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<(), Failure> {
        self.writer.write_record(cells).map_err(|error| Failure::unwritable(&self.path, &error))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| Failure::unwritable(&self.path, &error))
    }
}

/// A text from outside as a cell: an apostrophe keeps spreadsheets from running it as a formula.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// An instant as a cell: UTC in RFC 3339, empty when there is none.
pub(super) fn instant(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "a=b", "1-2", "'=1", " =1"] {
            assert_eq!(guarded(text), text);
        }
    }

    #[test]
    fn instants_are_utc() {
        let at = DateTime::from_timestamp(1_772_460_000, 250_000_000);
        assert_eq!(instant(at), "2026-03-02T14:00:00.250Z");
        assert_eq!(instant(None), "");
    }
}
