//! Bytes that only the holder of a key can read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A payload that a [`Sealer`](crate::ports::sealer::Sealer) closed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Which key opens it.
    pub key: String,
    /// Nonce and ciphertext in the sealer's own form, as text that a queue carries unchanged.
    pub text: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key", &self.key).finish_non_exhaustive()
    }
}
