//! Fleet: a queue and a poller for every packet, set up when it is mapped and torn down when it ends.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::{counter, gauge};
use tracing::{info, warn};

use crate::domain::access::PlatformScope;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, Packet, PacketOrigin, PacketStage};
use crate::ids::CampaignId;
use crate::ports::poller::{PollerHost, PollerSpec};
use crate::ports::queue::QueueName;
use crate::ports::store::{StageChange, WriteOutcome};
use crate::services::contained::contained;
use crate::services::packet_queue::ensure_queue;
use crate::services::{Ports, ServiceError, Settings};

const PACKETS_PER_PAGE: usize = 500;

/// Messages per transaction of a cancellation.
const CANCEL_BATCH: usize = 1_000;

/// What tending the fleet did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tended {
    /// Packets that have a queue and a poller.
    pub running: u64,
    /// Queues and pollers that were set up.
    pub set_up: u64,
    /// Queues and pollers that were torn down.
    pub torn_down: u64,
    /// Packets that send nothing, because the store was restored and they are not reconciled.
    pub fenced: u64,
    /// Packets that could not be tended; they are tried again.
    pub failed: u64,
}

/// Keeps queues and pollers in step with packets.
#[derive(Debug, Clone)]
pub struct Fleet {
    ports: Ports,
    settings: Settings,
    pollers: Arc<dyn PollerHost>,
}

impl Fleet {
    /// The service over these ports.
    pub fn new(ports: &Ports, settings: &Settings, pollers: Arc<dyn PollerHost>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), pollers }
    }

    /// Looks at every packet that has not ended: sets up what is mapped and active, keeps what runs polled, and takes what
    /// is done or cancelled down: no new claims → nothing in sending → poller stopped → queue deleted → packet ended.
    /// Every step may be repeated, so an interrupted one is finished by the next call, by whichever process.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a worker asks; [`ServiceError::Store`] if the packets cannot be listed. A single
    /// packet's failure is logged and counted.
    pub async fn tend(&self, scope: &PlatformScope) -> Result<Tended, ServiceError> {
        scope.require_worker()?;
        let mut round = Round::default();
        let restore = self.ports.store.restore_across_companies().await?;
        let mut after = None;
        loop {
            let page = self.ports.store.open_packets_across_companies(after, PACKETS_PER_PAGE).await?;
            for packet in &page.items {
                if packet.origin != PacketOrigin::FollowUp {
                    *round.open_files.entry(packet.campaign).or_default() += 1;
                }
                round.tended.fenced += u64::from(packet.reconciled < restore.epoch);
                round.packets.push(packet.clone());
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for packet in std::mem::take(&mut round.packets) {
            if let Err(error) = contained(self.tend_packet(&packet, &mut round)).await {
                round.tended.failed += 1;
                warn!(packet.id = %packet.id, error = &error as &dyn std::error::Error, "packet was not tended");
            }
        }
        if round.tended.fenced > 0 {
            let packets = round.tended.fenced;
            warn!(packets, restore.epoch = %restore.epoch, "packets are fenced after a restore until they are reconciled");
        }
        gauge!("reminderly_packets_fenced").set(as_gauge(round.tended.fenced));
        gauge!("reminderly_packets_running").set(as_gauge(round.tended.running));
        Ok(round.tended)
    }

    /// Sets up a mapped packet of an active campaign without waiting for a round.
    pub(super) async fn start(&self, packet: &Packet) -> Result<(), ServiceError> {
        self.set_up(packet, &mut Round::default()).await
    }

    async fn tend_packet(&self, packet: &Packet, round: &mut Round) -> Result<(), ServiceError> {
        let state = self.campaign_state(packet, round).await?;
        if state == CampaignState::Archived && packet.draining != Draining::Cancelling {
            let _applied =
                self.ports.store.set_draining(packet.company, packet.id, Draining::Cancelling).await?;
            return self.cancel(packet, round).await;
        }
        match (packet.stage, packet.draining) {
            (_, Draining::Cancelling) => self.cancel(packet, round).await,
            // Whatever marked it as completing was too late; the change to queued takes the mark away.
            (PacketStage::Mapped, Draining::Off | Draining::Completing) if state == CampaignState::Active => {
                self.set_up(packet, round).await
            }
            (PacketStage::Queued, Draining::Completing) => self.complete(packet, round).await,
            (PacketStage::Queued, Draining::Off) => self.keep(packet, round).await,
            _ => Ok(()),
        }
    }

    async fn set_up(&self, packet: &Packet, round: &mut Round) -> Result<(), ServiceError> {
        if !self.start_polling(packet).await? {
            return Ok(());
        }
        if self.change(packet, PacketStage::Queued).await? == WriteOutcome::Applied {
            round.tended.set_up += 1;
            round.tended.running += 1;
            counter!("reminderly_queues_set_up_total").increment(1);
            let queue = QueueName::of_packet(packet.id);
            info!(packet.id = %packet.id, queue.name = %queue, "queue and poller set up");
            return Ok(());
        }
        // Another worker was faster. If the packet has even ended since it was listed, nobody else would take this down.
        let current = self.ports.store.packet(packet.company, packet.id).await?;
        if current.is_none_or(|current| current.stage.is_closed()) {
            self.stop_polling(packet).await?;
        }
        Ok(())
    }

    /// Keeps a queue polled, also after a restart of this process; begins the end of a packet with nothing left to do.
    async fn keep(&self, packet: &Packet, round: &mut Round) -> Result<(), ServiceError> {
        round.tended.running += 1;
        self.pollers.ensure(&poller(packet)).await?;
        let outlives =
            packet.origin == PacketOrigin::FollowUp && round.open_files.contains_key(&packet.campaign);
        if outlives || self.open(packet).await? > 0 {
            return Ok(());
        }
        match self.ports.store.set_draining(packet.company, packet.id, Draining::Completing).await? {
            WriteOutcome::Applied => self.complete(packet, round).await,
            // It is complete, or was and has been reopened: the next round sees it as it is.
            WriteOutcome::Stale => Ok(()),
        }
    }

    async fn complete(&self, packet: &Packet, round: &mut Round) -> Result<(), ServiceError> {
        if self.open(packet).await? > 0 {
            // A follow-up or a late truth came in between.
            let _cancelled = self.ports.store.set_draining(packet.company, packet.id, Draining::Off).await?;
            return Ok(());
        }
        self.tear_down(packet, PacketStage::Complete, round).await
    }

    async fn cancel(&self, packet: &Packet, round: &mut Round) -> Result<(), ServiceError> {
        let now = self.ports.clock.now();
        loop {
            let cancelled =
                self.ports.store.cancel_open(packet.company, packet.id, now, CANCEL_BATCH).await?;
            if cancelled < CANCEL_BATCH {
                break;
            }
        }
        let counts = self.ports.store.packet_counts(packet.company, packet.id).await?;
        let waiting = [MessageStatus::Planned, MessageStatus::Queued, MessageStatus::Sending];
        if waiting.iter().any(|status| counts.in_status(*status) > 0) {
            // What a worker has claimed comes to its end first; what it puts back is cancelled in the next round.
            return Ok(());
        }
        if counts.open > 0 {
            // Nothing is sent any more, so nobody polls. An unknown outcome may still be proven absent, which puts its message
            // back in line: only a packet that has not ended is there to cancel it.
            return self.stop_polling(packet).await;
        }
        self.tear_down(packet, PacketStage::Cancelled, round).await
    }

    /// Whether the packet is polled now: one that ends meanwhile is not.
    async fn start_polling(&self, packet: &Packet) -> Result<bool, ServiceError> {
        let has_queue = ensure_queue(&self.ports, &self.settings, packet).await?;
        if has_queue {
            self.pollers.ensure(&poller(packet)).await?;
        }
        Ok(has_queue)
    }

    async fn stop_polling(&self, packet: &Packet) -> Result<(), ServiceError> {
        let queue = QueueName::of_packet(packet.id);
        self.pollers.stop(&queue).await?;
        Ok(self.ports.queues.delete(&queue).await?)
    }

    async fn tear_down(
        &self,
        packet: &Packet,
        end: PacketStage,
        round: &mut Round,
    ) -> Result<(), ServiceError> {
        self.stop_polling(packet).await?;
        if self.change(packet, end).await? == WriteOutcome::Applied {
            round.tended.torn_down += 1;
            counter!("reminderly_queues_torn_down_total").increment(1);
            info!(packet.id = %packet.id, packet.stage = %end, "queue and poller torn down");
            return Ok(());
        }
        // Another worker was faster. If the packet even goes on since, what was torn down here is needed again.
        let current = self.ports.store.packet(packet.company, packet.id).await?;
        match current.map(|current| (current.stage, current.draining)) {
            Some((PacketStage::Queued, Draining::Off)) => self.start_polling(packet).await.map(drop),
            _ => Ok(()),
        }
    }

    async fn open(&self, packet: &Packet) -> Result<u64, ServiceError> {
        Ok(self.ports.store.packet_counts(packet.company, packet.id).await?.open)
    }

    async fn change(&self, packet: &Packet, to: PacketStage) -> Result<WriteOutcome, ServiceError> {
        let at = self.ports.clock.now();
        let change = StageChange { packet: packet.id, from: packet.stage, to, failure: None, at };
        Ok(self.ports.store.change_stage(packet.company, change).await?)
    }

    async fn campaign_state(
        &self,
        packet: &Packet,
        round: &mut Round,
    ) -> Result<CampaignState, ServiceError> {
        if let Some(state) = round.states.get(&packet.campaign) {
            return Ok(*state);
        }
        let missing = ServiceError::NotFound { what: "campaign" };
        let state = self.ports.store.campaign(packet.company, packet.campaign).await?.ok_or(missing)?.state;
        round.states.insert(packet.campaign, state);
        Ok(state)
    }
}

/// What one call has seen so far.
#[derive(Debug, Default)]
struct Round {
    tended: Tended,
    packets: Vec<Packet>,
    states: HashMap<CampaignId, CampaignState>,
    /// Open packets with rows, by campaign: a follow-up packet outlives them.
    open_files: HashMap<CampaignId, u64>,
}

fn poller(packet: &Packet) -> PollerSpec {
    PollerSpec { company: packet.company, packet: packet.id, queue: QueueName::of_packet(packet.id) }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and 2^53 packets are none of our worries"
)]
fn as_gauge(count: u64) -> f64 {
    count as f64
}
