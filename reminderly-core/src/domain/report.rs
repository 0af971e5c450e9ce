//! Counters, and the ledger that they must close.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::message_status::MessageStatus;
use crate::domain::packet::RowCounts;
use crate::domain::reply::ReplyKind;
use crate::domain::response::ResponseKind;
use crate::domain::row::RowFault;
use crate::domain::skip_reason::SkipReason;

/// The counters of a packet. Kept with every change, so that a report costs the same however large the packet is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PacketCounts {
    /// Rows by what became of them.
    pub rows: RowCounts,
    /// Rejected and failed rows by what is wrong with them.
    pub faults: BTreeMap<RowFault, u64>,
    /// Messages that planning gave an instant.
    pub planned: u64,
    /// Messages that planning skipped, by reason.
    pub skipped_at_planning: BTreeMap<SkipReason, u64>,
    /// Messages by where they stand.
    pub messages: BTreeMap<MessageStatus, u64>,
    /// Skipped messages by reason, at planning or later.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Messages with whom something is still to be done.
    pub open: u64,
    /// Answers, by the message that they are tied to.
    pub responses: BTreeMap<ResponseKind, u64>,
}

impl PacketCounts {
    /// Messages in a status.
    pub fn in_status(&self, status: MessageStatus) -> u64 {
        self.messages.get(&status).copied().unwrap_or(0)
    }

    /// Adds another packet's counters.
    pub fn add(&mut self, other: &Self) {
        self.rows.add(other.rows);
        add_all(&mut self.faults, &other.faults);
        self.planned += other.planned;
        add_all(&mut self.skipped_at_planning, &other.skipped_at_planning);
        add_all(&mut self.messages, &other.messages);
        add_all(&mut self.skipped, &other.skipped);
        self.open += other.open;
        add_all(&mut self.responses, &other.responses);
    }

    /// Leaves out what is zero: a counter that went back to it is none.
    pub fn drop_zeros(&mut self) {
        self.messages.retain(|_, count| *count > 0);
        self.skipped.retain(|_, count| *count > 0);
        self.responses.retain(|_, count| *count > 0);
    }

    /// The ledger of these counters.
    pub fn ledger(&self) -> Ledger {
        let rows = self.rows;
        let skipped_at_planning: u64 = self.skipped_at_planning.values().sum();
        let skipped: u64 = self.skipped.values().sum();
        let status = |status| self.in_status(status);
        let ended = |statuses: &[MessageStatus]| statuses.iter().map(|s| self.in_status(*s)).sum::<u64>();
        let open_unknown = self.open.saturating_sub(ended(&[
            MessageStatus::Planned,
            MessageStatus::Queued,
            MessageStatus::Sending,
        ]));
        Ledger {
            lines: vec![
                LedgerLine {
                    stage: LedgerStage::Load,
                    entered: rows.read,
                    advanced: rows.loaded,
                    skipped: 0,
                    failed: rows.rejected,
                    open: 0,
                },
                LedgerLine {
                    stage: LedgerStage::Map,
                    entered: rows.loaded,
                    advanced: rows.planned,
                    skipped: rows.skipped,
                    failed: rows.failed,
                    open: rows.loaded.saturating_sub(rows.planned + rows.skipped + rows.failed),
                },
                LedgerLine {
                    stage: LedgerStage::Plan,
                    entered: self.messages.values().sum(),
                    advanced: self.planned,
                    skipped: skipped_at_planning,
                    failed: 0,
                    open: 0,
                },
                LedgerLine {
                    stage: LedgerStage::Send,
                    entered: self.planned,
                    advanced: ended(&[
                        MessageStatus::Sent,
                        MessageStatus::Delivered,
                        MessageStatus::Undelivered,
                    ]),
                    skipped: skipped.saturating_sub(skipped_at_planning)
                        + ended(&[MessageStatus::Expired, MessageStatus::Cancelled]),
                    failed: (status(MessageStatus::Failed) + status(MessageStatus::Unknown))
                        .saturating_sub(open_unknown),
                    open: self.open,
                },
            ],
        }
    }
}

impl RowCounts {
    /// Adds another packet's rows.
    pub const fn add(&mut self, other: Self) {
        self.read += other.read;
        self.rejected += other.rejected;
        self.loaded += other.loaded;
        self.planned += other.planned;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }
}

/// What entered each stage and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// One line per stage, in the order of the pipeline.
    pub lines: Vec<LedgerLine>,
}

impl Ledger {
    /// The stages at which something is unaccounted for; empty when the ledger closes.
    pub fn gaps(&self) -> Vec<LedgerStage> {
        self.lines.iter().filter(|line| !line.closes()).map(|line| line.stage).collect()
    }
}

/// One stage of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// The stage.
    pub stage: LedgerStage,
    /// What came in.
    pub entered: u64,
    /// What went on to the next stage.
    pub advanced: u64,
    /// What was left out for a reason.
    pub skipped: u64,
    /// What failed with a reason; a message that stays unknown counts here.
    pub failed: u64,
    /// What is still in work; zero once the packet is complete.
    pub open: u64,
}

impl LedgerLine {
    /// Whether everything that came in is accounted for.
    pub const fn closes(&self) -> bool {
        self.entered == self.advanced + self.skipped + self.failed + self.open
    }
}

/// A stage of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerStage {
    /// Rows of the file → stored rows.
    Load,
    /// Stored rows → rows with a message that goes.
    Map,
    /// Messages → messages with an instant.
    Plan,
    /// Messages with an instant → messages that the provider accepted.
    Send,
}

/// The counters of a company's incoming messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IncomingCounts {
    /// Opt-outs.
    pub opt_out: u64,
    /// Their lifting.
    pub opt_in: u64,
    /// Calls for help.
    pub help: u64,
    /// Confirmations.
    pub confirm: u64,
    /// Cancellations.
    pub cancel: u64,
    /// Wishes for another time.
    pub reschedule: u64,
    /// Answers of the campaigns' own.
    pub answer: u64,
    /// Everything else.
    pub unclear: u64,
    /// Of all these: for a human to look at.
    pub needs_review: u64,
}

impl IncomingCounts {
    /// Counts one message.
    pub const fn count(&mut self, kind: ReplyKind, needs_review: bool) {
        let counter = match kind {
            ReplyKind::OptOut(_) => &mut self.opt_out,
            ReplyKind::OptIn => &mut self.opt_in,
            ReplyKind::Help => &mut self.help,
            ReplyKind::Confirm => &mut self.confirm,
            ReplyKind::Cancel => &mut self.cancel,
            ReplyKind::Reschedule => &mut self.reschedule,
            ReplyKind::Answer(_) => &mut self.answer,
            ReplyKind::Unclear => &mut self.unclear,
        };
        *counter += 1;
        self.needs_review += needs_review as u64;
    }

    /// All messages.
    pub const fn total(&self) -> u64 {
        self.opt_out
            + self.opt_in
            + self.help
            + self.confirm
            + self.cancel
            + self.reschedule
            + self.answer
            + self.unclear
    }
}

fn add_all<K: Ord + Copy>(sums: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, count) in others {
        *sums.entry(*key).or_default() += count;
    }
}
