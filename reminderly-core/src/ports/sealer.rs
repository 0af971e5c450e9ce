//! Encryption of payloads that travel through queues.

use std::fmt::Debug;

use crate::domain::sealed::Sealed;

/// Seals and opens payloads.
///
/// # Contract
///
/// `open(seal(x)) == x` for every live key; a payload that was changed, or sealed for another `purpose`, MUST NOT open.
/// Both are pure computations: they neither wait nor reach out.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Sealer: Debug + Send + Sync + 'static {
    /// Closes `plain` with the newest key. `purpose` is bound to the payload and must be the same on opening.
    ///
    /// # Errors
    ///
    /// [`SealError::Failed`] if the cipher refuses, which no payload of ours makes it do, or if the operating system gives no
    /// random bytes.
    fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Sealed, SealError>;

    /// Opens a payload.
    ///
    /// # Errors
    ///
    /// [`SealError::UnknownKey`] if no live key has its name, [`SealError::Failed`] if it was not sealed with that key for
    /// that purpose, or was changed since.
    fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError>;
}

/// Why a payload was not sealed or opened. Never quotes the payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No live key has this name.
    #[error("no live key is named {key:?}")]
    UnknownKey {
        /// The name in the payload.
        key: String,
    },
    /// The payload is not genuine, or was sealed for another purpose.
    #[error("payload does not open with its key")]
    Failed,
}
