//! The domain: pure types and rules. Nothing here waits, reads a clock or talks to a server.

pub mod contact_method;
pub mod contact_point;
pub mod person;
pub mod segments;
pub mod unsubscribe;
