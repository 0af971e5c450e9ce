//! Digests that stand for values in indexes: so no message of the server shows one, and a key has one length.

use chrono::{DateTime, Utc};
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::message::NaturalKey;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::unsubscribe::RefusalKey;
use reminderly_core::storage::{AppointmentOf, IncomingEvent, PacketNaturalKey};
use sha2::{Digest as _, Sha256};

/// The first 128 bits of a SHA-256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u8; 16]);

impl Digest {
    /// Of parts, none of which can be taken for two.
    fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        let full: [u8; 32] = hasher.finalize().into();
        let mut digest = [0; 16];
        digest.copy_from_slice(full.split_at(16).0);
        Self(digest)
    }

    /// A digest as a column has it; `None` if it is none.
    pub(crate) fn of_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Which of so many locks stands for it.
    pub(crate) fn lock(&self, locks: u16) -> u16 {
        let [first, second, ..] = self.0;
        u16::from_be_bytes([first, second]) % locks
    }

    pub(crate) fn of_contact(contact: &ContactPoint) -> Self {
        Self::of([contact.method().as_str().as_bytes(), contact.address().as_bytes()])
    }

    pub(crate) fn of_person(person: &PersonKey) -> Self {
        Self::of([b"person".as_slice(), person.as_str().as_bytes()])
    }

    pub(crate) fn of_appointment(key: &AppointmentKey) -> Self {
        Self::of([b"appointment".as_slice(), key.as_str().as_bytes()])
    }

    pub(crate) fn of_refusal(key: &RefusalKey) -> Self {
        Self::of([key.kind().as_bytes(), key.value().as_bytes()])
    }

    pub(crate) fn of_natural_key(key: &NaturalKey) -> Self {
        let day = key.local_day.to_string();
        let contact = &key.contact;
        Self::of([
            key.key.as_str().as_bytes(),
            contact.method().as_str().as_bytes(),
            contact.address().as_bytes(),
            day.as_bytes(),
        ])
    }

    pub(crate) fn of_answer((key, person, at): &AppointmentOf) -> Self {
        let at = at.map(|at: DateTime<Utc>| at.timestamp_micros().to_be_bytes());
        let at = at.as_ref().map_or(&[][..], |at| at.as_slice());
        Self::of([key.as_str().as_bytes(), person.as_str().as_bytes(), at])
    }

    pub(crate) fn of_event((provider, event): &IncomingEvent) -> Self {
        Self::of([provider.0.as_bytes(), event.as_bytes()])
    }

    pub(crate) fn of_packet_key(key: &PacketNaturalKey) -> Self {
        match key {
            PacketNaturalKey::File(digest) => Self::of([b"file".as_slice(), digest.0.as_slice()]),
            PacketNaturalKey::Call(key) => Self::of([b"call".as_slice(), key.as_str().as_bytes()]),
            PacketNaturalKey::FollowUp(version) => {
                Self::of([b"follow-up".as_slice(), version.to_be_bytes().as_slice()])
            }
        }
    }
}
