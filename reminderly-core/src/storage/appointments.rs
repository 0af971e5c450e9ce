//! The ledger of appointments: which row speaks for each, and what that does to messages.

mod vanishing;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

pub use self::vanishing::cancel_vanished;
use super::held_row::{Before, HeldRow};
use super::messages::MessageData;
use super::packet_data::{PacketData, Slot};
use super::packets::campaign_mut;
use super::records::{Change, Records};
use super::table::Table;
use super::told::{
    free_key_if_nobody_was_told, is_cancelled, is_lapsed, may_come_back, may_have_arrived, may_hold_its_key,
};
use crate::domain::appointment_change::AppointmentChange;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::call::CallKind;
use crate::domain::contact_point::ContactPoint;
use crate::domain::held_appointment::{HeldAppointment, RowPlace, Standing, Told};
use crate::domain::message::{Detail, Message, MessageState};
use crate::domain::message_status::MessageEvent;
use crate::domain::packet::{Draining, Packet, PacketOrigin, PacketStage};
use crate::domain::skip_reason::SkipReason;
use crate::domain::vanished::KeptBecause;
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::store::{ExpectedAppointment, PlanBatch, PlannedAppointment, StoreError, WriteOutcome};

/// The rows that speak for an appointment: see
/// [`AppointmentStore::appointments`](crate::ports::store::AppointmentStore::appointments).
pub fn appointment(
    records: &Records,
    company: CompanyId,
    campaign: CampaignId,
    key: &AppointmentKey,
) -> Vec<HeldAppointment> {
    let rows = ledger(records, company, campaign).and_then(|ledger| ledger.get(key));
    rows.into_iter().flatten().map(|row| describe(records, row)).collect()
}

/// Records that nothing vanishes because of a packet: see
/// [`AppointmentStore::keep_vanished`](crate::ports::store::AppointmentStore::keep_vanished).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn keep_vanished(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    because: KeptBecause,
) -> Result<WriteOutcome, StoreError> {
    let packet = &mut records.packet_mut(company, packet)?.packet;
    if !is_being_mapped(packet) {
        return Ok(WriteOutcome::Stale);
    }
    packet.vanished.kept = Some(because);
    Ok(WriteOutcome::Applied)
}

/// Whether a packet takes messages of its rows.
pub(crate) fn is_being_mapped(packet: &Packet) -> bool {
    packet.stage == PacketStage::Loaded && packet.draining == Draining::Off
}

/// Whether the ledger is what the batch was decided on.
pub(crate) fn is_as_expected(records: &Records, packet: &Packet, batch: &PlanBatch) -> bool {
    let Some(ledger) = ledger(records, packet.company, packet.campaign) else {
        return batch.expected.is_empty();
    };
    let replaced: HashSet<RowPlace> =
        batch.appointments.iter().filter_map(|planned| planned.change.replaces()).collect();
    let holds = |expected: &ExpectedAppointment| {
        let rows = ledger.get(&expected.key).map_or(&[][..], Vec::as_slice);
        rows.len() == expected.held.len()
            && rows.iter().zip(&expected.held).all(|(row, held)| is_same(records, row, held, &replaced))
    };
    let known: HashSet<&AppointmentKey> = batch.expected.iter().map(|expected| &expected.key).collect();
    let is_free = |planned: &PlannedAppointment| {
        (!known.is_empty() && known.contains(&planned.key)) || !ledger.contains_key(&planned.key)
    };
    batch.expected.iter().all(holds) && (ledger.is_surely_empty() || batch.appointments.iter().all(is_free))
}

/// Whether a row is what it was, as far as it matters: who was told matters only if it is replaced.
fn is_same(records: &Records, row: &HeldRow, held: &HeldAppointment, replaced: &HashSet<RowPlace>) -> bool {
    (row.place, row.fingerprint, seen_in(records, row)) == (held.place, held.fingerprint, held.seen_in)
        && standing(records, row) == held.standing
        && (!replaced.contains(&row.place) || told(records, row) == held.told)
}

/// Lets the rows of a batch speak for their appointments; messages of the rows that they replace are superseded. To be called
/// before the messages of the batch are inserted, and nothing else is in between.
pub(crate) fn hold(records: &mut Records, packet: &Packet, batch: &PlanBatch) {
    let Some(base) = records.packets.get(&packet.id).map(|found| found.message_count) else { return };
    let mut rest = 0..batch.messages.len();
    for planned in &batch.appointments {
        let of_row = |position: &usize| {
            batch.messages.get(*position).is_some_and(|of| of.message.origin.row() == Some(planned.row))
        };
        // A row that allows no method has no messages.
        let start = rest.clone().find(of_row);
        let end = start.and_then(|start| (start..rest.end).find(|position| !of_row(position)));
        let (start, end) = start.map_or((0, 0), |start| (start, end.unwrap_or(rest.end)));
        rest.start = rest.start.max(end);
        let row = HeldRow {
            place: RowPlace { packet: packet.id, row: planned.row },
            fingerprint: planned.fingerprint,
            appointment: planned.appointment,
            seen_in: packet.id,
            is_vanished: false,
            slots: base + start..base + end,
            before: None,
        };
        match planned.change.replaces() {
            Some(of) => {
                let to = batch.messages.get(start..end).unwrap_or_default();
                let contacts = to.iter().filter_map(|of| of.message.contact.clone()).collect();
                replace(records, packet, (&planned.key, of), row, &contacts, batch.at);
            }
            None => enter(records, packet, planned, row),
        }
    }
    // What a row does not hold, as a newer one holds it, is named all the same.
    let is_stale = |planned: &&PlannedAppointment| matches!(planned.change, AppointmentChange::Stale(_));
    let stale = batch.appointments.iter().filter(is_stale).map(|planned| &planned.key);
    for key in batch.named.iter().chain(stale) {
        name(records, packet, key, packet.id);
    }
}

/// Records that a packet named an appointment for which it does not speak.
fn name(records: &mut Records, of: &Packet, key: &AppointmentKey, named_in: PacketId) {
    if let Some(campaign) = campaign_mut(records, of) {
        let latest = campaign.named_in.get(key).map_or(named_in, |latest| named_in.max(*latest));
        campaign.named_in.insert(key.clone(), latest);
    }
}

/// Enters a row that replaces none.
fn enter(records: &mut Records, packet: &Packet, planned: &PlannedAppointment, row: HeldRow) {
    match planned.change {
        AppointmentChange::New => {
            if let Some(campaign) = campaign_mut(records, packet) {
                // Nearly always the only one: room for more would be most of what the ledger takes.
                match campaign.appointments.get_mut(&planned.key) {
                    Some(rows) => rows.push(row),
                    None => campaign.appointments.insert(planned.key.clone(), vec![row]),
                }
            }
        }
        AppointmentChange::Unchanged(of) => {
            let rows =
                ledger(records, packet.company, packet.campaign).and_then(|ledger| ledger.get(&planned.key));
            let seen =
                rows.into_iter().flatten().find(|row| row.place == of).map(|row| seen_in(records, row));
            let rows = rows_mut(records, packet, &planned.key).into_iter().flatten();
            for row in rows.filter(|row| row.place == of) {
                row.seen_in = packet.id.max(seen.unwrap_or(row.seen_in));
            }
        }
        AppointmentChange::Amended(_) | AppointmentChange::Moved(_) | AppointmentChange::Stale(_) => {}
    }
}

/// Puts a row with messages to these contact points in the place of another one, whose waiting messages are superseded.
fn replace(
    records: &mut Records,
    packet: &Packet,
    (key, of): (&AppointmentKey, RowPlace),
    mut row: HeldRow,
    contacts: &HashSet<ContactPoint>,
    at: DateTime<Utc>,
) {
    let rows = ledger(records, packet.company, packet.campaign).and_then(|ledger| ledger.get(key));
    let Some(old) = rows.and_then(|rows| rows.iter().find(|row| row.place == of)) else { return };
    let seen_in = seen_in(records, old);
    let carried = old.before.iter().flat_map(|before| before.carried.iter().copied());
    let places: Vec<(PacketId, Slot)> =
        old.slots.clone().map(|slot| (old.place.packet, slot)).chain(carried).collect();
    let goes_on = |place: &&(PacketId, Slot)| {
        let found = records.packets.get(&place.0).and_then(|packet| Some((packet, packet.record(place.1)?)));
        found.is_some_and(|(packet, record)| {
            (may_hold_its_key(&record.state) || packet.flies_with_household(place.1))
                && record.message.appointment == Some(row.appointment)
                && record.message.contact.as_ref().is_some_and(|contact| contacts.contains(contact))
        })
    };
    let carried: Vec<_> = places.iter().filter(goes_on).copied().collect();
    let told = told(records, old);
    let superseded: Vec<_> = places.into_iter().filter(|place| !carried.contains(place)).collect();
    let is = |place: &(PacketId, Slot), may: fn(&MessageState) -> bool| {
        let record = records.packets.get(&place.0).and_then(|packet| packet.record(place.1));
        record.is_some_and(|record| may(&record.state))
    };
    let earlier = old.before.iter().flat_map(|before| before.withdrawn.iter().copied());
    // One of those may have come back since, and waits.
    let earlier = earlier.filter(|(place, _)| is(place, |state| state.is_open() || may_come_back(state)));
    // What flies with its household waits, and is not ended by what follows here: it may yet be to go by itself.
    let flies = |place: &(PacketId, Slot)| {
        records.packets.get(&place.0).is_some_and(|packet| packet.flies_with_household(place.1))
    };
    let now = superseded.iter().filter(|place| is(place, may_come_back) || flies(place));
    let now = now.map(|place| (*place, packet.id));
    let withdrawn: Vec<_> = now.chain(earlier).collect();
    if !told.is_empty() || !carried.is_empty() || !withdrawn.is_empty() {
        row.before = Some(Box::new(Before { told, carried, withdrawn }));
    }
    let reason = format!("superseded by {}", row.place);
    if let Some(old) = rows_mut(records, packet, key).into_iter().flatten().find(|row| row.place == of) {
        *old = row;
    }
    if seen_in > packet.id && !is_cancelled(records, seen_in) {
        name(records, packet, key, seen_in);
    }
    for (packet, slot) in superseded {
        let mut superseded = |state: &mut MessageState| {
            state.copy_until = None;
            state.detail = Some(Detail::Skip(SkipReason::Superseded));
        };
        let reason = Cow::Owned(reason.clone());
        let change = Change { event: MessageEvent::Skipped, at, reason, state: &mut superseded };
        // What is in flight or closed stays as it is.
        if records.transit(packet, slot, change).is_ok() {
            free_key_if_nobody_was_told(records, packet, slot);
        }
    }
}

/// Whether a newer packet says something else about the appointment of a message, or does not name it any more.
pub(crate) fn is_superseded(records: &Records, packet: &PacketData, slot: Slot, message: &Message) -> bool {
    let Some(row) = message.origin.row() else { return false };
    // A one-liner says something of its own, though it may name the key of an appointment.
    if matches!(packet.packet.origin, PacketOrigin::OnDemand { kind: CallKind::OneLiner, .. }) {
        return false;
    }
    let rows = ledger(records, packet.packet.company, packet.packet.campaign)
        .filter(|ledger| !ledger.is_surely_empty())
        .and_then(|ledger| ledger.get(&message.key));
    let Some(rows) = rows else { return false };
    let place = RowPlace { packet: packet.packet.id, row };
    if let Some(own) = rows.iter().find(|row| row.place == place) {
        return own.is_vanished;
    }
    if let Some(newer) = rows.iter().find(|row| row.carries((place.packet, slot))) {
        return newer.is_vanished;
    }
    let speaks =
        |row: &HeldRow| row.place.packet > place.packet && standing(records, row) != Standing::Cancelled;
    let withdrawn = |row: &HeldRow| {
        row.withdrawn((place.packet, slot)).any(|by| row.is_vanished || !is_cancelled(records, by))
    };
    rows.iter().any(|row| speaks(row) || withdrawn(row))
}

fn describe(records: &Records, row: &HeldRow) -> HeldAppointment {
    HeldAppointment {
        place: row.place,
        fingerprint: row.fingerprint,
        appointment: row.appointment,
        seen_in: seen_in(records, row),
        standing: standing(records, row),
        told: told(records, row),
    }
}

/// The latest packet that named a row: one that is cancelled speaks for nothing.
fn seen_in(records: &Records, row: &HeldRow) -> PacketId {
    if is_cancelled(records, row.seen_in) { row.place.packet } else { row.seen_in }
}

fn standing(records: &Records, row: &HeldRow) -> Standing {
    if row.is_vanished {
        return Standing::Vanished;
    }
    let Some(found) = records.packets.get(&row.place.packet) else { return Standing::Cancelled };
    if is_cancelled(records, row.place.packet) {
        return Standing::Cancelled;
    }
    if row.messages(found).any(|message| is_lapsed(&message.record.state)) {
        return Standing::Lapsed;
    }
    Standing::Live
}

/// What people may believe because of a row, or of those before it.
fn told(records: &Records, row: &HeldRow) -> Vec<Told> {
    let Some(found) = records.packets.get(&row.place.packet) else { return Vec::new() };
    let own = row.messages(found).filter_map(|message| {
        let household = message.record.state.household.and_then(|household| found.find(household.message()));
        let attempts = message.attempts.iter().chain(household.into_iter().flat_map(|of| &of.attempts));
        let told = attempts.filter(|attempt| may_have_arrived(attempt.outcome.as_ref()));
        let at = told.map(|attempt| attempt.claimed_at).max()?;
        let contact = message.record.message.contact.clone()?;
        Some(Told { contact, appointment: row.appointment, at })
    });
    let earlier = row.before.iter().flat_map(|before| before.told.iter().cloned());
    let mut all: Vec<Told> = own.chain(earlier).collect();
    // The latest of each contact point comes first, and stays.
    all.sort_by(|one, other| one.contact.cmp(&other.contact).then(other.at.cmp(&one.at)));
    all.dedup_by(|later, first| later.contact == first.contact);
    all
}

impl HeldRow {
    fn messages<'a>(&self, packet: &'a PacketData) -> impl Iterator<Item = &'a MessageData> + use<'a> {
        self.slots.clone().filter_map(|slot| packet.get(slot))
    }
}

fn ledger(
    records: &Records,
    company: CompanyId,
    campaign: CampaignId,
) -> Option<&Table<HashMap<AppointmentKey, Vec<HeldRow>>>> {
    Some(&records.companies.get(&company)?.campaigns.get(&campaign)?.appointments)
}

fn rows_mut<'d>(
    records: &'d mut Records,
    packet: &Packet,
    key: &AppointmentKey,
) -> Option<&'d mut Vec<HeldRow>> {
    campaign_mut(records, packet)?.appointments.get_mut(key)
}
