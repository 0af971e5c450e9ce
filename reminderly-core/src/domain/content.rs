//! The text of a message: a snapshot, made when the row was mapped.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::phone_keys::PhoneKeys;

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
    /// A call.
    Phone {
        /// What a person hears who answers.
        script: Arc<str>,
        /// What is left on an answering machine; `None` leaves nothing.
        voicemail: Option<Arc<str>>,
        /// The keys that the person may press. The provider repeats and transfers by itself; of the other keys it tells us.
        keys: Arc<PhoneKeys>,
    },
}

impl Content {
    /// The text that people read: of an e-mail the plain one, of a call what a person hears who answers.
    pub fn text(&self) -> &str {
        match self {
            Self::Sms { text, .. } | Self::Email { text, .. } => text,
            Self::Phone { script, .. } => script,
        }
    }

    /// How many SMS segments it takes; zero for other methods.
    pub const fn segments(&self) -> u32 {
        match self {
            Self::Sms { segments, .. } => *segments,
            Self::Email { .. } | Self::Phone { .. } => 0,
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
            Self::Phone { script, voicemail, .. } => {
                let voicemail = voicemail.as_ref().map(|text| text.len());
                let mut phone = f.debug_struct("Phone");
                phone
                    .field("bytes", &script.len())
                    .field("voicemail_bytes", &voicemail)
                    .finish_non_exhaustive()
            }
        }
    }
}
