use crate::domain::table::MAX_COLUMNS;

/// What a data file may have. A file that has more is refused as a whole with the limit, and nothing of it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// The most columns. 5,000.
    pub max_columns: usize,
    /// The most rows, rejected ones included. 100 million: a mistake has more, a company has not.
    pub max_rows: u64,
    /// The largest file, bytes. 16 GiB: it is read twice before its first row is taken.
    pub max_bytes: u64,
    /// The largest workbook, bytes: of the file, which is held in memory, and of what it unpacks to. 512 MiB hold the million
    /// rows that a sheet can have.
    pub max_workbook_bytes: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            max_columns: MAX_COLUMNS,
            max_rows: 100_000_000,
            max_bytes: 16 << 30,
            max_workbook_bytes: 512 << 20,
        }
    }
}
