//! A company that looks exactly like that of the case, and must stay untouched.

use super::bench::{Answered as _, Bench, Placed};
use super::ledger::{Saying, saying};
use super::values::{number, person, sms};
use crate::domain::attempt::Attempt;
use crate::domain::campaign::lifecycle::Campaign;
use crate::domain::contact_point::ContactPoint;
use crate::domain::held_appointment::HeldAppointment;
use crate::domain::incoming::{Answerable, IncomingRecord, Question, QuestionOption};
use crate::domain::message::MessageRecord;
use crate::domain::message_status::{MessageStatus, Transition};
use crate::domain::packet::Packet;
use crate::domain::report::{IncomingCounts, PacketCounts};
use crate::domain::response::ResponseKind;
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe};
use crate::ports::store::IncomingOutcome;

/// The most of anything that a decoy has.
const ALL: usize = 100;

/// A company with the same natural keys as the company of a case, in other states.
#[derive(Debug)]
pub struct Decoy {
    bench: Bench,
    before: Snapshot,
}

/// All that the store says about a company.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    campaigns: Vec<Campaign>,
    packets: Vec<PacketSnapshot>,
    incoming: Vec<IncomingRecord>,
    incoming_counts: IncomingCounts,
    refused: Vec<bool>,
    unsubscribes: Vec<Vec<Unsubscribe>>,
    contacts: Vec<Vec<ContactPoint>>,
    answerable: Vec<Vec<Answerable>>,
    appointments: Vec<Vec<HeldAppointment>>,
    questions: Vec<Option<Question>>,
}

#[derive(Debug, PartialEq)]
struct PacketSnapshot {
    packet: Packet,
    rows: Vec<Row>,
    rejected: Vec<RejectedRow>,
    messages: Vec<MessageRecord>,
    attempts: Vec<Vec<Attempt>>,
    histories: Vec<Vec<Transition>>,
    counts: PacketCounts,
    recount: PacketCounts,
}

impl Decoy {
    /// A decoy in the store of the bench.
    pub async fn new(own: &Bench) -> Self {
        let bench = own.beside().await;
        let statuses = [
            MessageStatus::Planned,
            MessageStatus::Queued,
            MessageStatus::Sending,
            MessageStatus::Sent,
            MessageStatus::Unknown,
        ];
        let mut last: Option<Placed> = None;
        for status in statuses {
            let placed = bench.in_status(status).await;
            if status == MessageStatus::Sent {
                last = Some(placed);
            }
        }
        let sent = last.expect("one was sent");
        let outcome = bench.take_in(bench.answer(&sent, ResponseKind::Confirmed, 3)).await;
        assert_eq!(outcome, IncomingOutcome::Recorded);
        // A row speaks for an appointment, and one that it replaced was told.
        let told = bench.say_first(saying(1)).await;
        bench.hand_over(told.packet).await;
        bench.must_claim(&told).await;
        bench.say(Saying { hour: 60, ..saying(1) }).await;
        bench.say_first(saying(3)).await;
        for n in [1, 2, 3] {
            bench.opt_out(RefusalKey::Number(number(n))).await;
            bench.opt_out(RefusalKey::Person(person(n + 1))).await;
        }
        let mut asked = bench.incoming(2);
        let options = vec![QuestionOption::One { key: super::values::key(2), person: person(2) }];
        let (packet, message) = (sent.packet, sent.message);
        let expires_at = bench.at(600);
        let kind = ResponseKind::Cancelled;
        asked.effect.question =
            Some(Question { incoming: asked.id, kind, options, packet, message, expires_at });
        assert_eq!(bench.take_in(asked).await, IncomingOutcome::Recorded);
        let before = Snapshot::of(&bench).await;
        Self { bench, before }
    }

    /// Panics if anything of the decoy has changed.
    pub async fn assert_untouched(&self) {
        assert!(
            Snapshot::of(&self.bench).await == self.before,
            "the case has changed another company's data"
        );
    }
}

impl Snapshot {
    pub(super) async fn of(bench: &Bench) -> Self {
        let (store, company) = (&bench.store, bench.company);
        let campaigns = store.campaigns(company, None, ALL).await.answered().items;
        let mut packets = Vec::new();
        for campaign in &campaigns {
            for packet in store.packets(company, campaign.id, None, ALL).await.answered().items {
                packets.push(PacketSnapshot::of(bench, packet).await);
            }
        }
        let mut unsubscribes = Vec::new();
        let mut contacts = Vec::new();
        let mut answerable = Vec::new();
        let mut questions = Vec::new();
        let keys: Vec<RefusalKey> =
            (1..=8).flat_map(|n| [RefusalKey::Number(number(n)), RefusalKey::Person(person(n))]).collect();
        for key in &keys {
            unsubscribes.push(store.unsubscribe_events(company, key).await.answered());
        }
        let mut appointments = Vec::new();
        for campaign in &campaigns {
            let keys: Vec<_> = (1..=8).map(super::values::key).collect();
            appointments.extend(store.appointments(company, campaign.id, &keys).await.answered());
        }
        for n in 1..=8 {
            contacts.push(store.contact_points_of(company, &person(n)).await.answered());
            answerable.push(store.answerable(company, &sms(n), bench.now).await.answered());
            questions.push(store.open_question(company, &sms(n), bench.now).await.answered());
        }
        Self {
            incoming: store.incoming(company, None, ALL).await.answered().items,
            incoming_counts: store.incoming_counts(company).await.answered(),
            refused: store.refused(company, &keys).await.answered(),
            campaigns,
            packets,
            unsubscribes,
            contacts,
            answerable,
            appointments,
            questions,
        }
    }
}

impl PacketSnapshot {
    async fn of(bench: &Bench, packet: Packet) -> Self {
        let (store, company, id) = (&bench.store, bench.company, packet.id);
        let messages = store.messages(company, id, None, ALL).await.answered().items;
        let mut attempts = Vec::new();
        let mut histories = Vec::new();
        for record in &messages {
            attempts.push(store.attempts(company, id, record.message.id).await.answered());
            histories.push(store.history(company, id, record.message.id).await.answered());
        }
        Self {
            rows: store.rows(company, id, RowNumber(0), ALL).await.answered().items,
            rejected: store.rejected(company, id, RowNumber(0), ALL).await.answered().items,
            counts: store.packet_counts(company, id).await.answered(),
            recount: store.recount_packet(company, id).await.answered(),
            packet,
            messages,
            attempts,
            histories,
        }
    }
}
