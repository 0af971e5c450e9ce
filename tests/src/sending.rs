//! A deployment with messages that are due, to measure how fast they go.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reminderly_core::clock::{Clock, SystemClock};
use reminderly_core::domain::access::{Action, Actor, Company, CompanyScope, Denied, Grants, authorize};
use reminderly_core::domain::appointment::Appointment;
use reminderly_core::domain::appointment_change::AppointmentChange;
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::caps::Caps;
use reminderly_core::domain::contact_point::{InvalidContactPoint, PhoneNumber};
use reminderly_core::domain::file_arrival::FileArrival;
use reminderly_core::domain::held_appointment::RowFingerprint;
use reminderly_core::domain::message::{Message, PlannedMessage};
use reminderly_core::domain::packet::{Digest, IngestProgress, PacketOrigin, PacketStage};
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::{CampaignId, CompanyId, IdSourceExt as _, PacketId, RandomIds};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::queue::{QueueName, QueueSpec};
use reminderly_core::ports::store::{
    NewCampaign, NewPacket, PlanBatch, PlannedAppointment, StageChange, Store,
};
use reminderly_core::sealers::PlainSealer;
use reminderly_core::services::{
    CompiledCampaigns, Dispatch, Enqueue, Ports, QueueNames, ServiceError, Settings, shutdown,
};
use reminderly_core::testing::PlannedText;
use reminderly_providers::router::MethodRouter;
use reminderly_providers::sandbox::{AcceptedLog, NamedPersona, Sandbox, SandboxScript, SandboxSettings};
use reminderly_queue_memory::MemoryQueue;

use crate::example::{Methods, definition};

/// Messages per batch of planning.
pub const PLAN_BATCH: usize = 1_000;

/// A deployment with one company and campaign. A clone is the same deployment.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The adapters.
    pub ports: Ports,
    /// The defaults.
    pub settings: Settings,
    /// What accepts the messages.
    pub sandbox: Sandbox,
    /// The company.
    pub company: CompanyId,
    campaign: CampaignId,
    dispatch: Arc<Dispatch>,
    enqueue: Enqueue,
}

/// Where the time of sending went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// In feeding queues.
    pub feed: Duration,
    /// In polls: claim, send, settle, ack.
    pub dispatch: Duration,
}

impl Sending {
    /// A deployment whose sandbox behaves like this to everybody and counts what it accepts.
    ///
    /// # Errors
    ///
    /// What the memory adapters refuse, which is nothing here.
    pub async fn new(persona: NamedPersona) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Self::with_store(persona, Arc::new(MemoryStore::new())).await
    }

    /// The same with another store.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub async fn with_store(
        persona: NamedPersona,
        store: Arc<dyn Store>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let clock = Arc::new(SystemClock::new());
        let ids = RandomIds;
        let now = clock.now();
        let script = SandboxScript::uniform(persona);
        let settings = SandboxSettings { script, log: AcceptedLog::Counting, ..SandboxSettings::default() };
        let sandbox = Sandbox::new(Arc::clone(&clock) as _, settings);
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as _));
        let ports = Ports {
            store,
            queue: Arc::clone(&queue) as _,
            queues: queue,
            providers: Arc::new(MethodRouter::sandbox(&sandbox)),
            sealer: Arc::new(PlainSealer),
            clock,
            ids: Arc::new(ids),
        };
        let (company, campaign) = (ids.next(now), ids.next(now));
        let new = Company { id: company, name: "Smith".to_owned(), server_name: "smith".to_owned() };
        ports.store.save_company_across_companies(&new).await?;
        let definition = definition(Methods::FirstAvailable)?;
        let new = NewCampaign { id: campaign, definition, created_at: now };
        ports.store.create_campaign(company, new).await?;
        let (from, to) = (CampaignState::Draft, CampaignState::Active);
        ports.store.change_campaign_state(company, campaign, from, to).await?;
        let settings = Settings::new(QueueNames::of_deployment("figures")?);
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        let enqueue = Enqueue::new(&ports, &settings, campaigns);
        let dispatch = Arc::new(Dispatch::new(&ports, &settings));
        Ok(Self { ports, settings, sandbox, company, campaign, dispatch, enqueue })
    }

    /// Adds a packet of so many text messages that are due, each to a person of its own, with its queue. `number` tells
    /// packets apart. Answers the packet, and how long the store took for planning.
    ///
    /// # Errors
    ///
    /// What the memory adapters refuse, which is nothing here.
    pub async fn add_packet(
        &self,
        number: usize,
        messages: usize,
    ) -> Result<(PacketId, Duration), Box<dyn Error + Send + Sync>> {
        let packet = self.open_packet(number).await?;
        let mut spent = Duration::ZERO;
        let mut after = 0;
        while after < messages {
            let through = messages.min(after + PLAN_BATCH);
            let batch = self.batch(packet, number, after, through)?;
            let start = self.ports.clock.monotonic();
            self.ports.store.plan(self.company, packet, batch).await.map(drop)?;
            spent += self.ports.clock.monotonic().since(start);
            after = through;
        }
        for (from, to) in
            [(PacketStage::Loaded, PacketStage::Mapped), (PacketStage::Mapped, PacketStage::Queued)]
        {
            self.change_stage(packet, from, to).await?;
        }
        let name = QueueName::of_packet(packet);
        let dead_letters = self.settings.queues.dead_letters.clone();
        let spec = QueueSpec { name, dead_letters, max_receives: self.settings.max_receives };
        self.ports.queues.ensure(&spec).await?;
        Ok((packet, spent))
    }

    /// Feeds the queues of these packets and works them until nothing is due any more.
    ///
    /// # Errors
    ///
    /// What the services refuse, which is nothing here.
    pub async fn send_all(&self, packets: &[PacketId]) -> Result<Spent, ServiceError> {
        let scope = self.scope()?;
        let clock = &*self.ports.clock;
        let (_trigger, shutdown) = shutdown();
        let mut spent = Spent::default();
        let mut busy = true;
        while busy {
            busy = false;
            for packet in packets {
                let start = clock.monotonic();
                busy |= self.enqueue.feed(&scope, *packet).await?.handed_over > 0;
                let fed = clock.monotonic();
                let queue = QueueName::of_packet(*packet);
                while self.dispatch.poll(&queue, Duration::ZERO, &shutdown).await?.received > 0 {}
                spent.feed += fed.since(start);
                spent.dispatch += clock.monotonic().since(fed);
            }
        }
        Ok(spent)
    }

    /// What a worker may do for the company.
    ///
    /// # Errors
    ///
    /// [`Denied`] if workers may not operate, which they may.
    pub fn scope(&self) -> Result<CompanyScope, Denied> {
        authorize(Actor::Worker, Action::Operate, self.company, &Grants::default())
    }

    async fn open_packet(&self, number: usize) -> Result<PacketId, Box<dyn Error + Send + Sync>> {
        let now = self.ports.clock.now();
        // Packets of files count in the order of their ids.
        let nth = i64::try_from(number)?;
        let packet: PacketId = self.ports.ids.next(now + TimeDelta::milliseconds(nth));
        let mut digest = Digest([0; 32]);
        digest.0.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, of_number)| *byte = of_number);
        let new = NewPacket {
            id: packet,
            campaign: self.campaign,
            campaign_version: 1,
            origin: PacketOrigin::File { name: "due.csv".into(), digest, arrival: FileArrival::HandedIn },
            created_at: now,
        };
        let (store, company) = (&self.ports.store, self.company);
        store.create_packet(company, new).await?;
        store.open_ingest(company, packet, IngestProgress::default(), now).await.map(drop)?;
        self.change_stage(packet, PacketStage::Ingested, PacketStage::Loaded).await?;
        Ok(packet)
    }

    async fn change_stage(
        &self,
        packet: PacketId,
        from: PacketStage,
        to: PacketStage,
    ) -> Result<(), ServiceError> {
        let change = StageChange { packet, from, to, failure: None, at: self.ports.clock.now() };
        self.ports.store.change_stage(self.company, change).await.map(drop)?;
        Ok(())
    }

    /// Messages of rows that no other packet has.
    ///
    /// # Errors
    ///
    /// [`InvalidContactPoint`] with more than ten million persons.
    pub fn batch(
        &self,
        packet: PacketId,
        number: usize,
        after: usize,
        through: usize,
    ) -> Result<PlanBatch, InvalidContactPoint> {
        let at = self.ports.clock.now();
        let row = |row: usize| RowNumber(row as u64);
        let messages = (after..through).map(|index| self.message(packet, number, row(index + 1), at));
        let messages: Vec<PlannedMessage> = messages.collect::<Result<_, _>>()?;
        let (after, through) = (row(after), row(through));
        let appointments = messages.iter().filter_map(|planned| new_appointment(&planned.message)).collect();
        let (expected, failed, named) = (Vec::new(), Vec::new(), Vec::new());
        let caps = Caps::default();
        Ok(PlanBatch { after, through, messages, appointments, expected, failed, named, caps, at })
    }

    fn message(
        &self,
        packet: PacketId,
        number: usize,
        row: RowNumber,
        now: DateTime<Utc>,
    ) -> Result<PlannedMessage, InvalidContactPoint> {
        // Fifteen digits at most: the packet's number and the row share twelve.
        let digits = number as u64 * 10_000_000 + row.0;
        let phone = PhoneNumber::parse_stored(&format!("+1{digits:012}"))?;
        let key = AppointmentKey::new(&format!("A-{number}-{row}")).ok_or(InvalidContactPoint::Phone)?;
        let text = format!(
            "Smith Clinic: Ann, you have an appointment Mon Mar 9, 9:15 AM at Main St. Reply 1 to confirm, \
             2 to cancel, STOP to opt out. ({row})"
        );
        let text = PlannedText {
            id: self.ports.ids.next(now),
            packet,
            campaign: self.campaign,
            row,
            key,
            number: phone,
            appointment: Appointment::new(tomorrow(now), chrono_tz::America::Phoenix),
            text,
            legal: LegalInterval { from: now - TimeDelta::minutes(1), until: now + TimeDelta::hours(10) },
            created_at: now,
        };
        Ok(text.planned())
    }
}

/// What nobody has named before.
fn new_appointment(message: &Message) -> Option<PlannedAppointment> {
    Some(PlannedAppointment {
        row: message.origin.row()?,
        key: message.key.clone(),
        appointment: message.appointment?,
        fingerprint: RowFingerprint(message.id.as_uuid().into_bytes()),
        change: AppointmentChange::New,
    })
}

fn tomorrow(now: DateTime<Utc>) -> NaiveDateTime {
    (now + TimeDelta::days(1)).naive_utc()
}
