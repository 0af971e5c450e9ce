//! Counters, held against a recount after random operations.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::bench::{Answered as _, Bench, Placed};
use super::sending::{accepted, ambiguous, refused_for_good, undelivered};
use super::values::{number, own_answer, person, reference, rejected, row};
use crate::domain::appointment_change::{RowFacts, compare};
use crate::domain::attempt::ReturnReason;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::caps::Caps;
use crate::domain::disposition::AttemptReport;
use crate::domain::held_appointment::{RowFingerprint, RowPlace};
use crate::domain::message::{PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::response::ResponseKind;
use crate::domain::row::{RowFault, RowNumber};
use crate::domain::skip_reason::SkipReason;
use crate::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use crate::ids::PacketId;
use crate::ports::store::{
    ClaimOutcome, CloseVerdict, ExpectedAppointment, HandOver, PacketCreation, PlanBatch, PlannedAppointment,
    SettleVerdict, Snooze, SnoozeUntil, StoreError, WriteOutcome,
};

const OPERATIONS: usize = 500;
/// Every so many operations all packets are counted anew, and the one in hand after each.
const FULL_COUNT: usize = 10;
const PERSONS: u64 = 30;

/// A packet of which nothing has come counts nothing.
pub async fn a_new_packet_counts_nothing(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Prepared).await;
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!(counts, crate::domain::report::PacketCounts::default());
    assert_eq!(bench.store.recount_packet(bench.company, packet).await.answered(), counts);
}

/// Counts of what does not exist are missing, not zero.
pub async fn counts_of_a_missing_packet_are_missing(bench: &Bench) {
    let counts = bench.store.packet_counts(bench.company, bench.id()).await;
    assert!(matches!(counts, Err(StoreError::Missing { .. })), "{counts:?}");
    let counts = bench.store.recount_packet(bench.company, bench.id()).await;
    assert!(matches!(counts, Err(StoreError::Missing { .. })), "{counts:?}");
}

/// Every status is counted where it is, and the ledger closes.
pub async fn every_status_is_counted(bench: &Bench) {
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        let counts = bench.store.packet_counts(bench.company, placed.packet).await.answered();
        assert_eq!(counts.messages.into_iter().collect::<Vec<_>>(), [(status, 1)]);
        assert_eq!(counts.open, u64::from(status.is_open()));
        assert_packet(bench, placed.packet).await;
    }
}

/// After every one of some hundred random operations the counters are those of a recount, and the ledger closes.
pub async fn counters_hold_under_random_operations(bench: &Bench) {
    run(bench, 1).await;
}

/// The same, along another way.
pub async fn counters_hold_under_other_random_operations(bench: &Bench) {
    run(bench, 2).await;
}

/// The same, along a third way.
pub async fn counters_hold_under_still_other_random_operations(bench: &Bench) {
    run(bench, 3).await;
}

struct Walk<'a> {
    bench: &'a Bench,
    random: SmallRng,
    packets: Vec<PacketId>,
    messages: Vec<Placed>,
    minutes: i64,
}

async fn run(bench: &Bench, seed: u64) {
    let random = SmallRng::seed_from_u64(seed);
    let mut walk = Walk { bench, random, packets: Vec::new(), messages: Vec::new(), minutes: 0 };
    walk.load().await;
    for operation in 1..=OPERATIONS {
        for packet in walk.step().await {
            assert_packet(bench, packet).await;
        }
        if operation % FULL_COUNT == 0 {
            for packet in &walk.packets {
                assert_packet(bench, *packet).await;
            }
        }
    }
    let mut statuses = BTreeSet::new();
    for placed in &walk.messages {
        let record = bench.store.message(bench.company, placed.packet, placed.message).await.answered();
        if record.is_some() {
            statuses.extend(assert_history(bench, placed).await);
        }
    }
    assert!(statuses.len() >= 9, "the walk has seen little: {statuses:?}");
}

impl Walk<'_> {
    /// One operation; the packets that it may have been about.
    async fn step(&mut self) -> [PacketId; 2] {
        self.minutes += i64::from(self.random.random_bool(0.2));
        let (placed, attempted) = (self.any(), self.any_attempted());
        match self.random.random_range(0..24) {
            0 if self.random.random_bool(0.5) => self.load().await,
            0..=4 => self.hand_over(placed.packet).await,
            5..=9 => {
                for _ in 0..6 {
                    let placed = self.any();
                    self.claim(placed).await;
                }
            }
            10..=14 => self.settle(attempted).await,
            15 => self.snooze(placed).await,
            16 => drop(self.bench.close(&placed, self.close_verdict()).await),
            17 if self.random.random_bool(0.2) => {
                let at = self.bench.at(self.minutes);
                self.bench.store.cancel_open(self.bench.company, placed.packet, at, 1).await.answered();
            }
            17 | 18 => self.report(attempted).await,
            19 | 20 => self.answer(placed).await,
            21 => self.follow_up().await,
            22 => self.will().await,
            _ => self.switch(placed.packet).await,
        }
        [placed.packet, attempted.packet]
    }

    fn any(&mut self) -> Placed {
        let from = if self.random.random_bool(0.8) { self.messages.len().saturating_sub(6) } else { 0 };
        let index = self.random.random_range(from..self.messages.len());
        self.messages[index]
    }

    /// Mostly one that was claimed.
    fn any_attempted(&mut self) -> Placed {
        let attempted: Vec<Placed> =
            self.messages.iter().filter(|placed| placed.epoch > 0).copied().collect();
        if attempted.is_empty() || self.random.random_bool(0.1) {
            return self.any();
        }
        attempted[self.random.random_range(0..attempted.len())]
    }

    /// A new file: rows, rejections, messages of every kind.
    async fn load(&mut self) {
        let (bench, content) = (self.bench, self.bench.serial());
        let packet = bench.create(bench.file(content)).await;
        bench.raise(packet, PacketStage::Ingested).await;
        let bad = vec![rejected(9, RowFault::FieldCount)];
        let batch = Bench::row_batch(0, (1..=8).map(row).collect(), bad);
        let appended = bench.store.append_rows(bench.company, packet, batch).await.answered();
        assert_eq!(appended, WriteOutcome::Applied);
        bench.raise(packet, PacketStage::Loaded).await;
        let mut messages = Vec::new();
        for row in 1..=7 {
            let n = self.random.random_range(1..=PERSONS);
            let minutes = self.random.random_range(-300..60);
            let mut planned = bench.message_at(packet, row, n, minutes);
            if self.random.random_bool(0.2) {
                planned.verdict = PlanVerdict::Skip(SkipReason::NoLegalInstant);
            }
            self.messages.push(bench.place(packet, &planned, n));
            messages.push(planned);
            if self.random.random_bool(0.3) {
                messages.push(bench.e_mail(packet, row, n));
            }
        }
        let failed = vec![rejected(8, RowFault::InvalidDate)];
        let (after, through) = (RowNumber(0), RowNumber(9));
        let (appointments, expected) = self.compare(packet, &messages).await;
        let named = Vec::new();
        let caps = Caps { per_day: NonZeroU32::new(2), per_week: NonZeroU32::new(5) };
        let at = bench.now;
        let batch = PlanBatch { after, through, messages, appointments, expected, failed, named, caps, at };
        bench.store.plan(bench.company, packet, batch).await.answered();
        bench.store.take_slots(bench.company, packet, at, 100).await.answered();
        bench.raise(packet, PacketStage::Queued).await;
        self.packets.push(packet);
    }

    /// What rows change that mostly say something new about an appointment that is known; each row of a key by itself.
    async fn compare(
        &mut self,
        packet: PacketId,
        messages: &[PlannedMessage],
    ) -> (Vec<PlannedAppointment>, Vec<ExpectedAppointment>) {
        let (mut appointments, mut expected) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for message in messages.iter().map(|planned| &planned.message) {
            let (Some(row), Some(appointment)) = (message.origin.row(), message.appointment) else {
                continue;
            };
            if !known.insert(message.key.clone()) {
                continue;
            }
            let keys = [message.key.clone()];
            let held =
                self.bench.store.appointments(self.bench.company, message.campaign, &keys).await.answered();
            let fingerprint = RowFingerprint([self.random.random_range(0..2); 16]);
            let facts = RowFacts { place: RowPlace { packet, row }, fingerprint, appointment };
            let [key] = keys;
            if !held[0].is_empty() {
                expected.push(ExpectedAppointment { key: key.clone(), held: held[0].clone() });
            }
            let change = compare(packet, &held[0], &[facts])[0];
            appointments.push(PlannedAppointment { row, key, appointment, fingerprint, change });
        }
        (appointments, expected)
    }

    async fn hand_over(&mut self, packet: PacketId) {
        let terms = HandOver {
            now: self.bench.at(self.minutes),
            copy_until: self.bench.at(self.minutes + 2),
            limit: self.random.random_range(1..6),
            max_copies: 6,
        };
        self.bench.hand_over_with(packet, terms).await;
    }

    async fn claim(&mut self, placed: Placed) {
        let again = Placed { attempt: self.bench.id(), ..placed };
        let terms = Bench::terms_at(self.bench.at(self.minutes));
        if let ClaimOutcome::Claimed(claimed) = self.bench.claim_with(&again, &terms).await {
            let attempt = claimed.attempt;
            for known in self.messages.iter_mut().filter(|known| known.message == placed.message) {
                (known.attempt, known.epoch) = (attempt, claimed.epoch);
            }
        }
    }

    async fn settle(&mut self, placed: Placed) {
        let not_before = self.bench.at(self.minutes + 1);
        let verdict = match self.random.random_range(0..11) {
            0 | 1 => accepted(),
            2 => SettleVerdict::RefusedForNow { code: "30001".to_owned(), not_before },
            3 => refused_for_good(),
            4 => SettleVerdict::Returned { reason: ReturnReason::Throttled, not_before },
            5 => ambiguous(),
            6 => SettleVerdict::Reaped,
            7 => SettleVerdict::Found { reference: reference("SM1"), accepted_at: self.bench.now },
            8 => SettleVerdict::ProvenAbsent,
            9 => SettleVerdict::RedialPermitted { not_before, legal_until: self.bench.at(self.minutes + 90) },
            _ if self.random.random_bool(0.5) => SettleVerdict::ResendPermitted,
            _ => SettleVerdict::GivenUp,
        };
        let epoch = if self.random.random_bool(0.9) { placed.epoch } else { placed.epoch + 1 };
        self.bench.settle(&Placed { epoch, ..placed }, verdict).await;
    }

    async fn snooze(&mut self, placed: Placed) {
        let at = self.bench.at(self.minutes);
        let (not_before, legal_until) = (self.bench.at(self.minutes + 2), self.bench.at(self.minutes + 90));
        let until = match self.random.random_range(0..3_u8) {
            0 => SnoozeUntil::Unchanged,
            1 => SnoozeUntil::NotBefore(not_before),
            _ => SnoozeUntil::Planned { not_before, legal_until },
        };
        let snooze = Snooze { message: placed.message, until, reason: "throttled".into(), at };
        let snoozed = self.bench.store.snooze(self.bench.company, placed.packet, &[snooze]).await;
        snoozed.answered().into_vec();
    }

    fn close_verdict(&mut self) -> CloseVerdict {
        if self.random.random_bool(0.5) {
            CloseVerdict::Expired
        } else {
            CloseVerdict::Skipped(SkipReason::Unsubscribed)
        }
    }

    async fn report(&mut self, placed: Placed) {
        let report = match self.random.random_range(0..5) {
            0 => AttemptReport::Sent,
            1 => undelivered("30003"),
            2 => AttemptReport::Delivered,
            3 => AttemptReport::Busy,
            _ => AttemptReport::Complained,
        };
        let event = format!("D-{}", self.random.random_range(0..50));
        self.bench.report(&placed, &event, report).await;
    }

    async fn answer(&mut self, placed: Placed) {
        let own = [own_answer("positive"), own_answer("negative")];
        let kinds: Vec<_> = ResponseKind::ALL.into_iter().chain(own).collect();
        let kind = kinds[self.random.random_range(0..kinds.len())];
        self.bench.take_in(self.bench.answer(&placed, kind, self.minutes)).await;
    }

    async fn follow_up(&mut self) {
        let new = crate::ports::store::NewPacket {
            origin: crate::domain::packet::PacketOrigin::FollowUp,
            ..self.bench.file(0)
        };
        let packet = match self.bench.store.create_packet(self.bench.company, new).await.answered() {
            PacketCreation::Created(packet) => {
                self.packets.push(packet.id);
                packet.id
            }
            PacketCreation::Exists(packet) => packet.id,
            PacketCreation::NotNewest(_) | PacketCreation::CampaignArchived => return,
        };
        let n = self.random.random_range(1..=PERSONS);
        let mut record = self.bench.incoming(n);
        let follow_up = self.bench.follow_up(packet, record.id, n);
        self.messages.push(self.bench.place(packet, &follow_up, n));
        record.effect.follow_up = Some(follow_up);
        self.bench.take_in(record).await;
        if self.bench.packet(packet).await.stage == PacketStage::Mapped {
            self.bench.raise(packet, PacketStage::Queued).await;
        }
    }

    async fn will(&mut self) {
        let n = self.random.random_range(1..=PERSONS);
        let key = if self.random.random_bool(0.5) {
            RefusalKey::Number(number(n))
        } else {
            RefusalKey::Person(person(n))
        };
        let out = self.random.random_bool(0.4);
        let change = if out { UnsubscribeChange::OptedOut } else { UnsubscribeChange::OptedIn };
        self.bench.tell(&[self.bench.will(key, change, self.minutes)]).await;
    }

    /// Stops something and lets it go on again, with a claim and a hand-over in between.
    async fn switch(&mut self, packet: PacketId) {
        let (bench, placed) = (self.bench, self.any());
        if self.random.random_bool(0.5) {
            bench.pause().await;
            self.claim(placed).await;
            bench.change_state(bench.campaign, CampaignState::Paused, CampaignState::Active).await;
        } else {
            bench.store.set_draining(bench.company, packet, Draining::Completing).await.answered();
            self.hand_over(packet).await;
            bench.store.set_draining(bench.company, packet, Draining::Off).await.answered();
        }
    }
}

pub(super) async fn assert_packet(bench: &Bench, packet: PacketId) {
    let kept = bench.store.packet_counts(bench.company, packet).await.answered();
    let counted = bench.store.recount_packet(bench.company, packet).await.answered();
    assert_eq!(kept, counted, "the kept counters are on the left");
    assert_eq!(kept.ledger().gaps(), [], "{:?}", kept.ledger());
}

/// Every status that the message had follows from the one before by the transition table; which they were.
async fn assert_history(bench: &Bench, placed: &Placed) -> Vec<MessageStatus> {
    let history = bench.store.history(bench.company, placed.packet, placed.message).await.answered();
    let mut status = history.first().map(|entry| entry.from);
    for entry in &history {
        assert_eq!(Some(entry.from), status);
        assert_eq!(entry.from.after(entry.event), Some(entry.to));
        status = Some(entry.to);
    }
    let now = bench.status(placed).await;
    assert_eq!(status.unwrap_or(now), now, "a status changes by a transition only");
    history.iter().map(|entry| entry.to).collect()
}
