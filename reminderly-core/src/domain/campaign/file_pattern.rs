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
    /// It is longer than [`FilePattern::MAX_BYTES`], or has braces in more than [`FilePattern::MAX_DEPTH`] others.
    #[error(
        "expected a pattern of at most {} bytes, with at most {} braces in one another",
        FilePattern::MAX_BYTES,
        FilePattern::MAX_DEPTH
    )]
    TooLarge,
    /// It is no glob.
    #[error("not a pattern of file names: {0}")]
    Syntax(globset::ErrorKind),
}

impl FilePattern {
    /// The longest pattern, bytes. It and the depth keep what matches names small; `globset` panics when it is too large.
    pub const MAX_BYTES: usize = 1_000;

    /// The most braces in one another.
    pub const MAX_DEPTH: usize = 10;

    /// A pattern.
    ///
    /// # Errors
    ///
    /// It is empty, names directories, is too long, or is no glob.
    pub fn new(pattern: &str) -> Result<Self, InvalidFilePattern> {
        if pattern.trim().is_empty() {
            return Err(InvalidFilePattern::Empty);
        }
        if pattern.contains(['/', '\\']) {
            return Err(InvalidFilePattern::Directories);
        }
        if pattern.len() > Self::MAX_BYTES || depth(pattern) > Self::MAX_DEPTH {
            return Err(InvalidFilePattern::TooLarge);
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

/// How many braces are open at the same time.
fn depth(pattern: &str) -> usize {
    let depths = pattern.chars().scan(0_usize, |depth, character| {
        match character {
            '{' => *depth += 1,
            '}' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or(0)
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

    fn nested(depth: usize) -> String {
        format!("{}a{}", "{b,".repeat(depth), "}".repeat(depth))
    }

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
        let long = "a".repeat(FilePattern::MAX_BYTES + 1);
        assert_eq!(FilePattern::new(&long).expect_err("long"), InvalidFilePattern::TooLarge);
        assert_eq!(FilePattern::new(&nested(11)).expect_err("deep"), InvalidFilePattern::TooLarge);
    }

    #[test]
    fn the_longest_patterns_are_compiled() {
        let units = [("*", "a"), ("?", "a"), ("[!a]", "b"), ("{a,b}", "a"), ("{?,*}", "a"), ("é", "é")];
        for (unit, matched) in units {
            let times = FilePattern::MAX_BYTES / unit.len();
            let pattern = FilePattern::new(&unit.repeat(times)).expect(unit);
            assert!(pattern.matches(&matched.repeat(times)), "{unit}");
        }
        assert!(FilePattern::new(&nested(10)).is_ok_and(|pattern| pattern.matches("a")));
    }
}
