//! Rows of a table in a file: a line of JSON for each, compressed by gzip.

use async_compression::tokio::bufread::GzipDecoder;
use async_compression::tokio::write::GzipEncoder;
use async_trait::async_trait;
use object_store::buffered::BufWriter;
use reminderly_core::ports::store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

use super::OffloadError;
use super::manifest::{Content, Lines, Manifest};
use super::sink::{File, Sink};

/// So many rows are read or written together: each may have a megabyte.
pub(super) const ROWS: usize = 100;

/// No row is longer.
const LINE_MAX: u64 = 64 << 20;

/// A table that can be written to a file and read back. Nobody changes it meanwhile.
#[async_trait]
pub(super) trait Dumped: Sync {
    type Row: Serialize + DeserializeOwned + Send + Sync;

    /// Its name: that of the file begins with it.
    fn name(&self) -> String;

    /// How many rows it has.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Some rows behind one, in the order of their key; none behind the last.
    async fn rows_after(&self, after: Option<&Self::Row>) -> Result<Vec<Self::Row>, StoreError>;

    /// Writes rows. Those that are there stay as they are.
    async fn write(&self, rows: &[Self::Row]) -> Result<(), StoreError>;
}

impl Sink {
    /// Sees to it that a table is in a file: it is read back, and compared. How many rows it has.
    ///
    /// A file that a manifest names is never written to.
    pub(super) async fn dump<T: Dumped>(&self, table: &T) -> Result<u64, OffloadError> {
        let name = table.name();
        if let Some(before) = self.manifest(&name).await? {
            return self.dump_again(table, before).await;
        }
        let written = self.write(table).await?;
        if self.beside(&name).create(self.line(&written)?).await? {
            self.see_it_named(&written).await?;
        } else {
            // Somebody else did it at the same time.
            self.file(&written.file).delete().await;
            let other = self.named(&name).await?;
            self.compare::<T::Row>(&other).await?;
            if other.content != written.content {
                return Err(self.other_table(&name));
            }
        }
        Ok(written.content.rows)
    }

    /// Whoever wrote it did not drop the table. If the file is not what it was, it is written anew.
    async fn dump_again<T: Dumped>(&self, table: &T, before: Manifest) -> Result<u64, OffloadError> {
        let mut nowhere = tokio::io::sink();
        let content = each_line(table, &self.beside(&before.content.table), &mut nowhere).await?;
        if content != before.content {
            return Err(self.other_table(&before.content.table));
        }
        match self.compare::<T::Row>(&before).await {
            Err(OffloadError::Damaged { .. } | OffloadError::Missing { .. }) => {
                let written = self.write(table).await?;
                self.beside(&before.content.table).replace(self.line(&written)?).await?;
                self.see_it_named(&written).await?;
            }
            compared => compared?,
        }
        Ok(content.rows)
    }

    /// Writes a table to a file that has its name from nobody else, and compares it.
    async fn write<T: Dumped>(&self, table: &T) -> Result<Manifest, OffloadError> {
        let name = table.name();
        let unique: u64 = rand::random();
        let content = format!("{name}.{unique:016x}.jsonl.gz");
        let file = self.file(&content);
        let mut gzip = GzipEncoder::new(file.writer());
        let written = match write_lines(table, &file, &mut gzip).await {
            Ok(content) => content,
            Err(error) => {
                // What was begun costs room. The error says what is wrong.
                gzip.into_inner().abort().await.ok();
                return Err(error);
            }
        };
        let manifest = Manifest { version: Manifest::VERSION, file: content, content: written };
        let compared = self.compare::<T::Row>(&manifest).await;
        if compared.is_err() {
            file.delete().await;
        }
        compared.map(|()| manifest)
    }

    /// A file's manifest, read from where it was written to.
    async fn see_it_named(&self, written: &Manifest) -> Result<(), OffloadError> {
        let table = &written.content.table;
        if self.manifest(table).await?.as_ref() == Some(written) {
            return Ok(());
        }
        Err(self.beside(table).damaged("it is not what was just written"))
    }

    /// The manifest of a table; `None` if it was not written to its end.
    async fn manifest(&self, table: &str) -> Result<Option<Manifest>, OffloadError> {
        match self.named(table).await {
            Err(OffloadError::Missing { .. }) => Ok(None),
            manifest => manifest.map(Some),
        }
    }

    /// The manifest of a table that is in a file.
    async fn named(&self, table: &str) -> Result<Manifest, OffloadError> {
        let file = self.beside(table);
        let content = file.get(Manifest::BYTES_MAX).await?;
        // What the parser says may show a value.
        let manifest: Manifest =
            serde_json::from_slice(&content).map_err(|_| file.damaged("it is no manifest"))?;
        if manifest.version != Manifest::VERSION {
            let version = manifest.version;
            return Err(file.damaged(format!("its version is {version}: a later release may read it")));
        }
        if manifest.content.table != table {
            return Err(file.damaged("it is that of another table"));
        }
        Ok(manifest)
    }

    /// The manifest of a table whose file is what it says, to its last row.
    pub(super) async fn checked<T: Dumped>(&self, table: &T) -> Result<Manifest, OffloadError> {
        let manifest = self.named(&table.name()).await?;
        self.compare::<T::Row>(&manifest).await?;
        Ok(manifest)
    }

    /// Reads a file to its end, and compares it with its manifest.
    async fn compare<R: DeserializeOwned>(&self, manifest: &Manifest) -> Result<(), OffloadError> {
        let file = self.file(&manifest.file);
        let (mut reader, mut lines) = (Reader::new(&file).await?, Lines::default());
        while reader.next::<R>(&mut lines).await?.is_some() {}
        reader.compare(lines, &manifest.content)
    }

    /// Writes the rows of a file that was [`checked`](Self::checked) into a table; how many they are.
    pub(super) async fn load<T: Dumped>(&self, table: &T, manifest: &Manifest) -> Result<u64, OffloadError> {
        let file = self.file(&manifest.file);
        let (mut reader, mut lines) = (Reader::new(&file).await?, Lines::default());
        let (mut rows, mut more) = (Vec::new(), true);
        while more {
            match reader.next(&mut lines).await? {
                Some(row) => rows.push(row),
                None => more = false,
            }
            if rows.len() == ROWS || !more {
                table.write(&rows).await?;
                rows.clear();
            }
        }
        reader.compare(lines, &manifest.content)?;
        Ok(manifest.content.rows)
    }

    /// The same, and the table has no other rows then.
    pub(super) async fn load_all<T: Dumped>(
        &self,
        table: &T,
        manifest: &Manifest,
    ) -> Result<u64, OffloadError> {
        let rows = self.load(table, manifest).await?;
        let file = self.beside(&manifest.content.table);
        if each_line(table, &file, &mut tokio::io::sink()).await? == manifest.content {
            return Ok(rows);
        }
        Err(file.damaged("its table had other rows when it was loaded: drop that, and load it again"))
    }

    /// The tables that are in files.
    pub(super) async fn tables(&self) -> Result<Vec<String>, OffloadError> {
        self.names(Manifest::END).await
    }

    fn beside(&self, table: &str) -> File<'_> {
        self.file(&[table, Manifest::END].concat())
    }

    fn line(&self, manifest: &Manifest) -> Result<Vec<u8>, OffloadError> {
        let unwritable =
            |error: serde_json::Error| self.beside(&manifest.content.table).unwritten(error.into());
        serde_json::to_vec_pretty(manifest).map_err(unwritable)
    }

    fn other_table(&self, table: &str) -> OffloadError {
        let what = "it is that of other rows than those of the table, perhaps because a backup of the database was loaded: \
                    keep it elsewhere, with the file that it names";
        self.beside(table).damaged(what)
    }
}

/// Reads a file line by line.
struct Reader<'f> {
    file: &'f File<'f>,
    lines: BufReader<GzipDecoder<object_store::buffered::BufReader>>,
    line: Vec<u8>,
    number: u64,
}

impl<'f> Reader<'f> {
    async fn new(file: &'f File<'f>) -> Result<Self, OffloadError> {
        let mut gzip = GzipDecoder::new(file.reader().await?);
        // What is appended to a file belongs to it.
        gzip.multiple_members(true);
        Ok(Self { file, lines: BufReader::new(gzip), line: Vec::new(), number: 0 })
    }

    /// The next row, counted among the lines.
    async fn next<R: DeserializeOwned>(&mut self, lines: &mut Lines) -> Result<Option<R>, OffloadError> {
        self.line.clear();
        let read = (&mut self.lines).take(LINE_MAX).read_until(b'\n', &mut self.line).await;
        if read.map_err(|error| self.file.unread(error))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let wrong = |what| self.file.damaged(format!("line {} {what}", self.number));
        if self.line.last() != Some(&b'\n') {
            return Err(wrong("has no end"));
        }
        lines.add(&self.line);
        let row = serde_json::from_slice(&self.line);
        row.map(Some).map_err(|_| wrong("is no row of this table, or that of a later release"))
    }

    fn compare(&self, lines: Lines, expected: &Content) -> Result<(), OffloadError> {
        let found = lines.of_table(expected.table.clone());
        if found == *expected {
            return Ok(());
        }
        Err(self.file.damaged(if found.rows == expected.rows {
            "a row is another one".to_owned()
        } else {
            format!("it has {} rows, and had {}", found.rows, expected.rows)
        }))
    }
}

async fn write_lines<T: Dumped>(
    table: &T,
    file: &File<'_>,
    gzip: &mut GzipEncoder<BufWriter>,
) -> Result<Content, OffloadError> {
    let content = each_line(table, file, gzip).await?;
    gzip.shutdown().await.map_err(|error| file.unwritten(error))?;
    Ok(content)
}

/// Writes the lines of a table, all of them.
async fn each_line<T: Dumped>(
    table: &T,
    file: &File<'_>,
    to: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<Content, OffloadError> {
    let (mut lines, mut last) = (Lines::default(), None);
    loop {
        let rows = table.rows_after(last.as_ref()).await?;
        for row in &rows {
            let mut line = serde_json::to_vec(row).map_err(|error| file.unwritten(error.into()))?;
            line.push(b'\n');
            lines.add(&line);
            to.write_all(&line).await.map_err(|error| file.unwritten(error))?;
        }
        match rows.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => break,
        }
    }
    let (content, count) = (lines.of_table(table.name()), table.count().await?);
    if content.rows == count {
        return Ok(content);
    }
    let (read, table) = (content.rows, content.table);
    let source = format!("of {count} rows of {table} {read} were read");
    Err(StoreError::Unavailable { source: source.into() }.into())
}
