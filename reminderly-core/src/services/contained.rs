//! What panics in one thing keeps nothing else from going on.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::services::ServiceError;

/// Ends with [`ServiceError::Panicked`] if the work panics. Whatever it had in hand is as after a crash of the process: each
/// change of the store is one fact, and what was claimed or leased comes back by itself.
pub(super) fn contained<T>(
    work: impl Future<Output = Result<T, ServiceError>>,
) -> impl Future<Output = Result<T, ServiceError>> {
    // Boxed: whatever holds it would grow by all of it.
    let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
    work.map(|ended| ended.unwrap_or(Err(ServiceError::Panicked)))
}
