//! Providers of reminderly, and what hosts compose them with.
//!
//! - [`sandbox`]: a deterministic stand-in for real providers, with which a host tests everything without sending anything.
//! - [`router`]: which provider serves which company by which method.
//! - [`layers`]: decorators that cut hung calls and make calls visible.
//! - [`standard_webhooks`]: signing and verifying callbacks.

pub mod layers;
pub mod router;
pub mod sandbox;
pub mod standard_webhooks;
mod time;

#[cfg(test)]
mod fixtures;
