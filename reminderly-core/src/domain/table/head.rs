use std::collections::HashMap;

use super::fields::Fields;
use super::quotes::Quotes;
use super::records::Position;
use crate::domain::campaign::definition::Delimiter;
use crate::domain::row::{Header, RowNumber};

/// The most columns of a file.
pub const MAX_COLUMNS: usize = 5_000;

/// What may separate fields if the campaign does not say; the earlier wins a tie.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The first record of a file: its column names, and where the rows start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHead {
    /// The column names, without blanks around them. Empty names stand only at the end.
    pub header: Header,
    /// What separates fields.
    pub delimiter: u8,
    /// Where the first row starts.
    pub start: Position,
}

/// Why a file is no table that can be read. Says where and what to do, and quotes nothing of the file: in a file without
/// header the first line holds data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableFault {
    /// No bytes.
    #[error("file is empty")]
    Empty,
    /// Blank lines or blank column names only.
    #[error("file has no header: its first line must name the columns")]
    NoHeader,
    /// UTF-16, by its byte order mark or its zero bytes.
    #[error("file is UTF-16: save it as \"CSV UTF-8\"")]
    Utf16,
    /// A ZIP archive, which Excel workbooks are.
    #[error("file is an Excel workbook or another ZIP archive: save it as \"CSV UTF-8\"")]
    Archive,
    /// The header is in an encoding that is not UTF-8.
    #[error("header is not UTF-8 at byte {offset} of the file: save it as \"CSV UTF-8\"")]
    NotUtf8 {
        /// The first bad byte, counted from 0 at the start of the file.
        offset: u64,
    },
    /// The header does not end within the limit.
    #[error("header is larger than {limit} bytes: its first line must name the columns")]
    TooLarge {
        /// The limit, bytes.
        limit: usize,
    },
    /// The file ends within a quoted column name.
    #[error("line {line}: the quote that opens here in the header is never closed")]
    UnbalancedQuote {
        /// The line of the quote.
        line: u64,
    },
    /// More than [`MAX_COLUMNS`] columns.
    #[error("header has {found} columns, and {MAX_COLUMNS} are allowed")]
    TooManyColumns {
        /// How many there are.
        found: usize,
    },
    /// A column before the last named one has no name.
    #[error("column {position} of the header has no name: name it, or remove the column")]
    EmptyName {
        /// Its position, from 1.
        position: usize,
    },
    /// Two columns have one name.
    #[error("columns {first} and {second} of the header have the same name: rename one of them")]
    DuplicateName {
        /// The position of the first, from 1.
        first: usize,
        /// The position of the second, from 1.
        second: usize,
    },
}

impl TableHead {
    /// Reads the head from the first bytes of a file; `whole` says that there are no more. `None` asks for more bytes.
    ///
    /// If the campaign does not name the delimiter, the one of comma, semicolon, tab and bar that makes most columns is
    /// taken. A header with one column is fine.
    ///
    /// # Errors
    ///
    /// [`TableFault`] if the file has no usable header.
    pub fn read(
        bytes: &[u8],
        whole: bool,
        delimiter: Delimiter,
        max_bytes: usize,
    ) -> Result<Option<Self>, TableFault> {
        refuse_other_formats(bytes)?;
        let mark = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let text = bytes.get(mark..).unwrap_or_default();
        let blank = text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let (blank_lines, record) = text.split_at_checked(blank).unwrap_or_default();
        if record.is_empty() && (whole || blank > max_bytes) {
            return Err(if text.is_empty() { TableFault::Empty } else { TableFault::NoHeader });
        }

        let line = 1 + super::records::line_breaks(blank_lines);
        let before = mark + blank;
        let Some(framed) = frame(record, line, whole, delimiter, max_bytes)? else { return Ok(None) };
        let head = framed.content(record);
        if head.contains(&0) {
            return Err(TableFault::Utf16);
        }
        let header = names(head, framed.delimiter, before)?;
        let offset = (before + framed.content + framed.line_break) as u64;
        let line = framed.last_line + u64::from(framed.line_break > 0);
        let start = Position { row: RowNumber(0), offset, line };
        Ok(Some(Self { header, delimiter: framed.delimiter, start }))
    }
}

/// The first record of a text, found but not yet taken apart.
struct Framed {
    delimiter: u8,
    content: usize,
    line_break: usize,
    last_line: u64,
}

impl Framed {
    fn content<'a>(&self, record: &'a [u8]) -> &'a [u8] {
        record.get(..self.content).unwrap_or_default()
    }
}

fn refuse_other_formats(bytes: &[u8]) -> Result<(), TableFault> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(TableFault::Utf16);
    }
    if bytes.starts_with(b"PK\x03\x04") { Err(TableFault::Archive) } else { Ok(()) }
}

/// Finds the end of the header with every delimiter that it may have, and takes the one that makes most columns.
fn frame(
    record: &[u8],
    line: u64,
    whole: bool,
    delimiter: Delimiter,
    max_bytes: usize,
) -> Result<Option<Framed>, TableFault> {
    let one;
    let candidates: &[u8] = match delimiter {
        Delimiter::Auto => &CANDIDATES,
        Delimiter::Byte(byte) => {
            one = [byte];
            &one
        }
    };
    let limit = record.len().min(max_bytes.saturating_add(1));
    let mut best: Option<(usize, Result<Framed, TableFault>)> = None;
    for &delimiter in candidates {
        let mut quotes = Quotes::new(delimiter, line);
        let end = quotes.end_in(record.get(..limit).unwrap_or_default());
        let framed =
            |content, line_break| Framed { delimiter, content, line_break, last_line: quotes.line() };
        let found = match (end, quotes.open_since()) {
            (Some(end), _) => match line_break_at(record, end, whole) {
                Some(line_break) => Ok(framed(end, line_break)),
                None => return Ok(None),
            },
            (None, _) if record.len() > max_bytes => Err(TableFault::TooLarge { limit: max_bytes }),
            (None, _) if !whole => return Ok(None),
            (None, Some(line)) => Err(TableFault::UnbalancedQuote { line }),
            (None, None) => Ok(framed(record.len(), 0)),
        };
        // A header that does not end counts too, or an open quote would be taken for part of a name.
        if best.as_ref().is_none_or(|(most, _)| quotes.delimiters > *most) {
            best = Some((quotes.delimiters, found));
        }
    }
    best.map(|(_, found)| found).transpose()
}

/// How many bytes the line break at `at` has: 0 at the end of the bytes. `None` if that depends on the next byte.
pub(super) fn line_break_at(bytes: &[u8], at: usize, whole: bool) -> Option<usize> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some(2),
        (Some(b'\r'), None) if !whole => None,
        (Some(b'\r' | b'\n'), _) => Some(1),
        _ => Some(0),
    }
}

fn names(head: &[u8], delimiter: u8, before: usize) -> Result<Header, TableFault> {
    let mut fields = Fields::new(delimiter);
    fields.feed(head);
    fields.feed(b"\n");
    if fields.ends().len() > MAX_COLUMNS {
        return Err(TableFault::TooManyColumns { found: fields.ends().len() });
    }
    if let Err(error) = str::from_utf8(head) {
        return Err(TableFault::NotUtf8 { offset: (before + error.valid_up_to()) as u64 });
    }
    let names: Vec<String> =
        fields.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let last = names.iter().rposition(|name| !name.is_empty()).ok_or(TableFault::NoHeader)?;
    let mut seen = HashMap::new();
    for (position, name) in names.iter().take(last + 1).enumerate() {
        if name.is_empty() {
            return Err(TableFault::EmptyName { position: position + 1 });
        }
        if let Some(first) = seen.insert(name.as_str(), position) {
            return Err(TableFault::DuplicateName { first: first + 1, second: position + 1 });
        }
    }
    Ok(Header(names))
}
