//! Ports.

pub mod queue;
pub mod sealer;

/// The cause of a failure, as the adapter got it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
