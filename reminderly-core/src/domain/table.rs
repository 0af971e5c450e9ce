//! Tables of delimited text, as people export them: the head of a file, then its records, chunk by chunk.
//!
//! Fields follow [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180), leniently: a quote in the middle of a bare
//! field is a character like any other, and a line ends with
//! LF, CR LF or CR. Blank lines are no rows and get no number. Spaces belong to the field, but for those around
//! column names, which nobody sees in a spreadsheet.
//!
//! A file is UTF-8, UTF-16 or Windows-1252, as its first bytes prove or the campaign declares; nothing is guessed. Places are
//! those of the file's own bytes. Excel workbooks are read with the feature `xlsx`.
//!
//! ```
//! use reminderly_core::domain::table::{Record, RecordReader, TableHead, TableRules};
//!
//! let file = b"Name;Cell\nAnn;+1 520 555 0100\n\"Roy\n";
//! let head = TableHead::read(file, true, &TableRules::default())?.ok_or("not whole")?;
//! assert_eq!((head.header.0.join(" "), head.form.delimiter), ("Name Cell".to_owned(), b';'));
//!
//! let mut reader = RecordReader::new(head.header, head.form, 1 << 20, head.start);
//! reader.push(&file[10..]);
//! assert!(matches!(reader.next_record(), Some(Record::Good(row)) if row.field(0) == Some("Ann")));
//! assert_eq!(reader.next_record(), None, "the rest of the second row may still come");
//! reader.finish();
//! assert!(matches!(reader.next_record(), Some(Record::Bad(fault)) if fault.detail.starts_with("line 3: ")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod detect;
mod encoding;
mod evidence;
mod fault;
mod fields;
mod followed;
mod head;
mod quotes;
mod records;
#[cfg(feature = "xlsx")]
mod sheet_cell;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(feature = "xlsx")]
pub mod workbook;

pub use encoding::TextEncoding;
pub use evidence::TextEvidence;
pub use fault::TableFault;
pub(crate) use head::CANDIDATES;
pub use head::{MAX_COLUMNS, TableHead, TableRules, TextForm};
pub use records::{Position, Record, RecordReader};
