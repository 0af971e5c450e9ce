//! Where files are.

use std::fmt;
use std::sync::Arc;

use object_store::buffered::{BufReader, BufWriter};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::OffloadError;

/// A place of files: a folder of this machine, or a bucket, as the crate [`object_store`] reaches them.
///
/// A table is dropped once its file was written and read back: a folder is to be opened with `with_fsync(true)`, or a power cut may
/// leave neither.
///
/// ```
/// use std::sync::Arc;
/// use object_store::local::LocalFileSystem;
/// use reminderly_mysql::Sink;
///
/// # let folder = std::env::temp_dir();
/// let files = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
/// let sink = Sink::new(Arc::new(files), "reminderly/production");
/// # Ok::<(), object_store::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sink {
    files: Arc<dyn ObjectStore>,
    folder: Path,
}

impl Sink {
    /// Files below a folder of a place; `""` for all of it. No other database may have its files there.
    pub fn new(files: Arc<dyn ObjectStore>, folder: &str) -> Self {
        Self { files, folder: Path::from(folder) }
    }

    /// A file by its name.
    pub(super) fn file(&self, name: &str) -> File<'_> {
        let path = name.split('/').fold(self.folder.clone(), Path::join);
        File { files: &self.files, path }
    }
}

/// A file that may be there.
pub(super) struct File<'s> {
    files: &'s Arc<dyn ObjectStore>,
    path: Path,
}

impl fmt::Display for File<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl File<'_> {
    /// What writes it; it is there when that was shut down.
    pub(super) fn writer(&self) -> BufWriter {
        BufWriter::new(Arc::clone(self.files), self.path.clone())
    }

    /// What reads it.
    pub(super) async fn reader(&self) -> Result<BufReader, OffloadError> {
        let meta = self.files.head(&self.path).await.map_err(|error| self.failed(error))?;
        Ok(BufReader::new(Arc::clone(self.files), &meta))
    }

    /// Writes all of it.
    pub(super) async fn put(&self, content: Vec<u8>) -> Result<(), OffloadError> {
        self.files.put(&self.path, content.into()).await.map(drop).map_err(|error| self.failed(error))
    }

    /// Reads all of it.
    pub(super) async fn get(&self) -> Result<Vec<u8>, OffloadError> {
        let found = self.files.get(&self.path).await.map_err(|error| self.failed(error))?;
        Ok(found.bytes().await.map_err(|error| self.failed(error))?.to_vec())
    }

    pub(super) fn failed(&self, error: object_store::Error) -> OffloadError {
        let file = self.to_string();
        match error {
            object_store::Error::NotFound { .. } => OffloadError::Missing { file },
            other => OffloadError::File { file, source: other.into() },
        }
    }

    pub(super) fn interrupted(&self, error: std::io::Error) -> OffloadError {
        OffloadError::File { file: self.to_string(), source: error.into() }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> OffloadError {
        OffloadError::Damaged { file: self.to_string(), what: what.into() }
    }
}
