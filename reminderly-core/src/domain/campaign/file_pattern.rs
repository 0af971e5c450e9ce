//! Which files are a campaign's.

use std::fmt;
use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A pattern of file names, without directories, as [`globset`] writes it: `*`, `?`, `[a-z]`, `{a,b}`.
///
/// ```
/// use reminderly_core::domain::campaign::file_pattern::FilePattern;
///
/// let pattern = FilePattern::new("smith_*.csv")?;
/// assert!(pattern.matches("smith_monday.csv"));
/// assert!(!pattern.matches("jones_monday.csv"));
/// # Ok::<(), reminderly_core::domain::campaign::file_pattern::InvalidFilePattern>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePattern {
    glob: Glob,
    /// Made when it is first needed, for it costs much more than to read the pattern; copies share it.
    matcher: Arc<OnceLock<GlobMatcher>>,
}

/// Why a text is no pattern of file names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidFilePattern {
    /// There is nothing in it.
    #[error("expected a pattern of file names, such as \"smith_*.csv\"")]
    Empty,
    /// It has a slash or a backslash.
    #[error("expected a pattern of file names, without directories")]
    Directories,
    /// It is no glob.
    #[error("not a pattern of file names: {0}")]
    Syntax(globset::ErrorKind),
}

impl FilePattern {
    /// A pattern.
    ///
    /// # Errors
    ///
    /// It is empty, names directories, or is no glob.
    pub fn new(pattern: &str) -> Result<Self, InvalidFilePattern> {
        if pattern.trim().is_empty() {
            return Err(InvalidFilePattern::Empty);
        }
        if pattern.contains(['/', '\\']) {
            return Err(InvalidFilePattern::Directories);
        }
        let glob = Glob::new(pattern).map_err(|error| InvalidFilePattern::Syntax(error.kind().clone()))?;
        Ok(Self { glob, matcher: Arc::default() })
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        self.glob.glob()
    }

    /// Whether a file of this name is the campaign's.
    pub fn matches(&self, name: &str) -> bool {
        self.matcher.get_or_init(|| self.glob.compile_matcher()).is_match(name)
    }
}

impl fmt::Debug for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilePattern").field(&self.as_str()).finish()
    }
}

impl PartialEq for FilePattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for FilePattern {}

impl TryFrom<String> for FilePattern {
    type Error = InvalidFilePattern;

    fn try_from(pattern: String) -> Result<Self, Self::Error> {
        Self::new(&pattern)
    }
}

impl From<FilePattern> for String {
    fn from(pattern: FilePattern) -> Self {
        pattern.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stored_as_its_text() {
        let pattern = FilePattern::new("a_{1,2}.csv").expect("valid");
        let json = serde_json::to_string(&pattern).expect("json");
        assert_eq!(json, "\"a_{1,2}.csv\"");
        assert_eq!(serde_json::from_str::<FilePattern>(&json).expect("read"), pattern);
        assert!(serde_json::from_str::<FilePattern>("\"in/*.csv\"").is_err());
    }

    #[test]
    fn tells_why_a_text_is_none() {
        assert_eq!(FilePattern::new(" ").expect_err("empty"), InvalidFilePattern::Empty);
        assert_eq!(FilePattern::new("in\\a.csv").expect_err("directory"), InvalidFilePattern::Directories);
        assert!(matches!(FilePattern::new("[a").expect_err("no glob"), InvalidFilePattern::Syntax(_)));
    }
}
