//! What the cases have in common: a company with an active campaign, and short ways to bring things into any state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

use super::StoreHarness;
use super::values::{company, definition, digest, email, key, number, person, row};
use crate::domain::appointment::Appointment;
use crate::domain::attempt::Attempt;
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::domain::caps::Caps;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::file_arrival::FileArrival;
use crate::domain::language::Language;
use crate::domain::message::{MessageState, PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, IngestProgress, Packet, PacketFailure, PacketOrigin, PacketStage};
use crate::domain::phone_keys::PhoneKeys;
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::domain::window::LegalInterval;
use crate::ids::{AttemptId, CampaignId, CompanyId, IdSource, IdSourceExt as _, MessageId, PacketId};
use crate::ports::store::{
    CampaignChange, NewCampaign, NewPacket, PacketCreation, PlanBatch, PlanOutcome, RowBatch, StageChange,
    Store, StoreError, WriteOutcome,
};
use crate::testing::PlannedText;

/// A store, and in it a company that nothing but the case knows. It has a campaign that is active.
#[derive(Debug)]
pub struct Bench {
    pub(crate) store: Arc<dyn Store>,
    /// A noon.
    pub(crate) now: DateTime<Utc>,
    pub(crate) company: CompanyId,
    pub(crate) campaign: CampaignId,
    ids: Arc<dyn IdSource>,
    serial: AtomicU64,
    files: AtomicU64,
}

/// A message that has been brought somewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) packet: PacketId,
    pub(crate) message: MessageId,
    /// The attempt that claimed it, or one that nobody has made.
    pub(crate) attempt: AttemptId,
    /// The number of its latest attempt.
    pub(crate) epoch: u32,
    /// The number behind its key, person and contact point.
    pub(crate) n: u64,
}

/// What a case expects of a call that is not about failures.
pub(crate) trait Answered<T> {
    /// The answer.
    fn answered(self) -> T;
}

impl<T> Answered<T> for Result<T, StoreError> {
    #[track_caller]
    fn answered(self) -> T {
        self.expect("the store answers")
    }
}

impl Bench {
    /// A company of its own.
    pub async fn new(harness: &dyn StoreHarness) -> Self {
        Self::with(harness.store(), harness.ids(), harness.now()).await
    }

    /// Another company in the same store, made the same way.
    pub(crate) async fn beside(&self) -> Self {
        Self::with(Arc::clone(&self.store), Arc::clone(&self.ids), self.now).await
    }

    async fn with(store: Arc<dyn Store>, ids: Arc<dyn IdSource>, now: DateTime<Utc>) -> Self {
        let now = now.date_naive().and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(12);
        let (company_id, campaign) = (ids.next(now), ids.next(now));
        store.save_company_across_companies(&company(company_id)).await.answered();
        let bench = Self {
            store,
            now,
            company: company_id,
            campaign,
            ids,
            serial: AtomicU64::new(0),
            files: AtomicU64::new(0),
        };
        bench.new_campaign(campaign).await;
        bench.change_state(campaign, CampaignState::Draft, CampaignState::Active).await;
        bench
    }

    /// A new id.
    pub(crate) fn id<Id: From<Uuid>>(&self) -> Id {
        self.ids.next(self.now)
    }

    /// So many minutes after the noon.
    pub(crate) fn at(&self, minutes: i64) -> DateTime<Utc> {
        self.now + TimeDelta::minutes(minutes)
    }

    /// 1, 2, 3 …: what keys, persons and contact points are made of, the same in every company.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) async fn new_campaign(&self, id: CampaignId) -> Campaign {
        let campaign = NewCampaign { id, definition: definition("Reminders"), created_at: self.now };
        self.store.create_campaign(self.company, campaign).await.answered()
    }

    pub(crate) async fn change_state(&self, campaign: CampaignId, from: CampaignState, to: CampaignState) {
        let change = self.store.change_campaign_state(self.company, campaign, from, to).await.answered();
        assert!(matches!(change, CampaignChange::Changed(now) if now.state == to), "{from} to {to}");
    }

    pub(crate) async fn pause(&self) {
        self.change_state(self.campaign, CampaignState::Active, CampaignState::Paused).await;
    }

    /// A file of the campaign; the same number is the same content.
    pub(crate) fn file(&self, content: u64) -> NewPacket {
        let name = format!("appointments_{content}.csv").into();
        let age = i64::try_from(self.files.fetch_add(1, Ordering::Relaxed)).expect("few files");
        NewPacket {
            id: self.ids.next(self.now + TimeDelta::milliseconds(age)),
            campaign: self.campaign,
            campaign_version: 1,
            origin: PacketOrigin::File { name, digest: digest(content), arrival: FileArrival::HandedIn },
            created_at: self.now,
        }
    }

    pub(crate) async fn create(&self, packet: NewPacket) -> PacketId {
        match self.store.create_packet(self.company, packet).await.answered() {
            PacketCreation::Created(packet) => packet.id,
            other => panic!("not a new packet: {other:?}"),
        }
    }

    pub(crate) async fn follow_up_packet(&self) -> PacketId {
        let packet = NewPacket { origin: PacketOrigin::FollowUp, ..self.file(0) };
        self.create(packet).await
    }

    pub(crate) async fn packet(&self, packet: PacketId) -> Packet {
        self.store.packet(self.company, packet).await.answered().expect("the packet exists")
    }

    /// A new packet, brought to a stage, without rows.
    pub(crate) async fn packet_in(&self, stage: PacketStage) -> PacketId {
        let packet = self.create(self.file(self.serial())).await;
        self.raise(packet, stage).await;
        packet
    }

    /// Takes a packet along its lifecycle.
    pub(crate) async fn raise(&self, packet: PacketId, to: PacketStage) {
        use PacketStage as S;
        let mut from = self.packet(packet).await.stage;
        while from != to {
            let next = match (from, to) {
                (_, S::Failed | S::Cancelled) => to,
                (S::Prepared, _) => S::Ingested,
                (S::Ingested, _) => S::Loaded,
                (S::Loaded, _) => S::Mapped,
                (S::Mapped, _) => S::Queued,
                _ => {
                    self.drain(packet, Draining::Completing).await;
                    S::Complete
                }
            };
            assert_eq!(
                self.change_stage(packet, from, next).await,
                WriteOutcome::Applied,
                "{from} to {next}"
            );
            from = next;
        }
    }

    /// Sets a mark that the packet takes.
    pub(crate) async fn drain(&self, packet: PacketId, drain: Draining) {
        let outcome = self.store.set_draining(self.company, packet, drain).await.answered();
        assert_eq!(outcome, WriteOutcome::Applied, "{drain:?}");
    }

    pub(crate) async fn change_stage(
        &self,
        packet: PacketId,
        from: PacketStage,
        to: PacketStage,
    ) -> WriteOutcome {
        let failure = (to == PacketStage::Failed)
            .then(|| PacketFailure { stage: from, reason: "the source is gone".to_owned() });
        let change = StageChange { packet, from, to, failure, at: self.at(1) };
        self.store.change_stage(self.company, change).await.answered()
    }

    /// A batch of rows after `after`.
    pub(crate) fn row_batch(after: u64, rows: Vec<Row>, rejected: Vec<RejectedRow>) -> RowBatch {
        let last = rows.iter().map(|row| row.number).chain(rejected.iter().map(|row| row.row)).max();
        let through = last.unwrap_or(RowNumber(after));
        let progress = IngestProgress { through, offset: through.0 * 10, ..IngestProgress::default() };
        RowBatch { after: RowNumber(after), progress, rows, rejected }
    }

    /// A packet that is loaded with so many rows.
    pub(crate) async fn loaded(&self, rows: u64) -> PacketId {
        let packet = self.packet_in(PacketStage::Ingested).await;
        if rows > 0 {
            let batch = Self::row_batch(0, (1..=rows).map(row).collect(), Vec::new());
            let outcome = self.store.append_rows(self.company, packet, batch).await.answered();
            assert_eq!(outcome, WriteOutcome::Applied);
        }
        self.raise(packet, PacketStage::Loaded).await;
        packet
    }

    /// A message for a row, due since 11 o'clock and legal until 16 o'clock.
    pub(crate) fn message(&self, packet: PacketId, row: u64, n: u64) -> PlannedMessage {
        let legal = LegalInterval { from: self.at(-60), until: self.at(240) };
        let text = PlannedText {
            id: self.id(),
            packet,
            campaign: self.campaign,
            row: RowNumber(row),
            key: key(n),
            number: number(n),
            appointment: Appointment::new(self.at(48 * 60).naive_utc(), chrono_tz::UTC),
            text: "See you.".to_owned(),
            legal,
            created_at: self.now,
        };
        let mut planned = text.planned();
        planned.message.person = Some(person(n));
        planned.message.language = Some(Language::default());
        planned
    }

    /// The same as an e-mail.
    pub(crate) fn e_mail(&self, packet: PacketId, row: u64, n: u64) -> PlannedMessage {
        let mut planned = self.message(packet, row, n);
        planned.message.method = ContactMethod::Email;
        planned.message.contact = Some(email(n));
        planned.message.content =
            Some(Content::Email { subject: "Soon".into(), text: "See you.".into(), html: None });
        planned
    }

    /// The same as a phone call.
    pub(crate) fn phone_call(&self, packet: PacketId, row: u64, n: u64) -> PlannedMessage {
        let mut planned = self.message(packet, row, n);
        planned.message.method = ContactMethod::Phone;
        planned.message.contact = Some(ContactPoint::Phone(number(n)));
        planned.message.content = Some(Content::Phone {
            script: "See you.".into(),
            voicemail: None,
            keys: Arc::new(PhoneKeys::default()),
        });
        planned
    }

    /// The same for another instant: from then on for four hours.
    pub(crate) fn message_at(&self, packet: PacketId, row: u64, n: u64, minutes: i64) -> PlannedMessage {
        let legal = LegalInterval { from: self.at(minutes), until: self.at(minutes + 240) };
        let verdict = PlanVerdict::Send { at: legal.from, legal };
        PlannedMessage { verdict, ..self.message(packet, row, n) }
    }

    pub(crate) async fn plan(
        &self,
        packet: PacketId,
        after: u64,
        through: u64,
        messages: Vec<PlannedMessage>,
    ) -> PlanOutcome {
        let (after, through) = (RowNumber(after), RowNumber(through));
        let batch = PlanBatch {
            after,
            through,
            messages,
            appointments: Vec::new(),
            expected: Vec::new(),
            failed: Vec::new(),
            named: Vec::new(),
            caps: Caps::default(),
            at: self.now,
        };
        self.store.plan(self.company, packet, batch).await.answered()
    }

    /// Plans the messages of a loaded packet, one for each row, and takes the packet to `queued`.
    pub(crate) async fn queue(&self, packet: PacketId, messages: Vec<PlannedMessage>) {
        let rows = messages.iter().filter_map(|planned| planned.message.origin.row()).max();
        let outcome = self.plan(packet, 0, rows.map_or(0, |row| row.0), messages).await;
        assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
        self.raise(packet, PacketStage::Queued).await;
    }

    /// A queued packet with so many planned messages, all due.
    pub(crate) async fn queued(&self, count: u64) -> Vec<Placed> {
        let packet = self.loaded(count).await;
        let numbers: Vec<u64> = (0..count).map(|_| self.serial()).collect();
        let messages: Vec<_> = (1..).zip(&numbers).map(|(row, n)| self.message(packet, row, *n)).collect();
        let placed = messages.iter().zip(numbers).map(|(planned, n)| self.place(packet, planned, n));
        let placed = placed.collect();
        self.queue(packet, messages).await;
        placed
    }

    pub(crate) fn place(&self, packet: PacketId, planned: &PlannedMessage, n: u64) -> Placed {
        Placed { packet, message: planned.message.id, attempt: self.id(), epoch: 0, n }
    }

    pub(crate) async fn state(&self, placed: &Placed) -> MessageState {
        let found = self.store.message(self.company, placed.packet, placed.message).await.answered();
        found.expect("the message exists").state
    }

    pub(crate) async fn status(&self, placed: &Placed) -> MessageStatus {
        self.state(placed).await.status
    }

    pub(crate) async fn attempts(&self, placed: &Placed) -> Vec<Attempt> {
        self.store.attempts(self.company, placed.packet, placed.message).await.answered()
    }

    /// The attempt of a placed message.
    pub(crate) async fn attempt(&self, placed: &Placed) -> Attempt {
        let found = self.store.attempt(self.company, placed.packet, placed.attempt).await.answered();
        found.expect("the attempt exists")
    }
}
