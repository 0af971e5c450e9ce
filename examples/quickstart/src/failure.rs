//! Why the program ends without having done its work.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use reminderly_core::domain::access::Denied;
use reminderly_core::services::ServiceError;

/// Why the program ends without having done its work: lines for stderr and an exit code.
#[derive(Debug, thiserror::Error)]
#[error("error: {text}")]
pub(crate) struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    /// The command line is wrong.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { text: format!("{}; see quickstart --help", text.into()), code: 2 }
    }

    /// What was asked for cannot be done.
    pub(crate) fn work(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 1 }
    }

    /// A file that was named cannot be read.
    pub(crate) fn unreadable(what: &str, path: &Path, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "check its permissions",
            io::ErrorKind::InvalidData => "save it as UTF-8",
            _ => "check that it is a readable file",
        };
        Self::work(format!("{what} {} cannot be read ({error}): {advice}", path.display()))
    }

    /// A file of the results cannot be written.
    pub(crate) fn unwritable(path: &Path, error: &dyn Error) -> Self {
        let advice = "choose another directory with --out";
        Self::work(format!("{} cannot be written ({error}): {advice}", path.display()))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::work(chain(&error))
    }
}

impl From<Denied> for Failure {
    fn from(error: Denied) -> Self {
        Self::work(chain(&error))
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a string does not fail.
        write!(text, ": {cause}").ok();
        source = cause.source();
    }
    text
}
