use super::encoding::TextEncoding;
use crate::domain::campaign::definition::Encoding;

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
    /// The file proves that it is in another encoding than the campaign declares, or shows nothing of the declared one.
    #[error(
        "file is not {declared} at byte {offset}{}, and source.encoding declares it: correct that to \"auto\" or to what \
         the file is, or save the file as declared", but_found(*found)
    )]
    NotAsDeclared {
        /// What the campaign declares.
        declared: Encoding,
        /// What the file is, if that is certain.
        found: Option<TextEncoding>,
        /// The byte that shows it, counted from 0 at the start of the file.
        offset: u64,
    },
    /// Nothing is declared, and the file is certainly not UTF-8.
    #[error(
        "file is not UTF-8 at byte {offset}: save it as \"CSV UTF-8\", or set source.encoding to what it is, such as \
         \"windows-1252\""
    )]
    UnknownEncoding {
        /// The first bad byte, counted from 0 at the start of the file.
        offset: u64,
    },
    /// The first line has zero bytes that no encoding explains.
    #[error("file is no text: byte {offset} is zero; save it as \"CSV UTF-8\"")]
    NotText {
        /// The zero byte, counted from 0 at the start of the file.
        offset: u64,
    },
    /// A ZIP archive, which Excel workbooks are.
    #[error(
        "file is an Excel workbook or another ZIP archive: save it as \"CSV UTF-8\"; workbooks are read where the feature \
         `xlsx` of reminderly-core is on"
    )]
    Archive,
    /// An old workbook (`.xls`), or one with a password.
    #[error(
        "file is an old Excel workbook, or one with a password: save it as .xlsx without a password, or as \"CSV UTF-8\""
    )]
    OldWorkbook,
    /// The header has bytes that its encoding does not know.
    #[error(
        "header is not {encoding} at byte {offset} of the file: save it as \"CSV UTF-8\", or correct source.encoding"
    )]
    Undecodable {
        /// The encoding in which the file is read.
        encoding: TextEncoding,
        /// The first bad byte, counted from 0 at the start of the file.
        offset: u64,
    },
    /// The header does not end within the limit.
    #[error("header is larger than {limit} bytes: its first line must name the columns")]
    TooLarge {
        /// The limit, bytes of UTF-8.
        limit: usize,
    },
    /// The file ends within a quoted column name.
    #[error("line {line}: the quote that opens here in the header is never closed")]
    UnbalancedQuote {
        /// The line of the quote.
        line: u64,
    },
    /// More columns than allowed.
    #[error("header has {found} columns, and {limit} are allowed: remove those that nobody needs")]
    TooManyColumns {
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A column before the last named one has no name.
    #[error("column {position} of the header has no name: name it, or remove the column")]
    EmptyName {
        /// Its position, from 1.
        position: usize,
    },
    /// More rows than allowed.
    #[error("file has more than {limit} rows: split it into several files")]
    TooManyRows {
        /// The limit.
        limit: u64,
    },
    /// More bytes than allowed.
    #[error("file is larger than {limit} bytes: split it into several files")]
    FileTooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// A workbook that is larger than allowed once it is unpacked.
    #[error(
        "workbook has more than {limit} bytes when it is unpacked: split it, or save it as \"CSV UTF-8\""
    )]
    WorkbookTooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// An archive that unpacks to far more than any workbook does.
    #[error(
        "workbook unpacks to more than {ratio} times its size, as no workbook of people does: save it as \"CSV UTF-8\""
    )]
    Bomb {
        /// The limit.
        ratio: u64,
    },
    /// An archive that is no workbook, or a broken one.
    #[error("file is no Excel workbook that can be read{}: open it in a spreadsheet and save it anew", after(*line))]
    BrokenWorkbook {
        /// The last row of the sheet that could be read; 0 if none.
        line: u64,
    },
    /// The workbook has no worksheet of the declared name, or none at all.
    #[error(
        "workbook has no worksheet that can be read: look at source.sheet, which names it; without it the first visible one is taken"
    )]
    NoSheet,
}

fn but_found(found: Option<TextEncoding>) -> String {
    found.map(|found| format!(" but {found}")).unwrap_or_default()
}

fn after(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" after row {line} of the sheet") }
}
