//! Calls that are cut short, made twice at once, or made while the queue does its worst.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reminderly_core::domain::access::Action;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::ids::PacketId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::poller::{PollerError, PollerHost, PollerSpec};
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::{
    CallProgress, CallRepetition, CallRow, CompiledCampaigns, OnDemand, OnDemandCall, OnDemandReceipt,
    ServiceError,
};
use reminderly_core::testing::QueueFaults;
use reminderly_tests::prove::crashes::{POLLS_AT_MOST, cut};
use reminderly_tests::world::callers::{key, line};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::json;

fn yielding(seed: u64) -> Setup {
    Setup { seed, store: MemoryStore::yielding, ..Setup::default() }
}

/// Good rows for people of their own, and one without a key.
fn rows(count: usize) -> OnDemandCall {
    let row = |index: usize| -> CallRow {
        let key = if index == 1 { String::new() } else { format!("K{index}") };
        let cells = [("Key", key), ("Name", format!("Name{index}")), ("Cell", material::number(index))];
        let empty = ["Email", "Person"].map(|column| (column, String::new()));
        cells.into_iter().chain(empty).map(|(column, cell)| (column.to_owned(), cell)).collect()
    };
    OnDemandCall::rows(key("batch"), (0..count).map(row).collect())
}

/// Drops the call after 0, 1, 2, … polls, and with it the pollers of its process. Then a worker goes on alone, or the caller
/// calls again.
fn at_every_poll(call: &OnDemandCall, messages: usize, again: impl Fn(usize) -> bool) -> (usize, usize) {
    let mut left_to_the_worker = 0;
    for polls in 0..POLLS_AT_MOST {
        let mut world = World::new(&yielding(1));
        let company = world.company();
        let campaign = world.campaign(company, &material::on_demand());
        let scope = world.scope(company, Action::SendOnDemand);
        let (on_demand, process) = world.lone_on_demand();
        let finished = cut(&world, polls, on_demand.send(&scope, campaign.id, call)).is_some();
        world.kill(process);
        let made = !world.packets(&campaign).is_empty();
        let worker = world.start_worker();
        if again(polls) {
            let on_demand = world.on_demand(worker);
            let receipt = world.drive(on_demand.send(&scope, campaign.id, call)).unwrap();
            assert_eq!(receipt.repetition == CallRepetition::Repeated, made);
        }
        world.run_to_end();
        judge::all_is_well(&world, &campaign);
        let expected = if made || again(polls) { messages } else { 0 };
        assert_eq!(world.packets(&campaign).len(), usize::from(expected > 0), "after {polls} polls");
        assert_eq!(judge::accepted_messages(&world).len(), expected, "after {polls} polls");
        left_to_the_worker += usize::from(made && !finished);
        if finished {
            return (polls, left_to_the_worker);
        }
    }
    panic!("still not finished after {POLLS_AT_MOST} polls");
}

#[test]
fn a_call_may_be_dropped_at_any_poll_and_a_worker_goes_on() {
    for (call, messages) in [(line(0), 1), (rows(5), 4)] {
        let (polls, left) = at_every_poll(&call, messages, |_| false);
        println!("{polls} polls, {left} of them after the call was stored");
        assert!(polls > 10 && left > 5, "{polls} {left}");
    }
}

#[test]
fn a_call_may_be_dropped_at_any_poll_and_made_again() {
    for (call, messages) in [(line(0), 1), (rows(5), 4)] {
        let (polls, left) = at_every_poll(&call, messages, |_| true);
        assert!(polls > 10 && left > 5, "{polls} {left}");
    }
}

/// Callers of several processes make the same call at once, and one of them another with the same key.
fn at_once(seed: u64) {
    let mut world = World::new(&yielding(seed));
    world.shuffle(seed);
    let company = world.company();
    let campaign = world.campaign(company, &material::on_demand());
    let workers = [world.start_worker(), world.start_worker()];
    let answers: Arc<Mutex<Vec<Result<OnDemandReceipt, ServiceError>>>> = Arc::default();
    let process = world.new_process();
    for caller in 0..6 {
        let on_demand = world.on_demand(workers[caller % 2]);
        let scope = world.scope(company, Action::SendOnDemand);
        let call = if caller == 5 { OnDemandCall { key: rows(4).key, ..line(9) } } else { rows(4) };
        let answers = Arc::clone(&answers);
        world.executor.spawn(process, async move {
            let answer = on_demand.send(&scope, campaign.id, &call).await;
            answers.lock().unwrap().push(answer);
        });
    }
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let answers = answers.lock().unwrap();
    let receipts: Vec<&OnDemandReceipt> = answers.iter().flatten().collect();
    let first = receipts.iter().filter(|receipt| receipt.repetition == CallRepetition::First).count();
    let packets: Vec<PacketId> = world.packets(&campaign).iter().map(|packet| packet.id).collect();
    assert_eq!((first, packets.len()), (1, 1));
    assert!(receipts.iter().all(|receipt| receipt.packet == packets[0]));
    // Whoever was first, the other content was refused.
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    let refused =
        refused.map(|error| matches!(error, ServiceError::KeyReused { packet } if *packet == packets[0]));
    let refused: Vec<bool> = refused.collect();
    assert!(refused == [true] || refused == [true; 5], "{answers:?}");
    let expected = if refused.len() == 1 { 3 } else { 1 };
    assert_eq!(judge::accepted_messages(&world).len(), expected);
}

#[test]
fn calls_with_one_key_at_once_are_one_call() {
    for seed in super::seeds(60) {
        super::with_seed(seed, || at_once(seed));
    }
}

/// Twenty calls, every other one of them made twice, over a queue that doubles, loses and delays.
fn over_a_faulty_queue(seed: u64) {
    let faults = QueueFaults {
        duplicate: 0.3,
        reorder: 0.5,
        lose: 0.3,
        delay: 0.2,
        fail: 0.1,
        refuse: 0.05,
        over_limit: 0.05,
        lose_answer: 0.3,
        lose_payloads: false,
    };
    let script =
        json!({ "default": { "mix": { "delivers": 4, "time_out": 1, "lost_answer": 1, "throttled": 1 } } });
    let mut world = World::new(&Setup {
        seed,
        faults: Some(faults),
        script,
        tune: |settings| settings.tick = Duration::from_mins(1),
        ..Setup::default()
    });
    world.shuffle(seed);
    let company = world.company();
    let campaign = world.campaign(company, &material::on_demand());
    let scope = world.scope(company, Action::SendOnDemand);
    let worker = world.start_worker();
    let on_demand = world.on_demand(worker);
    for index in 0..20 {
        // A queue that fails is no failure of the call.
        let receipt = world.drive(on_demand.send(&scope, campaign.id, &line(index))).unwrap();
        assert_eq!(receipt.repetition, CallRepetition::First);
        if index % 2 == 0 {
            let again = world.drive(on_demand.send(&scope, campaign.id, &line(index))).unwrap();
            assert_eq!((again.packet, again.repetition), (receipt.packet, CallRepetition::Repeated));
        }
    }
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.packets(&campaign).len(), 20);
    let accepted = judge::accepted_messages(&world).len();
    assert!(accepted >= 17, "seed {seed}: the faults stopped the sending at {accepted}");
}

#[test]
fn calls_over_a_faulty_queue_are_sent_once() {
    for seed in super::seeds(30) {
        super::with_seed(seed, || over_a_faulty_queue(seed));
    }
}

#[test]
fn a_process_of_callers_may_leave_the_rest_to_workers_elsewhere() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::on_demand());
    let scope = world.scope(company, Action::SendOnDemand);
    let (on_demand, process) = world.lone_on_demand();
    for index in 0..40 {
        world.drive(on_demand.send(&scope, campaign.id, &line(index))).unwrap();
    }
    world.settle();
    assert_eq!(judge::accepted_messages(&world).len(), 40, "its own pollers send");
    assert_eq!(world.executor.tasks_of(process), 40);
    world.start_worker();
    world.run_to_end();
    world.run_for(Duration::from_mins(1));
    assert_eq!(world.executor.tasks_of(process), 0, "they end with their queues");
    judge::all_is_well(&world, &campaign);
}

/// Cannot be reached.
#[derive(Debug)]
struct NoHost;

#[async_trait::async_trait]
impl PollerHost for NoHost {
    async fn ensure(&self, spec: &PollerSpec) -> Result<(), PollerError> {
        Err(PollerError::Unavailable { queue: spec.queue.clone(), source: "no host".into() })
    }

    async fn stop(&self, queue: &QueueName) -> Result<(), PollerError> {
        Err(PollerError::Unavailable { queue: queue.clone(), source: "no host".into() })
    }
}

#[test]
fn a_call_that_cannot_be_set_up_is_taken_and_sent_by_a_worker() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::on_demand());
    let scope = world.scope(company, Action::SendOnDemand);
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let on_demand = OnDemand::new(&world.ports, &world.settings, compiled, Arc::new(NoHost));
    let receipt = world.drive(on_demand.send(&scope, campaign.id, &line(0))).unwrap();
    assert_eq!((receipt.repetition, receipt.stage), (CallRepetition::First, PacketStage::Mapped));
    world.start_worker();
    world.settle();
    let settled = on_demand.outcome(&scope, receipt.packet, CallProgress::Settled, Duration::from_secs(5));
    let outcome = world.drive(settled).unwrap();
    assert_eq!(outcome.progress, CallProgress::Settled);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(judge::accepted_messages(&world).len(), 1);
}
