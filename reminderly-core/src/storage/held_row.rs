//! A row that speaks for an appointment, as it is stored.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::company_data::MessagePlace;
use super::packet_data::Slot;
use crate::domain::appointment::Appointment;
use crate::domain::held_appointment::{RowFingerprint, RowPlace, Told};
use crate::ids::PacketId;

/// A row that speaks for an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRow {
    /// Where it stands.
    pub place: RowPlace,
    /// What it says, as a digest.
    pub fingerprint: RowFingerprint,
    /// When it says that the appointment is.
    pub appointment: Appointment,
    /// The latest packet that named it, or that was to name it and did not. It may have been cancelled since.
    pub seen_in: PacketId,
    /// A later file did not name the appointment.
    pub is_vanished: bool,
    /// Its messages, which stand together.
    pub slots: Range<Slot>,
    /// What is left of the rows that it has replaced.
    pub before: Option<Box<Before>>,
}

/// What is left of the rows that a row has replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// What people may have been told.
    pub told: Vec<Told>,
    /// Messages of theirs that may still go, if they come back or are called again.
    pub carried: Vec<MessagePlace>,
    /// Messages of theirs that may come back, and the packet that said something else: it did so even if a later one, which took its
    /// place, is cancelled.
    pub withdrawn: Vec<(MessagePlace, PacketId)>,
}

impl HeldRow {
    /// The packets that said something else than a message of a row before it.
    pub(crate) fn withdrawn(&self, message: MessagePlace) -> impl Iterator<Item = PacketId> {
        let all = self.before.iter().flat_map(|before| &before.withdrawn);
        all.filter(move |(withdrawn, _)| *withdrawn == message).map(|(_, by)| *by)
    }

    /// Whether a message of a row before it goes on for this one.
    pub(crate) fn carries(&self, message: MessagePlace) -> bool {
        self.before.as_ref().is_some_and(|before| before.carried.contains(&message))
    }
}
