//! A panic that a test asked for.

use std::panic::resume_unwind;

/// What decorators panic with, so that nobody takes it for a panic that nobody wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedPanic;

impl WantedPanic {
    /// Panics without the panic hook, as thousands of wanted panics would fill the output.
    pub(super) fn now() -> ! {
        resume_unwind(Box::new(Self))
    }
}
