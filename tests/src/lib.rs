//! What the tests of the workspace share: a whole deployment in memory, under a clock and an executor that do exactly what
//! they are told, and the judges of what came out of it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

pub mod executor;
pub mod judge;
pub mod material;
pub mod world;
