use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::source::{PacketSource, SourceError, SourceFile, SourceReader};

/// Files that the host holds in memory: uploads by API, and tests. Cheap to clone. `Debug` shows names and sizes only.
///
/// ```
/// use futures::executor::block_on;
/// use reminderly_core::ports::source::PacketSource;
/// use reminderly_core::sources::MemorySource;
///
/// let source = MemorySource::new().with_file("march.csv", "Name,Cell\n");
/// let files = block_on(source.list())?;
/// assert_eq!((files[0].name.as_str(), files[0].size), ("march.csv", 10));
/// # Ok::<(), reminderly_core::ports::source::SourceError>(())
/// ```
#[derive(Clone, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Upload>,
}

#[derive(Clone)]
struct Upload {
    bytes: Arc<[u8]>,
    modified: Option<DateTime<Utc>>,
}

impl MemorySource {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with this file; one of the same name is replaced.
    #[must_use]
    pub fn with_file(mut self, name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.into(), Upload { bytes: bytes.as_ref().into(), modified: None });
        self
    }

    /// The same with this file, which is known to have changed last at an instant; one of the same name is replaced.
    #[must_use]
    pub fn with_file_of(
        mut self,
        name: impl Into<String>,
        modified: DateTime<Utc>,
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        self.files.insert(name.into(), Upload { bytes: bytes.as_ref().into(), modified: Some(modified) });
        self
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.files.iter().map(|(name, upload)| (name, upload.bytes.len()))).finish()
    }
}

#[async_trait]
impl PacketSource for MemorySource {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        let file = |(name, upload): (&String, &Upload)| SourceFile {
            name: name.clone(),
            size: upload.bytes.len() as u64,
            modified: upload.modified,
        };
        Ok(self.files.iter().map(file).collect())
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        let upload = self.files.get(name).ok_or_else(|| SourceError::Missing { name: name.to_owned() })?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(Box::new(MemoryReader { bytes: Arc::clone(&upload.bytes), offset }))
    }
}

struct MemoryReader {
    bytes: Arc<[u8]>,
    offset: usize,
}

impl fmt::Debug for MemoryReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReader").field("offset", &self.offset).finish_non_exhaustive()
    }
}

#[async_trait]
impl SourceReader for MemoryReader {
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let next = rest.get(..max).unwrap_or(rest);
        buffer.extend_from_slice(next);
        self.offset += next.len();
        Ok(next.len())
    }
}
