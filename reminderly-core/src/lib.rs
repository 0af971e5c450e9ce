//! Core.
pub mod batch;
pub mod clock;
pub mod domain;
pub mod ids;
pub mod ports;
pub mod retry;
#[cfg(any(feature = "memory", feature = "seal"))]
pub mod sealers;
pub mod services;
pub mod sources;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "testing")]
pub mod testing;
