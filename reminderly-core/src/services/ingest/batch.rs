use crate::domain::packet::{FileFormat, IngestProgress};
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
    bytes: u64,
    rows: Vec<Row>,
    rejected: Vec<RejectedRow>,
}

impl Batch {
    /// No records yet, from `start`.
    pub(super) const fn new(start: Position) -> Self {
        Self { after: start, end: start, bytes: 0, rows: Vec::new(), rejected: Vec::new() }
    }

    /// Takes the record that ends before `end`.
    pub(super) fn take(&mut self, record: Record, end: Position) {
        // Workbooks have no offsets.
        self.bytes += end.offset - self.end.offset;
        match record {
            Record::Good(row) => {
                if end.offset == 0 {
                    self.bytes += row.text_bytes() as u64;
                }
                self.rows.push(row);
            }
            Record::Bad(row) => self.rejected.push(row),
        }
        self.end = end;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.rejected.is_empty()
    }

    pub(super) const fn is_full(&self, rows: usize) -> bool {
        self.rows.len() + self.rejected.len() >= rows || self.bytes >= BATCH_BYTES
    }

    pub(super) const fn end(&self) -> Position {
        self.end
    }

    pub(super) fn rejected(&self) -> &[RejectedRow] {
        &self.rejected
    }

    /// What is stored, and the empty batch that follows.
    pub(super) fn split(self, opened: &Opened) -> (RowBatch, Self) {
        let batch = RowBatch {
            after: self.after.row,
            progress: opened.progress(self.end),
            rows: self.rows,
            rejected: self.rejected,
        };
        (batch, Self::new(self.end))
    }
}

/// What is known of a file once its header has been read.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) header: Header,
    pub(super) format: FileFormat,
    pub(super) delimiter: Option<u8>,
}

impl Opened {
    /// What a packet keeps of a place in its file.
    pub(super) fn progress(&self, end: Position) -> IngestProgress {
        let Position { row: RowNumber(row), offset, line } = end;
        let Self { header, format, delimiter } = self.clone();
        IngestProgress { header, format, delimiter, through: RowNumber(row), offset, line }
    }
}

impl From<IngestProgress> for (Opened, Position) {
    fn from(progress: IngestProgress) -> Self {
        let IngestProgress { header, format, delimiter, through, offset, line } = progress;
        (Opened { header, format, delimiter }, Position { row: through, offset, line })
    }
}
