//! One-liners on memory adapters.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::domain::access::{Action, Actor, Grants, Role, authorize};
use reminderly_core::domain::campaign::document;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::ids::{CampaignId, IdSourceExt as _, RandomIds, UserId};
use reminderly_core::ports::store::{NewCampaign, Store};
use reminderly_core::services::{CompiledCampaigns, Dispatch, InProcessPollers, OnDemand, Worker};
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::executor::Executor;
use reminderly_tests::material;
use reminderly_tests::sending::Sending;
use reminderly_tests::world::callers::line;

use reminderly_tests::report::{Failure, Report, median, micros_each, rate};

/// How much dearer a call may be when there are ten times as many.
const GOAL: f64 = 2.0;

/// Where the time went.
#[derive(Debug, Clone, Copy)]
struct Spent {
    /// From the first call to the acceptance of the last message.
    calls: Duration,
    /// In the rounds that take the packets down.
    rounds: Duration,
}

pub(crate) fn measure(report: &mut Report, calls: &[usize], runs: usize) -> Result<(), Failure> {
    let mut each = Vec::new();
    // The first number of a process loads what is known of all numbers.
    block_on(run(1))?;
    for count in calls {
        let mut measured = Vec::new();
        for _ in 0..runs.max(1) {
            measured.push(block_on(run(*count))?);
        }
        let all = |of: fn(&Spent) -> Duration| median(measured.iter().map(of).collect()).unwrap_or_default();
        let (time, rounds) = (all(|spent| spent.calls), all(|spent| spent.rounds));
        let count = *count as u64;
        let (micros, down) = (micros_each(time, count), micros_each(rounds, count));
        let median = format!("{:.0}/s ({micros:.1} µs each)", rate(count, time));
        report.add("one-liner, from the call to its acceptance", count, median, "-", None);
        report.add("… taking its packet down", count, format!("{down:.1} µs each"), "-", None);
        each.push(micros);
    }
    if let [small, large] = each[..] {
        let growth = large / small;
        let what = "a one-liner, as their number grows";
        report.add(what, 0, format!("× {growth:.2}"), &format!("≤ × {GOAL}"), Some(GOAL / growth));
    }
    Ok(())
}

async fn run(count: usize) -> Result<Spent, Failure> {
    let sending = Sending::new(NamedPersona::Silent).await?;
    let campaign = on_demand_campaign(&sending).await?;
    let executor = Executor::new();
    let dispatch = Arc::new(Dispatch::new(&sending.ports, &sending.settings));
    let pollers = Arc::new(InProcessPollers::new(dispatch, executor.spawner(1)));
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&sending.ports.store)));
    let on_demand =
        OnDemand::new(&sending.ports, &sending.settings, campaigns, Arc::<InProcessPollers>::clone(&pollers));
    let role = Role {
        id: RandomIds.next(sending.ports.clock.now()),
        name: String::new(),
        actions: [Action::SendOnDemand].into(),
        companies: [sending.company].into(),
    };
    let user: UserId = RandomIds.next(sending.ports.clock.now());
    let grants = Grants { roles: vec![role] };
    let scope = authorize(Actor::User(user), Action::SendOnDemand, sending.company, &grants)?;
    let clock = &sending.ports.clock;
    let start = clock.monotonic();
    for index in 0..count {
        on_demand.send(&scope, campaign, &line(index)).await?;
        while executor.step(|_| 0) {}
    }
    let calls = clock.monotonic().since(start);
    if sending.sandbox.accepted_count() != count as u64 {
        return Err("not every call was accepted".into());
    }
    let worker = Worker::new(&sending.ports, &sending.settings, Arc::<InProcessPollers>::clone(&pollers));
    let start = clock.monotonic();
    worker_rounds(&worker, &executor, &*sending.ports.store).await?;
    let rounds = clock.monotonic().since(start);
    println!("{count} one-liners: {calls:.2?}; taken down in {rounds:.2?}");
    Ok(Spent { calls, rounds })
}

/// Rounds until every packet has ended; the pollers are stepped while the worker waits for their end.
async fn worker_rounds(worker: &Worker, executor: &Executor, store: &dyn Store) -> Result<(), Failure> {
    loop {
        let mut round = Box::pin(worker.sending_round());
        let ended = futures::future::poll_fn(|context| {
            let polled = round.as_mut().poll(context);
            while executor.step(|_| 0) {}
            polled
        });
        ended.await?;
        if store.open_packets_across_companies(None, 1).await?.items.is_empty() {
            return Ok(());
        }
    }
}

async fn on_demand_campaign(sending: &Sending) -> Result<CampaignId, Failure> {
    let (store, company) = (&sending.ports.store, sending.company);
    let created_at = sending.ports.clock.now();
    let id: CampaignId = RandomIds.next(created_at);
    let definition = Arc::new(document::parse(&material::on_demand().to_string())?);
    store.create_campaign(company, NewCampaign { id, definition, created_at }).await?;
    store.change_campaign_state(company, id, CampaignState::Draft, CampaignState::Active).await?;
    Ok(id)
}
