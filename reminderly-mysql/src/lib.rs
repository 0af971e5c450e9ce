//! Storage of reminderly on MySQL and MariaDB.
//!
//! So far this crate connects: [`MySqlStore::connect`] opens a pool whose sessions are set up and checked, and refuses a server
//! on which reminders would be at risk. It stores nothing yet; until it implements the traits of
//! `reminderly_core::ports::store`, hosts use the in-memory store of `reminderly-core`.
//!
//! It is the only crate of the workspace that may name sqlx.

mod config;
mod error;
mod server;
mod session;
mod store;

pub use config::{ConfigError, MySqlConfig};
pub use error::ConnectError;
pub use server::{Server, ServerKind};
pub use session::SessionError;
pub use store::MySqlStore;
