//! Tests and benchmarks that need several crates of the workspace.

pub mod discarding_store;
pub mod example;
pub mod generated_file;
pub mod sending;
