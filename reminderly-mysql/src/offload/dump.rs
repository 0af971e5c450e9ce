//! Rows of a table in a file: a line of JSON for each, compressed by gzip, and beside it a manifest.

use async_compression::tokio::bufread::GzipDecoder;
use async_compression::tokio::write::GzipEncoder;
use async_trait::async_trait;
use reminderly_core::ports::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, Lines};

use super::OffloadError;
use super::sink::{File, Sink};

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the form of the file: 1.
    pub version: u32,
    /// The table that it was.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// The SHA-256 of its lines before they were compressed, in hexadecimal digits.
    pub sha256: String,
}

const VERSION: u32 = 1;

/// So many rows are read or restored together: each may have a megabyte.
pub(super) const ROWS: usize = 100;

/// A table that can be written to a file and read back.
#[async_trait]
pub(super) trait Dumped: Sync {
    type Row: Serialize + DeserializeOwned + Send + Sync;

    /// Its name: that of the file, too.
    fn name(&self) -> String;

    /// Some rows behind one, in the order of their key; none behind the last.
    async fn rows_after(&self, after: Option<&Self::Row>) -> Result<Vec<Self::Row>, StoreError>;

    /// Writes rows. Those that are there stay as they are.
    async fn write(&self, rows: &[Self::Row]) -> Result<(), StoreError>;
}

/// Counts and digests lines.
#[derive(Default)]
struct Seen {
    rows: u64,
    sha256: Sha256,
}

impl Seen {
    fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.sha256.update(line);
        self.sha256.update(b"\n");
    }

    fn manifest(self, table: String) -> Manifest {
        let digest: [u8; 32] = self.sha256.finalize().into();
        let sha256 = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Manifest { version: VERSION, table, rows: self.rows, sha256 }
    }
}

impl Sink {
    /// Writes a table to its file, and compares what is in the file then. A file that was written to its end before is left as it is.
    pub(super) async fn dump<T: Dumped>(&self, table: &T) -> Result<Manifest, OffloadError> {
        let name = table.name();
        let file = self.content(&name);
        if let Some(before) = self.manifest(&name).await? {
            let found = each_line(table, &file, &mut tokio::io::sink()).await?;
            if found != before {
                let what = "another table is in it, perhaps because a backup of the database was restored: move it away";
                return Err(file.damaged(what));
            }
            self.compare(&before).await?;
            return Ok(before);
        }
        let mut gzip = GzipEncoder::new(file.writer());
        let manifest = each_line(table, &file, &mut gzip).await?;
        gzip.shutdown().await.map_err(|error| file.interrupted(error))?;
        self.compare(&manifest).await?;
        let written =
            serde_json::to_vec_pretty(&manifest).map_err(|error| file.damaged(error.to_string()))?;
        self.beside(&name).put(written).await?;
        Ok(manifest)
    }

    /// The manifest of a file; `None` if the file was not written to its end.
    async fn manifest(&self, table: &str) -> Result<Option<Manifest>, OffloadError> {
        let file = self.beside(table);
        let content = match file.get().await {
            Err(OffloadError::Missing { .. }) => return Ok(None),
            content => content?,
        };
        let manifest: Manifest =
            serde_json::from_slice(&content).map_err(|error| file.damaged(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(file.damaged(format!("its form has the version {}", manifest.version)));
        }
        Ok(Some(manifest))
    }

    /// The manifest of a file that is what it says.
    pub(super) async fn checked(&self, table: &str) -> Result<Manifest, OffloadError> {
        let manifest = self.manifest(table).await?;
        let manifest =
            manifest.ok_or_else(|| OffloadError::Missing { file: self.beside(table).to_string() })?;
        self.compare(&manifest).await?;
        Ok(manifest)
    }

    /// Reads a file to its end, and compares it with its manifest.
    async fn compare(&self, manifest: &Manifest) -> Result<(), OffloadError> {
        let file = self.content(&manifest.table);
        let (mut lines, mut seen) = (lines(&file).await?, Seen::default());
        while let Some(line) = lines.next_line().await.map_err(|error| file.interrupted(error))? {
            seen.add(line.as_bytes());
        }
        let found = seen.manifest(manifest.table.clone());
        if found == *manifest {
            return Ok(());
        }
        let what = if found.rows == manifest.rows {
            "a row is another one".to_owned()
        } else {
            format!("it has {} rows, and had {}", found.rows, manifest.rows)
        };
        Err(file.damaged(what))
    }

    /// Writes the rows of a file into a table, once it has been compared with its manifest; how many they are.
    pub(super) async fn restore<T: Dumped>(&self, table: &T) -> Result<u64, OffloadError> {
        let file = self.content(&table.name());
        let manifest = self.checked(&table.name()).await?;
        let (mut lines, mut rows) = (lines(&file).await?, Vec::new());
        while let Some(line) = lines.next_line().await.map_err(|error| file.interrupted(error))? {
            rows.push(serde_json::from_str(&line).map_err(|error| file.damaged(error.to_string()))?);
            if rows.len() == ROWS {
                table.write(&rows).await?;
                rows.clear();
            }
        }
        table.write(&rows).await?;
        Ok(manifest.rows)
    }

    fn content(&self, table: &str) -> File<'_> {
        self.file(&format!("{table}.jsonl.gz"))
    }

    fn beside(&self, table: &str) -> File<'_> {
        self.file(&format!("{table}.manifest.json"))
    }
}

/// Writes the lines of a table.
async fn each_line<T: Dumped>(
    table: &T,
    file: &File<'_>,
    to: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<Manifest, OffloadError> {
    let (mut seen, mut last) = (Seen::default(), None);
    loop {
        let rows = table.rows_after(last.as_ref()).await?;
        for row in &rows {
            let mut line = serde_json::to_vec(row).map_err(|error| file.damaged(error.to_string()))?;
            seen.add(&line);
            line.push(b'\n');
            to.write_all(&line).await.map_err(|error| file.interrupted(error))?;
        }
        match rows.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => return Ok(seen.manifest(table.name())),
        }
    }
}

type Unpacked = BufReader<GzipDecoder<object_store::buffered::BufReader>>;

async fn lines(file: &File<'_>) -> Result<Lines<Unpacked>, OffloadError> {
    let mut gzip = GzipDecoder::new(file.reader().await?);
    // What is appended to a file belongs to it.
    gzip.multiple_members(true);
    Ok(BufReader::new(gzip).lines())
}
