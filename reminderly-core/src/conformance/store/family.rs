//! Short ways to plan a household: two children whose appointments are on one day, and one number.

use super::bench::{Answered as _, Bench, Placed};
use super::capped::{batch, take_all};
use super::ledger::{Saying, saying};
use super::values::{key, sms};
use crate::domain::appointment_change::AppointmentChange;
use crate::domain::caps::Caps;
use crate::domain::household::{Candidate, HouseholdKey, Member};
use crate::domain::message::{Message, Origin, PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::PacketStage;
use crate::domain::row::RowNumber;
use crate::domain::window::LegalInterval;
use crate::ids::PacketId;
use crate::ports::store::{PlanBatch, PlanOutcome, PlannedAppointment, SettleVerdict, WriteOutcome};

/// More than a case has.
pub(super) const ALL: usize = 100;

/// Two children and the message that names both. The number of the first is behind the contact point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) packet: PacketId,
    pub(super) household: Placed,
    pub(super) children: [Placed; 2],
}

/// What the row of a child says: appointments an hour apart, on the day after the next.
pub(super) fn child(n: u64, position: u64) -> Saying {
    Saying { hour: 48 + i64::try_from(position).expect("few children"), ..saying(n + position) }
}

/// The message of a child alone, due at `minutes`.
pub(super) fn alone(bench: &Bench, packet: PacketId, n: u64, position: u64, minutes: i64) -> PlannedMessage {
    let mut planned = bench.message_at(packet, position + 1, n + position, minutes);
    planned.message.contact = Some(sms(n));
    planned.message.appointment = Some(child(n, position).appointment(bench));
    planned
}

/// One message instead of these: as the first goes.
pub(super) fn together(bench: &Bench, members: &[PlannedMessage]) -> PlannedMessage {
    let first = members.first().expect("a member");
    let member = |planned: &PlannedMessage| Member {
        message: planned.message.id,
        row: planned.message.origin.row().expect("a row"),
        key: planned.message.key.clone(),
        person: planned.message.person.clone().expect("a person"),
        appointment: planned.message.appointment.expect("an appointment"),
    };
    let origin = Origin::Household { entry: 0, members: members.iter().map(member).collect() };
    let message = Message { id: bench.id(), origin, ..first.message.clone() };
    PlannedMessage { message, ..first.clone() }
}

/// A candidate as it was planned.
fn as_planned(candidate: Candidate) -> PlannedMessage {
    let state = candidate.record.state;
    let at = state.planned_at.expect("it is planned");
    let legal = LegalInterval { from: at, until: state.legal_until.expect("it is planned") };
    PlannedMessage { message: candidate.record.message, verdict: PlanVerdict::Send { at, legal } }
}

impl Bench {
    /// Plans rows that are new to the ledger.
    pub(super) async fn plan_children(&self, packet: PacketId, caps: Caps, children: &[PlannedMessage]) {
        let appointment = |planned: &PlannedMessage| {
            let message = &planned.message;
            Some(PlannedAppointment {
                row: message.origin.row()?,
                key: message.key.clone(),
                appointment: message.appointment?,
                fingerprint: saying(0).fingerprint(),
                change: AppointmentChange::New,
            })
        };
        let appointments = children.iter().filter_map(appointment).collect();
        let last = children.iter().filter_map(|planned| planned.message.origin.row()).max();
        let through = last.unwrap_or_default().0;
        let batch = PlanBatch { appointments, ..batch(self, caps, (0, through), children.to_vec()) };
        assert_eq!(self.plan_batch(packet, batch).await, PlanOutcome::Stored { duplicates: 0 });
    }

    pub(super) async fn take_in_household(&self, packet: PacketId, message: PlannedMessage) -> WriteOutcome {
        let outcomes = self.store.plan_households(self.company, packet, vec![message], self.now).await;
        outcomes.answered().into_vec().remove(0)
    }

    /// Makes one message of whatever may be told together.
    pub(super) async fn take_in_households(&self, packet: PacketId) -> Vec<Placed> {
        let mut placed = Vec::new();
        for candidates in self.candidates(packet, ALL).await {
            let members: Vec<PlannedMessage> = candidates.into_iter().map(as_planned).collect();
            let household = together(self, &members);
            placed.push(self.place(packet, &household, 1));
            assert_eq!(self.take_in_household(packet, household).await, WriteOutcome::Applied);
        }
        placed
    }

    /// A household whose messages are due at `minutes`, with caps, in a packet that is still being mapped.
    pub(super) async fn planned_family(&self, caps: Caps, minutes: i64) -> Family {
        let n = self.serial() + 1_000;
        self.serial();
        let packet = self.loaded(2).await;
        let children = [0, 1].map(|position| alone(self, packet, n, position, minutes));
        self.plan_children(packet, caps, &children).await;
        let household = together(self, &children);
        let family = Family {
            packet,
            household: self.place(packet, &household, n),
            children: [self.place(packet, &children[0], n), self.place(packet, &children[1], n + 1)],
        };
        assert_eq!(self.take_in_household(packet, household).await, WriteOutcome::Applied);
        if !caps.is_none() {
            take_all(self, packet, ALL).await;
        }
        family
    }

    /// The same in a packet that is queued.
    pub(super) async fn family(&self, caps: Caps, minutes: i64) -> Family {
        let family = self.planned_family(caps, minutes).await;
        self.raise(family.packet, PacketStage::Queued).await;
        family
    }

    /// A household's message that is claimed.
    pub(super) async fn sending_family(&self) -> Family {
        let family = self.family(Caps::default(), -60).await;
        let due = self.hand_over(family.packet).await.due;
        assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [family.household.message]);
        let epoch = self.must_claim(&family.household).await.epoch;
        Family { household: Placed { epoch, ..family.household }, ..family }
    }

    /// A household that is told.
    pub(super) async fn told_family(&self) -> Family {
        let family = self.sending_family().await;
        let accepted = SettleVerdict::Accepted { reference: None };
        self.must_settle(&family.household, accepted, MessageStatus::Sent).await;
        family
    }

    pub(super) async fn candidates(&self, packet: PacketId, limit: usize) -> Vec<Vec<Candidate>> {
        let (mut all, mut after): (Vec<_>, Option<HouseholdKey>) = (Vec::new(), None);
        loop {
            let page = self.store.household_candidates(self.company, packet, after, limit).await.answered();
            assert!(page.items.len() <= limit);
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    pub(super) async fn statuses(&self, family: &Family) -> [MessageStatus; 3] {
        let [one, other] = family.children;
        [self.status(&family.household).await, self.status(&one).await, self.status(&other).await]
    }
}

/// The row of a child in the packet of its family.
pub(super) fn row_of(position: u64) -> RowNumber {
    RowNumber(position + 1)
}

/// The keys of a family's appointments.
pub(super) fn keys(family: &Family) -> Vec<crate::domain::appointment_key::AppointmentKey> {
    family.children.iter().map(|child| key(child.n)).collect()
}
