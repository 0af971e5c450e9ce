//! What stands beside a file.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Which file has the rows of a table, and what is in it. It is written last: without one there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of the form of both.
    pub(super) version: u32,
    /// The name of the file.
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) content: Content,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// The table that it was.
    pub(super) table: String,
    /// How many rows it has.
    pub(super) rows: u64,
    /// The SHA-256 of its lines before they were compressed, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) const VERSION: u32 = 1;

    /// How its name ends, behind that of the table.
    pub(super) const END: &str = ".manifest.json";

    /// It has a few hundred.
    pub(super) const BYTES_MAX: u64 = 1 << 16;
}

/// Counts and digests lines.
#[derive(Default)]
pub(super) struct Lines {
    count: u64,
    sha256: Sha256,
}

impl Lines {
    /// A line with its end.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.count += 1;
        self.sha256.update(line);
    }

    pub(super) fn of_table(self, table: String) -> Content {
        let digest: [u8; 32] = self.sha256.finalize().into();
        let sha256 = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Content { table, rows: self.count, sha256 }
    }
}
