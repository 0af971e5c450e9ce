//! Where files are.

use std::fmt;
use std::sync::Arc;

use futures::TryStreamExt as _;
use object_store::buffered::{BufReader, BufWriter};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode};

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

    /// Writes a file, reads it, and takes it away again.
    pub(super) async fn probe(&self) -> Result<(), OffloadError> {
        let unique: u64 = rand::random();
        let file = self.file(&format!("probe.{unique:016x}"));
        file.replace(b"probe".to_vec()).await?;
        let read = file.get(16).await;
        file.delete().await;
        if read? == b"probe" { Ok(()) } else { Err(file.damaged("it is not what was just written")) }
    }

    /// A file by its name.
    pub(super) fn file(&self, name: &str) -> File<'_> {
        File { files: &self.files, path: self.folder.clone().join(name) }
    }

    /// The names of the files that end so, without their ends.
    pub(super) async fn names(&self, end: &str) -> Result<Vec<String>, OffloadError> {
        let found = self.files.list(Some(&self.folder)).try_filter_map(async |meta| {
            Ok(meta.location.filename().and_then(|name| name.strip_suffix(end)).map(str::to_owned))
        });
        let folder = || File { files: &self.files, path: self.folder.clone() };
        found.try_collect().await.map_err(|error| folder().failed(error))
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

    /// Writes all of it, unless it is there; whether it was not.
    pub(super) async fn create(&self, content: Vec<u8>) -> Result<bool, OffloadError> {
        match self.files.put_opts(&self.path, content.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Writes all of it, whatever is there.
    pub(super) async fn replace(&self, content: Vec<u8>) -> Result<(), OffloadError> {
        self.files.put(&self.path, content.into()).await.map(drop).map_err(|error| self.failed(error))
    }

    /// Reads all of it, unless it has more bytes.
    pub(super) async fn get(&self, most: u64) -> Result<Vec<u8>, OffloadError> {
        let found = self.files.get(&self.path).await.map_err(|error| self.failed(error))?;
        if found.meta.size > most {
            return Err(self.damaged(format!("it has {} bytes", found.meta.size)));
        }
        Ok(found.bytes().await.map_err(|error| self.failed(error))?.to_vec())
    }

    /// Takes it away. One that stays is in nobody's way.
    pub(super) async fn delete(&self) {
        self.files.delete(&self.path).await.ok();
    }

    pub(super) fn failed(&self, error: object_store::Error) -> OffloadError {
        let file = self.to_string();
        match error {
            object_store::Error::NotFound { .. } => OffloadError::Missing { file },
            other => OffloadError::File { file, source: other.into() },
        }
    }

    /// The error of what writes it.
    pub(super) fn unwritten(&self, error: std::io::Error) -> OffloadError {
        OffloadError::File { file: self.to_string(), source: error.into() }
    }

    /// The error of what reads and unpacks it.
    pub(super) fn unread(&self, error: std::io::Error) -> OffloadError {
        match error.get_ref() {
            Some(inner) if inner.is::<object_store::Error>() => self.unwritten(error),
            _ => self.damaged("it cannot be unpacked"),
        }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> OffloadError {
        OffloadError::Damaged { file: self.to_string(), what: what.into() }
    }
}
