use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{StoreError, WriteOutcome};
use crate::batch::{Outcomes, Page};
use crate::domain::household::{Candidate, HouseholdKey};
use crate::domain::message::PlannedMessage;
use crate::ids::{CompanyId, PacketId};

/// Messages that stand for those of several appointments: the same day, the same contact point.
///
/// # Members
///
/// A message that is [in](crate::domain::household::Membership::In) a household's message waits with it: it is never handed over,
/// counts in no window, asks for no slot and is not changed by itself while the household's message is claimed or unknown. What
/// becomes of the household's message decides, in the same transaction:
///
/// - Accepted, or given up as unknown: the members that wait end as skipped (`grouped`). They keep their natural keys, and what
///   was told counts for each of them, in the ledger of appointments too.
/// - Skipped, expired, failed or cancelled: the members [leave](crate::domain::household::Membership::Left) it and are messages as
///   any others, due at their own instants. Its slots are free for them: they take them at once, or ask anew while the packet is
///   being mapped.
/// - Queued again: they wait on.
///
/// A member that ends by itself (superseded, answered, vanished) ends the household's message as skipped (`superseded`), and the
/// others leave. Evidence that an ended household's message was sent after all ends the members that still wait.
///
/// After a restore the members end with a household's message that was to go before it: nobody knows what has gone.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait HouseholdStore: Debug + Send + Sync + 'static {
    /// Planned messages of a packet that have a [key](HouseholdKey::of) in common: two to
    /// [`HOUSEHOLD_MAX`](crate::domain::household::HOUSEHOLD_MAX), in the order of their appointments, then of their making. Keys
    /// with more are left out, and so is a message that was a member before.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn household_candidates(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: Option<HouseholdKey>,
        limit: usize,
    ) -> Result<Page<Vec<Candidate>, HouseholdKey>, StoreError>;

    /// Stores households' messages of a packet that is `loaded` and not draining, and takes their members in. Natural key: the
    /// members. If one of them is no candidate any more, or the message does not go, nothing of it is stored:
    /// [`WriteOutcome::Stale`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`], after which it is called again.
    async fn plan_households(
        &self,
        company: CompanyId,
        packet: PacketId,
        messages: Vec<PlannedMessage>,
        at: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError>;
}
