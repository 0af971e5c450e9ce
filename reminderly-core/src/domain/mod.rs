//! The domain: pure types and rules. Nothing here waits, reads a clock or talks to a server.

pub mod appointment;
pub mod appointment_key;
pub mod campaign;
pub mod contact_method;
pub mod contact_point;
pub mod content;
mod digits;
pub mod envelope;
pub mod local_time;
pub mod mapping;
pub mod person;
pub mod reply;
pub mod row;
pub mod schedule;
pub mod sealed;
pub mod segments;
pub mod skip_reason;
pub mod template;
pub mod unsubscribe;
