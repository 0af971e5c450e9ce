use crate::domain::packet::IngestProgress;
use crate::domain::row::{Header, RejectedRow, Row, RowNumber};
use crate::domain::table::{Position, Record};
use crate::ports::store::RowBatch;

/// The most bytes of a file in one batch: rows may be large, and memory stays flat. At least one row goes in.
const BATCH_BYTES: u64 = 4 << 20;

/// Records that are going to be stored together.
#[derive(Debug)]
pub(super) struct Batch {
    after: Position,
    end: Position,
    rows: Vec<Row>,
    rejected: Vec<RejectedRow>,
}

impl Batch {
    /// No records yet, from `start`.
    pub(super) const fn new(start: Position) -> Self {
        Self { after: start, end: start, rows: Vec::new(), rejected: Vec::new() }
    }

    /// Takes the record that ends before `end`.
    pub(super) fn take(&mut self, record: Record, end: Position) {
        match record {
            Record::Good(row) => self.rows.push(row),
            Record::Bad(row) => self.rejected.push(row),
        }
        self.end = end;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.rejected.is_empty()
    }

    pub(super) const fn is_full(&self, rows: usize) -> bool {
        self.rows.len() + self.rejected.len() >= rows || self.end.offset - self.after.offset >= BATCH_BYTES
    }

    pub(super) const fn end(&self) -> Position {
        self.end
    }

    pub(super) fn rejected(&self) -> &[RejectedRow] {
        &self.rejected
    }

    /// What is stored, and the empty batch that follows.
    pub(super) fn split(self, header: &Header, delimiter: u8) -> (RowBatch, Self) {
        let batch = RowBatch {
            after: self.after.row,
            progress: progress(header.clone(), delimiter, self.end),
            rows: self.rows,
            rejected: self.rejected,
        };
        (batch, Self::new(self.end))
    }
}

/// What a packet keeps of a place in its file.
pub(super) const fn progress(header: Header, delimiter: u8, end: Position) -> IngestProgress {
    let Position { row: RowNumber(row), offset, line } = end;
    IngestProgress { header, delimiter: Some(delimiter), through: RowNumber(row), offset, line }
}
