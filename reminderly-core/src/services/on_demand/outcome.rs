use std::time::Duration;

use chrono::{DateTime, Utc};

use super::OnDemand;
use crate::domain::access::{Action, CompanyScope};
use crate::domain::attempt::{Attempt, ProviderReference};
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{Detail, MessageRecord};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Packet, PacketOrigin, PacketStage};
use crate::domain::report::PacketCounts;
use crate::domain::row::{RejectedRow, RowNumber};
use crate::ids::{MessageId, PacketId};
use crate::services::ServiceError;
use crate::services::offloaded::{refuse_if_offloaded, refuse_offloaded};

/// Messages per page of an outcome.
const MESSAGES_PER_PAGE: usize = 1_000;

/// When an outcome is looked at for the second time; every pause is twice as long as the one before, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// See [`FIRST_PAUSE`].
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// How far a call is. Each state holds what the ones before it hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallProgress {
    /// Something is still to be sent: not mapped yet, waiting for its window, for an active campaign or for its turn.
    Open,
    /// Nothing is: every message was accepted by its provider, or has ended otherwise, or its outcome is unknown.
    Settled,
    /// Nobody has anything more to find out: no accepted message waits for a report, and no unknown one for evidence. A provider
    /// that sends no reports never lets a call come so far.
    Reported,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDemandOutcome {
    /// The packet.
    pub packet: PacketId,
    /// Its stage.
    pub stage: PacketStage,
    /// How far it is.
    pub progress: CallProgress,
    /// Its messages, in the order of its rows; none while it is not mapped.
    pub messages: Vec<MessageOutcome>,
    /// The rows that became no message, with row, column and code.
    pub rejected: Vec<RejectedRow>,
}

/// What became of a message. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageOutcome {
    /// The message.
    pub message: MessageId,
    /// Its row: 1 is the first of the call.
    pub row: Option<RowNumber>,
    /// The method.
    pub method: ContactMethod,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it was skipped or failed, or what is known of it; `None` while all is well.
    pub detail: Option<Detail>,
    /// Before when it does not go, if it is still to go.
    pub not_before: Option<DateTime<Utc>>,
    /// When the provider accepted it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The provider's own id of it.
    pub reference: Option<ProviderReference>,
}

impl OnDemand {
    /// What became of a call, as soon as it is so far, and after `wait` at the latest: then it says how far it is by then,
    /// which is no error. [`CallProgress::Open`], or no time to wait, asks for how it stands now. For
    /// [`Action::SendOnDemand`] or [`Action::ViewMessages`].
    ///
    /// Looks at the counters of the packet, first after 10 ms and in the end once a second; the cost does not depend on how many
    /// messages there are. Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is no such packet or if it is not a call's, [`ServiceError::WrongState`] if it was offloaded,
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn outcome(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        until: CallProgress,
        wait: Duration,
    ) -> Result<OnDemandOutcome, ServiceError> {
        let company = scope.require(Action::SendOnDemand).or_else(|_| scope.require(Action::ViewMessages))?;
        let clock = &self.ports.clock;
        let deadline = clock.now().checked_add_signed(as_delta(wait)).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let mut pause = FIRST_PAUSE;
        loop {
            let found = self.ports.store.packet(company, packet).await?;
            let found = found.filter(|found| matches!(found.origin, PacketOrigin::OnDemand { .. }));
            // Before its counters: what is counted of a packet that was mapped by then is all that there is.
            let found = found.ok_or(ServiceError::NotFound { what: "call" })?;
            let counts = self.ports.store.packet_counts(company, packet).await?;
            let progress = progress(&found, &counts);
            let now = clock.now();
            if progress >= until || now >= deadline {
                refuse_offloaded(&found)?;
                let outcome = self.look(&found, progress).await?;
                refuse_if_offloaded(&*self.ports.store, company, packet).await?;
                return Ok(outcome);
            }
            clock.sleep_until(deadline.min(now + pause)).await;
            pause = (2 * pause).min(LAST_PAUSE);
        }
    }

    async fn look(&self, packet: &Packet, progress: CallProgress) -> Result<OnDemandOutcome, ServiceError> {
        let (store, company) = (&self.ports.store, packet.company);
        let (mut messages, mut after) = (Vec::new(), None);
        loop {
            let page = store.messages(company, packet.id, after, MESSAGES_PER_PAGE).await?;
            let claimed = page.items.iter().filter(|record| record.state.epoch > 0);
            let claimed: Vec<MessageId> = claimed.map(|record| record.message.id).collect();
            let mut attempts = store.latest_attempts(company, packet.id, &claimed).await?.into_iter();
            for record in page.items {
                let attempt = if record.state.epoch > 0 { attempts.next().flatten() } else { None };
                messages.push(outcome(record, attempt));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let rejected = self.rejected(packet).await?;
        Ok(OnDemandOutcome { packet: packet.id, stage: packet.stage, progress, messages, rejected })
    }
}

fn progress(packet: &Packet, counts: &PacketCounts) -> CallProgress {
    let unmapped =
        matches!(packet.stage, PacketStage::Prepared | PacketStage::Ingested | PacketStage::Loaded);
    let waiting = [MessageStatus::Planned, MessageStatus::Queued, MessageStatus::Sending];
    if unmapped || waiting.into_iter().any(|status| counts.in_status(status) > 0) {
        CallProgress::Open
    } else if counts.open > 0 || counts.in_status(MessageStatus::Sent) > 0 {
        CallProgress::Settled
    } else {
        CallProgress::Reported
    }
}

fn outcome(record: MessageRecord, attempt: Option<Attempt>) -> MessageOutcome {
    let MessageRecord { message, state } = record;
    let waits = matches!(state.status, MessageStatus::Planned | MessageStatus::Queued);
    MessageOutcome {
        message: message.id,
        row: message.origin.row(),
        method: message.method,
        status: state.status,
        detail: state.detail,
        not_before: state.not_before.filter(|_| waits),
        sent_at: state.sent_at,
        reference: attempt.and_then(|attempt| attempt.reference),
    }
}

fn as_delta(wait: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(wait).unwrap_or(chrono::TimeDelta::MAX)
}
