//! Services: the use cases, over ports. The reader's path is the data's path:
//! ingest → mapping → enqueue → dispatch → dispositions and incoming → reports.
//!
//! Nothing here spawns: loops are `async fn run(…, shutdown)`, and the host runs as many of them as it wants.

mod access;
mod answers;
mod callbacks;
mod campaigns;
mod check;
mod company_log;
mod compiled;
mod consumer;
mod contained;
mod dispatch;
mod dispositions;
mod enqueue;
mod error;
mod explain;
mod file_limits;
mod fleet;
mod forecasts;
mod incoming;
mod ingest;
mod late;
mod mapping;
mod messages;
mod offloaded;
mod on_demand;
mod packet_queue;
mod pollers;
mod recipients;
mod reconcile;
mod reports;
mod restore_fence;
mod settings;
mod shutdown;
pub mod sweep;
mod traffic;
mod unsubscribes;
mod worker;

#[cfg(test)]
mod test_ports;

use std::sync::Arc;

use crate::clock::Clock;
use crate::ids::IdSource;
use crate::ports::provider::ProviderDirectory;
use crate::ports::queue::{MessageQueue, QueueAdmin};
use crate::ports::sealer::Sealer;
use crate::ports::store::Store;

pub use access::Access;
pub use answers::{Answers, LikelyResponder};
pub use callbacks::{CallbackReceipt, Callbacks};
pub use campaigns::Campaigns;
pub use check::{Check, CheckReport, Volume};
pub use company_log::CompanyLog;
pub use compiled::CompiledCampaigns;
pub use dispatch::{Dispatch, Polled};
pub use dispositions::Dispositions;
pub use enqueue::{Enqueue, Fed};
pub use error::ServiceError;
pub use explain::{Decision, Explain, Explanation};
pub use file_limits::FileLimits;
pub use fleet::{Fleet, Tended};
pub use forecasts::{Forecasts, PacketForecast};
pub use incoming::{IncomingMessages, Received};
pub use ingest::{Ingest, LoadProgress, Prepared};
pub use mapping::{MapProgress, Mapping};
pub use messages::Messages;
pub use on_demand::{
    CallContent, CallProgress, CallRepetition, CallRow, InvalidCall, MessageOutcome, OnDemand, OnDemandCall,
    OnDemandOutcome, OnDemandReceipt,
};
pub use pollers::{InProcessPollers, Spawn};
pub use recipients::{RecipientCursor, Recipients, ReportOn};
pub use reconcile::{Discrepancy, Reconcile};
pub use reports::{CampaignReport, PacketReport, Reports};
pub use restore_fence::{FencedPacket, PacketRelease, RestoreFence, RestoreRelease};
pub use settings::{QueueNames, Settings, Sharing};
pub use shutdown::{Shutdown, ShutdownTrigger, shutdown};
pub use unsubscribes::Unsubscribes;
pub use worker::{Inbox, Worker};

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
