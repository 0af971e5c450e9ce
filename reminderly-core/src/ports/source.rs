//! Sources: where data files are found and read.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::BoxError;

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceFile {
    /// Its name, unique in the source and without path.
    pub name: String,
    /// Its size, bytes.
    pub size: u64,
    /// When it last changed, where the source knows: with name and size, what tells an unchanged file without reading it.
    pub modified: Option<DateTime<Utc>>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no such file (any more).
    #[error("file {name:?} does not exist in the source")]
    Missing {
        /// The file.
        name: String,
    },
    /// The source cannot be read.
    #[error("source cannot be read{}", in_file(name.as_deref()))]
    Unreadable {
        /// The file; `None` if the source as a whole cannot be read.
        name: Option<String>,
        /// What the system said.
        #[source]
        source: BoxError,
    },
}

fn in_file(name: Option<&str>) -> String {
    name.map(|name| format!(": file {name:?}")).unwrap_or_default()
}

impl SourceError {
    /// Whether the same call may succeed later without anybody's help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

/// Finds and opens data files.
///
/// # Contract
///
/// A file MUST NOT change between its listing and the end of its reading; an upload becomes visible when it is whole.
/// Dropping a future or a reader has no effect on the source.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PacketSource: Debug + Send + Sync + 'static {
    /// The files, in the order of their names.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unreadable`] if the source cannot be listed.
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError>;

    /// Opens a file for reading from `offset`, in bytes.
    ///
    /// # Errors
    ///
    /// [`SourceError::Missing`] if there is no such file, [`SourceError::Unreadable`] if it cannot be opened.
    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError>;
}

/// Reads one file from front to back.
#[async_trait]
pub trait SourceReader: Debug + Send + 'static {
    /// Appends the next bytes to `buffer`, at most `max`; 0 at the end of the file.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unreadable`] if reading failed; what was appended before is good.
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError>;
}
