//! Counters of a packet, and what its messages are found by, in a store that holds all of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::messages::{MessageData, Messages};
use super::packet_data::Slot;
use super::place::{Counter, Place, Window};
use super::table::Map as _;
use crate::domain::contact_method::ContactMethod;
use crate::domain::household::HouseholdKey;
use crate::domain::message::{MessageState, PlanVerdict};
use crate::domain::report::PacketCounts;
use crate::ids::AttemptId;

/// The messages of a packet by what they have in common.
pub(crate) type Companions = BTreeMap<HouseholdKey, Vec<Slot>>;

#[derive(Debug, Clone, Default)]
pub(crate) struct PacketIndex {
    /// Planned and queued messages without a copy, by `not_before`; those after `ripe_through`.
    pub(crate) due: BTreeSet<(DateTime<Utc>, Slot)>,
    /// The others, which were due at some hand-over, by their method and the end of their legal interval.
    pub(crate) ripe: BTreeSet<(ContactMethod, Urgency)>,
    ripe_through: Option<(DateTime<Utc>, Slot)>,
    /// Queued messages with a copy, by the instant at which it is presumed lost.
    pub(crate) copies: BTreeSet<(DateTime<Utc>, Slot)>,
    /// How many these are of each method.
    copied: BTreeMap<ContactMethod, usize>,
    /// Planned messages that wait for their household's message.
    pub(crate) parked: BTreeSet<Slot>,
    /// Claimed messages, by the `answer_by` of their attempt.
    pub(crate) sending: BTreeSet<(DateTime<Utc>, Slot)>,
    /// Unknown messages that are not held, by their attempt.
    pub(crate) unknown: BTreeMap<AttemptId, Slot>,
    pub(crate) counts: PacketCounts,
    /// How many planned and queued messages wait for which minutes.
    pub(crate) windows: BTreeMap<Window, u64>,
    /// While households are looked for.
    pub(crate) companions: Option<Companions>,
}

/// In which order due messages go: the end of the legal interval, then the instant, then the making.
pub(crate) type Urgency = (DateTime<Utc>, DateTime<Utc>, Slot);

/// For what a message waited before it changed.
#[derive(Debug, Default)]
pub(crate) struct Left(Option<Window>);

impl PacketIndex {
    /// How many messages of a method have a copy in the queue, lost ones included.
    pub(crate) fn copy_count(&self, method: ContactMethod) -> usize {
        self.copied.get(&method).copied().unwrap_or_default()
    }

    /// Messages whose copy is presumed lost at `now`, the longest lost first.
    pub(crate) fn lost(&self, now: DateTime<Utc>) -> impl Iterator<Item = Slot> {
        self.copies.range(..=(now, Slot::MAX)).map(|(_, slot)| *slot)
    }

    /// Makes [`due`](Self::due) know all that is due at `now`. Every message is looked at once.
    pub(crate) fn ripen(&mut self, messages: &Messages, now: DateTime<Utc>) {
        let through = Some((now, Slot::MAX));
        if self.ripe_through >= through {
            return;
        }
        if self.due.first().is_some_and(|(at, _)| *at <= now) {
            let later = self.due.split_off(&(now, Slot::MAX));
            let ripe = std::mem::replace(&mut self.due, later);
            let ripe = ripe.into_iter().filter_map(|key| Some(urgency(messages.get(&key.1)?, key)));
            self.ripe.extend(ripe);
        }
        self.ripe_through = through;
    }

    /// Messages of a method without a copy that are due at `now`, those whose legal interval ends first before the others. Call
    /// [`ripen`](Self::ripen) before.
    pub(crate) fn due(&self, now: DateTime<Utc>, method: ContactMethod) -> impl Iterator<Item = Urgency> {
        let first = (method, (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MIN_UTC, Slot::MIN));
        let of_method = self.ripe.range(first..).take_while(move |(of, _)| *of == method);
        of_method.map(|(_, urgency)| *urgency).filter(move |(_, due, _)| *due <= now)
    }

    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        let first = |set: &BTreeSet<(DateTime<Utc>, Slot)>| set.first().map(|(at, _)| *at);
        // What is ripe is due: which of its instants is told makes no difference.
        let ripe = self.ripe.first().map(|(_, (_, due, _))| *due);
        ripe.into_iter().chain(first(&self.due)).chain(first(&self.copies)).min()
    }

    /// Counts what planning made of a new message.
    pub(crate) fn count_planned(&mut self, message: &MessageData) {
        match message.verdict() {
            PlanVerdict::Send { .. } => self.counts.planned += 1,
            PlanVerdict::Skip(reason) => {
                *self.counts.skipped_at_planning.entry(reason).or_default() += 1;
            }
        }
    }

    /// Takes a message out, before it changes.
    pub(crate) fn leave(&mut self, slot: Slot, message: &MessageData) -> Left {
        count_message(&mut self.counts, &message.record.state, |count| *count = count.saturating_sub(1));
        match Place::of(message) {
            Place::Due(at) if self.is_ripe((at, slot)) => {
                self.ripe.remove(&urgency(message, (at, slot)));
            }
            Place::Due(at) => drop(self.due.remove(&(at, slot))),
            Place::Copied(until) => {
                self.copies.remove(&(until, slot));
                let copied = self.copied.entry(message.record.message.method).or_default();
                *copied = copied.saturating_sub(1);
            }
            Place::Parked => drop(self.parked.remove(&slot)),
            Place::Sending(until) => drop(self.sending.remove(&(until, slot))),
            Place::Unknown(attempt) => drop(self.unknown.remove(&attempt)),
            Place::Closed => {}
        }
        Left(Window::of(message))
    }

    /// Puts a message in, which is new or has changed.
    pub(crate) fn enter(&mut self, slot: Slot, message: &MessageData, Left(waited): Left) {
        count_message(&mut self.counts, &message.record.state, |count| *count += 1);
        match Place::of(message) {
            Place::Due(at) if self.is_ripe((at, slot)) => {
                self.ripe.insert(urgency(message, (at, slot)));
            }
            Place::Due(at) => drop(self.due.insert((at, slot))),
            Place::Copied(until) => {
                self.copies.insert((until, slot));
                *self.copied.entry(message.record.message.method).or_default() += 1;
            }
            Place::Parked => drop(self.parked.insert(slot)),
            Place::Sending(until) => drop(self.sending.insert((until, slot))),
            Place::Unknown(attempt) => drop(self.unknown.insert(attempt, slot)),
            Place::Closed => {}
        }
        let waits = Window::of(message);
        if waited != waits {
            self.count_window(waited, |count| *count = count.saturating_sub(1));
            self.count_window(waits, |count| *count += 1);
        }
    }

    fn is_ripe(&self, key: (DateTime<Utc>, Slot)) -> bool {
        self.ripe_through.is_some_and(|through| key <= through)
    }

    fn count_window(&mut self, window: Option<Window>, step: impl Fn(&mut u64)) {
        let Some(key) = window else { return };
        let count = self.windows.entry(key).or_default();
        step(count);
        if *count == 0 {
            self.windows.remove(&key);
        }
    }
}

/// Counts a message by its state.
pub(crate) fn count_message(counts: &mut PacketCounts, state: &MessageState, step: impl Fn(&mut u64)) {
    for counter in Counter::of(state) {
        step(match counter {
            Counter::Status(status) => counts.messages.entry(status).or_default(),
            Counter::Skipped(reason) => counts.skipped.entry(reason).or_default(),
            Counter::Open => &mut counts.open,
            Counter::Response(kind) => counts.responses.entry(kind).or_default(),
        });
    }
}

fn urgency(message: &MessageData, (due, slot): (DateTime<Utc>, Slot)) -> (ContactMethod, Urgency) {
    let record = &message.record;
    let until = record.state.legal_until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    (record.message.method, (until, due, slot))
}
