//! The company's ledger of contacts: which reminders have which days of which person.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::appointments::is_being_mapped;
use super::messages::MessageData;
use super::packet_data::{PacketData, Slot};
use super::records::{Change, Records};
use super::table::{Extent, Table};
use crate::domain::attempt::{Attempt, AttemptOutcome};
use crate::domain::caps::{CapReached, Caps, DAYS_AROUND, days_around};
use crate::domain::disposition::AttemptReport;
use crate::domain::message::{Detail, Message, MessageState};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::person::PersonKey;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{AttemptId, CompanyId, MessageId, PacketId};
use crate::ports::store::{SlotsOutcome, StoreError};

/// In which order messages ask for slots: how long before the appointment they go, when they go, and the making.
pub type Nearness = (TimeDelta, DateTime<Utc>, Slot);

/// Who has which days.
#[derive(Debug, Clone)]
pub(crate) struct SlotLedger {
    /// How many messages have each day of a person.
    pub(crate) days: Table<HashMap<PersonKey, BTreeMap<NaiveDate, u32>>>,
    /// The days of a message, each once: more than one if a call was made on each.
    pub(crate) of_message: Table<HashMap<MessageId, Vec<NaiveDate>>>,
}

impl SlotLedger {
    pub(crate) fn new(extent: Extent) -> Self {
        Self { days: Table::new(extent), of_message: Table::new(extent) }
    }

    /// Lets a message have the day of `at`, if the caps of its packet leave room for each of its persons. The days that it has had
    /// are free then, unless it may have been received on them.
    fn hold(&mut self, message: &MessageData, caps: Caps, at: DateTime<Utc>) -> Result<(), CapReached> {
        let asked = &message.record.message;
        if !asked.takes_a_slot() {
            return Ok(());
        }
        let day = asked.local_day(at);
        let own = self.of_message.get(&asked.id).map_or(&[][..], Vec::as_slice);
        if own.contains(&day) {
            return Ok(());
        }
        let moves = !message.attempts.iter().any(was_contact);
        let given_up = if moves { own } else { &[] };
        let reached = |person| caps.reached(&self.around(person, day, given_up));
        if let Some(reached) = asked.persons().find_map(reached) {
            return Err(reached);
        }
        if moves {
            self.free(asked);
        }
        self.take(asked, day);
        Ok(())
    }

    /// Whether the rungs below a message have taken what it lacks: if all of them gave their days up, it would have its own.
    fn is_taken_below(&self, asked: &Message, below: &[MessageId], caps: Caps, at: DateTime<Utc>) -> bool {
        let days = below.iter().filter_map(|rung| self.of_message.get(rung)).flatten();
        let given_up: Vec<NaiveDate> = days.copied().collect();
        let day = asked.local_day(at);
        asked.persons().all(|person| caps.reached(&self.around(person, day, &given_up)).is_none())
    }

    /// How many messages have the days around a day, without what is given up.
    fn around(&self, person: &PersonKey, day: NaiveDate, given_up: &[NaiveDate]) -> [u32; DAYS_AROUND] {
        let Some(taken) = self.days.get(person) else { return [0; DAYS_AROUND] };
        days_around(day).map(|day| {
            let count = taken.get(&day).copied().unwrap_or_default();
            given_up
                .iter()
                .filter(|given_up| **given_up == day)
                .fold(count, |count, _| count.saturating_sub(1))
        })
    }

    fn take(&mut self, message: &Message, day: NaiveDate) {
        match self.of_message.get_mut(&message.id) {
            Some(own) if own.contains(&day) => return,
            Some(own) => own.push(day),
            None => self.of_message.insert(message.id, vec![day]),
        }
        for person in message.persons() {
            match self.days.get_mut(person) {
                Some(days) => *days.entry(day).or_default() += 1,
                None => self.days.insert(person.clone(), BTreeMap::from([(day, 1)])),
            }
        }
    }

    /// Gives up all days of a message.
    pub(crate) fn free(&mut self, message: &Message) {
        let Some(own) = self.of_message.remove(&message.id) else { return };
        for person in message.persons() {
            let Some(days) = self.days.get_mut(person) else { continue };
            for day in &own {
                if let Some(count) = days.get_mut(day) {
                    *count = count.saturating_sub(1);
                }
                days.retain(|of, count| of != day || *count > 0);
            }
            if days.is_empty() {
                self.days.remove(person);
            }
        }
    }

    /// Takes the day of the latest attempt for a message that turned out to have gone, whether there is room or not.
    pub(crate) fn take_back(&mut self, message: &MessageData) {
        let asked = &message.record.message;
        let claimed_at = message.attempts.last().map(|attempt| attempt.claimed_at);
        if let Some(at) = claimed_at.filter(|_| asked.takes_a_slot()) {
            self.take(asked, asked.local_day(at));
        }
    }
}

/// Takes the day of an attempt of which it turned out that the person has noticed it, whether there is room or not.
pub(crate) fn take_noticed_day(records: &mut Records, packet: PacketId, slot: Slot, attempt: AttemptId) {
    let Some(found) = records.packets.get(&packet).filter(|found| !found.caps.is_none()) else { return };
    let Some(message) = found.get(slot).filter(|message| message.record.message.takes_a_slot()) else {
        return;
    };
    let attempt = message.attempts.iter().find(|noticed| noticed.id == attempt);
    if let (Some(attempt), Some(company)) = (attempt, records.companies.get_mut(&found.packet.company)) {
        let asked = &message.record.message;
        company.slots.take(asked, asked.local_day(attempt.claimed_at));
    }
}

/// Whether the person may have noticed an attempt: anything but a proof that nothing was accepted, or a call that did not ring.
fn was_contact(attempt: &Attempt) -> bool {
    match &attempt.outcome {
        None | Some(AttemptOutcome::Accepted | AttemptOutcome::Unknown { .. }) => true,
        Some(AttemptOutcome::Redialled) => attempt.report.as_ref().is_none_or(AttemptReport::is_contact),
        Some(AttemptOutcome::Refused { .. } | AttemptOutcome::Returned { .. } | AttemptOutcome::Absent) => {
            false
        }
    }
}

/// Which messages of a packet are to ask for their slots now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Askers {
    /// The first ones, in their order; none between them is left out.
    pub first: Vec<Nearness>,
    /// Others ask after them.
    pub is_more: bool,
}

/// Lets the messages of a packet that are to ask have their days, those nearest to their appointments before the others: see [`MessageStore::take_slots`](crate::ports::store::MessageStore::take_slots).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn take_slots(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    at: DateTime<Utc>,
    askers: &Askers,
) -> Result<SlotsOutcome, StoreError> {
    let found = records.packet_mut(company, packet)?;
    if !is_being_mapped(&found.packet) {
        return Ok(SlotsOutcome::Stale);
    }
    // Some may have asked since they were found.
    let through = askers.first.iter().filter(|nearness| found.asking.contains_key(nearness)).max();
    let mut capped = BTreeMap::new();
    for _ in &askers.first {
        let found = records.packet_mut(company, packet)?;
        let asks = found.asking.rows().first_key_value().map(|(nearness, ())| *nearness);
        let Some(nearness) = asks.filter(|nearness| Some(nearness) <= through) else { break };
        found.asking.remove(&nearness);
        let (.., slot) = nearness;
        let Some(planned_at) = found.record(slot).and_then(|record| record.state.planned_at) else {
            continue;
        };
        let Err(reached) = hold_slot(records, packet, slot, planned_at) else { continue };
        if is_taken_below(records, packet, slot, planned_at) {
            continue;
        }
        let mut skipped = |state: &mut MessageState| state.detail = Some(Detail::Skip(SkipReason::Cap));
        let reason = Cow::Borrowed(reached.as_str());
        let change = Change { event: MessageEvent::Skipped, at, reason, state: &mut skipped };
        if records.transit(packet, slot, change).is_ok()
            && let Some(record) = records.packet(company, packet).and_then(|found| found.record(slot))
        {
            *capped.entry(record.message.method).or_default() += 1;
        }
    }
    let is_last = !askers.is_more && records.packet_mut(company, packet)?.asking.rows().is_empty();
    Ok(SlotsOutcome::Page { capped, is_last })
}

/// Lets a message that waits have the day of `at`, if it needs one.
pub(crate) fn hold_slot(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    at: DateTime<Utc>,
) -> Result<(), CapReached> {
    let Some(found) = records.packets.get(&packet).filter(|found| !found.caps.is_none()) else {
        return Ok(());
    };
    let Some(message) = found.get(slot).filter(|message| waits(&message.record.state)) else { return Ok(()) };
    let Some(company) = records.companies.get_mut(&found.packet.company) else { return Ok(()) };
    company.slots.hold(message, found.caps, at)
}

/// Whether only the rungs below a message stand in its way. They may yet end unsent; its claim asks again.
fn is_taken_below(records: &Records, packet: PacketId, slot: Slot, at: DateTime<Utc>) -> bool {
    let Some(found) = records.packets.get(&packet) else { return false };
    let Some(asked) = found.record(slot).map(|record| &record.message) else { return false };
    let Some(company) = records.companies.get(&found.packet.company) else { return false };
    let rungs = found.rungs_below(asked).filter(|rung| rung.record.message.person == asked.person);
    let below: Vec<MessageId> = rungs.map(|rung| rung.record.message.id).collect();
    company.slots.is_taken_below(asked, &below, found.caps, at)
}

fn waits(state: &MessageState) -> bool {
    matches!(state.status, MessageStatus::Planned | MessageStatus::Queued) && !state.waits_with_household()
}

impl PacketData {
    /// Lets a planned message ask for a slot. A rung asks together with the first one of its ladder, and after it.
    pub(crate) fn ask_for_slot(&mut self, slot: Slot) {
        let Some(mut first) = self.record(slot).filter(|record| waits(&record.state)) else { return };
        if self.caps.is_none() || !first.message.takes_a_slot() {
            return;
        }
        while let Some(below) = first.message.ladder.and_then(|place| self.find(place.below)) {
            if below.record.state.planned_at.is_none() {
                break;
            }
            first = &below.record;
        }
        let Some(at) = first.state.planned_at else { return };
        // A household's asks when the nearest of its members would: should there be no room, they come after it.
        let ahead = self.reminders(slot, &first.message).filter_map(|(reminder, message)| {
            let at = if reminder == slot { at } else { self.record(reminder)?.state.planned_at? };
            Some(message.appointment.map_or(TimeDelta::zero(), |appointment| appointment.at - at))
        });
        let ahead = ahead.min().unwrap_or_default();
        self.asking.insert((ahead, at, slot), ());
    }
}
