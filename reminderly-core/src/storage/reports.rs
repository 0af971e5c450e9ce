//! What reports are made from.

use chrono::{DateTime, Utc};

use super::messages::MessageData;
use super::packet_data::Slot;
use super::packet_index::count_message;
use super::records::Records;
use crate::domain::answers::ContactOutcome;
use crate::domain::message::{Origin, PlanVerdict};
use crate::domain::message_status::MessageStatus;
use crate::domain::report::PacketCounts;
use crate::domain::row::{RejectedRow, RowNumber};
use crate::ids::PacketId;

/// What became of a message that asked and arrived, if it is one. A household's is one contact.
pub fn contact_outcome(
    records: &Records,
    packet: PacketId,
    slot: Slot,
    since: DateTime<Utc>,
) -> Option<ContactOutcome> {
    let packet = records.packets.get(&packet)?;
    let found = packet.get(slot)?;
    let (message, state) = (&found.record.message, &found.record.state);
    let arrived = matches!(state.status, MessageStatus::Sent | MessageStatus::Delivered);
    let sent_at = state.sent_at.filter(|sent_at| arrived && *sent_at >= since)?;
    if matches!(message.origin, Origin::Reply { .. }) {
        return None;
    }
    Some(ContactOutcome {
        person: message.person.clone()?,
        method: message.method,
        sent_at,
        contact_zone: message.contact_zone,
        response: packet.responses(slot).next().map(|response| response.kind),
    })
}

/// The counters of a packet, counted anew from nothing but its rows and messages: see
/// [`ReportStore::recount_packet`](crate::ports::store::ReportStore::recount_packet).
#[derive(Debug)]
pub struct Recount {
    counts: PacketCounts,
    mapped_through: RowNumber,
    /// The row of the last message, and whether one of its messages goes.
    last: Option<(RowNumber, bool)>,
}

/// A row that was rejected.
#[derive(Debug, Clone, Copy)]
pub enum RejectedAt<'a> {
    /// It was read, and could not be mapped.
    Mapping(&'a RejectedRow),
    /// It could not be read.
    Reading(&'a RejectedRow),
}

impl Recount {
    /// Of a packet that is mapped through a row.
    pub fn new(mapped_through: RowNumber) -> Self {
        Self { counts: PacketCounts::default(), mapped_through, last: None }
    }

    /// Counts rows that were not rejected.
    pub const fn add_loaded(&mut self, rows: u64) {
        self.counts.rows.read += rows;
        self.counts.rows.loaded += rows;
    }

    /// Counts a row that was rejected.
    pub fn add_rejected(&mut self, row: RejectedAt<'_>) {
        let rows = &mut self.counts.rows;
        rows.read += 1;
        let rejected = match row {
            RejectedAt::Mapping(rejected) => {
                rows.loaded += 1;
                rows.failed += 1;
                rejected
            }
            RejectedAt::Reading(rejected) => {
                rows.rejected += 1;
                rejected
            }
        };
        *self.counts.faults.entry(rejected.code).or_default() += 1;
    }

    /// Counts a message; they come in the order of their making.
    pub fn add_message(&mut self, message: &MessageData) {
        count_message(&mut self.counts, &message.record.state, |counter| *counter += 1);
        let verdict = message.verdict();
        match verdict {
            PlanVerdict::Send { .. } => self.counts.planned += 1,
            PlanVerdict::Skip(reason) => *self.counts.skipped_at_planning.entry(reason).or_default() += 1,
        }
        let goes = matches!(verdict, PlanVerdict::Send { .. });
        let row = message.record.message.origin.row().filter(|row| *row <= self.mapped_through);
        let Some(row) = row else { return };
        self.last = match self.last {
            Some((same, earlier)) if same == row => Some((row, earlier || goes)),
            other => {
                self.count_planned(other);
                Some((row, goes))
            }
        };
    }

    /// The counters, without those that are zero.
    #[must_use]
    pub fn finish(mut self) -> PacketCounts {
        self.count_planned(self.last);
        self.counts.drop_zeros();
        self.counts
    }

    const fn count_planned(&mut self, row: Option<(RowNumber, bool)>) {
        match row {
            Some((_, true)) => self.counts.rows.planned += 1,
            Some((_, false)) => self.counts.rows.skipped += 1,
            None => {}
        }
    }
}
