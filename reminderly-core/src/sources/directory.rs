use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::source::{PacketSource, SourceError, SourceFile, SourceReader};

/// The endings of uploads that are not whole.
const UNFINISHED: [&str; 2] = [".part", ".tmp"];

/// The regular files of one directory.
///
/// Directories, links and special files are passed over, so nothing outside is ever read; so are hidden files and names
/// ending in `.part` or `.tmp`, which are uploads that are not whole: an uploader writes under such a name and renames at
/// the end. A name that is not UTF-8 is passed over with a warning.
///
/// Reads block the calling thread, for one chunk of bounded size at a time: local disks answer in microseconds, but keep a
/// directory on a slow network mount off a runtime's threads.
///
/// ```
/// use futures::executor::block_on;
/// use reminderly_core::ports::source::{PacketSource, SourceError};
/// use reminderly_core::sources::DirectorySource;
///
/// let source = DirectorySource::new(env!("CARGO_MANIFEST_DIR"));
/// assert!(block_on(source.list())?.iter().any(|file| file.name == "Cargo.toml"));
/// assert!(matches!(block_on(source.open("../Cargo.toml", 0)), Err(SourceError::Missing { .. })));
/// # Ok::<(), SourceError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DirectorySource {
    path: PathBuf,
}

impl DirectorySource {
    /// The files of this directory. It is looked at on every call, not here.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn files(&self) -> io::Result<Vec<SourceFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                tracing::warn!("a file is passed over, because its name is not UTF-8");
                continue;
            };
            if !is_file_name(&name) {
                continue;
            }
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() => {
                    let modified = metadata.modified().ok().map(DateTime::<Utc>::from);
                    files.push(SourceFile { name, size: metadata.len(), modified });
                }
                Ok(_) => {}
                // It went while we looked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        files.sort();
        Ok(files)
    }

    fn file(&self, name: &str, offset: u64) -> io::Result<File> {
        if !is_file_name(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let path = self.path.join(name);
        // Looked at before it is opened, because opening a pipe waits for its writer.
        let seen = fs::symlink_metadata(&path)?;
        let mut file = File::open(&path)?;
        if !seen.is_file() || !is_same(&seen, &file.metadata()?) {
            return Err(io::ErrorKind::NotFound.into());
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }
}

#[async_trait]
impl PacketSource for DirectorySource {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        self.files().map_err(|error| SourceError::Unreadable { name: None, source: error.into() })
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        match self.file(name, offset) {
            Ok(file) => Ok(Box::new(FileReader { file, name: name.to_owned() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SourceError::Missing { name: name.to_owned() })
            }
            Err(error) => Err(SourceError::Unreadable { name: Some(name.to_owned()), source: error.into() }),
        }
    }
}

#[derive(Debug)]
struct FileReader {
    file: File,
    name: String,
}

#[async_trait]
impl SourceReader for FileReader {
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError> {
        let chunk = (&self.file).take(max as u64).read_to_end(buffer);
        chunk.map_err(|error| SourceError::Unreadable { name: Some(self.name.clone()), source: error.into() })
    }
}

/// Whether this is the name of a whole file, and no path.
fn is_file_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let is_plain = matches!(components.next(), Some(Component::Normal(part)) if part == name);
    let is_unfinished = UNFINISHED.iter().any(|ending| {
        let start = name.len().saturating_sub(ending.len());
        name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    });
    is_plain && components.next().is_none() && !name.starts_with('.') && !is_unfinished
}

/// Whether the file that was opened is the one that was looked at: a link may have taken its place in between.
#[cfg(unix)]
fn is_same(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("reminderly-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn is_missing(source: &DirectorySource, name: &str) -> bool {
        matches!(block_on(source.open(name, 0)), Err(SourceError::Missing { name: missing }) if missing == name)
    }

    #[test]
    fn lists_whole_regular_files_by_name() {
        let directory = Directory::new("list");
        for name in ["b.csv", "a.csv", ".hidden.csv", "c.csv.part", "d.TMP", "é.csv", "part"] {
            fs::write(directory.0.join(name), "x").unwrap();
        }
        fs::create_dir(directory.0.join("sub.csv")).unwrap();
        let source = DirectorySource::new(&directory.0);
        let names: Vec<_> =
            block_on(source.list()).unwrap().into_iter().map(|file| (file.name, file.size)).collect();
        assert_eq!(names, ["a.csv", "b.csv", "part", "é.csv"].map(|name| (name.to_owned(), 1)));
        for name in [".hidden.csv", "c.csv.part", "d.TMP", "sub.csv", "none.csv"] {
            assert!(is_missing(&source, name), "{name}");
        }
    }

    #[test]
    fn never_leaves_the_directory() {
        let directory = Directory::new("traverse");
        fs::write(directory.0.join("a.csv"), "x").unwrap();
        let source = DirectorySource::new(directory.0.join("in"));
        fs::create_dir(directory.0.join("in")).unwrap();
        let absolute = directory.0.join("a.csv");
        for name in
            ["../a.csv", "./a.csv", "a.csv/", "", ".", "..", "in/../../a.csv", absolute.to_str().unwrap()]
        {
            assert!(is_missing(&source, name), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn follows_no_links() {
        let directory = Directory::new("links");
        fs::write(directory.0.join("a.csv"), "x").unwrap();
        std::os::unix::fs::symlink(directory.0.join("a.csv"), directory.0.join("link.csv")).unwrap();
        let source = DirectorySource::new(&directory.0);
        assert_eq!(block_on(source.list()).unwrap().len(), 1);
        assert!(is_missing(&source, "link.csv"));
    }

    #[test]
    fn reads_on_from_an_offset_in_bounded_chunks() {
        let directory = Directory::new("read");
        fs::write(directory.0.join("a.csv"), "0123456789").unwrap();
        let source = DirectorySource::new(&directory.0);
        let mut reader = block_on(source.open("a.csv", 3)).unwrap();
        let mut buffer = b"kept ".to_vec();
        assert_eq!(block_on(reader.read(&mut buffer, 4)).unwrap(), 4);
        assert_eq!(block_on(reader.read(&mut buffer, 4)).unwrap(), 3);
        assert_eq!(block_on(reader.read(&mut buffer, 4)).unwrap(), 0);
        assert_eq!(buffer, b"kept 3456789");
        let mut reader = block_on(source.open("a.csv", 99)).unwrap();
        assert_eq!(block_on(reader.read(&mut buffer, 4)).unwrap(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_unreadable() {
        let source = DirectorySource::new("/nonexistent/reminderly");
        assert!(matches!(block_on(source.list()), Err(SourceError::Unreadable { name: None, .. })));
    }
}
