//! A worker: every loop of the library, composed.

mod agenda;
mod inbox;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::select;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tracing::warn;

use crate::domain::access::{Action, Actor, Grants, authorize, authorize_platform};
use crate::domain::packet::{Packet, PacketOrigin, PacketStage};
use crate::ids::{CompanyId, PacketId};
use crate::ports::poller::PollerHost;
use crate::services::compiled::CompiledCampaigns;
use crate::services::contained::contained;
use crate::services::enqueue::FeedTurn;
use crate::services::sweep::{OverdueClaims, StalledPackets, StrayQueues, Unfinished, UnknownOutcomes};
use crate::services::{
    Callbacks, Dispositions, Enqueue, Fed, Fleet, Forecasts, IncomingMessages, Ingest, Mapping, Ports,
    ServiceError, Settings, Shutdown,
};

use agenda::Agenda;
pub use inbox::Inbox;
use inbox::WatchedInbox;

const PACKETS_PER_PAGE: usize = 500;

/// How soon a queue is fed again that holds as much as it may.
const HELD_BACK_PAUSE: Duration = Duration::from_millis(100);

/// Does all that has to be done again and again, for every company: takes files in, maps, sets queues and pollers up, feeds
/// them, takes in dispositions and incoming messages, sweeps and tears down. Any number of workers may run.
#[derive(Debug)]
pub struct Worker {
    ports: Ports,
    settings: Settings,
    inboxes: Vec<WatchedInbox>,
    ingest: Ingest,
    mapping: Mapping,
    enqueue: Enqueue,
    forecasts: Forecasts,
    fleet: Fleet,
    callbacks: Callbacks,
    dispositions: Dispositions,
    incoming: IncomingMessages,
    overdue: OverdueClaims,
    unknown: UnknownOutcomes,
    stalled: StalledPackets,
    strays: StrayQueues,
}

impl Worker {
    /// A worker over these ports, whose packets' queues are polled by `pollers`.
    pub fn new(ports: &Ports, settings: &Settings, pollers: Arc<dyn PollerHost>) -> Self {
        let rule_packs = settings.rule_packs.clone();
        let campaigns = CompiledCampaigns::with_rule_packs(Arc::clone(&ports.store), rule_packs);
        let campaigns = Arc::new(campaigns);
        Self {
            ports: ports.clone(),
            settings: settings.clone(),
            inboxes: Vec::new(),
            ingest: Ingest::new(ports, settings),
            mapping: Mapping::new(ports, settings, Arc::clone(&campaigns)),
            enqueue: Enqueue::new(ports, settings, Arc::clone(&campaigns)),
            forecasts: Forecasts::new(ports, settings, Arc::clone(&campaigns)),
            fleet: Fleet::new(ports, settings, pollers),
            callbacks: Callbacks::new(ports, settings),
            dispositions: Dispositions::new(ports, settings, Arc::clone(&campaigns)),
            incoming: IncomingMessages::new(ports, settings, Arc::clone(&campaigns)),
            overdue: OverdueClaims::new(ports, settings),
            unknown: UnknownOutcomes::new(ports, settings, campaigns),
            stalled: StalledPackets::new(ports),
            strays: StrayQueues::new(ports),
        }
    }

    /// Also takes in the files that arrive here.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Inbox) -> Self {
        self.inboxes.push(WatchedInbox::new(inbox));
        self
    }

    /// What this worker forecasts; it has seen what the worker has seen.
    pub const fn forecasts(&self) -> &Forecasts {
        &self.forecasts
    }

    /// Runs every loop until told to stop; returns when nothing is in hand any more. Pollers are the host's to stop.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Queue`] if the queues of dispositions and incoming messages cannot be made at the start.
    pub async fn run(&self, shutdown: &Shutdown) -> Result<(), ServiceError> {
        self.callbacks.ensure_queues().await?;
        // Not joined: that would poll every loop whenever one of them wakes.
        let loops = FuturesUnordered::from_iter([
            self.run_intake(shutdown).boxed(),
            self.run_sending(shutdown).boxed(),
            self.run_sweeps(shutdown).boxed(),
            self.dispositions.run(shutdown).boxed(),
            self.incoming.run(shutdown).boxed(),
        ]);
        loops.collect::<()>().await;
        Ok(())
    }

    /// Takes in files and maps packets, a round a tick. A loop of its own, so that a large file holds nothing else up.
    pub async fn run_intake(&self, shutdown: &Shutdown) {
        while !shutdown.is_triggered() {
            log_failure(contained(self.intake_round()).await, "intake failed; the next round tries again");
            self.pause(shutdown).await;
        }
    }

    /// Sets up, feeds and tears down: all packets once a tick, and in between those whose messages come due.
    pub async fn run_sending(&self, shutdown: &Shutdown) {
        let mut agenda = Agenda::default();
        let mut next_tick = self.ports.clock.now();
        while !shutdown.is_triggered() {
            let now = self.ports.clock.now();
            if now >= next_tick {
                next_tick = now + self.settings.tick;
                agenda = contained(self.tend_and_feed()).await.unwrap_or_else(|error| {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "feeding failed; the next round tries again"
                    );
                    Agenda::default()
                });
            } else {
                let due = agenda.take_due(now);
                self.feed(due, &mut agenda).await;
            }
            let wake = agenda.next().map_or(next_tick, |due| due.min(next_tick));
            select(self.ports.clock.sleep_until(wake), Box::pin(shutdown.wait())).await;
        }
    }

    /// Sweeps, a round a tick.
    pub async fn run_sweeps(&self, shutdown: &Shutdown) {
        while !shutdown.is_triggered() {
            log_failure(contained(self.sweep_round()).await, "sweep failed; the next round tries again");
            self.pause(shutdown).await;
        }
    }

    /// One round of intake, sweeps and sending: for hosts that schedule by themselves. Answers when the next one is due, if that
    /// is known. A failure of one part is logged and keeps the others from nothing.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the packets to send cannot be listed.
    pub async fn round(&self) -> Result<Option<DateTime<Utc>>, ServiceError> {
        log_failure(contained(self.intake_round()).await, "intake failed; the next round tries again");
        log_failure(contained(self.sweep_round()).await, "sweep failed; the next round tries again");
        self.sending_round().await
    }

    /// Takes in new files once, and goes on with packets that are not mapped yet. A single packet's failure is logged, and
    /// the next round tries it again.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if nothing can be listed.
    pub async fn intake_round(&self) -> Result<(), ServiceError> {
        let scope = authorize_platform(Actor::Worker)?;
        for inbox in &self.inboxes {
            log_failure(contained(self.take_in(inbox)).await, "inbox was not taken in");
        }
        for unfinished in self.stalled.sweep(&scope).await? {
            log_failure(contained(self.go_on(&unfinished)).await, "packet was not brought on");
        }
        Ok(())
    }

    /// Tends the fleet and feeds every queue once; answers when the next round is due, if that is known.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if nothing can be listed.
    pub async fn sending_round(&self) -> Result<Option<DateTime<Utc>>, ServiceError> {
        Ok(self.tend_and_feed().await?.next())
    }

    async fn tend_and_feed(&self) -> Result<Agenda, ServiceError> {
        let scope = authorize_platform(Actor::Worker)?;
        self.fleet.tend(&scope).await?;
        log_failure(contained(self.forecasts.look(&scope)).await, "windows were not forecast");
        let packets = self.open_packets().await?.into_iter();
        let queued = packets.filter(|packet| packet.stage == PacketStage::Queued);
        let mut agenda = Agenda::default();
        self.feed(queued.map(|packet| (packet.company, packet.id)), &mut agenda).await;
        Ok(agenda)
    }

    /// Reaps claims, resolves unknown outcomes and deletes stray queues once. A failure of one keeps the others from nothing; the
    /// first is answered.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if nothing can be listed or recorded; [`ServiceError::Queue`] if queues cannot be listed or deleted.
    pub async fn sweep_round(&self) -> Result<(), ServiceError> {
        let scope = authorize_platform(Actor::Worker)?;
        let overdue = contained(self.overdue.sweep(&scope)).await;
        let unknown = contained(self.unknown.sweep(&scope)).await;
        let strays = contained(self.strays.sweep(&scope)).await;
        overdue.and(unknown.map(drop)).and(strays.map(drop))
    }

    /// Waits for the next tick, or for the word to stop.
    async fn pause(&self, shutdown: &Shutdown) {
        let tick = self.ports.clock.now() + self.settings.tick;
        select(self.ports.clock.sleep_until(tick), Box::pin(shutdown.wait())).await;
    }

    /// Makes packets of new files and loads them; goes on with those that were interrupted.
    async fn take_in(&self, inbox: &WatchedInbox) -> Result<(), ServiceError> {
        let Inbox { company, campaign, source } = &inbox.inbox;
        let scope = authorize(Actor::Worker, Action::Operate, *company, &Grants::default())?;
        let mut files = source.list().await?;
        let names: HashSet<String> = files.iter().map(|file| file.name.clone()).collect();
        if inbox.has_new(&files) {
            let unseen = inbox.unseen();
            for file in self.ingest.discover(&scope, *campaign, &unseen).await? {
                let prepared =
                    contained(self.ingest.prepare_found(&scope, *campaign, &**source, &file)).await;
                match &prepared {
                    // It is what it is, until it changes.
                    Ok(_) | Err(ServiceError::UnusableFile { .. }) => {}
                    // It does not hold up the others, and is looked at again.
                    Err(_) => files.retain(|known| known.name != file.name),
                }
                log_failure(prepared, "file was not prepared");
            }
            inbox.remember(files);
        }
        for packet in self.open_packets().await? {
            let early = matches!(packet.stage, PacketStage::Prepared | PacketStage::Ingested);
            let ours = packet.company == *company && packet.campaign == *campaign;
            let here = matches!(&packet.origin, PacketOrigin::File { name, .. } if names.contains(&**name));
            if early && ours && here {
                let loaded = contained(self.ingest.load(&scope, packet.id, &**source, &mut |_| {})).await;
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

    /// Feeds the queues of these packets in turns; puts down when each is to be fed again.
    async fn feed(&self, packets: impl IntoIterator<Item = (CompanyId, PacketId)>, agenda: &mut Agenda) {
        let turns = self.enqueue.turns_to_fill();
        let mut line: VecDeque<_> =
            packets.into_iter().map(|(company, packet)| (company, packet, turns)).collect();
        while let Some((company, packet, turns)) = line.pop_front() {
            match contained(self.feed_packet(company, packet)).await {
                Ok(Next::Turn) if turns > 1 => line.push_back((company, packet, turns - 1)),
                Ok(Next::Turn) => agenda.put_down(self.ports.clock.now(), company, packet),
                Ok(Next::At(due)) => agenda.put_down(due, company, packet),
                Ok(Next::Nothing) => {}
                // The next tick feeds all.
                Err(error) => {
                    warn!(packet.id = %packet, error = &error as &dyn std::error::Error, "packet was not fed");
                }
            }
        }
    }

    async fn feed_packet(&self, company: CompanyId, packet: PacketId) -> Result<Next, ServiceError> {
        let scope = authorize(Actor::Worker, Action::Operate, company, &Grants::default())?;
        let mut fed = Fed::default();
        if self.enqueue.feed_turn(&scope, packet, &mut fed).await? == FeedTurn::More {
            return Ok(Next::Turn);
        }
        let now = self.ports.clock.now();
        if fed.held_back {
            return Ok(Next::At(now + HELD_BACK_PAUSE));
        }
        let due = self.enqueue.next_due(&scope, packet).await?.filter(|due| *due > now);
        Ok(due.map_or(Next::Nothing, Next::At))
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

/// When a packet is fed again.
enum Next {
    /// After the others.
    Turn,
    At(DateTime<Utc>),
    /// In the next tick.
    Nothing,
}

fn log_failure<T>(result: Result<T, ServiceError>, what: &'static str) {
    if let Err(error) = result {
        warn!(error = &error as &dyn std::error::Error, "{what}");
    }
}
