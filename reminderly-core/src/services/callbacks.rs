//! Callbacks, step 1: from the host's HTTP endpoint to the queues of dispositions and incoming messages.

use metrics::counter;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::domain::access::{Action, Actor, Grants, authorize};
use crate::domain::attempt::ProviderName;
use crate::domain::disposition::Disposition;
use crate::domain::envelope::{Envelope, SealedPayload};
use crate::domain::incoming::Incoming;
use crate::ids::CompanyId;
use crate::ports::BoxError;
use crate::ports::callback::{CallbackError, CallbackEvent, CallbackRequest};
use crate::ports::queue::{Outgoing, QueueError, QueueName, QueueSpec, SendOutcome};
use crate::services::{Ports, ServiceError, Settings};

/// How often a callback's item may be received: the most that SQS permits. An unplaced disposition is tried for 72 hours.
const CALLBACK_RECEIVES: u32 = 1_000;

/// Bound to sealed dispositions.
pub(super) const DISPOSITION_PURPOSE: &str = "reminderly/disposition/1";

/// Bound to sealed incoming messages.
pub(super) const INCOMING_PURPOSE: &str = "reminderly/incoming/1";

/// An incoming message and whose it is, as it travels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IncomingPayload {
    pub(super) company: CompanyId,
    pub(super) incoming: Incoming,
}

/// A disposition as it travels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DispositionPayload {
    pub(super) disposition: Disposition,
}

/// What a callback brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallbackReceipt {
    /// Dispositions that were queued.
    pub dispositions: usize,
    /// Incoming messages that were queued.
    pub incoming: usize,
    /// Incoming messages to accounts that are nobody's: they are left out, and the others are not held up.
    pub unplaced: usize,
}

/// Takes callbacks in.
#[derive(Debug, Clone)]
pub struct Callbacks {
    ports: Ports,
    settings: Settings,
}

impl Callbacks {
    /// The service over these ports.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        Self { ports: ports.clone(), settings: settings.clone() }
    }

    /// Makes the two queues unless they exist.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Queue`].
    pub async fn ensure_queues(&self) -> Result<(), ServiceError> {
        let names = &self.settings.queues;
        for name in [&names.dispositions, &names.incoming] {
            let spec = QueueSpec {
                name: name.clone(),
                dead_letters: names.dead_letters.clone(),
                max_receives: CALLBACK_RECEIVES,
            };
            self.ports.queues.ensure(&spec).await?;
        }
        Ok(())
    }

    /// Verifies a provider's callback and queues what it says. Answer the provider 2xx only after this has returned: what it
    /// brought is durable then. The signature is what admits the call; it acts as [`Actor::Gateway`].
    ///
    /// # Errors
    ///
    /// [`ServiceError::Callback`]: answer 401 for a forgery, 400 for nonsense, 413 for a giant. [`ServiceError::NotFound`]
    /// if no such provider is wired, or all that it brings is for accounts that are nobody's. [`ServiceError::Queue`]: answer 503, the
    /// provider calls again.
    pub async fn accept(
        &self,
        provider: &ProviderName,
        request: &CallbackRequest,
    ) -> Result<CallbackReceipt, ServiceError> {
        let unknown = ServiceError::NotFound { what: "provider" };
        let decoder = self.ports.providers.decoder(provider).ok_or(unknown)?;
        let now = self.ports.clock.now();
        let events = decoder.decode(request, now).inspect_err(|_| {
            counter!("reminderly_callbacks_refused_total").increment(1);
        })?;
        if events.iter().any(|event| event.provider() != provider) {
            return Err(CallbackError::ForeignProvider.into());
        }
        let (mut dispositions, mut incoming, mut unplaced) = (Vec::new(), Vec::new(), 0);
        for event in events {
            match event {
                CallbackEvent::Disposition(disposition) => {
                    let payload = self.seal(DISPOSITION_PURPOSE, &DispositionPayload { disposition })?;
                    dispositions.push(Envelope::Disposition(payload).into());
                }
                CallbackEvent::Incoming(message) => match self.place(provider, message)? {
                    Some(envelope) => incoming.push(envelope.into()),
                    None => unplaced += 1,
                },
            }
        }
        // A refusal of contact matters more than a delivery report.
        self.send(&self.settings.queues.incoming, &incoming).await?;
        self.send(&self.settings.queues.dispositions, &dispositions).await?;
        let receipt =
            CallbackReceipt { dispositions: dispositions.len(), incoming: incoming.len(), unplaced };
        if unplaced > 0 {
            counter!("reminderly_callbacks_unplaced_total")
                .increment(u64::try_from(unplaced).unwrap_or(u64::MAX));
            warn!(provider = %provider, messages = unplaced, "messages came to accounts that are nobody's");
        }
        if unplaced > 0 && receipt.dispositions + receipt.incoming == 0 {
            return Err(ServiceError::NotFound { what: "company of the account" });
        }
        Ok(receipt)
    }

    /// An incoming message for the company of its account; `None` if the account is nobody's.
    fn place(&self, provider: &ProviderName, message: Incoming) -> Result<Option<Envelope>, ServiceError> {
        let Some(company) = self.ports.providers.company_of(provider, &message.account) else {
            return Ok(None);
        };
        let scope = authorize(Actor::Gateway, Action::Receive, company, &Grants::default())?;
        let company = scope.require(Action::Receive)?;
        let payload = self.seal(INCOMING_PURPOSE, &IncomingPayload { company, incoming: message })?;
        Ok(Some(Envelope::Incoming(payload)))
    }

    fn seal<T: Serialize>(&self, purpose: &str, payload: &T) -> Result<SealedPayload, ServiceError> {
        let plain = serde_json::to_vec(payload).map_err(|_| crate::ports::sealer::SealError::Failed)?;
        let sealed = self.ports.sealer.seal(purpose, &plain)?;
        Ok(SealedPayload { received_at: self.ports.clock.now(), sealed })
    }

    async fn send(&self, queue: &QueueName, items: &[Outgoing]) -> Result<(), ServiceError> {
        if items.is_empty() {
            return Ok(());
        }
        let outcomes = self.ports.queue.send(queue, items).await?;
        if outcomes.iter().all(|outcome| *outcome == SendOutcome::Sent) {
            counter!("reminderly_callbacks_queued_total")
                .increment(u64::try_from(items.len()).unwrap_or(u64::MAX));
            return Ok(());
        }
        let source: BoxError = "the queue did not take every item".into();
        Err(QueueError::Unavailable { source }.into())
    }
}
