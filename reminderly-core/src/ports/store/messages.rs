use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use super::appointments::{ExpectedAppointment, PlannedAppointment};
use super::sending::{
    ClaimOutcome, ClaimRequest, ClaimTerms, HandOver, HandedOver, OpenAttempt, SettleOutcome, Settlement,
};
use crate::batch::{Outcomes, Page};
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::attempt::Attempt;
use crate::domain::caps::Caps;
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{MessageRecord, PlannedMessage};
use crate::domain::message_status::Transition;
use crate::domain::row::{RejectedRow, RowNumber};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{AttemptId, CompanyId, MessageId, PacketId};

/// Whether a compare-and-set took effect.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It did.
    Applied,
    /// Things were not as expected; nothing changed. Somebody else was first, or the call was repeated.
    Stale,
}

/// Rows that were mapped together, with what became of them.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanBatch {
    /// The last row that was mapped before; the batch is refused if the packet is elsewhere.
    pub after: RowNumber,
    /// The last row of this batch.
    pub through: RowNumber,
    /// The messages, row by row.
    pub messages: Vec<PlannedMessage>,
    /// What the rows do to the appointments that they name, in the order of their messages; without the rows that are compared
    /// with nothing.
    pub appointments: Vec<PlannedAppointment>,
    /// What `appointments` was decided on, each key once; a key that is left out had nobody to speak for it.
    pub expected: Vec<ExpectedAppointment>,
    /// The rows that could not be mapped.
    pub failed: Vec<RejectedRow>,
    /// Keys of rows that could not be mapped: what they name does not vanish because of this packet or an earlier one, even if
    /// the row that speaks for it comes later.
    pub named: Vec<AppointmentKey>,
    /// How often a person may be contacted, by the campaign of the packet: the same in all of its batches. The store keeps it with
    /// the packet.
    pub caps: Caps,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of a batch of planned messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOutcome {
    /// Stored. So many of the planned messages were skipped as `duplicate`, because their natural key was taken.
    Stored {
        /// How many.
        duplicates: u64,
    },
    /// The packet stands elsewhere; nothing changed.
    Stale,
    /// An appointment of the batch is not what it was expected to be any more: another packet speaks for it, or more people were
    /// told; nothing changed. The caller reads again and decides anew.
    Overtaken,
}

/// How far the messages of a packet have their slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotsOutcome {
    /// Some have, and some have none and are skipped.
    Page {
        /// How many were skipped (`cap`), by method.
        capped: BTreeMap<ContactMethod, u64>,
        /// No message of the packet asks any more.
        is_last: bool,
    },
    /// The packet is not `loaded`, or is draining; nothing changed.
    Stale,
}

/// Puts a planned or queued message back without counting an attempt; its copy counts as gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snooze {
    /// The message.
    pub message: MessageId,
    /// When it goes instead.
    pub until: SnoozeUntil,
    /// Why, for the history.
    pub reason: Cow<'static, str>,
    /// When.
    pub at: DateTime<Utc>,
}

/// When a snoozed message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnoozeUntil {
    /// When it was to go anyway.
    Unchanged,
    /// Not before this instant, nor before the one that it has; its legal interval stays. A stale copy can never bring a message
    /// forward out of its interval.
    NotBefore(DateTime<Utc>),
    /// It was planned again.
    Planned {
        /// Not before this instant.
        not_before: DateTime<Utc>,
        /// Not at or after this instant.
        legal_until: DateTime<Utc>,
    },
}

/// Closes a planned or queued message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The message.
    pub message: MessageId,
    /// How it ends.
    pub verdict: CloseVerdict,
    /// When.
    pub at: DateTime<Utc>,
}

/// How a message ends that is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseVerdict {
    /// Skipped for this reason.
    Skipped(SkipReason),
    /// It was queued and came too late.
    Expired,
}

/// Messages, their attempts and their histories.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait MessageStore: Debug + Send + Sync + 'static {
    /// Stores mapped rows, if the packet is `loaded` and stands at `batch.after`, and if the ledger of appointments is as
    /// expected: messages as planned or skipped, failed rows as rejected. A planned message whose natural key is taken is stored
    /// as skipped (`duplicate`), one about an appointment that the person has released, or a further rung about one that the
    /// person has answered, as skipped (`answered`).
    ///
    /// A row whose change [replaces](crate::domain::appointment_change::AppointmentChange::replaces) another one speaks for its
    /// appointment from now on. First the planned and queued messages of the other row, in whatever packet, are skipped
    /// (`superseded`), which frees their natural keys. Its messages in `sending` or `unknown` that name the same time to a contact
    /// point that has messages in the new row as well are carried on: they hold the natural key of their day, so they may still
    /// be claimed if they come back. An unchanged row records that this packet has named the appointment.
    ///
    /// When, after planning, the rung below a planned or queued message ends as skipped (but for `answered` and `cap`), expired, failed or
    /// undelivered, the message jumps in the same transaction: it is put back, due at that instant with its legal interval
    /// ended, so that the next [`hand_over`](Self::hand_over) names it as late and it is planned again from then on. If a rung
    /// further below may [still bring an answer](super::ClaimRefusal::RungBelow), the instant is the end of that wait. Rungs between
    /// that have ended likewise are passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn plan(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError>;

    /// Gives the next `limit` planned reminders of a `loaded` packet with [caps](PlanBatch::caps) their slots: person and local
    /// day of the planned instant, in a ledger of the whole company. Those without room are skipped (`cap`), which frees their natural
    /// keys. Called, until it was the last page, once all rows are planned.
    ///
    /// Those nearest to their appointments come first (the planned instant less before it; then the earlier instant; then the
    /// making; one without an appointment is as near as can be). A rung asks right after the first one of its ladder. There is room
    /// if neither the day, nor any 7 days in a row with the day in it, would have more than the caps of **this** packet allow,
    /// counting the slots of all campaigns. Follow-ups and corrections take none; nor does a packet without caps. A rung that would
    /// have room without the slots of the rungs below it, of the same person, stays planned without a slot.
    ///
    /// A message that ends unsent frees its slots in the same transaction. Evidence that it was sent after all takes the local day
    /// of its latest attempt, whether there is room or not. A claim on another day frees the days that the message has, unless an
    /// attempt may have been noticed on one; a report that a call which was made again had rung takes its day back likewise.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`], after which it is called again: who
    /// has a slot does not ask.
    async fn take_slots(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<SlotsOutcome, StoreError>;

    /// A message.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn message(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Option<MessageRecord>, StoreError>;

    /// The messages of a packet in the order of their making.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn messages(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<MessageRecord, u64>, StoreError>;

    /// Takes due messages, and records that copies of them are about to be made; none while the campaign is not active or
    /// the packet is not `queued`, is draining or is fenced after a restore. A copy that is presumed lost is due again.
    ///
    /// Lost copies come first, the longest lost before the others. Of the messages without a copy, those whose legal interval
    /// ends first come first, and of them the longest due: what could come too late does not wait behind what cannot. Methods are
    /// told apart only where one has [as many copies as it may have](HandOver::max_copies): its messages are passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn hand_over(
        &self,
        company: CompanyId,
        packet: PacketId,
        terms: HandOver,
    ) -> Result<HandedOver, StoreError>;

    /// When the next message of a packet is due; `None` if none is. A past instant means now.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn next_due(
        &self,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Claims messages: checks the guards of [`ClaimRefusal`](super::ClaimRefusal) and writes the attempt rows, in one transaction. Natural key:
    /// message and attempt number; the same attempt id claimed again answers the same claim while it is unsettled.
    ///
    /// A reminder of a packet with caps is claimed on a local day that is its slot. On another day it asks for that one, and gives its
    /// earlier ones up unless an attempt on them may have been accepted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; [`StoreError::CommitUnknown`], after which [`attempt`](Self::attempt) tells.
    async fn claim(
        &self,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError>;

    /// Records what became of attempts: attempt, message and counters as one fact. A verdict that would queue the message again
    /// makes it `expired` if its attempt was claimed before the last restore: a later attempt may have been made that the
    /// store no longer knows.
    ///
    /// If an earlier attempt has proved to be accepted while this one was in work (a late answer or report; of a call that was made
    /// again, that it was answered after all), a verdict other than acceptance is recorded with its attempt, and the message follows that
    /// evidence: it is `sent`, or where the report says, does not go once more, and no rung above it jumps.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn settle(
        &self,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError>;

    /// Puts messages back. Of a packet that is fenced after a restore no message is [planned again](SnoozeUntil::Planned), and
    /// [`NotBefore`](SnoozeUntil::NotBefore) leaves its instant as it is: that tells whether it was to go before the restore.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn snooze(
        &self,
        company: CompanyId,
        packet: PacketId,
        snoozes: &[Snooze],
    ) -> Result<Outcomes<WriteOutcome>, StoreError>;

    /// Closes messages.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn close(
        &self,
        company: CompanyId,
        packet: PacketId,
        closes: &[Close],
    ) -> Result<Outcomes<WriteOutcome>, StoreError>;

    /// Cancels up to `limit` planned or queued messages of a packet; answers how many. Fewer than `limit`: none is left.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn cancel_open(
        &self,
        company: CompanyId,
        packet: PacketId,
        at: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// The attempts of a message, first to last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Attempt>, StoreError>;

    /// The latest attempt of each message, by position; `None` for one that was never claimed, or that does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn latest_attempts(
        &self,
        company: CompanyId,
        packet: PacketId,
        messages: &[MessageId],
    ) -> Result<Vec<Option<Attempt>>, StoreError>;

    /// One attempt: what a caller asks after [`StoreError::CommitUnknown`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn attempt(
        &self,
        company: CompanyId,
        packet: PacketId,
        id: AttemptId,
    ) -> Result<Option<Attempt>, StoreError>;

    /// The history of a message, first to last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn history(
        &self,
        company: CompanyId,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Transition>, StoreError>;

    /// Attempts of messages in `sending` whose `answer_by` is before `before`, the longest overdue first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn overdue_attempts_across_companies(
        &self,
        before: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<OpenAttempt>, StoreError>;

    /// Attempts of messages that are `unknown` and not held, in the order of their attempt ids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn unknown_attempts_across_companies(
        &self,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Page<OpenAttempt, AttemptId>, StoreError>;
}
