use std::time::Duration;

use crate::ports::BoxError;

/// Failures of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or is overloaded; nothing was applied.
    #[error("store unavailable")]
    Unavailable {
        /// What the server or the network said.
        #[source]
        source: BoxError,
    },
    /// The answer to a commit was lost: it may or may not have been applied. Read back by id before deciding.
    #[error("outcome of a commit is unknown")]
    CommitUnknown {
        /// What the network said.
        #[source]
        source: BoxError,
    },
    /// A stored value does not decode. Names the place, never the value.
    #[error("stored value does not decode: {table}.{column} of {id}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The id of the row.
        id: String,
        /// What the decoder said.
        #[source]
        source: BoxError,
    },
    /// What the call is about does not exist for this company.
    #[error("{what} does not exist")]
    Missing {
        /// What kind of thing.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether the same call may succeed later. After [`CommitUnknown`](Self::CommitUnknown) only a call that is idempotent
    /// may be repeated, which all of them are on their natural keys.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::CommitUnknown { .. })
    }

    /// How long to wait before the same call, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        None
    }
}
