//! A file in which a sandbox keeps what it has accepted.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::ids::CompanyId;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::state::AcceptedRequest;

/// A line is a request with its text; what is longer is none.
const LINE_MAX: usize = 64 << 20;

/// Why a sandbox cannot use a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another sandbox writes it.
    #[error("the journal {} is in use by another process: give each sandbox its own", path.display())]
    InUse {
        /// Where it is.
        path: PathBuf,
    },
    /// It cannot be opened, read or repaired.
    #[error("the journal {} cannot be used: check its path and permissions", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is none that a sandbox writes.
    #[error("line {line} of {} is none of a sandbox's journal: name another file, or remove the line", path.display())]
    Corrupt {
        /// Where it is.
        path: PathBuf,
        /// Which line, from 1 on.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A line of a journal. The variant names kind and version; a new version gets a variant of its own.
#[derive(Serialize, Deserialize)]
enum Entry<'a> {
    #[serde(rename = "accepted_v1")]
    Accepted(Cow<'a, AcceptedRequest>),
    #[serde(rename = "called_back_v1")]
    CalledBack { event: Cow<'a, str> },
    #[serde(rename = "opted_out_v1")]
    OptedOut { company: CompanyId, contact: Cow<'a, ContactPoint> },
}

/// What a journal says that was written before.
#[derive(Default)]
pub(super) struct Written {
    pub(super) accepted: Vec<AcceptedRequest>,
    pub(super) called_back: HashSet<String>,
    pub(super) opted_out: Vec<(CompanyId, ContactPoint)>,
}

/// A line of JSON for each thing that must outlive the process. A line is written whole before anybody hears of what it says.
pub(super) struct Journal {
    file: File,
    /// Up to here it consists of whole lines.
    bytes: u64,
    /// What stands after that goes before anything is written.
    is_torn: bool,
}

impl Journal {
    /// Opens a journal, or makes one, and reads it. A line that was cut off, because the process died while it was written, goes.
    pub(super) fn open(path: &Path) -> Result<(Self, Written), JournalError> {
        let unusable = |source| JournalError::Unusable { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        // It tells who was sent what.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let (written, bytes) = read(&file, path)?;
        if file.metadata().map_err(unusable)?.len() > bytes {
            warn!(path = %path.display(), "the last line of the journal was cut off, and is removed");
            file.set_len(bytes).map_err(unusable)?;
        }
        Ok((Self { file, bytes, is_torn: false }, written))
    }

    pub(super) fn accepted(&mut self, request: &AcceptedRequest) -> io::Result<()> {
        self.write(&Entry::Accepted(Cow::Borrowed(request)))
    }

    pub(super) fn called_back(&mut self, event: &str) -> io::Result<()> {
        self.write(&Entry::CalledBack { event: Cow::Borrowed(event) })
    }

    pub(super) fn opted_out(&mut self, company: CompanyId, contact: &ContactPoint) -> io::Result<()> {
        self.write(&Entry::OptedOut { company, contact: Cow::Borrowed(contact) })
    }

    fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if self.is_torn {
            self.file.set_len(self.bytes)?;
        }
        self.is_torn = true;
        self.file.write_all(&line)?;
        self.is_torn = false;
        self.bytes = self.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

#[cfg(test)]
impl Journal {
    /// One that cannot be written.
    pub(super) fn unwritable(path: &Path) -> Self {
        std::fs::write(path, "").unwrap();
        Self { file: File::open(path).unwrap(), bytes: 0, is_torn: false }
    }
}

/// Whether it is the beginning of a line that a sandbox was writing.
fn is_cut_off(line: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 3] = [b"{\"accepted_v1\":", b"{\"called_back_v1\":", b"{\"opted_out_v1\":"];
    let begins = |beginning: &[u8]| line.starts_with(beginning) || beginning.starts_with(line);
    !line.ends_with(b"\n") && BEGINNINGS.into_iter().any(begins)
}

/// What the whole lines of a file say, and how many bytes they are.
fn read(file: &File, path: &Path) -> Result<(Written, u64), JournalError> {
    let mut reader = BufReader::new(file);
    let (mut written, mut bytes, mut line) = (Written::default(), 0_u64, Vec::new());
    for number in 1.. {
        line.clear();
        let piece = reader.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut line);
        let length = piece.map_err(|source| JournalError::Unusable { path: path.to_owned(), source })?;
        if length < LINE_MAX && is_cut_off(&line) {
            break;
        }
        let entry = serde_json::from_slice(&line);
        match entry.map_err(|source| JournalError::Corrupt { path: path.to_owned(), line: number, source })? {
            Entry::Accepted(request) => written.accepted.push(request.into_owned()),
            Entry::CalledBack { event } => drop(written.called_back.insert(event.into_owned())),
            Entry::OptedOut { company, contact } => written.opted_out.push((company, contact.into_owned())),
        }
        bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
    Ok((written, bytes))
}
