//! Core.
pub mod batch;
pub mod clock;
pub mod domain;
pub mod ids;
