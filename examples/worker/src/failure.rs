//! Why the program ends without having done its work.

use std::error::Error;
use std::fmt::Write as _;

use reminderly_core::domain::access::Denied;
use reminderly_core::services::ServiceError;

/// Why the program ends without having done its work: a line that says what, where and what to do.
#[derive(Debug, thiserror::Error)]
#[error("error: {0}")]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What could not be done, and why.
    pub(crate) fn because(what: &str, cause: &dyn Error) -> Self {
        Self(format!("{what}: {}", chain(cause)))
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self(chain(&error))
    }
}

impl From<Denied> for Failure {
    fn from(error: Denied) -> Self {
        Self(chain(&error))
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a string does not fail.
        write!(text, ": {cause}").ok();
        source = cause.source();
    }
    text
}
