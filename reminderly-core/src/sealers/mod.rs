//! Ways to seal payloads that travel through queues.

#[cfg(feature = "seal")]
mod aead;
#[cfg(feature = "memory")]
mod plain;

#[cfg(feature = "seal")]
pub use aead::{AeadSealer, DuplicateKey, SealingKey};
#[cfg(feature = "memory")]
pub use plain::PlainSealer;
