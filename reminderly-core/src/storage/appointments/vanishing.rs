//! Appointments that the next file does not name.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

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
        let (key, place) = (message.message.key.clone(), RowPlace { packet: vanishing.earlier, row });
        let named_in =
            campaign_mut(records, &later).and_then(|campaign| campaign.named_in.get(&key).copied());
        let is_named = named_in.is_some_and(|named_in| named_in >= later.id);
        let rows = rows_mut(records, &later, &key).into_iter().flatten();
        let speaks = |row: &&mut HeldRow| row.place == place || row.carries((place.packet, slot));
        let Some(row) = rows.into_iter().find(speaks) else { continue };
        if !row.is_vanished && (is_named || !row.vanishes(&later, vanishing.now)) {
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

impl HeldRow {
    /// Whether a packet that names every appointment that is ahead was to name this one, and no row of it that could be mapped has.
    fn vanishes(&self, later: &Packet, now: DateTime<Utc>) -> bool {
        self.seen_in < later.id && self.appointment.at > now
    }
}
