//! Which row speaks for an appointment, and what people were told before.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::appointment::Appointment;
use crate::domain::contact_point::ContactPoint;
use crate::domain::row::RowNumber;
use crate::ids::PacketId;

/// A row of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowPlace {
    /// The packet.
    pub packet: PacketId,
    /// Its row.
    pub row: RowNumber,
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {}, row {}", self.packet, self.row)
    }
}

/// The first 128 bits of the SHA-256 of all that was mapped from a row: two rows that mean the same have the same, wherever
/// they stand and whatever the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowFingerprint(pub [u8; 16]);

/// The row that speaks for an appointment: the latest file of the campaign that said something new about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAppointment {
    /// Where it stands. Its messages are the current ones.
    pub place: RowPlace,
    /// What it says, as a digest.
    pub fingerprint: RowFingerprint,
    /// When it says that the appointment is.
    pub appointment: Appointment,
    /// The latest packet that named the appointment, or that was to name it and did not. Once that one is cancelled, which says
    /// nothing any more, the packet in which the row stands.
    pub seen_in: PacketId,
    /// Whether it still stands.
    pub standing: Standing,
    /// What people may believe, by contact point and in its order: the latest that each was told, by this row or by one that
    /// it replaced.
    pub told: Vec<Told>,
}

/// Whether a row that speaks for an appointment still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It does: who says the same says nothing new.
    Live,
    /// One of its messages ended unsent for a reason that may have passed since: a refusal, a cap, a failure, a cancellation.
    /// Who says the same is planned again.
    Lapsed,
    /// A later file did not name the appointment, and the campaign cancels what vanishes.
    Vanished,
    /// Its packet is being cancelled, or was.
    Cancelled,
}

/// What a contact point was, or may have been, told about an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where the message went.
    pub contact: ContactPoint,
    /// The appointment that it named.
    pub appointment: Appointment,
    /// When the latest attempt was made that may have been accepted.
    pub at: DateTime<Utc>,
}
