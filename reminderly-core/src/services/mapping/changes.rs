//! What the rows of a batch change about appointments that are known.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::Mapping;
use crate::domain::appointment_change::{AppointmentChange, RowFacts, compare};
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::call::CallKind;
use crate::domain::campaign::definition::CampaignDefinition;
use crate::domain::held_appointment::{HeldAppointment, RowPlace, Told};
use crate::domain::mapping::MappedRow;
use crate::domain::packet::{Packet, PacketOrigin};
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::{ExpectedAppointment, PlannedAppointment};
use crate::services::ServiceError;

/// What the rows of a batch change.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// By the position of the row; `None` for one that is compared with nothing.
    pub(super) rows: Vec<Option<RowChange>>,
    /// What that was decided on.
    pub(super) expected: Vec<ExpectedAppointment>,
}

/// What a row changes.
#[derive(Debug)]
pub(super) struct RowChange {
    pub(super) planned: PlannedAppointment,
    /// What people were told by the row that it replaces, or before.
    pub(super) told: Vec<Told>,
}

impl Mapping {
    /// Compares rows with what speaks for their appointments: one question for the whole batch.
    pub(super) async fn changes(
        &self,
        packet: &Packet,
        definition: &CampaignDefinition,
        rows: &[MappedRow],
    ) -> Result<Changes, ServiceError> {
        let mut changes = Changes { rows: rows.iter().map(|_| None).collect(), expected: Vec::new() };
        // What is sent on demand says something of its own each time, and so does a one-liner.
        let is_one_liner = matches!(packet.origin, PacketOrigin::OnDemand { kind: CallKind::OneLiner, .. });
        if definition.schedule.is_on_demand() || is_one_liner {
            return Ok(changes);
        }
        let (keys, positions) = by_key(rows);
        let held = self.ports.store.appointments(packet.company, packet.campaign, &keys).await?;
        for ((key, held), positions) in keys.into_iter().zip(held).zip(positions) {
            compare_key(packet, rows, (&key, &held), &positions, &mut changes.rows);
            if !held.is_empty() {
                changes.expected.push(ExpectedAppointment { key, held });
            }
        }
        Ok(changes)
    }
}

/// The keys of rows with an appointment, each once, and the positions of its rows.
fn by_key(rows: &[MappedRow]) -> (Vec<AppointmentKey>, Vec<Vec<usize>>) {
    let (mut keys, mut positions): (Vec<AppointmentKey>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    let mut places: HashMap<&AppointmentKey, usize> = HashMap::with_capacity(rows.len());
    for (position, row) in rows.iter().enumerate().filter(|(_, row)| row.appointment.is_some()) {
        let place = *places.entry(&row.key).or_insert(keys.len());
        if let Some(known) = positions.get_mut(place) {
            known.push(position);
        } else {
            keys.push(row.key.clone());
            positions.push(vec![position]);
        }
    }
    (keys, positions)
}

fn compare_key(
    packet: &Packet,
    rows: &[MappedRow],
    (key, held): (&AppointmentKey, &[HeldAppointment]),
    positions: &[usize],
    changes: &mut [Option<RowChange>],
) {
    let facts_of = |position: &usize| {
        let row = rows.get(*position)?;
        let place = RowPlace { packet: packet.id, row: row.row };
        Some(RowFacts { place, fingerprint: row.fingerprint(), appointment: row.appointment? })
    };
    let facts: Vec<RowFacts> = positions.iter().filter_map(facts_of).collect();
    for ((position, facts), change) in positions.iter().zip(&facts).zip(compare(packet.id, held, &facts)) {
        let replaced = held.iter().find(|row| change.replaces() == Some(row.place));
        if let Some(slot) = changes.get_mut(*position) {
            *slot = Some(RowChange {
                planned: PlannedAppointment {
                    row: facts.place.row,
                    key: key.clone(),
                    appointment: facts.appointment,
                    fingerprint: facts.fingerprint,
                    change,
                },
                told: replaced.map(|row| row.told.clone()).unwrap_or_default(),
            });
        }
    }
}

impl RowChange {
    /// The row that this one takes the place of, and those who were told a time of it that is still ahead, but another one.
    pub(super) fn to_correct(&self, now: DateTime<Utc>) -> impl Iterator<Item = (RowPlace, &Told)> {
        let of = self.planned.change.replaces();
        let misled =
            move |told: &&Told| told.appointment != self.planned.appointment && told.appointment.at > now;
        of.into_iter().flat_map(move |of| self.told.iter().filter(misled).map(move |told| (of, told)))
    }

    /// Why nothing of the row goes, if nothing does.
    pub(super) const fn skips(&self) -> Option<SkipReason> {
        match self.planned.change {
            AppointmentChange::Unchanged(_) => Some(SkipReason::Duplicate),
            AppointmentChange::Stale(_) => Some(SkipReason::Superseded),
            AppointmentChange::New | AppointmentChange::Amended(_) | AppointmentChange::Moved(_) => None,
        }
    }
}
