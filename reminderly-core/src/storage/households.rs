//! Messages that stand for those of several appointments, and what becomes of one because of the other.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::appointments::is_being_mapped;
use super::packet_data::{PacketData, Slot};
use super::records::{Change, Records};
use super::restore::{end, is_fenced};
use super::slots::hold_slot;
use super::waiting::drop_copy;
use crate::batch::Outcomes;
use crate::domain::household::{HouseholdKey, Member, Membership};
use crate::domain::message::{Detail, Message, MessageState, Origin, PlanVerdict, PlannedMessage};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::response::Response;
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, MessageId, PacketId};
use crate::ports::store::{StoreError, WriteOutcome};

/// Stores households' messages: see [`HouseholdStore::plan_households`](crate::ports::store::HouseholdStore::plan_households).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn plan_households(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    messages: Vec<PlannedMessage>,
    at: DateTime<Utc>,
) -> Result<Outcomes<WriteOutcome>, StoreError> {
    records.packet_mut(company, packet)?;
    Ok(messages.into_iter().map(|planned| take_in(records, packet, planned, at)).collect())
}

impl PacketData {
    /// The messages about single appointments that a message stands for: itself, but for a household's.
    pub(crate) fn reminders<'a>(
        &'a self,
        slot: Slot,
        message: &'a Message,
    ) -> impl Iterator<Item = (Slot, &'a Message)> + use<'a> {
        let members = members(message);
        let own = members.is_empty().then_some((slot, message));
        let of_member = |member: &Member| {
            let slot = self.slot(member.message)?;
            Some((slot, &self.record(slot)?.message))
        };
        own.into_iter().chain(members.iter().filter_map(of_member))
    }

    /// What was answered to a message: to a household's, about any of its appointments.
    pub(crate) fn responses(&self, slot: Slot) -> impl Iterator<Item = Response> {
        let message = self.record(slot);
        let members = message.into_iter().flat_map(|record| members(&record.message));
        let members = members.filter_map(|member| self.find(member.message)?.record.state.response);
        message.and_then(|record| record.state.response).into_iter().chain(members)
    }

    /// Whether a message waits for its household's message, and that one may be reaching the person: both are in flight.
    pub(crate) fn flies_with_household(&self, slot: Slot) -> bool {
        let state =
            self.record(slot).map(|record| &record.state).filter(|state| state.waits_with_household());
        let household = state.and_then(|state| self.find(state.household?.message()));
        household.is_some_and(|household| match household.record.state.status {
            MessageStatus::Sending => true,
            MessageStatus::Unknown => !household.record.state.held,
            _ => false,
        })
    }
}

/// The members of a household's message; none of any other.
fn members(message: &Message) -> &[Member] {
    match &message.origin {
        Origin::Household { members, .. } => members,
        Origin::Row { .. } | Origin::Correction { .. } | Origin::Reply { .. } => &[],
    }
}

/// Stores a household's message and lets its members wait with it.
fn take_in(
    records: &mut Records,
    packet: PacketId,
    planned: PlannedMessage,
    at: DateTime<Utc>,
) -> WriteOutcome {
    let Some(found) = records.packets.get(&packet) else { return WriteOutcome::Stale };
    let id = planned.message.id;
    let slots: Option<Vec<Slot>> =
        members(&planned.message).iter().map(|member| found.slot(member.message)).collect();
    let Some(slots) = slots else { return WriteOutcome::Stale };
    let key = |slot: &Slot| HouseholdKey::of(found.record(*slot)?);
    let first = slots.first().and_then(key);
    let is_one_household = first.is_some() && slots.iter().all(|slot| key(slot) == first);
    let goes = matches!(planned.verdict, PlanVerdict::Send { .. });
    let is_new = found.slot(id).is_none();
    if !is_being_mapped(&found.packet) || !is_one_household || slots.len() < 2 || !goes || !is_new {
        return WriteOutcome::Stale;
    }
    let reason = format!("goes with others of the household in message {id}");
    for slot in slots {
        let mut waits = |state: &mut MessageState| state.household = Some(Membership::In(id));
        let reason = Cow::Owned(reason.clone());
        let change = Change { event: MessageEvent::Snoozed, at, reason, state: &mut waits };
        // A candidate is planned, and what is planned may be snoozed.
        records.transit(packet, slot, change).ok();
        give_up_slots(records, packet, slot);
    }
    records.insert_message(packet, planned);
    WriteOutcome::Applied
}

fn give_up_slots(records: &mut Records, packet: PacketId, slot: Slot) {
    let Some(found) = records.packets.get(&packet).filter(|found| !found.caps.is_none()) else { return };
    if let (Some(record), Some(company)) =
        (found.record(slot), records.companies.get_mut(&found.packet.company))
    {
        company.slots.free(&record.message);
    }
}

/// What follows from a transition for the household of a message. `in_doubt`: it ended by an attempt from before a restore.
pub(crate) fn follow(records: &mut Records, packet: PacketId, slot: Slot, in_doubt: bool, at: DateTime<Utc>) {
    let Some(record) = records.packets.get(&packet).and_then(|found| found.record(slot)) else { return };
    let (message, state) = (&record.message, &record.state);
    let Origin::Household { members, .. } = &message.origin else {
        if let (true, Some(Membership::In(household))) = (ended_by_itself(state), state.household) {
            end_household(records, packet, household, at);
        }
        return;
    };
    let members: Vec<MessageId> = members.iter().map(|member| member.message).collect();
    let id = message.id;
    match state.status {
        MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Undelivered => {
            tell(records, packet, (id, &members), at);
        }
        MessageStatus::Unknown if state.held => tell(records, packet, (id, &members), at),
        status if status.is_unsent() => {
            let was_to_go =
                state.not_before.is_some_and(|not_before| records.restore.may_have_gone(not_before));
            let may_have_gone = in_doubt || (was_to_go && is_fenced_packet(records, packet));
            let_go(records, packet, (id, &members), may_have_gone, at);
        }
        _ => {}
    }
}

fn is_fenced_packet(records: &Records, packet: PacketId) -> bool {
    records.packets.get(&packet).is_some_and(|found| is_fenced(records, &found.packet))
}

/// Whether a member ended for a reason of its own: the others are to go without it.
fn ended_by_itself(state: &MessageState) -> bool {
    state.status.is_unsent() && state.detail != Some(Detail::Skip(SkipReason::Grouped))
}

/// Ends a household's message of which a member has ended.
fn end_household(records: &mut Records, packet: PacketId, household: MessageId, at: DateTime<Utc>) {
    let Some(slot) = records.packets.get(&packet).and_then(|found| found.slot(household)) else { return };
    if is_fenced_packet(records, packet) && end(records, packet, slot, at) {
        return;
    }
    let mut superseded = |state: &mut MessageState| {
        drop_copy(state);
        state.detail = Some(Detail::Skip(SkipReason::Superseded));
    };
    let reason = Cow::Borrowed("one of its appointments is not to be told of any more");
    let change = Change { event: MessageEvent::Skipped, at, reason, state: &mut superseded };
    // What is sent or closed stays as it is.
    records.transit(packet, slot, change).ok();
}

/// Ends the members that wait: they are told.
fn tell(
    records: &mut Records,
    packet: PacketId,
    (household, members): (MessageId, &[MessageId]),
    at: DateTime<Utc>,
) {
    for member in members {
        let Some(found) = records.packets.get(&packet) else { return };
        let Some(slot) = found.slot(*member) else { continue };
        let Some(record) = found.record(slot) else { continue };
        if record.state.status.is_unsent() {
            // It may have given its key up before this was known.
            let key = record.state.planned_at.and_then(|planned_at| record.message.natural_key(planned_at));
            if let (Some(key), Some(company)) = (key, records.companies.get_mut(&found.packet.company)) {
                company.natural_keys.get_or_insert(key, *member);
            }
            continue;
        }
        let mut told = |state: &mut MessageState| {
            drop_copy(state);
            state.household = Some(Membership::In(household));
            state.detail = Some(Detail::Skip(SkipReason::Grouped));
        };
        let reason = Cow::Owned(format!("told by message {household}"));
        let change = Change { event: MessageEvent::Skipped, at, reason, state: &mut told };
        // One that left and is sent or in flight stays as it is.
        records.transit(packet, slot, change).ok();
    }
}

/// Lets the members go by themselves, or ends them if they may have gone before a restore.
fn let_go(
    records: &mut Records,
    packet: PacketId,
    (household, members): (MessageId, &[MessageId]),
    may_have_gone: bool,
    at: DateTime<Utc>,
) {
    for member in members {
        let Some(found) = records.packets.get(&packet) else { return };
        let Some(slot) = found.slot(*member) else { continue };
        let Some(record) = found.record(slot).filter(|record| record.state.waits_with_household()) else {
            continue;
        };
        if may_have_gone {
            end(records, packet, slot, at);
            continue;
        }
        let planned_at = record.state.planned_at;
        let mut alone = |state: &mut MessageState| state.household = Some(Membership::Left(household));
        let reason = Cow::Owned(format!("message {household} of the household was not sent"));
        let change = Change { event: MessageEvent::Snoozed, at, reason, state: &mut alone };
        if records.transit(packet, slot, change).is_err() {
            continue;
        }
        match records.packets.get_mut(&packet) {
            Some(found) if is_being_mapped(&found.packet) => found.ask_for_slot(slot),
            // Without room now it asks again at the claim.
            _ => drop(planned_at.map(|planned_at| hold_slot(records, packet, slot, planned_at))),
        }
    }
}
