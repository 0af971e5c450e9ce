//! Appointments that the next file does not name.

use std::borrow::Cow;

use super::super::held_row::HeldRow;
use super::super::packets::{campaign_mut, count};
use super::super::records::{Change, Records};
use super::super::told::free_key_if_nobody_was_told;
use super::super::waiting::drop_copy;
use super::rows_mut;
use crate::domain::held_appointment::RowPlace;
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Packet, PacketStage};
use crate::ids::CompanyId;
use crate::ports::store::{StoreError, VanishOutcome, Vanishing};

/// Cancels what has vanished: see [`AppointmentStore::cancel_vanished`](crate::ports::store::AppointmentStore::cancel_vanished).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn cancel_vanished(
    records: &mut Records,
    company: CompanyId,
    vanishing: &Vanishing,
) -> Result<VanishOutcome, StoreError> {
    let later = records.packet_mut(company, vanishing.missing_in)?.packet.clone();
    if !may_speak_for_all(&later) {
        return Ok(VanishOutcome::Stale);
    }
    let earlier = records.packet_mut(company, vanishing.earlier)?;
    let total = earlier.message_count;
    let start =
        vanishing.after.map_or(0, |after| usize::try_from(after).unwrap_or(usize::MAX).saturating_add(1));
    let end = start.saturating_add(vanishing.limit.max(1)).min(total);
    let reason = format!("packet {} does not name the appointment any more", later.id);
    let (mut appointments, mut cancelled) = (0, 0);
    for slot in start..end {
        let Some(message) = records.packets.get(&vanishing.earlier).and_then(|packet| packet.record(slot))
        else {
            continue;
        };
        let Some(row) = message.message.origin.row() else { continue };
        let own_time = message.message.appointment.map(|appointment| appointment.at);
        let (key, place) = (message.message.key.clone(), RowPlace { packet: vanishing.earlier, row });
        let named_in =
            campaign_mut(records, &later).and_then(|campaign| campaign.named_in.get(&key).copied());
        let is_named = named_in.is_some_and(|named_in| named_in >= later.id);
        let Some(rows) = rows_mut(records, &later, &key) else { continue };
        let speaks = |row: &HeldRow| row.place == place || row.carries((place.packet, slot));
        // What a row said something else about may come back once that row's packet is cancelled.
        let replaced = |row: &HeldRow| row.withdrawn((place.packet, slot)).next().is_some();
        let position = rows.iter().position(speaks).or_else(|| rows.iter().position(replaced));
        let Some(row) = position.and_then(|position| rows.get_mut(position)) else { continue };
        let is_ahead = row.appointment.at.max(own_time.unwrap_or_default()) > vanishing.now;
        if !row.is_vanished && (is_named || row.seen_in >= later.id || !is_ahead) {
            continue;
        }
        appointments += u64::from(!row.is_vanished);
        row.is_vanished = true;
        row.seen_in = row.seen_in.max(later.id);
        let change = Change {
            event: MessageEvent::Cancelled,
            at: vanishing.now,
            reason: Cow::Owned(reason.clone()),
            state: &mut drop_copy,
        };
        // What is in flight dies at the claim, should it come back.
        if let Ok(status) = records.transit(vanishing.earlier, slot, change) {
            free_key_if_nobody_was_told(records, vanishing.earlier, slot);
            // A call that waits to be made again stays undelivered.
            cancelled += u64::from(status == MessageStatus::Cancelled);
        }
    }
    let record = &mut records.packet_mut(company, later.id)?.packet.vanished;
    record.appointments += appointments;
    record.cancelled += cancelled;
    let next = (end < total).then(|| count(end.saturating_sub(1)));
    Ok(VanishOutcome::Page { cancelled, next })
}

/// Whether what a packet does not name may vanish.
fn may_speak_for_all(packet: &Packet) -> bool {
    use PacketStage as Stage;
    let is_read = matches!(packet.stage, Stage::Loaded | Stage::Mapped | Stage::Queued | Stage::Complete);
    is_read && !packet.is_given_up() && packet.vanished.kept.is_none()
}
