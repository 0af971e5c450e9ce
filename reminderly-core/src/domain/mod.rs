//! The domain: pure types and rules. Nothing here waits, reads a clock or talks to a server.

pub mod contact_method;
pub mod contact_point;
mod digits;
pub mod person;
pub mod reply;
pub mod segments;
pub mod unsubscribe;
