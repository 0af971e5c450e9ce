//! Reads the sandbox's callbacks.

use chrono::{DateTime, Utc};
use reminderly_core::ports::callback::{CallbackDecoder, CallbackError, CallbackEvent, CallbackRequest};

use super::wire::CallbackBody;
use crate::standard_webhooks::{Verifier, WebhookKey};

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Reads the callbacks of a sandbox, for hosts that receive them in another process than the one in which it runs.
#[derive(Debug, Clone)]
pub struct SandboxDecoder {
    verifier: Verifier,
}

impl SandboxDecoder {
    /// Reads callbacks that are signed with any of the keys. Without a key it refuses everything.
    pub fn new(keys: Vec<WebhookKey>) -> Self {
        Self { verifier: Verifier::new(keys) }
    }
}

#[deny(clippy::missing_trait_methods)]
impl CallbackDecoder for SandboxDecoder {
    fn decode(
        &self,
        request: &CallbackRequest,
        now: DateTime<Utc>,
    ) -> Result<Vec<CallbackEvent>, CallbackError> {
        let bytes = request.body.len();
        if bytes > MAX_BODY_BYTES {
            return Err(CallbackError::TooLarge { bytes, limit: MAX_BODY_BYTES });
        }
        self.verifier.verify(request, now)?;
        let body: CallbackBody = serde_json::from_slice(&request.body)
            .map_err(|error| CallbackError::Malformed { line: error.line(), column: error.column() })?;
        Ok(vec![body.into()])
    }
}
