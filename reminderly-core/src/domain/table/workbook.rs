//! Excel workbooks (`.xlsx`): one worksheet as a table, with the same rows, places and limits as delimited text.
//!
//! | a cell that holds | is read as |
//! |---|---|
//! | text | the text |
//! | a number | digits, to the 15 that a spreadsheet keeps; never in scientific notation |
//! | a date, time or both, by its number format | `2026-03-09`, `14:30:00` or `2026-03-09T14:30:00`; at midnight the date alone |
//! | a duration (`[h]:mm`) | hours, minutes, seconds: `26:30:00` |
//! | true, false | `TRUE`, `FALSE` |
//! | a formula | its result, as it was when the workbook was saved |
//! | an error | what the sheet shows: `#N/A` |
//!
//! The header is the first row that is not blank. Blank rows are no rows, and a row's line is its number in the sheet.

use std::io::{self, Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxCellReader, XlsxError};
use zip::ZipArchive;

use super::fault::TableFault;
use super::head::{ARCHIVE, header};
use super::records::{Position, Record};
use super::sheet_cell::cell_text;
use crate::domain::row::{Header, RejectedRow, Row, RowFault, RowNumber};

/// How many times its size an archive may unpack to. Sheets reach some 30 times.
const RATIO_MAX: u64 = 100;

/// The most files of an archive: a workbook has some dozens.
const ENTRIES_MAX: usize = 10_000;

/// What a workbook may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkbookRules {
    /// The most bytes that it unpacks to.
    pub max_unpacked_bytes: u64,
    /// The most columns.
    pub max_columns: usize,
    /// The largest row, bytes of UTF-8.
    pub max_row_bytes: usize,
}

/// A workbook that is held in memory.
pub struct Workbook {
    xlsx: Xlsx<Cursor<Vec<u8>>>,
    sheet: String,
    rules: WorkbookRules,
}

impl Workbook {
    /// Whether a file that begins with these bytes may be a workbook.
    pub fn may_begin_with(bytes: &[u8]) -> bool {
        bytes.starts_with(ARCHIVE)
    }

    /// Opens a workbook at the named worksheet, or else at the first visible one. All of it is unpacked once, to measure it,
    /// before anything is read of it.
    ///
    /// # Errors
    ///
    /// [`TableFault::WorkbookTooLarge`], [`TableFault::Bomb`], [`TableFault::BrokenWorkbook`], [`TableFault::NoSheet`].
    pub fn open(bytes: Vec<u8>, sheet: Option<&str>, rules: WorkbookRules) -> Result<Self, TableFault> {
        let xlsx = unless_panics(0, || {
            measure(&bytes, rules.max_unpacked_bytes)?;
            Xlsx::new(Cursor::new(bytes)).map_err(|_| TableFault::BrokenWorkbook { line: 0 })
        })?;
        let mut sheets = xlsx.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let found = match sheet {
            Some(name) => sheets.find(|sheet| sheet.name == name),
            None => sheets.find(|sheet| sheet.visible == SheetVisible::Visible),
        };
        let sheet = found.ok_or(TableFault::NoSheet)?.name.clone();
        Ok(Self { xlsx, sheet, rules })
    }

    /// The column names and where the rows start.
    ///
    /// # Errors
    ///
    /// [`TableFault`] if the sheet has no usable header.
    pub fn head(&mut self) -> Result<(Header, Position), TableFault> {
        let rules = self.rules;
        let mut cells = self.cells()?;
        let Some(line) = cells.next_line()? else { return Err(TableFault::NoHeader) };
        if line.oversized {
            return Err(TableFault::TooLarge { limit: rules.max_row_bytes });
        }
        let found = line.columns();
        if found > rules.max_columns {
            return Err(TableFault::TooManyColumns { found, limit: rules.max_columns });
        }
        let mut names = vec![String::new(); found];
        for (column, text) in &line.cells {
            if let Some(name) = names.get_mut(*column) {
                text.trim().clone_into(name);
            }
        }
        let start = Position { row: RowNumber(0), offset: 0, line: line.number + 1 };
        Ok((header(names)?, start))
    }

    /// The rows from a place on. What lies before it is passed over.
    ///
    /// # Errors
    ///
    /// [`TableFault::BrokenWorkbook`].
    pub fn rows(&mut self, header: &Header, start: Position) -> Result<SheetRows<'_>, TableFault> {
        let columns = header.0.len();
        Ok(SheetRows { cells: self.cells()?, columns, next: start })
    }

    fn cells(&mut self) -> Result<Cells<'_>, TableFault> {
        let Self { xlsx, sheet, rules } = self;
        let reader = unless_panics(0, || {
            xlsx.worksheet_cells_reader(sheet).map_err(|_| TableFault::BrokenWorkbook { line: 0 })
        })?;
        Ok(Cells { reader, max_row_bytes: rules.max_row_bytes, first: None, read: 0, ended: false })
    }
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Reads the rows of a worksheet.
pub struct SheetRows<'w> {
    cells: Cells<'w>,
    columns: usize,
    next: Position,
}

impl SheetRows<'_> {
    /// The next row and the place after it; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`TableFault::BrokenWorkbook`] if the sheet cannot be read on.
    pub fn next_record(&mut self) -> Result<Option<(Record, Position)>, TableFault> {
        let line = loop {
            match self.cells.next_line()? {
                None => return Ok(None),
                Some(line) if line.number < self.next.line => {}
                Some(line) => break line,
            }
        };
        let row = self.next.row.next();
        let record = self.record(row, &line);
        self.next = Position { row, offset: 0, line: line.number + 1 };
        Ok(Some((record, self.next)))
    }

    fn record(&self, row: RowNumber, line: &Line) -> Record {
        let reject = |code, detail| Record::Bad(RejectedRow { row, column: None, code, detail });
        let (number, expected, found) = (line.number, self.columns, line.columns());
        if line.oversized {
            let limit = self.cells.max_row_bytes;
            return reject(
                RowFault::RowTooLarge,
                format!("line {number}: row is larger than {limit} bytes; remove what nobody needs"),
            );
        }
        if found > expected {
            return reject(
                RowFault::FieldCount,
                format!("line {number}: expected {expected} fields, found {found}"),
            );
        }
        let mut fields = vec![""; expected];
        for (column, text) in &line.cells {
            if let Some(field) = fields.get_mut(*column) {
                *field = text;
            }
        }
        Record::Good(Row::new(row, number, fields))
    }
}

impl std::fmt::Debug for SheetRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SheetRows").field("next", &self.next).finish_non_exhaustive()
    }
}

/// One row of a sheet that is not blank.
struct Line {
    /// Its number in the sheet, from 1.
    number: u64,
    /// The cells that are not empty, by their position from 0.
    cells: Vec<(usize, String)>,
    bytes: usize,
    oversized: bool,
}

impl Line {
    /// How many columns it takes.
    fn columns(&self) -> usize {
        self.cells.iter().map(|(column, _)| column + 1).max().unwrap_or_default()
    }

    fn is_blank(&self) -> bool {
        !self.oversized && self.cells.iter().all(|(_, text)| text.trim().is_empty())
    }
}

/// Puts the cells of a sheet together to lines.
struct Cells<'w> {
    reader: XlsxCellReader<'w, Cursor<Vec<u8>>>,
    max_row_bytes: usize,
    /// The first cell of the next line: its row and column from 0, and its text.
    first: Option<(u32, usize, String)>,
    /// The last line that was read.
    read: u64,
    /// Nothing comes behind it: the reader must not be asked again.
    ended: bool,
}

impl Cells<'_> {
    /// The next line that is not blank.
    fn next_line(&mut self) -> Result<Option<Line>, TableFault> {
        loop {
            match self.any_line()? {
                Some(line) if line.is_blank() => {}
                line => return Ok(line),
            }
        }
    }

    fn any_line(&mut self) -> Result<Option<Line>, TableFault> {
        let first = match self.first.take() {
            Some(cell) => Some(cell),
            None => self.next_cell()?,
        };
        let Some((row, column, text)) = first else { return Ok(None) };
        let mut line = Line { number: u64::from(row) + 1, cells: Vec::new(), bytes: 0, oversized: false };
        self.put(&mut line, column, text);
        while let Some((next, column, text)) = self.next_cell()? {
            if next != row {
                if next < row {
                    return Err(TableFault::BrokenWorkbook { line: line.number });
                }
                self.first = Some((next, column, text));
                break;
            }
            self.put(&mut line, column, text);
        }
        self.read = line.number;
        Ok(Some(line))
    }

    fn put(&self, line: &mut Line, column: usize, text: String) {
        // A delimiter each, as in text.
        line.bytes += text.len() + 1;
        if line.bytes > self.max_row_bytes.saturating_add(1) {
            line.oversized = true;
            line.cells.clear();
        } else if !text.is_empty() {
            line.cells.push((column, text));
        }
    }

    fn next_cell(&mut self) -> Result<Option<(u32, usize, String)>, TableFault> {
        if self.ended {
            return Ok(None);
        }
        let (reader, line) = (&mut self.reader, self.read);
        let limit = self.max_row_bytes.saturating_add(2);
        let cell = unless_panics(line, || {
            loop {
                let cell = reader.next_cell().map_err(|_: XlsxError| TableFault::BrokenWorkbook { line })?;
                let Some(cell) = cell else { return Ok(None) };
                if *cell.get_value() != DataRef::Empty {
                    let (row, column) = cell.get_position();
                    return Ok(Some((row, column as usize, cell_text(cell.get_value(), limit))));
                }
            }
        })?;
        self.ended = cell.is_none();
        Ok(cell)
    }
}

/// Unpacks every file of the archive to nowhere, and counts.
fn measure(bytes: &[u8], max_bytes: u64) -> Result<(), TableFault> {
    const BROKEN: TableFault = TableFault::BrokenWorkbook { line: 0 };
    let packed = bytes.len() as u64;
    let ratio_limit = packed.saturating_mul(RATIO_MAX);
    let limit = max_bytes.min(ratio_limit);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| BROKEN)?;
    if archive.len() > ENTRIES_MAX {
        return Err(BROKEN);
    }
    let mut unpacked = 0;
    for entry in 0..archive.len() {
        let file = archive.by_index(entry).map_err(|_| BROKEN)?;
        // What the archive says of its sizes proves nothing.
        let mut file = file.take(limit + 1 - unpacked);
        unpacked += io::copy(&mut file, &mut io::sink()).map_err(|_| BROKEN)?;
        if unpacked > ratio_limit {
            return Err(TableFault::Bomb { ratio: RATIO_MAX });
        }
        if unpacked > limit {
            return Err(TableFault::WorkbookTooLarge { limit });
        }
    }
    Ok(())
}

/// A file that makes a parser panic is a broken file, and must not end a worker.
fn unless_panics<T>(line: u64, read: impl FnOnce() -> Result<T, TableFault>) -> Result<T, TableFault> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(TableFault::BrokenWorkbook { line }))
}
