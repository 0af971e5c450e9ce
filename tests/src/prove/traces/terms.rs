//! The times of a trace, in seconds.

/// When the message is due, after the trace began.
pub(super) const DUE_AT: i64 = 10;
/// How long its legal interval lasts.
pub(super) const LEGAL_FOR: i64 = 7_200;
/// When a copy is presumed lost.
pub(super) const COPY_LIVES: i64 = 900;
/// A request starts within this time of its claim.
pub(super) const START_WITHIN: i64 = 1;
/// The answer comes within this time of the claim.
pub(super) const ANSWER_AFTER: i64 = 31;
