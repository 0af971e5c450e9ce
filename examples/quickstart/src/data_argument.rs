//! `--data`: a file, and when it arrives.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// A data file as the command line names it: `FILE`, or `FILE@TIME` for a file that arrives later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataArgument {
    pub(crate) path: PathBuf,
    /// When it arrives; `None` is at the start.
    pub(crate) arrives: Option<DateTime<Utc>>,
}

impl FromStr for DataArgument {
    type Err = Infallible;

    /// An `@` is legal in names, so only what reads as a time behind the last one counts.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let timed = text.rsplit_once('@').and_then(|(path, time)| Some((path, instant(time).ok()?)));
        Ok(match timed {
            Some((path, time)) => Self { path: path.into(), arrives: Some(time) },
            None => Self { path: text.into(), arrives: None },
        })
    }
}

/// Reads an instant as the command line writes it.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|instant| instant.to_utc())
        .map_err(|_| "expected RFC 3339 with a zone, such as 2026-03-02T14:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>) {
        let Ok(argument) = text.parse::<DataArgument>();
        (argument.path.display().to_string(), argument.arrives.map(|at| at.to_rfc3339()))
    }

    #[test]
    fn only_a_time_behind_the_last_at_sign_is_a_time() {
        assert_eq!(read("a.csv"), ("a.csv".to_owned(), None));
        assert_eq!(read("smith@work.csv"), ("smith@work.csv".to_owned(), None));
        assert_eq!(
            read("smith@work.csv@2026-03-02T07:00:00-07:00"),
            ("smith@work.csv".to_owned(), Some("2026-03-02T14:00:00+00:00".to_owned()))
        );
        assert_eq!(read("a.csv@tomorrow"), ("a.csv@tomorrow".to_owned(), None));
        assert_eq!(read("@"), ("@".to_owned(), None));
    }
}
