//! Core.
pub mod batch;
pub mod clock;
pub mod domain;
pub mod ids;
pub mod ports;
pub mod retry;
pub mod services;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod testing;
