use crate::domain::mapping::UnfitHeader;
use crate::domain::one_liner::InvalidOneLiner;
use crate::domain::table::MAX_COLUMNS;

/// Why a call cannot be taken; nothing of it was stored. Carries names of columns, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCall {
    /// Nothing to send.
    #[error("the call has no rows")]
    NoRows,
    /// More rows than a call may have.
    #[error(
        "the call has {rows} rows, and {max} are allowed: split it into calls with keys of their own, or upload a file"
    )]
    TooManyRows {
        /// How many it has.
        rows: usize,
        /// [`Settings::max_call_rows`](crate::services::Settings::max_call_rows).
        max: usize,
    },
    /// More data than a call may have.
    #[error(
        "the call has more than {max} bytes: split it into calls with keys of their own, or upload a file"
    )]
    TooLarge {
        /// The limit, bytes: [`Settings::max_call_bytes`](crate::services::Settings::max_call_bytes); of a one-liner also
        /// [`Settings::max_row_bytes`](crate::services::Settings::max_row_bytes).
        max: usize,
    },
    /// The rows have too many different columns.
    #[error("the rows have {found} columns, and {MAX_COLUMNS} are allowed")]
    TooManyColumns {
        /// How many they have.
        found: usize,
    },
    /// A column has no name.
    #[error("row {row} has a column without a name: name it, or remove it")]
    UnnamedColumn {
        /// The first such row, from 1.
        row: u64,
    },
    /// No row has a column that the campaign reads. A row that has no value for it may leave it out, or give an empty text.
    #[error("{0}")]
    UnfitHeader(UnfitHeader),
    /// The one-liner cannot be used.
    #[error("{0}")]
    OneLiner(InvalidOneLiner),
}
