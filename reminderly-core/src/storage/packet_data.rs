//! What the rules know of a packet: itself, its rows and its messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::disposition_events::DispositionEvents;
use super::messages::{MessageData, Messages};
use super::packet_index::PacketIndex;
use super::records::Change;
use super::slots::Nearness;
use super::table::{Extent, Table};
use crate::domain::attempt::ProviderName;
use crate::domain::caps::Caps;
use crate::domain::message::{MessageRecord, MessageState, PlannedMessage};
use crate::domain::message_status::{MessageStatus, Transition};
use crate::domain::packet::Packet;
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::ids::MessageId;

/// The position of a message in its packet, in the order of making.
pub type Slot = usize;

/// A packet, beside its rows and messages.
#[derive(Debug, Clone, PartialEq)]
pub struct PacketHead {
    /// The packet.
    pub packet: Packet,
    /// How often its messages may contact a person.
    pub caps: Caps,
    /// How many messages it has: the position of the next one.
    pub message_count: Slot,
}

#[derive(Debug, Clone)]
pub(crate) struct PacketData {
    pub(crate) packet: Packet,
    pub(crate) caps: Caps,
    pub(crate) message_count: Slot,
    pub(crate) rows: Table<BTreeMap<RowNumber, Row>>,
    pub(crate) rejected: Table<BTreeMap<RowNumber, RejectedRow>>,
    pub(crate) messages: Table<Messages>,
    /// A tree, because ids of one time lie side by side: a hash would scatter a batch over all memory.
    pub(crate) slots: Table<BTreeMap<MessageId, Slot>>,
    /// The rung above each message that has one.
    pub(crate) above: Table<BTreeMap<MessageId, Slot>>,
    pub(crate) disposition_events: Table<BTreeMap<Slot, DispositionEvents>>,
    /// Planned messages that have not asked for their slots yet, and some that have ended since.
    #[expect(
        clippy::zero_sized_map_values,
        reason = "a table has rows; this one's say nothing but that they are there"
    )]
    pub(crate) asking: Table<BTreeMap<Nearness, ()>>,
    /// Counters, and what messages are found by; where all of them are.
    pub(crate) index: Option<Box<PacketIndex>>,
}

impl PacketData {
    pub(crate) fn new(head: PacketHead, extent: Extent) -> Self {
        Self {
            packet: head.packet,
            caps: head.caps,
            message_count: head.message_count,
            rows: Table::new(extent),
            rejected: Table::new(extent),
            messages: Table::new(extent),
            slots: Table::new(extent),
            above: Table::new(extent),
            disposition_events: Table::new(extent),
            asking: Table::new(extent),
            index: (extent == Extent::Whole).then(Box::default),
        }
    }

    pub(crate) fn head(&self) -> PacketHead {
        PacketHead { packet: self.packet.clone(), caps: self.caps, message_count: self.message_count }
    }

    pub(crate) fn set_head(&mut self, head: PacketHead) {
        self.packet = head.packet;
        self.caps = head.caps;
        self.message_count = head.message_count;
    }

    pub(crate) fn slot(&self, id: MessageId) -> Option<Slot> {
        self.slots.get(&id).copied()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&MessageData> {
        self.messages.get(&slot)
    }

    /// A message, for a change of what it is not found by: [`amend`](Self::amend) is for the others.
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut MessageData> {
        self.messages.get_mut(&slot)
    }

    pub(crate) fn find(&self, id: MessageId) -> Option<&MessageData> {
        self.get(self.slot(id)?)
    }

    pub(crate) fn record(&self, slot: Slot) -> Option<&MessageRecord> {
        self.get(slot).map(|message| &message.record)
    }

    /// The message that goes when this one has brought nothing.
    pub(crate) fn above(&self, below: MessageId) -> Option<Slot> {
        self.above.get(&below).copied()
    }

    /// Stores a planned message.
    pub(crate) fn insert(&mut self, planned: PlannedMessage) -> Slot {
        let slot = self.message_count;
        let state = MessageState::planned(planned.verdict);
        let record = MessageRecord { message: planned.message, state };
        self.put(slot, MessageData { record, attempts: Vec::new(), history: Vec::new() });
        self.message_count = slot + 1;
        self.ask_for_slot(slot);
        slot
    }

    /// Writes a message as it is, in the place of what is known of it.
    pub(crate) fn put(&mut self, slot: Slot, message: MessageData) {
        let (id, ladder) = (message.record.message.id, message.record.message.ladder);
        if let Some(index) = &mut self.index {
            let left = self.messages.get(&slot).map(|before| index.leave(slot, before));
            if left.is_none() {
                index.count_planned(&message);
            }
            index.enter(slot, &message, left.unwrap_or_default());
        }
        self.messages.insert(slot, message);
        self.slots.insert(id, slot);
        if let Some(place) = ladder {
            self.above.insert(place.below, slot);
        }
    }

    /// Applies a transition by the table; `Err` is the status that does not allow it.
    pub(crate) fn transit(
        &mut self,
        slot: Slot,
        change: Change<'_>,
    ) -> Result<MessageStatus, Option<MessageStatus>> {
        let from = self.record(slot).ok_or(None)?.state.status;
        let to = from.after(change.event).ok_or(Some(from))?;
        self.amend(slot, |message| {
            message.record.state.status = to;
            (change.state)(&mut message.record.state);
            message.history.push(Transition {
                at: change.at,
                event: change.event,
                from,
                to,
                epoch: message.record.state.epoch,
                reason: change.reason,
            });
        });
        Ok(to)
    }

    /// Changes what a message is counted or found by.
    pub(crate) fn amend(&mut self, slot: Slot, change: impl FnOnce(&mut MessageData)) {
        let Some(message) = self.messages.get_mut(&slot) else { return };
        let left = self.index.as_mut().map(|index| index.leave(slot, message));
        change(message);
        if let (Some(index), Some(left)) = (&mut self.index, left) {
            index.enter(slot, message, left);
        }
    }

    /// Notes that an event of a message was seen; whether it is new.
    pub(crate) fn see(&mut self, slot: Slot, provider: &ProviderName, event: &Arc<str>) -> bool {
        if let Some(seen) = self.disposition_events.get_mut(&slot) {
            return seen.insert(provider, event);
        }
        let mut seen = DispositionEvents::default();
        seen.insert(provider, event);
        self.disposition_events.insert(slot, seen);
        true
    }

    /// Stores rows that were rejected, and counts them.
    pub(crate) fn reject(&mut self, rejected: Vec<RejectedRow>) {
        for row in rejected {
            if let Some(index) = &mut self.index {
                *index.counts.faults.entry(row.code).or_default() += 1;
            }
            self.rejected.insert(row.row, row);
        }
    }
}
