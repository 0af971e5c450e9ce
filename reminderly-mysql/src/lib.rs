//! Storage of reminderly on MySQL and MariaDB.
//!
//! [`MySqlStore::connect`] opens a pool whose sessions are set up and checked, and refuses a server on which reminders would be at
//! risk; [`MySqlStore::create_database`] and [`MySqlStore::migrate`] make what it stores in. It implements every trait of
//! `reminderly_core::ports::store`, by the rules of `reminderly_core::storage`: they are those of the in-memory store.
//!
//! It is the only crate of the workspace that may name sqlx.

mod access;
mod apply;
mod appointments;
mod campaigns;
mod changes;
mod changes_company;
mod company_log;
mod config;
mod digest;
mod dispositions;
mod error;
mod finding;
mod history;
mod households;
mod incoming;
mod log_tables;
mod message_reads;
mod messages;
mod migrations;
mod offload;
mod packets;
mod parameter;
mod reading;
mod reading_company;
mod reading_packet;
mod reads;
mod reference;
mod reports;
mod restores;
mod server;
mod session;
mod statement;
mod store;
mod table_set;
mod tables;
mod tally;
mod transaction;
mod unsubscribes;
mod values;
mod writing;

pub use config::{ConfigError, MySqlConfig};
pub use error::ConnectError;
pub use history::{History, HistorySettings, Moved};
pub use migrations::MigrateError;
pub use offload::{Offload, OffloadError, OffloadSettings, Offloaded, Sink};
pub use server::{Server, ServerKind};
pub use session::SessionError;
pub use store::MySqlStore;
