//! The identity of an appointment.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::packet::Digest;

/// The identity of an appointment within a company, as the campaign's `mapping.key` makes it. May hold personal data:
/// `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct AppointmentKey(Arc<str>);

impl AppointmentKey {
    /// The longest key, in characters.
    pub const MAX_CHARS: usize = 200;

    /// A key; `None` if the text is empty or longer than [`MAX_CHARS`](Self::MAX_CHARS).
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= Self::MAX_CHARS;
        fits.then(|| Self(text.into()))
    }

    /// The key of what a call says that names no key of its own.
    pub fn of_call(digest: &Digest) -> Self {
        Self(format!("call-{digest}").into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AppointmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppointmentKey(redacted)")
    }
}

impl TryFrom<Arc<str>> for AppointmentKey {
    type Error = InvalidAppointmentKey;

    fn try_from(text: Arc<str>) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or(InvalidAppointmentKey)
    }
}

impl From<AppointmentKey> for Arc<str> {
    fn from(key: AppointmentKey) -> Self {
        key.0
    }
}

/// The text is no appointment key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an appointment key: expected 1 to {} characters", AppointmentKey::MAX_CHARS)]
pub struct InvalidAppointmentKey;
