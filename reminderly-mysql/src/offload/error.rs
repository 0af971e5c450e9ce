//! Why something could not be taken out, or back.

use reminderly_core::ports::BoxError;
use reminderly_core::ports::store::StoreError;

/// Why something could not be taken out of the database, or back. Nothing is lost by it: what is not surely in a file stays in its table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OffloadError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be written or read.
    #[error("the file '{file}' could not be written or read: is its place there, with room and rights?")]
    File {
        /// Its path in the sink.
        file: String,
        /// What the place of files said.
        #[source]
        source: BoxError,
    },
    /// A file is not what its manifest says.
    #[error("the file '{file}' is not what was written: {what}")]
    Damaged {
        /// Its path in the sink.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// There is no such file.
    #[error("there is no file '{file}'")]
    Missing {
        /// Its path in the sink, or how its name begins.
        file: String,
    },
}

impl OffloadError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::File { .. } => true,
            Self::Damaged { .. } | Self::Missing { .. } => false,
        }
    }
}
