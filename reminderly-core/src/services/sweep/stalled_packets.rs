//! Packets that stand still before they are queued.

use chrono::TimeDelta;
use metrics::gauge;
use tracing::warn;

use crate::domain::access::PlatformScope;
use crate::domain::packet::{Draining, PacketOrigin, PacketStage};
use crate::ids::{CompanyId, PacketId};
use crate::services::{Ports, ServiceError};

const PACKETS_PER_PAGE: usize = 500;

/// After this time at one stage somebody should look.
const STALLED_AFTER: TimeDelta = TimeDelta::hours(1);

/// Finds packets that are not fully loaded and mapped.
#[derive(Debug, Clone)]
pub struct StalledPackets {
    ports: Ports,
}

/// A packet that still has to be loaded or mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// The company.
    pub company: CompanyId,
    /// The packet.
    pub packet: PacketId,
    /// Its stage.
    pub stage: PacketStage,
}

impl StalledPackets {
    /// The sweep over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone() }
    }

    /// The packets that a worker has to go on with, oldest first; raises an alarm for those that stand still for an hour.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a worker asks; [`ServiceError::Store`].
    pub async fn sweep(&self, scope: &PlatformScope) -> Result<Vec<Unfinished>, ServiceError> {
        scope.require_worker()?;
        let now = self.ports.clock.now();
        let (mut unfinished, mut stalled) = (Vec::new(), 0_u32);
        let mut after = None;
        loop {
            let page = self.ports.store.open_packets_across_companies(after, PACKETS_PER_PAGE).await?;
            for packet in page.items {
                let early = matches!(
                    packet.stage,
                    PacketStage::Prepared | PacketStage::Ingested | PacketStage::Loaded
                );
                if !early || packet.origin == PacketOrigin::FollowUp || packet.draining != Draining::Off {
                    continue;
                }
                if now - packet.stage_changed_at > STALLED_AFTER {
                    stalled += 1;
                    warn!(packet.id = %packet.id, packet.stage = %packet.stage, "packet stands still");
                }
                unfinished.push(Unfinished {
                    company: packet.company,
                    packet: packet.id,
                    stage: packet.stage,
                });
            }
            after = page.next;
            if after.is_none() {
                gauge!("reminderly_packets_stalled").set(stalled);
                return Ok(unfinished);
            }
        }
    }
}
