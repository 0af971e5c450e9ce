//! A worker: every loop of the library, composed.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{join3, select};
use tracing::warn;

use crate::domain::access::{Action, Actor, Grants, PlatformScope, authorize, authorize_platform};
use crate::domain::packet::{Packet, PacketOrigin, PacketStage};
use crate::ids::{CampaignId, CompanyId};
use crate::ports::poller::PollerHost;
use crate::ports::source::PacketSource;
use crate::services::compiled::CompiledCampaigns;
use crate::services::sweep::{OverdueClaims, StalledPackets, Unfinished, UnknownOutcomes};
use crate::services::{
    Callbacks, Dispositions, Enqueue, Fleet, IncomingMessages, Ingest, Mapping, Ports, Prepared,
    ServiceError, Settings, Shutdown,
};

const PACKETS_PER_PAGE: usize = 500;

/// How soon a queue is fed again that holds as much as it may.
const HELD_BACK_PAUSE: Duration = Duration::from_millis(100);

/// Where a campaign's files arrive.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// The company.
    pub company: CompanyId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The files.
    pub source: Arc<dyn PacketSource>,
}

/// Does all that has to be done again and again, for every company: takes files in, maps, sets queues and pollers up, feeds
/// them, takes in dispositions and incoming messages, sweeps and tears down. Any number of workers may run.
#[derive(Debug)]
pub struct Worker {
    ports: Ports,
    settings: Settings,
    inboxes: Vec<Inbox>,
    ingest: Ingest,
    mapping: Mapping,
    enqueue: Enqueue,
    fleet: Fleet,
    callbacks: Callbacks,
    dispositions: Dispositions,
    incoming: IncomingMessages,
    overdue: OverdueClaims,
    unknown: UnknownOutcomes,
    stalled: StalledPackets,
}

impl Worker {
    /// A worker over these ports, whose packets' queues are polled by `pollers`.
    pub fn new(ports: &Ports, settings: &Settings, pollers: Arc<dyn PollerHost>) -> Self {
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        Self {
            ports: ports.clone(),
            settings: settings.clone(),
            inboxes: Vec::new(),
            ingest: Ingest::new(ports, settings),
            mapping: Mapping::new(ports, settings, Arc::clone(&campaigns)),
            enqueue: Enqueue::new(ports, settings, Arc::clone(&campaigns)),
            fleet: Fleet::new(ports, settings, pollers),
            callbacks: Callbacks::new(ports, settings),
            dispositions: Dispositions::new(ports, settings),
            incoming: IncomingMessages::new(ports, settings, Arc::clone(&campaigns)),
            overdue: OverdueClaims::new(ports, settings),
            unknown: UnknownOutcomes::new(ports, settings, campaigns),
            stalled: StalledPackets::new(ports),
        }
    }

    /// Also takes in the files that arrive here.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Inbox) -> Self {
        self.inboxes.push(inbox);
        self
    }

    /// Runs every loop until told to stop; returns when nothing is in hand any more. Pollers are the host's to stop.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Queue`] if the queues of dispositions and incoming messages cannot be made at the start.
    pub async fn run(&self, shutdown: &Shutdown) -> Result<(), ServiceError> {
        self.callbacks.ensure_queues().await?;
        join3(self.run_pipeline(shutdown), self.dispositions.run(shutdown), self.incoming.run(shutdown))
            .await;
        Ok(())
    }

    /// Runs the rounds of [`round`](Self::round): one whenever a message comes due, and one a tick.
    pub async fn run_pipeline(&self, shutdown: &Shutdown) {
        while !shutdown.is_triggered() {
            let now = self.ports.clock.now();
            let due = match self.round().await {
                Ok(due) => due,
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "round failed; the next one tries again");
                    None
                }
            };
            let tick = now + self.settings.tick;
            let wake = due.map_or(tick, |due| due.min(tick));
            select(self.ports.clock.sleep_until(wake), Box::pin(shutdown.wait())).await;
        }
    }

    /// Does once all that is to be done now; answers when the next round is
    /// due, if that is known. A single packet's failure is logged, and
    /// the next round tries it again.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if nothing can be listed.
    pub async fn round(&self) -> Result<Option<DateTime<Utc>>, ServiceError> {
        let scope = authorize_platform(Actor::Worker)?;
        for inbox in &self.inboxes {
            let taken = self.take_in(inbox).await;
            log_failure(taken, "inbox was not taken in");
        }
        for unfinished in self.stalled.sweep(&scope).await? {
            log_failure(self.go_on(&unfinished).await, "packet was not brought on");
        }
        self.overdue.sweep(&scope).await?;
        self.unknown.sweep(&scope).await?;
        self.fleet.tend(&scope).await?;
        self.feed(&scope).await
    }

    /// Makes packets of new files and loads them; goes on with those that were interrupted.
    async fn take_in(&self, inbox: &Inbox) -> Result<(), ServiceError> {
        let scope = authorize(Actor::Worker, Action::Operate, inbox.company, &Grants::default())?;
        let source = &*inbox.source;
        for file in self.ingest.discover(&scope, inbox.campaign, source).await? {
            let loaded = match self.ingest.prepare(&scope, inbox.campaign, source, &file.name).await {
                Ok(Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) => {
                    self.ingest.load(&scope, packet.id, source, &mut |_| {}).await
                }
                Err(error) => Err(error),
            };
            // A file that cannot be read does not hold up the others.
            log_failure(loaded, "file was not loaded");
        }
        for packet in self.open_packets().await? {
            let early = matches!(packet.stage, PacketStage::Prepared | PacketStage::Ingested);
            let ours = packet.company == inbox.company && packet.campaign == inbox.campaign;
            if early && ours && matches!(packet.origin, PacketOrigin::File { .. }) {
                let loaded = self.ingest.load(&scope, packet.id, source, &mut |_| {}).await;
                log_failure(loaded, "file was not loaded");
            }
        }
        Ok(())
    }

    async fn go_on(&self, unfinished: &Unfinished) -> Result<(), ServiceError> {
        if unfinished.stage == PacketStage::Loaded {
            let scope = authorize(Actor::Worker, Action::Operate, unfinished.company, &Grants::default())?;
            self.mapping.map(&scope, unfinished.packet, &mut |_| {}).await?;
        }
        Ok(())
    }

    /// Feeds every packet's queue; answers when that is to be done again.
    async fn feed(&self, scope: &PlatformScope) -> Result<Option<DateTime<Utc>>, ServiceError> {
        scope.require_worker()?;
        let mut next: Option<DateTime<Utc>> = None;
        for packet in self.open_packets().await? {
            if packet.stage != PacketStage::Queued {
                continue;
            }
            let scope = authorize(Actor::Worker, Action::Operate, packet.company, &Grants::default())?;
            let soon = match self.enqueue.feed(&scope, packet.id).await {
                Ok(fed) => fed.held_back.then(|| self.ports.clock.now() + HELD_BACK_PAUSE),
                Err(error) => {
                    warn!(packet.id = %packet.id, error = &error as &dyn std::error::Error, "packet was not fed");
                    None
                }
            };
            let now = self.ports.clock.now();
            let due = self.enqueue.next_due(&scope, packet.id).await?.filter(|due| *due > now);
            next = next.into_iter().chain(due).chain(soon).min();
        }
        Ok(next)
    }

    async fn open_packets(&self) -> Result<Vec<Packet>, ServiceError> {
        let mut packets = Vec::new();
        let mut after = None;
        loop {
            let page = self.ports.store.open_packets_across_companies(after, PACKETS_PER_PAGE).await?;
            packets.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(packets);
            }
        }
    }
}

fn log_failure<T>(result: Result<T, ServiceError>, what: &'static str) {
    if let Err(error) = result {
        warn!(error = &error as &dyn std::error::Error, "{what}");
    }
}
