//! What classification finds, while it looks.

use super::{Classification, ReplyKind, ReplyReason};

/// A meaning, what told so, and the words that did.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) classification: Classification,
    /// Words of the tables and of the campaign, never the person's own.
    pub(super) matched: Vec<String>,
}

impl Found {
    pub(super) const fn new(kind: ReplyKind, reason: ReplyReason, matched: Vec<String>) -> Self {
        Self { classification: Classification { kind, reason }, matched }
    }

    pub(super) const fn unclear(reason: ReplyReason, matched: Vec<String>) -> Self {
        Self::new(ReplyKind::Unclear, reason, matched)
    }
}
