//! Core.
pub mod batch;
pub mod clock;
pub mod domain;
pub mod ids;
pub mod ports;
#[cfg(any(feature = "memory", feature = "seal"))]
pub mod sealers;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod testing;
