//! Services: the use cases, over ports. The reader's path is the data's path:
//! [`ingest`] → [`mapping`] → [`enqueue`] → [`dispatch`] → [`dispositions`] and [`incoming`] → [`reports`].
//!
//! Nothing here spawns: loops are `async fn run(…, shutdown)`, and the host runs as many of them as it wants.

pub mod ingest;

mod error;
mod settings;

use std::sync::Arc;

use crate::clock::Clock;
use crate::ids::IdSource;
use crate::ports::provider::ProviderDirectory;
use crate::ports::queue::{MessageQueue, QueueAdmin};
use crate::ports::sealer::Sealer;
use crate::ports::store::Store;

pub use error::ServiceError;
pub use settings::{QueueNames, Settings};

/// The adapters that a host has chosen. Cheap to clone; every service keeps one.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Storage.
    pub store: Arc<dyn Store>,
    /// Queues.
    pub queue: Arc<dyn MessageQueue>,
    /// Making and removing queues.
    pub queues: Arc<dyn QueueAdmin>,
    /// Providers and their callbacks.
    pub providers: Arc<dyn ProviderDirectory>,
    /// Encryption of what travels through queues.
    pub sealer: Arc<dyn Sealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdSource>,
}
