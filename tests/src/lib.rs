//! Tests and benchmarks that need several crates of the workspace.
//!
//! What follows is the README, whose example is compiled here.
#![doc = include_str!("../../README.md")]

pub mod discarding_store;
pub mod example;
pub mod generated_file;
pub mod sending;
