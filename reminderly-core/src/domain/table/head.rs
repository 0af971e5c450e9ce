use super::detect::{Detected, detect};
use super::encoding::TextEncoding;
use super::fault::TableFault;
use super::fields::Fields;
use super::quotes::Quotes;
use super::records::Position;
use crate::domain::campaign::definition::{Delimiter, Encoding};
use crate::domain::row::{Header, RowNumber};

/// The most columns of a file, unless the host says otherwise.
pub const MAX_COLUMNS: usize = 5_000;

/// The largest header, bytes of UTF-8, unless the host says otherwise.
const MAX_HEAD_BYTES: usize = 1 << 20;

/// What may separate fields if the campaign does not say; the earlier wins a tie.
pub(crate) const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What is declared of a file, and what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRules {
    /// The encoding that the campaign declares.
    pub encoding: Encoding,
    /// The delimiter that the campaign declares.
    pub delimiter: Delimiter,
    /// The largest header, bytes of UTF-8.
    pub max_head_bytes: usize,
    /// The most columns.
    pub max_columns: usize,
}

/// Nothing is declared; a header of at most 1 MiB and [`MAX_COLUMNS`] columns.
impl Default for TableRules {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            delimiter: Delimiter::default(),
            max_head_bytes: MAX_HEAD_BYTES,
            max_columns: MAX_COLUMNS,
        }
    }
}

/// How a delimited file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextForm {
    /// Its encoding.
    pub encoding: TextEncoding,
    /// What separates fields.
    pub delimiter: u8,
}

/// The first record of a file: its column names, and where the rows start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHead {
    /// The column names, without blanks around them. Empty names stand only at the end; names may repeat.
    pub header: Header,
    /// How the file is written.
    pub form: TextForm,
    /// Whether a byte order mark names the encoding.
    pub marked: bool,
    /// Where the first row starts.
    pub start: Position,
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
    pub fn read(bytes: &[u8], whole: bool, rules: &TableRules) -> Result<Option<Self>, TableFault> {
        refuse_other_formats(bytes)?;
        let max_bytes = rules.max_head_bytes;
        let Some(Detected { encoding, mark }) = detect(rules.encoding, bytes, whole, max_bytes)? else {
            return Ok(None);
        };
        let decoded = encoding.decode_start(bytes.get(mark..).unwrap_or_default(), whole);
        let text = decoded.as_ref();
        let blank = text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let (blank_lines, record) = text.split_at_checked(blank).unwrap_or_default();
        if record.is_empty() && (whole || blank > max_bytes) {
            return Err(if text.is_empty() { TableFault::Empty } else { TableFault::NoHeader });
        }

        let line = 1 + super::records::line_breaks(blank_lines);
        let Some(framed) = frame(record, line, whole, rules.delimiter, max_bytes)? else { return Ok(None) };
        let head = framed.content(record);
        let offset_of = |place: usize| {
            let before = text.get(..blank + place).unwrap_or_default();
            mark as u64 + encoding.source_len(before)
        };
        if let Some(zero) = head.iter().position(|byte| *byte == 0) {
            return Err(TableFault::NotText { offset: offset_of(zero) });
        }
        let names = names(head, framed.delimiter, rules.max_columns)?;
        if let Err(error) = str::from_utf8(head) {
            let offset = offset_of(error.valid_up_to());
            return Err(TableFault::Undecodable { encoding, offset });
        }
        let offset = offset_of(framed.content + framed.line_break);
        let line = framed.last_line + u64::from(framed.line_break > 0);
        let start = Position { row: RowNumber(0), offset, line };
        let form = TextForm { encoding, delimiter: framed.delimiter };
        Ok(Some(Self { header: header(names)?, form, marked: mark > 0, start }))
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

/// The first bytes of a ZIP archive, which Excel workbooks are.
pub(super) const ARCHIVE: &[u8] = b"PK\x03\x04";

/// The first bytes of an [OLE compound file](https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb), which old
/// workbooks and workbooks with a password are.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

fn refuse_other_formats(bytes: &[u8]) -> Result<(), TableFault> {
    if bytes.starts_with(OLE) {
        return Err(TableFault::OldWorkbook);
    }
    if bytes.starts_with(ARCHIVE) { Err(TableFault::Archive) } else { Ok(()) }
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

fn names(head: &[u8], delimiter: u8, max_columns: usize) -> Result<Vec<String>, TableFault> {
    let mut fields = Fields::new(delimiter);
    fields.feed(head);
    fields.feed(b"\n");
    let found = fields.ends().len();
    if found > max_columns {
        return Err(TableFault::TooManyColumns { found, limit: max_columns });
    }
    Ok(fields.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect())
}

/// A header of these names, none of which has blanks around it.
pub(super) fn header(names: Vec<String>) -> Result<Header, TableFault> {
    let last = names.iter().rposition(|name| !name.is_empty()).ok_or(TableFault::NoHeader)?;
    match names.iter().take(last).position(String::is_empty) {
        Some(position) => Err(TableFault::EmptyName { position: position + 1 }),
        None => Ok(Header(names)),
    }
}
