//! Why there is no store.

use reminderly_core::ports::BoxError;

use crate::session::SessionError;

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server cannot be reached, refuses the user, or did not answer in time.
    #[error("the server does not let us in: check host, port, user, password, database and TLS")]
    Unreachable {
        /// What the server or the network said.
        #[source]
        source: BoxError,
    },
    /// Its sessions are not what they were set to.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// It is no server that the store runs on.
    #[error("the server is '{version}', but the store runs on MySQL from 8.4 and MariaDB from 10.11")]
    Unsupported {
        /// What it says of its version.
        version: String,
    },
}

impl ConnectError {
    /// What stands behind an error of sqlx.
    pub(crate) fn of(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Configuration(error) => match error.downcast::<SessionError>() {
                Ok(error) => Self::Session(*error),
                Err(error) => Self::Unreachable { source: error },
            },
            source => Self::Unreachable { source: source.into() },
        }
    }
}
