//! A packet with its rows, messages and indexes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::data::Change;
use super::disposition_events::DispositionEvents;
use super::households::Companions;
use super::slots::Nearness;
use crate::domain::attempt::Attempt;
use crate::domain::caps::Caps;
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::Detail;
use crate::domain::message::{MessageRecord, MessageState, PlanVerdict, PlannedMessage};
use crate::domain::message_status::{MessageStatus, Transition};
use crate::domain::packet::Packet;
use crate::domain::report::PacketCounts;
use crate::domain::restore::Restore;
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::domain::window::LegalInterval;
use crate::ids::{AttemptId, MessageId};

/// The position of a message in its packet, in the order of making.
pub(super) type Slot = usize;

#[derive(Debug, Clone)]
pub(super) struct PacketData {
    pub(super) packet: Packet,
    pub(super) rows: BTreeMap<RowNumber, Row>,
    pub(super) rejected: BTreeMap<RowNumber, RejectedRow>,
    #[expect(clippy::vec_box, reason = "a packet that grows does not move what it has")]
    messages: Vec<Box<MessageData>>,
    /// A tree, because ids of one time lie side by side: a hash would scatter a batch over all memory.
    slots: BTreeMap<MessageId, Slot>,
    /// Planned and queued messages without a copy, by `not_before`; those after `ripe_through`.
    due: BTreeSet<(DateTime<Utc>, Slot)>,
    /// The others, which were due at some hand-over, by their method and the end of their legal interval.
    ripe: BTreeSet<(ContactMethod, Urgency)>,
    ripe_through: Option<(DateTime<Utc>, Slot)>,
    /// Queued messages with a copy, by the instant at which it is presumed lost.
    copies: BTreeSet<(DateTime<Utc>, Slot)>,
    /// How many these are of each method.
    copied: BTreeMap<ContactMethod, usize>,
    /// Planned messages that wait for their household's message.
    parked: BTreeSet<Slot>,
    /// Claimed messages, by the `answer_by` of their attempt.
    pub(super) sending: BTreeSet<(DateTime<Utc>, Slot)>,
    /// Unknown messages that are not held, by their attempt.
    pub(super) unknown: BTreeMap<AttemptId, Slot>,
    /// The rung above each message that has one.
    above: BTreeMap<MessageId, Slot>,
    pub(super) counts: PacketCounts,
    /// How many planned and queued messages wait for which minutes.
    pub(super) windows: BTreeMap<WindowKey, u64>,
    pub(super) caps: Caps,
    /// Planned messages that have not asked for their slots yet, and some that have ended since.
    pub(super) asking: BTreeSet<Nearness>,
    /// While households are looked for.
    pub(super) companions: Option<Companions>,
}

#[derive(Debug, Clone)]
pub(super) struct MessageData {
    pub(super) record: MessageRecord,
    pub(super) attempts: Vec<Attempt>,
    pub(super) history: Vec<Transition>,
    pub(super) disposition_events: DispositionEvents,
}

impl MessageData {
    /// The attempt with this number.
    pub(super) fn attempt(&self, epoch: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.epoch == epoch)
    }

    /// What planning said, told from the message itself.
    pub(super) fn verdict(&self) -> PlanVerdict {
        let state = &self.record.state;
        match (state.planned_at, state.legal_until, &state.detail) {
            (None, _, Some(Detail::Skip(reason))) => PlanVerdict::Skip(*reason),
            (at, until, _) => {
                let at = at.unwrap_or(self.record.message.created_at);
                PlanVerdict::Send { at, legal: LegalInterval { from: at, until: until.unwrap_or(at) } }
            }
        }
    }
}

impl PacketData {
    pub(super) fn new(packet: Packet) -> Self {
        Self {
            packet,
            rows: BTreeMap::new(),
            rejected: BTreeMap::new(),
            messages: Vec::new(),
            slots: BTreeMap::new(),
            due: BTreeSet::new(),
            ripe: BTreeSet::new(),
            ripe_through: None,
            copies: BTreeSet::new(),
            parked: BTreeSet::new(),
            copied: BTreeMap::new(),
            sending: BTreeSet::new(),
            unknown: BTreeMap::new(),
            above: BTreeMap::new(),
            counts: PacketCounts::default(),
            windows: BTreeMap::new(),
            caps: Caps::default(),
            asking: BTreeSet::new(),
            companions: None,
        }
    }

    pub(super) fn slot(&self, id: MessageId) -> Option<Slot> {
        self.slots.get(&id).copied()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&MessageData> {
        self.messages.get(slot).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut MessageData> {
        self.messages.get_mut(slot).map(Box::as_mut)
    }

    pub(super) fn find(&self, id: MessageId) -> Option<&MessageData> {
        self.get(self.slot(id)?)
    }

    pub(super) fn record(&self, slot: Slot) -> Option<&MessageRecord> {
        self.get(slot).map(|message| &message.record)
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &MessageData> {
        self.messages.iter().map(Box::as_ref)
    }

    /// The message that goes when this one has brought nothing.
    pub(super) fn above(&self, below: MessageId) -> Option<Slot> {
        self.above.get(&below).copied()
    }

    /// How many messages there are: the place of the next one.
    pub(super) fn message_count(&self) -> Slot {
        self.messages.len()
    }

    /// How many messages of a method have a copy in the queue, lost ones included.
    pub(super) fn copy_count(&self, method: ContactMethod) -> usize {
        self.copied.get(&method).copied().unwrap_or_default()
    }

    /// Messages whose copy is presumed lost at `now`, the longest lost first.
    pub(super) fn lost(&self, now: DateTime<Utc>) -> impl Iterator<Item = Slot> {
        self.copies.range(..=(now, Slot::MAX)).map(|(_, slot)| *slot)
    }

    /// Makes [`due`](Self::due) know all that is due at `now`. Every message is looked at once.
    pub(super) fn ripen(&mut self, now: DateTime<Utc>) {
        let through = Some((now, Slot::MAX));
        if self.ripe_through >= through {
            return;
        }
        if self.due.first().is_some_and(|(at, _)| *at <= now) {
            let later = self.due.split_off(&(now, Slot::MAX));
            let ripe = std::mem::replace(&mut self.due, later);
            self.ripe.extend(ripe.into_iter().filter_map(|key| urgency(&self.messages, key)));
        }
        self.ripe_through = through;
    }

    /// Messages of a method without a copy that are due at `now`, those whose legal interval ends first before the others. Call
    /// [`ripen`](Self::ripen) before.
    pub(super) fn due(&self, now: DateTime<Utc>, method: ContactMethod) -> impl Iterator<Item = Urgency> {
        let first = (method, (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MIN_UTC, Slot::MIN));
        let of_method = self.ripe.range(first..).take_while(move |(of, _)| *of == method);
        of_method.map(|(_, urgency)| *urgency).filter(move |(_, due, _)| *due <= now)
    }

    fn is_ripe(&self, key: (DateTime<Utc>, Slot)) -> bool {
        self.ripe_through.is_some_and(|through| key <= through)
    }

    /// Up to `limit` planned and queued messages, those that wait for another one after that.
    pub(super) fn waiting(&self, limit: usize) -> Vec<Slot> {
        let ripe = self.ripe.iter().map(|(_, (.., slot))| *slot);
        let others = self.due.iter().chain(&self.copies).map(|(_, slot)| *slot);
        let parked = self.parked.iter().copied().filter(|slot| !self.flies_with_household(*slot));
        ripe.chain(others).chain(parked).take(limit).collect()
    }

    /// Up to `limit` planned and queued messages that were to go before the restore, or may have jumped before it.
    pub(super) fn before(&self, restore: &Restore, limit: usize) -> Vec<Slot> {
        let Some(gone_until) = restore.gone_until() else { return Vec::new() };
        let may_have_jumped = |slot: &Slot| self.may_have_jumped(*slot, restore);
        let is_old = |slot: &Slot| {
            let not_before = self.record(*slot).and_then(|record| record.state.not_before);
            not_before.is_none_or(|not_before| restore.may_have_gone(not_before)) || may_have_jumped(slot)
        };
        let due = self.due.range(..(gone_until, 0)).map(|(_, slot)| *slot);
        let ripe = self.ripe.iter().map(|(_, (.., slot))| *slot).filter(is_old);
        let copied = self.copies.iter().map(|(_, slot)| *slot).filter(is_old);
        let in_flight = |slot: &Slot| self.flies_with_household(*slot);
        let parked = self.parked.iter().copied().filter(is_old).filter(|slot| !in_flight(slot));
        // Last, because all that waits is looked at: what ends leaves the index, so a later call does not see it again.
        let later = self.due.range((gone_until, 0)..).map(|(_, slot)| *slot).filter(may_have_jumped);
        due.chain(ripe).chain(copied).chain(parked).chain(later).take(limit).collect()
    }

    /// What waits to be handed over and is due before this instant, or ripe.
    pub(super) fn waiting_before(&self, instant: DateTime<Utc>) -> impl Iterator<Item = Slot> {
        let due = self.due.range(..(instant, 0)).map(|(_, slot)| *slot);
        due.chain(self.ripe.iter().map(|(_, (.., slot))| *slot))
    }

    pub(super) fn next_due(&self) -> Option<DateTime<Utc>> {
        let first = |set: &BTreeSet<(DateTime<Utc>, Slot)>| set.first().map(|(at, _)| *at);
        // What is ripe is due: which of its instants is told makes no difference.
        let ripe = self.ripe.first().map(|(_, (_, due, _))| *due);
        ripe.into_iter().chain(first(&self.due)).chain(first(&self.copies)).min()
    }

    pub(super) fn insert(&mut self, planned: PlannedMessage) -> Slot {
        let slot = self.messages.len();
        let state = MessageState::planned(planned.verdict);
        match planned.verdict {
            PlanVerdict::Send { .. } => self.counts.planned += 1,
            PlanVerdict::Skip(reason) => {
                *self.counts.skipped_at_planning.entry(reason).or_default() += 1;
            }
        }
        self.slots.insert(planned.message.id, slot);
        if let Some(place) = planned.message.ladder {
            self.above.insert(place.below, slot);
        }
        self.messages.push(Box::new(MessageData {
            record: MessageRecord { message: planned.message, state },
            attempts: Vec::new(),
            history: Vec::new(),
            disposition_events: DispositionEvents::default(),
        }));
        self.enter(slot);
        self.count_window(self.interval(slot), |count| *count += 1);
        self.ask_for_slot(slot);
        slot
    }

    /// Applies a transition by the table; `Err` is the status that does not allow it.
    pub(super) fn transit(
        &mut self,
        slot: Slot,
        change: Change<'_>,
    ) -> Result<MessageStatus, Option<MessageStatus>> {
        let from = self.record(slot).ok_or(None)?.state.status;
        let to = from.after(change.event).ok_or(Some(from))?;
        let waited = self.interval(slot);
        self.leave(slot);
        if let Some(message) = self.messages.get_mut(slot) {
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
        }
        self.enter(slot);
        let waits = self.interval(slot);
        if waited != waits {
            self.count_window(waited, |count| *count = count.saturating_sub(1));
            self.count_window(waits, |count| *count += 1);
        }
        Ok(to)
    }

    /// Changes what does not change the status.
    pub(super) fn amend(&mut self, slot: Slot, change: impl FnOnce(&mut MessageData)) {
        self.leave(slot);
        if let Some(message) = self.messages.get_mut(slot) {
            change(message);
        }
        self.enter(slot);
    }

    /// Takes a message out of counters and indexes.
    fn leave(&mut self, slot: Slot) {
        self.account(slot, |count| *count = count.saturating_sub(1));
        let Some(message) = self.messages.get(slot) else { return };
        match Place::of(message, slot) {
            Place::Due(key) if self.is_ripe(key) => {
                if let Some(urgency) = urgency(&self.messages, key) {
                    self.ripe.remove(&urgency);
                }
            }
            Place::Due(key) => drop(self.due.remove(&key)),
            Place::Copied(key) => {
                self.copies.remove(&key);
                let copied = self.copied.entry(message.record.message.method).or_default();
                *copied = copied.saturating_sub(1);
            }
            Place::Parked => drop(self.parked.remove(&slot)),
            Place::Sending(key) => drop(self.sending.remove(&key)),
            Place::Unknown(attempt) => drop(self.unknown.remove(&attempt)),
            Place::Closed => {}
        }
    }

    /// Puts a message into counters and indexes.
    fn enter(&mut self, slot: Slot) {
        self.account(slot, |count| *count += 1);
        let Some(message) = self.messages.get(slot) else { return };
        match Place::of(message, slot) {
            Place::Due(key) if self.is_ripe(key) => {
                if let Some(urgency) = urgency(&self.messages, key) {
                    self.ripe.insert(urgency);
                }
            }
            Place::Due(key) => drop(self.due.insert(key)),
            Place::Copied(key) => {
                self.copies.insert(key);
                *self.copied.entry(message.record.message.method).or_default() += 1;
            }
            Place::Parked => drop(self.parked.insert(slot)),
            Place::Sending(key) => drop(self.sending.insert(key)),
            Place::Unknown(attempt) => drop(self.unknown.insert(attempt, slot)),
            Place::Closed => {}
        }
    }

    /// When the legal interval of a message ends that is planned or queued, when it may go, and how.
    fn interval(&self, slot: Slot) -> Option<WindowKey> {
        let record = self.record(slot)?;
        let state = &record.state;
        let waits = matches!(state.status, MessageStatus::Planned | MessageStatus::Queued);
        let waits = waits && !state.waits_with_household();
        waits.then_some((state.legal_until?, state.not_before?, record.message.method))
    }

    /// Counts in the window in whose minutes an interval lies.
    fn count_window(&mut self, interval: Option<WindowKey>, step: impl Fn(&mut u64)) {
        let Some((until, from, method)) = interval else { return };
        let next_minute = minute(until + TimeDelta::microseconds(59_999_999));
        let key = (next_minute, minute(from), method);
        let count = self.windows.entry(key).or_default();
        step(count);
        if *count == 0 {
            self.windows.remove(&key);
        }
    }

    fn account(&mut self, slot: Slot, step: impl Fn(&mut u64)) {
        let Some(message) = self.messages.get(slot) else { return };
        count_message(&mut self.counts, &message.record.state, step);
    }
}

/// The first minute from `legal_until` on, the minute of `not_before`, and the method.
pub(super) type WindowKey = (DateTime<Utc>, DateTime<Utc>, ContactMethod);

/// The minute in which an instant lies.
fn minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = instant.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(60), 0).unwrap_or(instant)
}

/// In which order due messages go: the end of the legal interval, then the instant, then the making.
pub(super) type Urgency = (DateTime<Utc>, DateTime<Utc>, Slot);

fn urgency(
    messages: &[Box<MessageData>],
    (due, slot): (DateTime<Utc>, Slot),
) -> Option<(ContactMethod, Urgency)> {
    let record = &messages.get(slot)?.record;
    let until = record.state.legal_until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    Some((record.message.method, (until, due, slot)))
}

/// Counts a message by its state.
pub(super) fn count_message(counts: &mut PacketCounts, state: &MessageState, step: impl Fn(&mut u64)) {
    step(counts.messages.entry(state.status).or_default());
    if let (MessageStatus::Skipped, Some(Detail::Skip(reason))) = (state.status, &state.detail) {
        step(counts.skipped.entry(*reason).or_default());
    }
    if state.is_open() {
        step(&mut counts.open);
    }
    if let Some(response) = state.response {
        step(counts.responses.entry(response.kind).or_default());
    }
}

/// The index in which a message stands.
enum Place {
    Due((DateTime<Utc>, Slot)),
    Copied((DateTime<Utc>, Slot)),
    Parked,
    Sending((DateTime<Utc>, Slot)),
    Unknown(AttemptId),
    Closed,
}

impl Place {
    fn of(message: &MessageData, slot: Slot) -> Self {
        let state = &message.record.state;
        let attempt = message.attempts.last();
        if state.waits_with_household() {
            return Self::Parked;
        }
        match (state.status, state.copy_until, attempt) {
            (MessageStatus::Planned | MessageStatus::Queued, Some(until), _) => Self::Copied((until, slot)),
            (MessageStatus::Planned | MessageStatus::Queued, None, _) => {
                Self::Due((state.not_before.unwrap_or(message.record.message.created_at), slot))
            }
            (MessageStatus::Sending, _, Some(attempt)) => Self::Sending((attempt.answer_by, slot)),
            (MessageStatus::Unknown, _, Some(attempt)) if !state.held => Self::Unknown(attempt.id),
            _ => Self::Closed,
        }
    }
}
