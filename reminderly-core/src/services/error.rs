use crate::domain::access::Denied;
use crate::domain::campaign::problem::InvalidCampaign;
use crate::ids::PacketId;
use crate::ports::callback::CallbackError;
use crate::ports::poller::PollerError;
use crate::ports::queue::QueueError;
use crate::ports::sealer::SealError;
use crate::ports::source::SourceError;
use crate::ports::store::StoreError;
use crate::services::on_demand::InvalidCall;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The scope does not cover it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The campaign document is unusable; every problem is listed. Nothing was stored.
    #[error("campaign document is unusable")]
    InvalidCampaign(#[source] InvalidCampaign),
    /// What the call names does not exist for this company.
    #[error("{what} does not exist")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
    },
    /// The thing is in a state that does not allow it.
    #[error("{what} is {state}: {hint}")]
    WrongState {
        /// What kind of thing.
        what: &'static str,
        /// Its state.
        state: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// The file cannot be used as it is: the packet is failed. With the content that was prepared it can be resumed; a corrected
    /// file has other content and becomes a packet of its own.
    #[error("file cannot be used: {reason}")]
    UnusableFile {
        /// What is wrong and what to do; never personal data.
        reason: String,
    },
    /// The call cannot be taken; nothing was stored.
    #[error("call cannot be taken")]
    InvalidCall(#[source] InvalidCall),
    /// The key of the call names another call of the campaign; nothing was stored. A call with new content needs a new key.
    #[error("key of the call was used before, for other content: packet {packet}")]
    KeyReused {
        /// The packet of the first call.
        packet: PacketId,
    },
    /// The store failed.
    #[error("storage failed")]
    Store(#[from] StoreError),
    /// The queue failed.
    #[error("queue failed")]
    Queue(#[from] QueueError),
    /// A poller could not be started or stopped.
    #[error("poller failed")]
    Poller(#[from] PollerError),
    /// The source failed.
    #[error("source failed")]
    Source(#[from] SourceError),
    /// A callback was not taken.
    #[error("callback refused")]
    Callback(#[from] CallbackError),
    /// A payload could not be sealed or opened.
    #[error("sealing failed")]
    Seal(#[from] SealError),
    /// The work panicked, here or in an adapter: a bug. Only this piece of work ended, as if the process had crashed in it. The
    /// panic hook has said where.
    #[error("panicked: a bug of the library or of an adapter")]
    Panicked,
}

impl ServiceError {
    /// Whether the same call may succeed later without anybody's help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Queue(error) => error.is_transient(),
            Self::Poller(error) => error.is_transient(),
            Self::Source(error) => error.is_transient(),
            _ => false,
        }
    }
}
