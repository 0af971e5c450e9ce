//! On demand: rows or a one-liner from a caller, sent at once, with a result that can be awaited.

mod call;
mod invalid_call;
mod outcome;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use metrics::counter;
use tracing::{Instrument as _, debug, info, info_span, warn};

use self::call::ReadCall;
use crate::domain::access::{Action, Actor, CompanyScope, Grants, authorize};
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::domain::log_entry::PacketDeed;
use crate::domain::packet::{Digest, Draining, Packet, PacketOrigin, PacketStage, RowCounts};
use crate::domain::row::{RejectedRow, RowNumber};
use crate::ids::{CampaignId, CompanyId, IdSourceExt as _, PacketId};
use crate::ports::poller::PollerHost;
use crate::ports::store::{NewPacket, PacketCreation};
use crate::services::company_log::LogWriter;
use crate::services::compiled::CompiledCampaigns;
use crate::services::{Enqueue, Fleet, Mapping, Ports, ServiceError, Settings};

pub use call::{CallContent, CallRow, OnDemandCall};
pub use invalid_call::InvalidCall;
pub use outcome::{CallProgress, MessageOutcome, OnDemandOutcome};

/// Takes calls, sends them without waiting for a worker's next round, and says what became of them.
///
/// A call becomes a packet with its rows in one transaction, and from then on it is like any other: whatever interrupts the
/// rest, the workers' rounds finish it. Calling again with the same key is always safe, and answers the same packet.
///
/// Everything that holds for files holds for calls: the mapping, its limits and faults, refusals at planning and at the claim,
/// windows and rules, pause and cancellation. A call of a campaign that does not `"send": "now"` is planned as a file's rows
/// are. Draft and paused campaigns take calls, and send nothing until they are active.
///
/// ```
/// use std::time::Duration;
///
/// use reminderly_core::domain::access::CompanyScope;
/// use reminderly_core::domain::call::CallKey;
/// use reminderly_core::domain::one_liner::OneLiner;
/// use reminderly_core::ids::CampaignId;
/// use reminderly_core::services::{CallProgress, OnDemand, OnDemandCall};
///
/// /// Tells a person that an order is ready. `scope` is for `Action::SendOnDemand`.
/// async fn tell(
///     on_demand: &OnDemand,
///     scope: &CompanyScope,
///     campaign: CampaignId,
///     order: &str,
///     number: &str,
/// ) -> Result<bool, Box<dyn std::error::Error>> {
///     let line = OneLiner::sms(number).with_text(format!("Your order {order} is ready. Reply STOP to opt out."));
///     let call = OnDemandCall::one_liner(CallKey::new(order)?, line);
///     let receipt = on_demand.send(scope, campaign, &call).await?;
///     let wait = Duration::from_secs(5);
///     let outcome = on_demand.outcome(scope, receipt.packet, CallProgress::Settled, wait).await?;
///     Ok(outcome.messages.iter().all(|message| message.status.as_str() == "sent"))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OnDemand {
    ports: Ports,
    log: LogWriter,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
    mapping: Mapping,
    fleet: Fleet,
    enqueue: Enqueue,
}

/// What became of a call so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDemandReceipt {
    /// The packet of the call: ask for its outcome, or cancel it.
    pub packet: PacketId,
    /// Whether this call made the packet.
    pub repetition: CallRepetition,
    /// How far the packet is: `queued` if its messages are on their way to the provider, as far as they are due.
    pub stage: PacketStage,
    /// The state of the campaign: nothing goes unless it is active.
    pub campaign: CampaignState,
    /// Rows by what became of them.
    pub rows: RowCounts,
    /// The rows that could not be taken, with row, column and code, in their order. Row 1 is the first of the call.
    pub rejected: Vec<RejectedRow>,
}

/// Whether a call was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallRepetition {
    /// It was not.
    First,
    /// It was: the packet is that of the first call, and nothing was planned again.
    Repeated,
}

impl OnDemand {
    /// The service over these ports. `pollers` is what the worker of this process has too, which ends its pollers.
    pub fn new(
        ports: &Ports,
        settings: &Settings,
        campaigns: Arc<CompiledCampaigns>,
        pollers: Arc<dyn PollerHost>,
    ) -> Self {
        Self {
            ports: ports.clone(),
            log: LogWriter::new(ports),
            settings: settings.clone(),
            mapping: Mapping::new(ports, settings, Arc::clone(&campaigns)),
            fleet: Fleet::new(ports, settings, pollers),
            enqueue: Enqueue::new(ports, settings, Arc::clone(&campaigns)),
            campaigns,
        }
    }

    /// Takes a call, and hands its messages to the pollers as far as they are due. For [`Action::SendOnDemand`].
    ///
    /// Idempotent by campaign and [`OnDemandCall::key`], also while the first call is under way and after a crash: the same
    /// call again answers the packet of the first and goes on where it stopped. The key of a cancelled packet may be used again.
    /// Once the packet is stored, a failure of what follows is no error: the stage of the receipt says how far it came, and
    /// the next round of a worker goes on. Dropping the future leaves the call whole or not made.
    ///
    /// # Errors
    ///
    /// - [`ServiceError::InvalidCall`]: nothing was stored.
    /// - [`ServiceError::KeyReused`] if the key names a packet of another content: nothing was stored.
    /// - [`ServiceError::WrongState`] if the campaign is archived; [`ServiceError::NotFound`] for the campaign;
    ///   [`ServiceError::InvalidCampaign`] if an older release saved what this one refuses; [`ServiceError::Denied`].
    /// - [`ServiceError::Store`]: the call may have been made; make it again with the same key.
    pub async fn send(
        &self,
        scope: &CompanyScope,
        campaign: CampaignId,
        call: &OnDemandCall,
    ) -> Result<OnDemandReceipt, ServiceError> {
        let company = scope.require(Action::SendOnDemand)?;
        let span = info_span!("call.send", company.id = %company, campaign.id = %campaign);
        let sent = self.take_and_send((company, scope.actor()), campaign, call).instrument(span).await;
        let result = match &sent {
            Ok(OnDemandReceipt { repetition: CallRepetition::First, .. }) => "new",
            Ok(OnDemandReceipt { repetition: CallRepetition::Repeated, .. }) => "repeated",
            Err(ServiceError::InvalidCall(_)) => "invalid",
            Err(ServiceError::KeyReused { .. }) => "key_reused",
            Err(_) => "error",
        };
        counter!("reminderly_calls_total", "result" => result).increment(1);
        sent
    }

    async fn take_and_send(
        &self,
        (company, actor): (CompanyId, Actor),
        campaign: CampaignId,
        call: &OnDemandCall,
    ) -> Result<OnDemandReceipt, ServiceError> {
        let missing = ServiceError::NotFound { what: "campaign" };
        let campaign = self.ports.store.campaign(company, campaign).await?.ok_or(missing)?;
        let (packet, repetition) = self.packet_of(&campaign, call).await?;
        if let Err(error) = self.bring_on(&packet, campaign.state).await {
            left_to_the_workers(&packet, &error);
        }
        // Whoever made the call first may have been cut off before that was written.
        if repetition == CallRepetition::First || packet.stage == PacketStage::Loaded {
            self.log.write_made(&packet, actor, PacketDeed::TakeInCall).await;
        }
        self.receipt(packet, repetition, campaign.state).await
    }

    /// The packet of a call: the one that it has, or a new one.
    async fn packet_of(
        &self,
        campaign: &Campaign,
        call: &OnDemandCall,
    ) -> Result<(Packet, CallRepetition), ServiceError> {
        let digest = call.digest();
        match self.read(campaign, call).await {
            Ok(read) => self.create(campaign, call, digest, read).await,
            Err(ServiceError::InvalidCall(invalid)) => {
                // A call that was fine for the campaign as it was then stays made.
                let first = self.ports.store.packet_of_call(campaign.company, campaign.id, &call.key).await?;
                match first {
                    Some(first) => repeated(first, digest),
                    None => Err(ServiceError::InvalidCall(invalid)),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn read(&self, campaign: &Campaign, call: &OnDemandCall) -> Result<ReadCall, ServiceError> {
        call.check_size(&self.settings).map_err(ServiceError::InvalidCall)?;
        let compiled = self.campaigns.version(campaign.company, campaign.id, campaign.version).await?;
        call.read(campaign.id, &compiled, &self.settings).map_err(ServiceError::InvalidCall)
    }

    async fn create(
        &self,
        campaign: &Campaign,
        call: &OnDemandCall,
        digest: Digest,
        read: ReadCall,
    ) -> Result<(Packet, CallRepetition), ServiceError> {
        let now = self.ports.clock.now();
        let packet = NewPacket {
            id: self.ports.ids.next(now),
            campaign: campaign.id,
            campaign_version: campaign.version,
            origin: PacketOrigin::OnDemand { key: call.key.clone(), digest, kind: read.kind },
            created_at: now,
        };
        match self.ports.store.create_loaded_packet(campaign.company, packet, read.rows).await? {
            PacketCreation::Created(packet) => {
                info!(packet.id = %packet.id, rows = packet.rows.read, "call taken");
                Ok((packet, CallRepetition::First))
            }
            PacketCreation::Exists(packet) => repeated(packet, digest),
            // Only files are ordered.
            PacketCreation::NotNewest(_) => Err(ServiceError::WrongState {
                what: "campaign",
                state: campaign.state.as_str(),
                hint: "the store took the call for a file; make it again",
            }),
            PacketCreation::CampaignArchived => Err(ServiceError::WrongState {
                what: "campaign",
                state: CampaignState::Archived.as_str(),
                hint: "it takes no more data; make a new campaign",
            }),
        }
    }

    /// Does at once what the workers' rounds would do with this packet: maps it, sets it up and feeds its queue.
    async fn bring_on(&self, packet: &Packet, campaign: CampaignState) -> Result<(), ServiceError> {
        let scope = authorize(Actor::Worker, Action::Operate, packet.company, &Grants::default())?;
        let mapped = match packet.stage {
            PacketStage::Loaded => Some(self.mapping.map(&scope, packet.id, &mut |_| {}).await?),
            _ => None,
        };
        let packet = mapped.as_ref().unwrap_or(packet);
        if campaign != CampaignState::Active || packet.draining != Draining::Off {
            return Ok(());
        }
        if packet.stage == PacketStage::Mapped {
            self.fleet.start(packet).await?;
        }
        if matches!(packet.stage, PacketStage::Mapped | PacketStage::Queued) {
            self.enqueue.feed(&scope, packet.id).await?;
        }
        Ok(())
    }

    async fn receipt(
        &self,
        packet: Packet,
        repetition: CallRepetition,
        campaign: CampaignState,
    ) -> Result<OnDemandReceipt, ServiceError> {
        let (store, company, id) = (&self.ports.store, packet.company, packet.id);
        let packet = store.packet(company, id).await?.unwrap_or(packet);
        let rejected = self.rejected(&packet).await?;
        let (stage, rows) = (packet.stage, packet.rows);
        Ok(OnDemandReceipt { packet: id, repetition, stage, campaign, rows, rejected })
    }

    /// The rejected rows of a call, which are as few as its rows.
    async fn rejected(&self, packet: &Packet) -> Result<Vec<RejectedRow>, ServiceError> {
        let (mut rejected, mut after) = (Vec::new(), Some(RowNumber::default()));
        if packet.rows.rejected + packet.rows.failed == 0 {
            return Ok(rejected);
        }
        while let Some(last) = after {
            let page = self
                .ports
                .store
                .rejected(packet.company, packet.id, last, self.settings.rows_per_batch)
                .await?;
            rejected.extend(page.items);
            after = page.next;
        }
        Ok(rejected)
    }
}

/// The packet of an earlier call, if that brought the same.
fn repeated(first: Packet, digest: Digest) -> Result<(Packet, CallRepetition), ServiceError> {
    match &first.origin {
        PacketOrigin::OnDemand { digest: known, .. } if *known == digest => {
            Ok((first, CallRepetition::Repeated))
        }
        _ => Err(ServiceError::KeyReused { packet: first.id }),
    }
}

/// Says that a call waits for the next round of a worker.
fn left_to_the_workers(packet: &Packet, error: &ServiceError) {
    let error: &dyn std::error::Error = error;
    if matches!(error.downcast_ref(), Some(ServiceError::WrongState { .. })) {
        debug!(packet.id = %packet.id, error, "call is in other hands");
        return;
    }
    counter!("reminderly_calls_left_total").increment(1);
    warn!(packet.id = %packet.id, error, "call was not sent at once; the next round goes on");
}
