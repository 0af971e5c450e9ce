//! Callbacks: what providers tell us by calling the host.

use std::fmt;
use std::fmt::Debug;

use chrono::{DateTime, Utc};

use crate::domain::attempt::ProviderName;
use crate::domain::disposition::Disposition;
use crate::domain::incoming::Incoming;

/// A callback as the host's HTTP endpoint received it. `Debug` shows sizes only.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackRequest {
    /// The full public URL that was called, as the provider called it.
    pub url: String,
    /// The headers; names in any case.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl CallbackRequest {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Debug for CallbackRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackRequest").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What a callback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackEvent {
    /// Something about an attempt.
    Disposition(Disposition),
    /// A message from a person.
    Incoming(Incoming),
}

impl CallbackEvent {
    /// The provider that says so.
    pub const fn provider(&self) -> &ProviderName {
        match self {
            Self::Disposition(disposition) => &disposition.provider,
            Self::Incoming(incoming) => &incoming.provider,
        }
    }
}

/// Why a callback was not taken. Never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The body is larger than any genuine one.
    #[error("callback body has {bytes} bytes, at most {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The signature is missing, wrong or too old. Answer 401 and store nothing.
    #[error("callback signature is not genuine: {reason}")]
    NotGenuine {
        /// What about it.
        reason: &'static str,
    },
    /// The signature is genuine, but the body speaks for another provider than the one that was called for. Answer 401.
    #[error("callback speaks for another provider")]
    ForeignProvider,
    /// The signature is genuine and the body makes no sense. Answer 400 and raise an alarm.
    #[error("callback body is not understood (line {line}, column {column})")]
    Malformed {
        /// Line of the body, from 1; 0 if the whole body is meant.
        line: usize,
        /// Column of the line, from 1.
        column: usize,
    },
}

/// Reads a provider's callbacks.
///
/// # Contract
///
/// Pure. An implementation MUST verify the signature, in constant time and over the raw bytes, before it reads the body, and
/// MUST refuse everything while it has no key.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait CallbackDecoder: Debug + Send + Sync + 'static {
    /// What the callback says. One callback may say several things, or nothing of interest.
    ///
    /// # Errors
    ///
    /// [`CallbackError`] if it is too large, not genuine or not understood.
    fn decode(
        &self,
        request: &CallbackRequest,
        now: DateTime<Utc>,
    ) -> Result<Vec<CallbackEvent>, CallbackError>;
}
