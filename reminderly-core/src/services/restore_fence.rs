//! The restore fence: after a restore of the store nothing is sent until each packet is reconciled.

use metrics::counter;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::batch::Page;
use crate::domain::access::{Actor, PlatformScope};
use crate::domain::log_entry::{Deed, PacketDeed};
use crate::domain::packet::{Packet, PacketStage};
use crate::domain::restore::{Restore, RestoreEpoch};
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::store::{FenceLift, Raised};
use crate::services::company_log::LogWriter;
use crate::services::{Discrepancy, Ports, Reconcile, ServiceError};

/// Packets per page of a release.
const PACKETS_PER_PAGE: usize = 100;

/// Messages per transaction that are expired.
const EXPIRE_BATCH: usize = 1_000;

/// A packet that sends nothing until it is reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FencedPacket {
    /// The packet.
    pub packet: PacketId,
    /// Its company.
    pub company: CompanyId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Its stage.
    pub stage: PacketStage,
    /// The restore up to which it is reconciled.
    pub reconciled: RestoreEpoch,
}

/// What became of a packet when it was reconciled after a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketRelease {
    /// The packet.
    pub packet: PacketId,
    /// Its company.
    pub company: CompanyId,
    /// Messages that were to go before the restore and were closed.
    pub expired: u64,
    /// What is not accounted for: reported, and no reason to keep the packet fenced.
    pub discrepancies: Vec<Discrepancy>,
}

/// What became of all fenced packets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestoreRelease {
    /// Packets that send again.
    pub packets: u64,
    /// Messages that were to go before the restore and were closed.
    pub expired: u64,
    /// The packets in which something is not accounted for.
    pub discrepant: Vec<PacketRelease>,
    /// Packets that could not be reconciled and are still fenced; the next call tries them again.
    pub failed: u64,
}

/// Fences packets after a restore of the store, and releases them.
///
/// A backup does not know what was sent after it was taken. So after a restore the operator first calls
/// [`raise`](Self::raise), before any worker starts: from then on no packet that the backup holds sends anything. Then
/// [`release_all`](Self::release_all) closes what was to go before the restore, which may have gone, and lets the rest go.
/// Workers never do so by themselves.
///
/// ```
/// use reminderly_core::domain::access::PlatformScope;
/// use reminderly_core::services::{Ports, RestoreFence, ServiceError};
///
/// /// `scope` is the operator's. No worker runs yet.
/// async fn after_restore(ports: &Ports, scope: &PlatformScope) -> Result<(), ServiceError> {
///     let fence = RestoreFence::new(ports);
///     let before = fence.last(scope).await?;
///     fence.raise(scope, before.epoch).await?;
///     // Opt-outs that came after the backup are brought in again here; then workers may start.
///     let release = fence.release_all(scope).await?;
///     assert_eq!(release.failed, 0);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct RestoreFence {
    ports: Ports,
    log: LogWriter,
    reconcile: Reconcile,
}

impl RestoreFence {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), log: LogWriter::new(ports), reconcile: Reconcile::new(ports) }
    }

    /// The last restore that the store was told of.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::Store`].
    pub async fn last(&self, scope: &PlatformScope) -> Result<Restore, ServiceError> {
        scope.require_operator()?;
        Ok(self.ports.store.restore_across_companies().await?)
    }

    /// Says that the store was restored just now: every packet that it holds is fenced. What is due within the next five seconds
    /// counts as gone too, for a worker's clock may have been ahead. `expected` is the epoch of
    /// [`last`](Self::last), so that a call that is repeated does nothing; it answers the restore that is in force.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::WrongState`] if the store has another epoch than
    /// `expected` and the one after it; [`ServiceError::Store`], after which it may be called again.
    pub async fn raise(
        &self,
        scope: &PlatformScope,
        expected: RestoreEpoch,
    ) -> Result<Restore, ServiceError> {
        scope.require_operator()?;
        let at = self.ports.clock.now();
        match self.ports.store.raise_restore_epoch_across_companies(expected, at).await? {
            Raised::Raised(restore) => {
                warn!(restore.epoch = %restore.epoch, "the store was restored; its packets are fenced");
                Ok(restore)
            }
            Raised::Conflict(restore) if restore.epoch == expected.next() => Ok(restore),
            Raised::Conflict(_) => Err(ServiceError::WrongState {
                what: "restore epoch",
                state: "another one",
                hint: "ask for the last restore and decide anew",
            }),
        }
    }

    /// The packets that are fenced, in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::Store`].
    pub async fn fenced(
        &self,
        scope: &PlatformScope,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<FencedPacket, PacketId>, ServiceError> {
        scope.require_operator()?;
        let page = self.ports.store.fenced_packets_across_companies(after, limit).await?;
        let fenced = |packet: &Packet| FencedPacket {
            packet: packet.id,
            company: packet.company,
            campaign: packet.campaign,
            stage: packet.stage,
            reconciled: packet.reconciled,
        };
        Ok(Page { items: page.items.iter().map(fenced).collect(), next: page.next })
    }

    /// Reconciles one fenced packet and lets it send again: closes what was to go before the restore, looks whether everything
    /// is accounted for, and lifts its fence. A packet that is not fenced stays as it is. May be repeated at any time.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`]; [`ServiceError::Denied`] unless the operator asks; [`ServiceError::WrongState`] if the
    /// store is being restored again, or somebody else was faster; [`ServiceError::Store`].
    pub async fn release(
        &self,
        scope: &PlatformScope,
        company: CompanyId,
        packet: PacketId,
    ) -> Result<PacketRelease, ServiceError> {
        scope.require_operator()?;
        let missing = ServiceError::NotFound { what: "packet" };
        let packet = self.ports.store.packet(company, packet).await?.ok_or(missing)?;
        self.release_packet(&packet).await
    }

    /// Reconciles every fenced packet that has not ended. A call that was interrupted is finished by the next. The failure of
    /// one packet is logged and counted, and holds up no other.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::Store`] if the packets cannot be listed.
    pub async fn release_all(&self, scope: &PlatformScope) -> Result<RestoreRelease, ServiceError> {
        scope.require_operator()?;
        let mut all = RestoreRelease::default();
        let mut after = None;
        loop {
            let page = self.ports.store.fenced_packets_across_companies(after, PACKETS_PER_PAGE).await?;
            for packet in &page.items {
                match self.release_packet(packet).await {
                    Ok(release) => {
                        all.packets += 1;
                        all.expired += release.expired;
                        if !release.discrepancies.is_empty() {
                            all.discrepant.push(release);
                        }
                    }
                    Err(error) => {
                        all.failed += 1;
                        let error = &error as &dyn std::error::Error;
                        warn!(packet.id = %packet.id, error, "packet was not reconciled; it stays fenced");
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    async fn release_packet(&self, packet: &Packet) -> Result<PacketRelease, ServiceError> {
        let (company, id) = (packet.company, packet.id);
        let store = &self.ports.store;
        let restore = store.restore_across_companies().await?;
        let mut release = PacketRelease { packet: id, company, expired: 0, discrepancies: Vec::new() };
        if packet.reconciled >= restore.epoch {
            return Ok(release);
        }
        self.log.write(company, Actor::Operator, Deed::Packet(id, PacketDeed::Release)).await?;
        loop {
            release.expired += self.expire(packet).await?;
            release.discrepancies = self.reconcile.discrepancies(company, packet).await?;
            match store.lift_fence(company, id, packet.reconciled, restore.epoch).await? {
                FenceLift::Lifted => break,
                // An outcome of the days before came in between.
                FenceLift::NotExpired => {}
                FenceLift::Stale => {
                    return Err(ServiceError::WrongState {
                        what: "packet",
                        state: "in other hands",
                        hint: "somebody else has reconciled it, or the store was restored again",
                    });
                }
            }
        }
        counter!("reminderly_messages_expired_by_restore_total").increment(release.expired);
        let (expired, discrepancies) = (release.expired, release.discrepancies.len());
        info!(packet.id = %id, expired, discrepancies, "packet is reconciled after a restore");
        Ok(release)
    }

    /// Closes what was to go before the restore; answers how many messages.
    async fn expire(&self, packet: &Packet) -> Result<u64, ServiceError> {
        let mut expired = 0;
        loop {
            let at = self.ports.clock.now();
            let closed =
                self.ports.store.expire_before_restore(packet.company, packet.id, at, EXPIRE_BATCH).await?;
            expired += u64::try_from(closed).unwrap_or(u64::MAX);
            if closed < EXPIRE_BATCH {
                return Ok(expired);
            }
        }
    }
}
