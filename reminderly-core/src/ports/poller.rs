//! Pollers: what receives from a packet's queue.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::ids::{CompanyId, PacketId};
use crate::ports::BoxError;
use crate::ports::queue::QueueName;

/// Which queue to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollerSpec {
    /// The company of the packet.
    pub company: CompanyId,
    /// The packet.
    pub packet: PacketId,
    /// Its queue.
    pub queue: QueueName,
}

/// A poller could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PollerError {
    /// The service that runs pollers could not be reached.
    #[error("poller of queue {queue} cannot be changed")]
    Unavailable {
        /// The queue.
        queue: QueueName,
        /// What the service said.
        #[source]
        source: BoxError,
    },
}

impl PollerError {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Runs pollers: futures in this process, or functions that the queue service calls.
///
/// # Contract
///
/// Both methods are idempotent, so that a caller who lost the answer, or whose process was restarted, calls again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PollerHost: Debug + Send + Sync + 'static {
    /// Makes sure that the queue is polled.
    ///
    /// # Errors
    ///
    /// [`PollerError::Unavailable`]; whether it is polled is then unknown.
    async fn ensure(&self, spec: &PollerSpec) -> Result<(), PollerError>;

    /// Ends polling of the queue, and returns when nothing that was received from it is in work any more. A queue that is
    /// not polled is no error.
    ///
    /// # Errors
    ///
    /// [`PollerError::Unavailable`]; whether it is polled is then unknown.
    async fn stop(&self, queue: &QueueName) -> Result<(), PollerError>;
}
