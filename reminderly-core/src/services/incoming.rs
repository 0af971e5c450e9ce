//! Incoming, step 2: what people write, from its queue to its effects.
//!
//! Classify → tie to exactly one appointment → record answer, refusal, question and follow-up as one fact.

mod decide;
mod follow_up;

use std::sync::Arc;

use async_trait::async_trait;
use metrics::counter;
use tracing::{info, warn};

use crate::domain::access::{Action, Actor, CompanyScope, Grants, authorize};
use crate::domain::envelope::Envelope;
use crate::domain::incoming::{Incoming, IncomingRecord};
use crate::domain::reply::ReplyKind;
use crate::ids::{IdSourceExt as _, IncomingId};
use crate::ports::queue::{Lease, QueueName};
use crate::ports::store::IncomingOutcome;
use crate::services::callbacks::{INCOMING_PURPOSE, IncomingPayload};
use crate::services::compiled::CompiledCampaigns;
use crate::services::consumer::{self, Handler};
use crate::services::contained::contained;
use crate::services::{Ports, ServiceError, Settings, Shutdown};

use decide::refused_at_least;

/// How often an incoming message is decided anew because something changed in between.
const DECISIONS: usize = 5;

/// Takes in what people write.
#[derive(Debug, Clone)]
pub struct IncomingMessages {
    ports: Ports,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
}

/// What became of an incoming message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Stored under this id, and understood as this.
    Recorded(IncomingId, ReplyKind),
    /// It was received before.
    Duplicate,
}

impl IncomingMessages {
    /// The service over these ports.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), campaigns }
    }

    /// Works the queue of incoming messages until told to stop.
    pub async fn run(&self, shutdown: &Shutdown) {
        let queue = self.settings.queues.incoming.clone();
        consumer::run(&self.ports, &self.settings, &queue, shutdown, self).await;
    }

    /// Takes in one message: classifies it, ties it to an appointment if it answers exactly one, and stores it with its
    /// effects. An opt-out holds for every claim from the moment this returns.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`]; [`ServiceError::WrongState`] if things kept changing meanwhile: take
    /// it in again.
    pub async fn receive(&self, scope: &CompanyScope, incoming: &Incoming) -> Result<Received, ServiceError> {
        let company = scope.require(Action::Operate)?;
        let now = self.ports.clock.now();
        // A provider whose clock is ahead must not open windows or overtake refusals.
        let incoming = &Incoming { at: incoming.at.min(now), ..incoming.clone() };
        let id: IncomingId = self.ports.ids.next(now);
        for _ in 0..DECISIONS {
            let decision = match self.decide(company, id, incoming).await {
                // Who wants nothing more must not wait until somebody has mended what cannot be read.
                Err(error) if !error.is_transient() => refused_at_least(id, incoming).ok_or(error)?,
                decision => decision?,
            };
            let kind = decision.classification.kind;
            let record = IncomingRecord {
                id,
                incoming: incoming.clone(),
                classification: decision.classification,
                effect: decision.effect,
                recorded_at: now,
            };
            match self.ports.store.record_incoming(company, record).await? {
                IncomingOutcome::Recorded => {
                    let method = incoming.from.method().as_str();
                    let labels = [("kind", kind.as_str()), ("method", method)];
                    counter!("reminderly_incoming_total", &labels).increment(1);
                    info!(company.id = %company, incoming.id = %id, reply.kind = kind.as_str(), "incoming recorded");
                    return Ok(Received::Recorded(id, kind));
                }
                IncomingOutcome::Duplicate => return Ok(Received::Duplicate),
                IncomingOutcome::FollowUpPacketClosed | IncomingOutcome::Stale => {}
            }
        }
        Err(ServiceError::WrongState {
            what: "appointment",
            state: "changing",
            hint: "the message is taken in again",
        })
    }

    async fn take_in(&self, queue: &QueueName, lease: Lease) -> Result<(), ServiceError> {
        let payload = match &lease.envelope {
            Ok(Envelope::Incoming(payload)) => {
                consumer::open::<IncomingPayload>(&self.ports, INCOMING_PURPOSE, payload)
            }
            Ok(_) => Err("not an incoming message".to_owned()),
            Err(undecodable) => Err(undecodable.to_string()),
        };
        let payload = match payload {
            Ok(payload) => payload,
            Err(reason) => return self.bury(queue, &lease, &reason).await,
        };
        let scope = authorize(Actor::Worker, Action::Operate, payload.company, &Grants::default())?;
        self.receive(&scope, &payload.incoming).await?;
        self.ports.queue.ack(queue, &[lease.token]).await?.into_vec();
        Ok(())
    }

    async fn bury(&self, queue: &QueueName, lease: &Lease, reason: &str) -> Result<(), ServiceError> {
        warn!(queue.name = %queue, reason, "incoming message is set aside");
        counter!("reminderly_dead_letters_total").increment(1);
        self.ports.queue.dead_letter(queue, &lease.token, reason).await?;
        Ok(())
    }
}

#[async_trait]
impl Handler for IncomingMessages {
    async fn handle(&self, queue: &QueueName, leases: Vec<Lease>) -> Result<(), ServiceError> {
        for lease in leases {
            // It comes again when its lease ends; its neighbours go on.
            if let Err(error) = contained(self.take_in(queue, lease)).await {
                let error: &dyn std::error::Error = &error;
                warn!(error, "incoming message failed; it comes again");
            }
        }
        Ok(())
    }
}
