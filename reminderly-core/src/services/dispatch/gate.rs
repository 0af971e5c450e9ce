//! Senders that were asked to wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::attempt::ProviderName;

/// Which senders wait, and until when. One sender's pause holds up nobody else.
#[derive(Debug, Default)]
pub(super) struct SenderGates(Mutex<HashMap<ProviderName, DateTime<Utc>>>);

impl SenderGates {
    /// Keeps a sender waiting until `until`; an earlier instant than the known one changes nothing.
    pub(super) fn pause(&self, sender: &ProviderName, until: DateTime<Utc>) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = gates.entry(sender.clone()).or_insert(until);
        *known = (*known).max(until);
    }

    /// Until when a sender waits; `None` if it may send at `now`.
    pub(super) fn closed_until(&self, sender: &ProviderName, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *gates.get(sender)?;
        if until <= now {
            gates.remove(sender);
            return None;
        }
        Some(until)
    }
}
