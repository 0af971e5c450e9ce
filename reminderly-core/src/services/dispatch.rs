//! Dispatch: from a slice in a packet's queue to providers. The sending protocol.
//!
//! Per message: claim with guards and attempt row in one transaction → one provider request, started within a second of the
//! claim or not at all → settle by epoch → ack the slice once every id in it is settled, put back, or left to the sweeps.
//! Nothing is ever sent again unless the first request is proven not accepted.

mod call;
mod gate;
mod places;
mod poller;
mod slice_work;
mod start;
mod turn;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use metrics::counter;
use tracing::{Instrument as _, info_span, warn};

use crate::domain::access::{Action, Actor, CompanyScope, Grants, authorize};
use crate::domain::envelope::{Envelope, Slice};
use crate::ports::queue::{Lease, QueueName};
use crate::services::compiled::CompiledCampaigns;
use crate::services::shutdown::Shutdown;
use crate::services::traffic::Scheduler;
use crate::services::{Ports, ServiceError, Settings};

use gate::SenderGates;
use places::Places;
use slice_work::{Hold, SliceWork, Worked};

/// What one poll did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Polled {
    /// Copies that were received.
    pub received: usize,
    /// Messages for which a provider was asked.
    pub requested: u64,
}

/// Sends slices through providers.
#[derive(Debug)]
pub struct Dispatch {
    ports: Ports,
    settings: Settings,
    gates: Arc<SenderGates>,
    campaigns: CompiledCampaigns,
    scheduler: Scheduler,
}

impl Dispatch {
    /// The service over these ports. Its pollers share what they learn about senders that ask to wait, and the limits of
    /// providers, companies and campaigns: make one for a process.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        let rule_packs = settings.rule_packs.clone();
        let campaigns = CompiledCampaigns::with_rule_packs(Arc::clone(&ports.store), rule_packs);
        let scheduler = Scheduler::new(Arc::clone(&ports.clock), settings.sharing.workers);
        Self { ports: ports.clone(), settings: settings.clone(), gates: Arc::default(), campaigns, scheduler }
    }

    /// Polls a packet's queue until told to stop, or until the queue is gone. What is in hand when the word comes is finished;
    /// nothing is left in doubt.
    ///
    /// It receives whenever fewer slices are being worked than [may be](Settings::slices_at_once). One that waits for its turn
    /// does not count: so the methods of a packet, and whatever else has limits of its own, do not wait for each other.
    pub async fn run(&self, queue: &QueueName, shutdown: &Shutdown) {
        poller::run(self, queue, shutdown).await;
    }

    /// Receives once, waiting up to `wait`, and works what came to its end, whatever it has to wait for.
    /// [`run`](Self::run) does not wait for one slice before it receives the next.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Queue`] if the queue failed. A slice that fails is logged and comes again.
    pub async fn poll(
        &self,
        queue: &QueueName,
        wait: Duration,
        shutdown: &Shutdown,
    ) -> Result<Polled, ServiceError> {
        let receive = self.ports.queue.receive(
            queue,
            self.settings.slices_at_once.max(1),
            wait,
            self.settings.visibility,
        );
        // A dropped receive may have leased copies: they come again when their visibility ends.
        let leases = match futures::future::select(receive, Box::pin(shutdown.wait())).await {
            futures::future::Either::Left((leases, _)) => leases?,
            futures::future::Either::Right(_) => return Ok(Polled::default()),
        };
        let received = leases.len();
        // Every slice is worked to its end whatever becomes of its neighbours: dropping one would leave it in doubt.
        let worked: Vec<Result<u64, ServiceError>> = stream::iter(leases)
            .map(|lease| self.work_or_release(queue, lease, shutdown, None))
            .buffer_unordered(self.settings.slices_at_once.max(1))
            .collect()
            .await;
        let requested = worked.into_iter().sum::<Result<u64, ServiceError>>()?;
        Ok(Polled { received, requested })
    }

    /// Works one slice: waits for its turn, claims, sends, settles. Answers for how many messages a provider was asked. What
    /// waits for its turn for too long is due again.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] if the scope is for another company or action; [`ServiceError::Store`] if the store failed:
    /// the slice is to be worked again later, and what was claimed is reaped.
    pub async fn dispatch_slice(&self, scope: &CompanyScope, slice: &Slice) -> Result<u64, ServiceError> {
        Ok(self.slice_work(scope, slice, None)?.run().await?.requested)
    }

    /// Works a slice, or gives it back if it is time to stop. A slice whose lease ran out while it waited for its turn is left
    /// alone: it comes again.
    async fn work_or_release(
        &self,
        queue: &QueueName,
        lease: Lease,
        shutdown: &Shutdown,
        places: Option<&Places>,
    ) -> Result<u64, ServiceError> {
        if shutdown.is_triggered() {
            self.ports.queue.release(queue, &[lease.token], Duration::ZERO).await?.into_vec();
            return Ok(0);
        }
        if lease.expires_at <= self.ports.clock.now() {
            return Ok(0);
        }
        self.work(Hold { queue, lease: &lease, shutdown, places }).await
    }

    async fn work(&self, hold: Hold<'_>) -> Result<u64, ServiceError> {
        let Hold { queue, lease, .. } = hold;
        let slice = match &lease.envelope {
            Ok(Envelope::Outbound(slice)) => slice,
            Ok(_) => return self.bury(queue, lease, "not an outbound slice").await,
            Err(undecodable) => return self.bury(queue, lease, &undecodable.to_string()).await,
        };
        let scope = authorize(Actor::Worker, Action::Operate, slice.company, &Grants::default())?;
        let span = info_span!(
            "slice.dispatch",
            company.id = %slice.company,
            packet.id = %slice.packet,
            method = %slice.method,
            messages = slice.messages.len(),
        );
        let result = self.slice_work(&scope, slice, Some(hold))?.run().instrument(span.clone()).await;
        match result {
            Ok(Worked { requested, is_stopped: true }) => {
                // What is left of it is for whoever goes on; what was sent cannot be claimed again.
                self.ports
                    .queue
                    .release(queue, std::slice::from_ref(&lease.token), Duration::ZERO)
                    .await?
                    .into_vec();
                Ok(requested)
            }
            Ok(Worked { requested, .. }) => {
                // A stale or failed ack is harmless: the copy comes again and finds nothing to claim.
                self.ports.queue.ack(queue, std::slice::from_ref(&lease.token)).await?.into_vec();
                Ok(requested)
            }
            Err(error) => {
                let _entered = span.enter();
                warn!(error = &error as &dyn std::error::Error, "slice failed; it comes again");
                Ok(0)
            }
        }
    }

    fn slice_work<'a>(
        &'a self,
        scope: &CompanyScope,
        slice: &'a Slice,
        hold: Option<Hold<'a>>,
    ) -> Result<SliceWork<'a>, ServiceError> {
        let company = scope.require(Action::Operate)?;
        if company != slice.company {
            return Err(crate::domain::access::Denied.into());
        }
        Ok(SliceWork {
            ports: &self.ports,
            settings: &self.settings,
            gates: &self.gates,
            campaigns: &self.campaigns,
            scheduler: &self.scheduler,
            slice,
            hold,
        })
    }

    /// Sets a body aside that no poller can ever work; its neighbours go on.
    async fn bury(&self, queue: &QueueName, lease: &Lease, reason: &str) -> Result<u64, ServiceError> {
        warn!(queue.name = %queue, reason, "queue item is set aside");
        counter!("reminderly_dead_letters_total").increment(1);
        self.ports.queue.dead_letter(queue, &lease.token, reason).await?;
        Ok(0)
    }
}
