//! What the host, people and fate do to a deployment.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ports::queue::{QueueAdmin as _, QueueName};
use reminderly_core::services::{
    Campaigns, CompiledCampaigns, IncomingMessages, OnDemandCall, RestoreFence, ServiceError, Unsubscribes,
};
use reminderly_core::testing::WantedPanic;

use super::documents::{self, RowDraft};
use super::schedule::{Deed, Way};
use super::trial::Trial;

impl Trial<'_> {
    /// Does it.
    pub(super) fn perform(&mut self, deed: &Deed) {
        match deed {
            Deed::File { campaign, number, rows } => {
                let name = documents::file_name(*campaign, *number);
                let text = documents::file(rows, self.schedule.zone);
                self.deployment.files[*campaign].arrive(&name, &text);
                self.count("file arrived", 1);
            }
            Deed::Call { campaign, worker, row } => self.call(*campaign, *worker, row),
            Deed::Unsubscribe { company, cell, change, way } => {
                self.unsubscribe(*company, cell, *change, *way);
            }
            Deed::Pause { .. } | Deed::Resume { .. } | Deed::Archive { .. } | Deed::CancelPacket { .. } => {
                self.rule(deed);
            }
            Deed::Kill { worker } => {
                let killed = self.deployment.kill(*worker);
                self.count("worker killed", killed.into());
            }
            Deed::Stop { worker } => {
                let stopped = self.deployment.stop(*worker);
                self.count("worker told to stop", stopped.into());
            }
            Deed::Start { worker } => {
                let started = self.deployment.start(*worker);
                self.count("worker replaced", started.into());
            }
            Deed::CrashHost => {
                let undone = self.errands.crash(&self.deployment.world.executor);
                self.count("host crashed in the middle of something", undone);
            }
            Deed::Jump { worker, to } => self.deployment.jump(*worker, *to),
            Deed::BackUp => self.backup = Some((self.world().now(), self.world().store.back_up())),
            Deed::Restore => self.restore(),
            Deed::Release => self.release(),
            Deed::DeleteQueue { .. } | Deed::Poison { .. } | Deed::Redrive => self.meddle(deed),
        }
    }

    fn call(&mut self, campaign: usize, worker: usize, row: &RowDraft) {
        let Some(process) = self.deployment.process(worker) else { return };
        let campaign = &self.deployment.campaigns[campaign];
        let call = on_demand_call(row);
        let on_demand = self.world().on_demand(process);
        let scope = self.world().scope(campaign.company, Action::SendOnDemand);
        let (id, failures) = (campaign.id, self.errands.failures());
        self.world().executor.spawn(process, async move {
            match AssertUnwindSafe(on_demand.send(&scope, id, &call)).catch_unwind().await {
                Ok(Ok(_) | Err(ServiceError::WrongState { .. })) => {}
                Ok(Err(error)) if error.is_transient() => {}
                Ok(Err(error)) => failures.add(format!("call: {error:?}")),
                Err(panic) if panic.is::<WantedPanic>() => {}
                Err(panic) => resume_unwind(panic),
            }
        });
        self.count("call on demand", 1);
    }

    /// A campaign that stays paused stays open.
    pub(super) fn resume_all(&mut self) {
        for campaign in 0..self.schedule.campaigns.len() {
            if self.schedule.has(|deed| matches!(deed, Deed::Pause { campaign: of } if *of == campaign)) {
                self.rule(&Deed::Resume { campaign });
            }
        }
    }

    /// Whoever was told of a failure calls again, until it is known that the call is stored.
    pub(super) fn call_again(&mut self) {
        if self.schedule.is_restored() {
            return;
        }
        for timed in &self.schedule.deeds {
            if let Deed::Call { campaign, worker, row } = &timed.deed {
                self.call(*campaign, *worker, row);
            }
        }
    }

    fn unsubscribe(&mut self, company: usize, cell: &str, change: UnsubscribeChange, way: Way) {
        let company = self.deployment.companies[company];
        let contact = ContactPoint::Sms(PhoneNumber::parse(cell, None).expect("a number"));
        let executor = &self.deployment.world.executor;
        let is_out = change == UnsubscribeChange::OptedOut;
        let what = match (is_out, way) {
            (true, Way::Operator) => "opt-out by an operator",
            (false, Way::Operator) => "opt-in by an operator",
            (true, Way::Reply) => "opt-out by a reply",
            (false, Way::Reply) => "opt-in by a reply",
        };
        let about = format!("{cell} and {company}");
        match way {
            Way::Operator => {
                let scope = self.deployment.world.scope(company, Action::ManageUnsubscribes);
                let key = contact.refusal_key();
                self.errands.begin(executor, (what, about), move |ports| {
                    let (service, scope, key) = (Unsubscribes::new(ports), scope, key.clone());
                    async move { service.change(&scope, key, change).await.map(drop) }.boxed()
                });
            }
            Way::Reply => {
                let world = &self.deployment.world;
                let (scope, settings, now) =
                    (world.worker_scope(company), world.settings.clone(), world.now());
                let event = format!("{what}-{about}-{now}");
                self.written.insert(event.clone());
                let incoming = Incoming {
                    provider: "sandbox-sms".into(),
                    account: world.sandbox.account(company),
                    event: event.into(),
                    from: contact,
                    text: if is_out { "Stop." } else { "START" }.into(),
                    at: now,
                };
                self.errands.begin(executor, (what, about), move |ports| {
                    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
                    let service = IncomingMessages::new(ports, &settings, campaigns);
                    let (scope, incoming) = (scope, incoming.clone());
                    async move { service.receive(&scope, &incoming).await.map(drop) }.boxed()
                });
            }
        }
        self.count(what, 1);
    }

    fn rule(&mut self, deed: &Deed) {
        let (what, of) = match deed {
            Deed::Pause { campaign } => ("campaign paused", *campaign),
            Deed::Resume { campaign } => ("campaign resumed", *campaign),
            Deed::Archive { campaign } => ("campaign archived", *campaign),
            Deed::CancelPacket { campaign } => ("packet cancelled", *campaign),
            _ => return,
        };
        let world = &self.deployment.world;
        let campaign = self.deployment.campaigns[of].clone();
        let scope = world.scope(campaign.company, Action::RunCampaign);
        let newest = world.packets(&campaign).into_iter().rev().find(|packet| !packet.stage.is_closed());
        if matches!(deed, Deed::CancelPacket { .. }) && newest.is_none() {
            return;
        }
        let deed = deed.clone();
        self.errands.begin(&world.executor, (what, format!("campaign {of}")), move |ports| {
            let (service, scope, id) = (Campaigns::new(ports), scope, campaign.id);
            let (deed, packet) = (deed.clone(), newest.as_ref().map(|packet| packet.id));
            let done = async move {
                match (deed, packet) {
                    (Deed::Pause { .. }, _) => service.pause(&scope, id).await.map(drop),
                    (Deed::Resume { .. }, _) => service.resume(&scope, id).await.map(drop),
                    (Deed::Archive { .. }, _) => service.remove(&scope, id).await.map(drop),
                    (_, Some(packet)) => service.cancel_packet(&scope, packet).await.map(drop),
                    _ => Ok(()),
                }
            };
            done.map(unless_too_late).boxed()
        });
        self.count(what, 1);
    }

    fn restore(&mut self) {
        let Some((at, backup)) = self.backup.take() else { return };
        self.deployment.kill_all();
        self.world().store.restore(&backup);
        self.deployment.witness.forget_since(at);
        let world = self.world();
        let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
        let raised = block_on(async {
            let last = fence.last(&scope).await?;
            fence.raise(&scope, last.epoch).await
        });
        let repeated = raised.and_then(|_| block_on(self.say_again(at)));
        if let Err(error) = repeated {
            self.violations.push(format!("restore: {error:?}"));
        }
        self.errands.crash(&self.deployment.world.executor);
        for worker in 0..self.schedule.workers {
            self.deployment.start(worker);
        }
        self.count("store restored", 1);
    }

    /// Before anything starts: who refused since, what was paused, cancelled and archived, from the host's own log.
    async fn say_again(&self, backup: DateTime<Utc>) -> Result<(), ServiceError> {
        let (world, seen) = (self.world(), self.deployment.witness.seen());
        let service = Unsubscribes::new(&world.ports);
        for said in seen.unsubscribes.iter().filter(|said| said.at > backup) {
            let scope = world.scope(said.company, Action::ManageUnsubscribes);
            service.change(&scope, said.key.clone(), said.change).await.map(drop)?;
        }
        let service = Campaigns::new(&world.ports);
        for (id, state, _) in seen.states.iter().filter(|(.., at)| *at > backup) {
            let of = self.deployment.campaigns.iter().find(|campaign| campaign.id == *id);
            let Some(campaign) = of else { continue };
            let scope = world.scope(campaign.company, Action::RunCampaign);
            let changed = match state {
                CampaignState::Active => service.resume(&scope, *id).await,
                CampaignState::Paused => service.pause(&scope, *id).await,
                CampaignState::Archived => service.remove(&scope, *id).await,
                CampaignState::Draft => continue,
            };
            unless_too_late(changed.map(drop))?;
        }
        for (packet, _) in seen.cancelled.iter().filter(|(_, at)| *at > backup) {
            for company in &self.deployment.companies {
                let scope = world.scope(*company, Action::RunCampaign);
                // The backup may not hold it, and it is one company's.
                unless_too_late(service.cancel_packet(&scope, *packet).await.map(drop))?;
            }
        }
        Ok(())
    }

    pub(super) fn release(&mut self) {
        let world = &self.deployment.world;
        let scope = world.operator_scope();
        self.errands.begin(&world.executor, ("release", "release".to_owned()), move |ports| {
            let fence = RestoreFence::new(ports);
            async move { fence.release_all(&scope).await.map(drop) }.boxed()
        });
    }

    fn meddle(&mut self, deed: &Deed) {
        let world = self.world();
        let queue_of = |campaign: usize| {
            let packets = world.packets(&self.deployment.campaigns[campaign]).into_iter().rev();
            let mut queues = packets.map(|packet| QueueName::of_packet(packet.id));
            queues.find(|queue| world.depth(queue).is_some())
        };
        match deed {
            Deed::DeleteQueue { campaign } => {
                if let Some(queue) = queue_of(*campaign) {
                    block_on(world.queue.delete(&queue)).expect("deleted");
                    self.count("queue deleted while in use", 1);
                }
            }
            Deed::Poison { campaign } => {
                if let Some(queue) = queue_of(*campaign) {
                    for body in ["", "{\"outbound_v9\":{}}", "\u{fffe}nonsense"] {
                        world.queue.put_raw_body(&queue, body).expect("put");
                    }
                    self.count("poison in a queue", 1);
                }
            }
            Deed::Redrive => {
                let letters = &world.settings.queues.dead_letters;
                let moved = block_on(world.queue.redrive(letters, 1_000)).expect("redriven");
                self.count("dead letters came back", moved);
            }
            _ => {}
        }
    }
}

/// The call that brings this row.
fn on_demand_call(row: &RowDraft) -> OnDemandCall {
    let RowDraft { key, name, cell, email, person, .. } = row;
    let cells = [("Key", key), ("Name", name), ("Cell", cell), ("Email", email), ("Person", person)];
    let cells = cells.into_iter().map(|(column, value)| (column.to_owned(), value.clone())).collect();
    OnDemandCall::rows(CallKey::new(key).expect("a key"), vec![cells])
}

/// What comes too late, or was done by an earlier try, is no failure.
fn unless_too_late(done: Result<(), ServiceError>) -> Result<(), ServiceError> {
    match done {
        Err(ServiceError::WrongState { .. } | ServiceError::NotFound { .. }) => Ok(()),
        done => done,
    }
}
