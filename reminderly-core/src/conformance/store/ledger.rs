//! Short ways to let packets say something about appointments.

use super::bench::{Answered as _, Bench, Placed};
use super::values::{key, sms};
use crate::domain::appointment::Appointment;
use crate::domain::appointment_change::{AppointmentChange, RowFacts, compare};
use crate::domain::caps::Caps;
use crate::domain::held_appointment::{HeldAppointment, RowFingerprint, RowPlace};
use crate::domain::message::{Origin, PlannedMessage};
use crate::domain::packet::PacketStage;
use crate::domain::row::RowNumber;
use crate::ids::PacketId;
use crate::ports::store::{ExpectedAppointment, PlanBatch, PlanOutcome, PlannedAppointment, WriteOutcome};

/// What a row of one packet says: whom it is about, when the appointment is, and what else, as a digest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saying {
    /// The number behind key, person and contact point.
    pub(super) n: u64,
    /// Hours after the noon.
    pub(super) hour: i64,
    /// All the rest.
    pub(super) digest: u8,
}

impl Saying {
    pub(super) fn appointment(self, bench: &Bench) -> Appointment {
        Appointment::new(bench.at(self.hour * 60).naive_utc(), chrono_tz::UTC)
    }

    pub(super) const fn fingerprint(self) -> RowFingerprint {
        let hour = self.hour.to_be_bytes();
        let mut bytes = [self.digest; 16];
        (bytes[0], bytes[1]) = (hour[6], hour[7]);
        RowFingerprint(bytes)
    }
}

/// A new appointment on the day after the next.
pub(super) fn saying(n: u64) -> Saying {
    Saying { n, hour: 48, digest: 1 }
}

impl Bench {
    /// A packet of the campaign that is loaded with one row, and younger than those before it.
    pub(super) async fn later_file(&self) -> PacketId {
        let serial = self.serial();
        let packet = self.create(self.file(serial)).await;
        self.raise(packet, PacketStage::Ingested).await;
        let batch = Self::row_batch(0, vec![super::values::row(1)], Vec::new());
        let appended = self.store.append_rows(self.company, packet, batch).await.answered();
        assert_eq!(appended, WriteOutcome::Applied);
        self.raise(packet, PacketStage::Loaded).await;
        packet
    }

    pub(super) async fn held(&self, n: u64) -> Vec<HeldAppointment> {
        let keys = [key(n)];
        let held = self.store.appointments(self.company, self.campaign, &keys).await.answered();
        held.into_iter().next().expect("one answer for each key")
    }

    /// The message of a row that says so; due since eleven o'clock.
    pub(super) fn message_of(&self, packet: PacketId, row: u64, saying: Saying) -> PlannedMessage {
        let mut planned = self.message(packet, row, saying.n);
        planned.message.appointment = Some(saying.appointment(self));
        planned
    }

    /// A batch of one row for each message, decided on `held`.
    pub(super) fn batch_of(
        &self,
        packet: PacketId,
        held: &[HeldAppointment],
        says: Saying,
        messages: Vec<PlannedMessage>,
    ) -> PlanBatch {
        let appointment = says.appointment(self);
        let place = RowPlace { packet, row: RowNumber(1) };
        let facts = RowFacts { place, fingerprint: says.fingerprint(), appointment };
        let change = compare(packet, held, &[facts])[0];
        let planned = PlannedAppointment {
            row: RowNumber(1),
            key: key(says.n),
            appointment,
            fingerprint: says.fingerprint(),
            change,
        };
        let expected = ExpectedAppointment { key: key(says.n), held: held.to_vec() };
        PlanBatch {
            after: RowNumber(0),
            through: RowNumber(1),
            messages,
            appointments: vec![planned],
            expected: if held.is_empty() { Vec::new() } else { vec![expected] },
            failed: Vec::new(),
            named: Vec::new(),
            caps: Caps::default(),
            at: self.now,
        }
    }

    pub(super) async fn plan_batch(&self, packet: PacketId, batch: PlanBatch) -> PlanOutcome {
        self.store.plan(self.company, packet, batch).await.answered()
    }

    /// A later packet says something about an appointment, with one message, and is queued.
    pub(super) async fn say(&self, says: Saying) -> (Placed, PlanOutcome) {
        let packet = self.later_file().await;
        let held = self.held(says.n).await;
        let message = self.message_of(packet, 1, says);
        let placed = self.place(packet, &message, says.n);
        let outcome = self.plan_batch(packet, self.batch_of(packet, &held, says, vec![message])).await;
        self.raise(packet, PacketStage::Queued).await;
        (placed, outcome)
    }

    /// The same, if it is the first to speak for the appointment.
    pub(super) async fn say_first(&self, says: Saying) -> Placed {
        let (placed, outcome) = self.say(says).await;
        assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
        placed
    }

    /// What the latest comparison of `says` with the ledger gives in a packet that is younger than all.
    pub(super) async fn change_of(&self, says: Saying) -> AppointmentChange {
        let packet = self.later_file().await;
        let held = self.held(says.n).await;
        self.batch_of(packet, &held, says, Vec::new()).appointments[0].change
    }

    /// The message that corrects whoever was told what `of` said.
    pub(super) fn correction(&self, packet: PacketId, of: &Placed, says: Saying) -> PlannedMessage {
        let mut planned = self.message_of(packet, 1, says);
        let of = RowPlace { packet: of.packet, row: RowNumber(1) };
        planned.message.origin = Origin::Correction { row: RowNumber(1), of };
        planned.message.contact = Some(sms(says.n));
        planned
    }
}
