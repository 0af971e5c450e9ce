//! Core.
pub mod batch;
pub mod clock;
pub mod domain;
pub mod ids;
pub mod ports;
pub mod retry;
pub mod services;
pub mod sources;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod testing;
