//! What a rule has changed, as rows.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reminderly_core::domain::attempt::Attempt;
use reminderly_core::domain::message::MessageState;
use reminderly_core::domain::message_status::Transition;
use reminderly_core::ids::AttemptId;
use reminderly_core::storage::{MessageData, Place, Slot, Window};

use crate::reading::column;
use crate::tally::Tally;

/// What waits without a copy is found by this.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DueRow {
    pub(crate) place: &'static str,
    pub(crate) method: &'static str,
    pub(crate) closes_at: DateTime<Utc>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) slot: u32,
}

/// A write to a message.
pub(crate) struct WriteRow {
    pub(crate) slot: u32,
    pub(crate) number: u32,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) state: MessageState,
    pub(crate) attempts: Vec<Attempt>,
}

/// Which messages come to a row, and how many leave it.
#[derive(Default)]
pub(crate) struct Moved {
    pub(crate) left: u32,
    pub(crate) come: Vec<u32>,
}

/// What changes in the tables of one packet, and in those that find its messages.
#[derive(Default)]
pub(crate) struct PacketWrites {
    pub(crate) new: Vec<(u32, Box<MessageData>)>,
    pub(crate) writes: Vec<WriteRow>,
    pub(crate) due: Vec<DueRow>,
    pub(crate) due_no_more: Vec<u32>,
    /// By the instant, and the share of the packet that has a row of its own.
    pub(crate) copies: BTreeMap<DateTime<Utc>, BTreeMap<u32, Moved>>,
    pub(crate) claims: BTreeMap<DateTime<Utc>, Moved>,
    pub(crate) unknown: Vec<(AttemptId, u32)>,
    pub(crate) known: Vec<AttemptId>,
    pub(crate) counts: BTreeMap<Tally, i64>,
    pub(crate) windows: BTreeMap<Window, i64>,
}

impl PacketWrites {
    /// Adds what a rule made of a message, which was read as `before`, unless it is new.
    pub(crate) fn message(
        &mut self,
        slot: Slot,
        before: Option<&MessageData>,
        after: Box<MessageData>,
        written: u32,
    ) {
        let position = column(slot);
        self.find(position, before, &after);
        self.count(before, &after);
        let planned = MessageState::planned(after.verdict());
        let is_untouched = before.is_none() && after.history.is_empty() && after.record.state == planned;
        if !is_untouched {
            let known = before.map_or(&[][..], |before| &before.attempts);
            let attempts = after.attempts.iter().filter(|attempt| !known.contains(attempt)).cloned();
            self.writes.push(WriteRow {
                slot: position,
                number: written.saturating_add(1),
                transitions: after.history.clone(),
                state: after.record.state.clone(),
                attempts: attempts.collect(),
            });
        }
        if before.is_none() {
            self.new.push((position, after));
        }
    }

    /// Moves a message from where it was found to where it is found now.
    fn find(&mut self, slot: u32, before: Option<&MessageData>, after: &MessageData) {
        let (was, is) = (before.and_then(|before| due(slot, before)), due(slot, after));
        if was != is {
            self.due_no_more.extend(was.map(|row| row.slot));
            self.due.extend(is);
        }
        let (was, is) = (before.map(Place::of), Place::of(after));
        if was == Some(is) {
            return;
        }
        match was {
            Some(Place::Copied(until)) => self.copies(until, slot).left += 1,
            Some(Place::Sending(until)) => self.claims.entry(until).or_default().left += 1,
            Some(Place::Unknown(attempt)) => self.known.push(attempt),
            Some(Place::Due(_) | Place::Parked | Place::Closed) | None => {}
        }
        match is {
            Place::Copied(until) => self.copies(until, slot).come.push(slot),
            Place::Sending(until) => self.claims.entry(until).or_default().come.push(slot),
            Place::Unknown(attempt) => self.unknown.push((attempt, slot)),
            Place::Due(_) | Place::Parked | Place::Closed => {}
        }
    }

    /// Those of a hand-over that have a row with this slot. Slots that lie together are handed over together, mostly, and claimed together: who
    /// claims some of them waits for nobody who claims others. Those that do not lie together have a few rows all the same.
    fn copies(&mut self, until: DateTime<Utc>, slot: u32) -> &mut Moved {
        self.copies.entry(until).or_default().entry(slot / 100 % 16).or_default()
    }

    fn count(&mut self, before: Option<&MessageData>, after: &MessageData) {
        for tally in before.into_iter().flat_map(Tally::of) {
            self.add(tally, -1);
        }
        for tally in Tally::of(after) {
            self.add(tally, 1);
        }
        if before.is_none() {
            self.add(Tally::of_plan(after.verdict()), 1);
        }
        for (window, step) in [(before.and_then(Window::of), -1), (Window::of(after), 1)] {
            if let Some(window) = window {
                *self.windows.entry(window).or_default() += step;
            }
        }
    }

    /// Adds to a counter.
    pub(crate) fn add(&mut self, tally: Tally, step: i64) {
        *self.counts.entry(tally).or_default() += step;
    }
}

/// The row by which a message is found that waits without a copy.
fn due(slot: u32, message: &MessageData) -> Option<DueRow> {
    let (state, method) = (&message.record.state, message.record.message.method.as_str());
    let (place, at) = match Place::of(message) {
        Place::Due(at) => ("due", at),
        Place::Parked => ("parked", state.not_before.unwrap_or(message.record.message.created_at)),
        _ => return None,
    };
    Some(DueRow { place, method, closes_at: state.legal_until.unwrap_or(DateTime::<Utc>::MAX_UTC), at, slot })
}
