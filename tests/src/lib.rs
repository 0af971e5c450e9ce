//! What the tests and benchmarks of the workspace share: a whole deployment in memory, under a clock and an executor that do
//! exactly what they are told, the judges of what came out of it, and what the large figures are measured with.
//!
//! What follows is the README, whose example is compiled here.
#![doc = include_str!("../../README.md")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

pub mod discarding_store;
pub mod example;
pub mod executor;
pub mod fairness;
pub mod fuzzing;
pub mod generated_file;
pub mod intake;
pub mod judge;
pub mod material;
pub mod prove;
pub mod report;
pub mod sending;
pub mod table;
pub mod world;
pub mod yielding_queue;
