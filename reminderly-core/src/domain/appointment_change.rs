//! What the rows of a file change about appointments that earlier files named (planning rule 7).

#[cfg(test)]
mod tests;

use std::fmt;

use crate::domain::appointment::Appointment;
use crate::domain::held_appointment::{HeldAppointment, RowFingerprint, RowPlace, Standing};
use crate::ids::PacketId;

/// What a row changes about an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppointmentChange {
    /// No earlier row speaks for it.
    New,
    /// The row says what this one says: nothing new is planned.
    Unchanged(RowPlace),
    /// The same time, but something else is different, or what this row planned did not go: its unsent messages are
    /// superseded.
    Amended(RowPlace),
    /// Another time: its unsent messages are superseded, and who was told the old time is corrected.
    Moved(RowPlace),
    /// A newer packet speaks for it, through this row.
    Stale(RowPlace),
}

impl AppointmentChange {
    /// The row that this one takes the place of.
    pub const fn replaces(&self) -> Option<RowPlace> {
        match self {
            Self::Amended(place) | Self::Moved(place) => Some(*place),
            Self::New | Self::Unchanged(_) | Self::Stale(_) => None,
        }
    }

    /// The name in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged(_) => "unchanged",
            Self::Amended(_) => "amended",
            Self::Moved(_) => "moved",
            Self::Stale(_) => "stale",
        }
    }
}

impl fmt::Display for AppointmentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a row says about its appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowFacts {
    /// Where it stands.
    pub place: RowPlace,
    /// All that it says, as a digest.
    pub fingerprint: RowFingerprint,
    /// When the appointment is.
    pub appointment: Appointment,
}

/// Compares the rows of one key that a packet brings, in their order, with those that speak for the key now.
///
/// Mostly there is one of each. If a file names a key more than once, every row stands for an appointment of its own, and is
/// paired with the earlier row that is most like it: first those that say the same, then those of the same time, then whatever
/// is nearest in time. A row that repeats another one of its own packet is [`Unchanged`](AppointmentChange::Unchanged).
pub fn compare(packet: PacketId, held: &[HeldAppointment], rows: &[RowFacts]) -> Vec<AppointmentChange> {
    if let Some(newer) = held.iter().find(|row| row.standing != Standing::Cancelled && row.seen_in > packet) {
        return vec![AppointmentChange::Stale(newer.place); rows.len()];
    }
    let mut changes: Vec<Option<AppointmentChange>> = vec![None; rows.len()];
    // Rows of this packet, or that it has named already, are nobody's predecessors any more.
    let (own, mut older): (Vec<_>, Vec<_>) = held.iter().partition(|row| row.seen_in == packet);
    for (position, row) in rows.iter().enumerate() {
        let repeats = |other: &HeldAppointment| is_same(other, row);
        let earlier = rows.iter().take(position).find(|other| other.fingerprint == row.fingerprint);
        let repeated =
            own.iter().find(|other| repeats(other)).map(|row| row.place).or(earlier.map(|row| row.place));
        if let (Some(place), Some(change)) = (repeated, changes.get_mut(position)) {
            *change = Some(AppointmentChange::Unchanged(place));
        }
    }
    let mut pair = |likes: fn(&HeldAppointment, &RowFacts) -> bool,
                    makes: fn(RowPlace) -> AppointmentChange| {
        for (row, change) in rows.iter().zip(&mut changes).filter(|(_, change)| change.is_none()) {
            let like = older.iter().enumerate().filter(|(_, old)| likes(old, row));
            let nearest = like.min_by_key(|(_, old)| (old.appointment.at - row.appointment.at).abs());
            if let Some(position) = nearest.map(|(position, _)| position) {
                *change = Some(makes(older.remove(position).place));
            }
        }
    };
    pair(is_same, AppointmentChange::Unchanged);
    pair(|old, row| old.appointment == row.appointment, AppointmentChange::Amended);
    pair(|_, _| true, AppointmentChange::Moved);
    changes.into_iter().map(|change| change.unwrap_or(AppointmentChange::New)).collect()
}

fn is_same(held: &HeldAppointment, row: &RowFacts) -> bool {
    held.standing == Standing::Live && held.fingerprint == row.fingerprint
}
