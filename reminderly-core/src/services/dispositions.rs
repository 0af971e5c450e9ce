//! Dispositions, step 2: from their queue to the attempts that they are about.

mod redial;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;
use tracing::warn;

use crate::domain::access::{Action, Actor, CompanyScope, Grants, authorize};
use crate::domain::attempt::AttemptLocation;
use crate::domain::disposition::{AttemptReport, Disposition};
use crate::domain::envelope::Envelope;
use crate::domain::unsubscribe::{Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ids::{AttemptId, CompanyId};
use crate::ports::queue::{Lease, LeaseToken, QueueName};
use crate::ports::store::{DispositionOutcome, LocatedDisposition};
use crate::services::callbacks::{DISPOSITION_PURPOSE, DispositionPayload};
use crate::services::compiled::CompiledCampaigns;
use crate::services::consumer::{self, Handler};
use crate::services::contained::contained;
use crate::services::offloaded::refuse_if_offloaded;
use crate::services::{Ports, ServiceError, Settings, Shutdown};

/// A disposition whose attempt nobody knows is tried again for so long: its attempt may be on its way.
const UNPLACED_FOR: TimeDelta = TimeDelta::hours(72);

/// The longest wait between two tries to place a disposition.
const LONGEST_RETRY: Duration = Duration::from_mins(15);

/// Records dispositions.
#[derive(Debug, Clone)]
pub struct Dispositions {
    ports: Ports,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
}

struct Opened {
    token: LeaseToken,
    disposition: Disposition,
    received_at: DateTime<Utc>,
    receives: u32,
}

impl Dispositions {
    /// The service over these ports.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), campaigns }
    }

    /// Works the queue of dispositions until told to stop.
    pub async fn run(&self, shutdown: &Shutdown) {
        let queue = self.settings.queues.dispositions.clone();
        consumer::run(&self.ports, &self.settings, &queue, shutdown, self).await;
    }

    /// Records dispositions of one company: each joins the report of its attempt, and the message follows. A complaint is
    /// also a refusal of the contact point. A call that reached nobody is made again as the campaign's `messages.phone.retry`
    /// says; one whose campaign cannot be read is not. Outcomes by position, from before that.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`]; [`ServiceError::WrongState`] if a packet was just ending for which a call
    /// is to be made again, or a complaint is about one that was offloaded, so that nobody knows who complains: record them again, which
    /// changes nothing else.
    pub async fn record(
        &self,
        scope: &CompanyScope,
        dispositions: &[LocatedDisposition],
    ) -> Result<Vec<DispositionOutcome>, ServiceError> {
        let company = scope.require(Action::Operate)?;
        let now = self.ports.clock.now();
        // The refusal first: if the rest fails, it is recorded again, and changes nothing then.
        for located in dispositions {
            if located.disposition.report == AttemptReport::Complained {
                self.refuse(company, located, now).await?;
            }
        }
        let outcomes = self.ports.store.record_dispositions(company, dispositions, now).await?.into_vec();
        for (located, outcome) in dispositions.iter().zip(&outcomes) {
            let labels = [("report", located.disposition.report.as_str()), ("outcome", name(*outcome))];
            counter!("reminderly_dispositions_total", &labels).increment(1);
        }
        self.redial(company, dispositions, &outcomes, now).await?;
        Ok(outcomes)
    }

    async fn refuse(
        &self,
        company: CompanyId,
        located: &LocatedDisposition,
        at: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let store = &*self.ports.store;
        // Before and afterwards: that there is no message is to be true.
        refuse_if_offloaded(store, company, located.packet).await?;
        let record = store.message(company, located.packet, located.message).await?;
        refuse_if_offloaded(store, company, located.packet).await?;
        let Some(contact) = record.and_then(|record| record.message.contact) else { return Ok(()) };
        let event = Unsubscribe {
            key: contact.refusal_key(),
            change: UnsubscribeChange::OptedOut,
            source: UnsubscribeSource::Provider,
            // Its own time, so that one that comes again does not overtake a later will.
            at: located.disposition.at.min(at),
        };
        self.ports.store.record_unsubscribes(company, &[event], at).await?.into_vec();
        Ok(())
    }

    /// Whether somebody complains of whom nobody knows who it is, before the packet is brought back.
    async fn complains_in_vain(
        &self,
        disposition: &Disposition,
        location: AttemptLocation,
    ) -> Result<bool, ServiceError> {
        if disposition.report != AttemptReport::Complained {
            return Ok(false);
        }
        let packet = self.ports.store.packet(location.company, location.packet).await?;
        Ok(packet.is_some_and(|packet| packet.offloaded_at.is_some()))
    }

    async fn place(&self, queue: &QueueName, opened: Vec<Opened>) -> Result<(), ServiceError> {
        let ids: Vec<AttemptId> = opened.iter().map(|opened| opened.disposition.attempt).collect();
        let locations = self.ports.store.locate_attempts_across_companies(&ids).await?;
        let mut by_company: BTreeMap<CompanyId, (Vec<LocatedDisposition>, Vec<LeaseToken>)> = BTreeMap::new();
        for (opened, location) in opened.into_iter().zip(locations) {
            let location = match location {
                Some(location) if !self.complains_in_vain(&opened.disposition, location).await? => location,
                _ => {
                    comes_again(self.postpone(queue, &opened).await);
                    continue;
                }
            };
            let (located, tokens) = by_company.entry(location.company).or_default();
            located.push(LocatedDisposition {
                packet: location.packet,
                message: location.message,
                disposition: opened.disposition,
            });
            tokens.push(opened.token);
        }
        for (company, (located, tokens)) in by_company {
            // They come again when their leases end; those of other companies go on.
            if let Err(error) = contained(self.take_in(queue, company, &located, &tokens)).await {
                let error: &dyn std::error::Error = &error;
                warn!(company.id = %company, error, "dispositions failed; they come again");
            }
        }
        Ok(())
    }

    async fn take_in(
        &self,
        queue: &QueueName,
        company: CompanyId,
        located: &[LocatedDisposition],
        tokens: &[LeaseToken],
    ) -> Result<(), ServiceError> {
        let scope = authorize(Actor::Worker, Action::Operate, company, &Grants::default())?;
        self.record(&scope, located).await?;
        self.ports.queue.ack(queue, tokens).await?.into_vec();
        Ok(())
    }

    /// Keeps a disposition whose attempt is not known (yet), up to a limit.
    async fn postpone(&self, queue: &QueueName, opened: &Opened) -> Result<(), ServiceError> {
        if self.ports.clock.now() - opened.received_at > UNPLACED_FOR {
            return self.bury(queue, &opened.token, "its attempt was not found for 72 hours").await;
        }
        let wait = Duration::from_secs(u64::from(opened.receives).saturating_mul(30)).min(LONGEST_RETRY);
        self.ports.queue.release(queue, std::slice::from_ref(&opened.token), wait).await?.into_vec();
        Ok(())
    }

    async fn bury(&self, queue: &QueueName, token: &LeaseToken, reason: &str) -> Result<(), ServiceError> {
        warn!(queue.name = %queue, reason, "disposition is set aside");
        counter!("reminderly_dead_letters_total").increment(1);
        self.ports.queue.dead_letter(queue, token, reason).await?;
        Ok(())
    }
}

#[async_trait]
impl Handler for Dispositions {
    async fn handle(&self, queue: &QueueName, leases: Vec<Lease>) -> Result<(), ServiceError> {
        let mut opened = Vec::with_capacity(leases.len());
        for lease in leases {
            let payload = match &lease.envelope {
                Ok(Envelope::Disposition(payload)) => {
                    consumer::open::<DispositionPayload>(&self.ports, DISPOSITION_PURPOSE, payload)
                        .map(|open| (open.disposition, payload.received_at))
                }
                Ok(_) => Err("not a disposition".to_owned()),
                Err(undecodable) => Err(undecodable.to_string()),
            };
            match payload {
                Ok((disposition, received_at)) => {
                    let (token, receives) = (lease.token, lease.receives);
                    opened.push(Opened { token, disposition, received_at, receives });
                }
                Err(reason) => comes_again(self.bury(queue, &lease.token, &reason).await),
            }
        }
        self.place(queue, opened).await
    }
}

/// What is not settled comes again when its lease ends; its neighbours go on.
fn comes_again(settled: Result<(), ServiceError>) {
    if let Err(error) = settled {
        warn!(error = &error as &dyn std::error::Error, "disposition was not settled; it comes again");
    }
}

fn name(outcome: DispositionOutcome) -> &'static str {
    match outcome {
        DispositionOutcome::Recorded(_) => "recorded",
        DispositionOutcome::Duplicate(_) => "duplicate",
        DispositionOutcome::Missing => "missing",
    }
}
