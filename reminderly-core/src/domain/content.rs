//! The text of a message: a snapshot, made when the row was mapped.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What is sent. Holds personal data: `Debug` shows sizes only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Content {
    /// A text message.
    Sms {
        /// Its text.
        text: Arc<str>,
        /// How many segments it takes.
        segments: u32,
    },
    /// An e-mail.
    Email {
        /// Its subject: one line.
        subject: Arc<str>,
        /// Its plain text.
        text: Arc<str>,
        /// Its HTML.
        html: Option<Arc<str>>,
    },
}

impl Content {
    /// The text that people read: of an e-mail the plain one.
    pub fn text(&self) -> &str {
        match self {
            Self::Sms { text, .. } | Self::Email { text, .. } => text,
        }
    }

    /// How many SMS segments it takes; zero for other methods.
    pub const fn segments(&self) -> u32 {
        match self {
            Self::Sms { segments, .. } => *segments,
            Self::Email { .. } => 0,
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sms { text, segments } => {
                f.debug_struct("Sms").field("bytes", &text.len()).field("segments", segments).finish()
            }
            Self::Email { text, .. } => {
                f.debug_struct("Email").field("bytes", &text.len()).finish_non_exhaustive()
            }
        }
    }
}
