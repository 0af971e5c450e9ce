//! The domain: pure types and rules. Nothing here waits, reads a clock or talks to a server.

pub mod appointment;
pub mod campaign;
pub mod contact_method;
pub mod content;
pub mod envelope;
pub mod local_time;
pub mod plan;
pub mod reply;
pub mod row;
pub mod schedule;
pub mod sealed;
pub mod skip_reason;
pub mod window;
