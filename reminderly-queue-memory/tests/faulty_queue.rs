//! Each fault of the decorator happens, is counted, and does what it says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures::executor::block_on;
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::envelope::{Envelope, SealedPayload, Slice};
use reminderly_core::domain::sealed::Sealed;
use reminderly_core::ids::{CampaignId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::queue::{
    Depth, Lease, LeaseOutcome, MAX_DELAY, MessageQueue, Outgoing, QueueAdmin as _, QueueError, QueueName,
    QueueSpec, SendOutcome,
};
use reminderly_core::testing::{FaultyQueue, InjectedFaults, QueueFaults, VirtualClock};
use reminderly_queue_memory::MemoryQueue;
use uuid::Uuid;

const VISIBILITY: Duration = Duration::from_secs(30);

struct Bench {
    clock: Arc<VirtualClock>,
    inner: Arc<MemoryQueue>,
    queue: FaultyQueue,
    name: QueueName,
}

impl Bench {
    fn new(faults: QueueFaults) -> Self {
        let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
        let inner = Arc::new(MemoryQueue::new(Arc::<VirtualClock>::clone(&clock)));
        let name = QueueName::new("queue").unwrap();
        let dead_letters = QueueName::new("dead").unwrap();
        block_on(inner.ensure(&QueueSpec { name: name.clone(), dead_letters, max_receives: 3 })).unwrap();
        let queue = FaultyQueue::new(Arc::<MemoryQueue>::clone(&inner), faults, 7);
        Self { clock, inner, queue, name }
    }

    fn send(&self, items: &[Outgoing]) -> Result<Vec<SendOutcome>, QueueError> {
        block_on(self.queue.send(&self.name, items)).map(Outcomes::into_vec)
    }

    fn receive_all(&self) -> Vec<Lease> {
        block_on(self.inner.receive(&self.name, 1_000, Duration::ZERO, VISIBILITY)).unwrap()
    }

    fn depth(&self) -> Depth {
        block_on(self.inner.depth(&self.name)).unwrap().unwrap()
    }
}

fn slices(count: u128) -> Vec<Outgoing> {
    let id = Uuid::from_u128;
    let slice = |n| Slice {
        company: CompanyId::from(id(1)),
        campaign: CampaignId::from(id(2)),
        packet: PacketId::from(id(3)),
        method: ContactMethod::Email,
        closes_at: None,
        messages: vec![MessageId::from(id(n))],
    };
    (0..count).map(|n| Envelope::Outbound(slice(n)).into()).collect()
}

fn payload() -> Outgoing {
    let sealed = Sealed { key: "k".to_owned(), text: "t".to_owned() };
    Envelope::Incoming(SealedPayload { received_at: DateTime::UNIX_EPOCH, sealed }).into()
}

#[test]
fn a_duplicate_is_received_twice_and_reported_once() {
    let bench = Bench::new(QueueFaults { duplicate: 1.0, ..QueueFaults::default() });
    assert_eq!(bench.send(&slices(3)).unwrap(), [SendOutcome::Sent; 3]);
    assert_eq!(bench.receive_all().len(), 6);
    assert_eq!(bench.queue.injected(), InjectedFaults { duplicates: 3, ..InjectedFaults::default() });
}

#[test]
fn a_lost_slice_is_reported_as_sent_and_payloads_are_spared() {
    let bench = Bench::new(QueueFaults { lose: 1.0, ..QueueFaults::default() });
    let mut items = slices(2);
    items.insert(1, payload());
    assert_eq!(bench.send(&items).unwrap(), [SendOutcome::Sent; 3]);
    let leases = bench.receive_all();
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].envelope.as_ref(), Ok(&payload().envelope));
    assert_eq!(bench.queue.injected(), InjectedFaults { losses: 2, ..InjectedFaults::default() });
}

#[test]
fn payloads_are_lost_on_demand() {
    let bench = Bench::new(QueueFaults { lose: 1.0, lose_payloads: true, ..QueueFaults::default() });
    assert_eq!(bench.send(&[payload()]).unwrap(), [SendOutcome::Sent]);
    assert_eq!(bench.depth(), Depth::default());
}

#[test]
fn a_delayed_item_comes_within_the_longest_delay() {
    let bench = Bench::new(QueueFaults { delay: 1.0, ..QueueFaults::default() });
    assert_eq!(bench.send(&slices(5)).unwrap(), [SendOutcome::Sent; 5]);
    assert_eq!(bench.depth(), Depth { ready: 0, leased: 0, delayed: 5 });
    bench.clock.advance(MAX_DELAY);
    assert_eq!(bench.receive_all().len(), 5);
    assert_eq!(bench.queue.injected(), InjectedFaults { delays: 5, ..InjectedFaults::default() });
}

#[test]
fn a_reordered_batch_keeps_its_outcomes_in_place() {
    let bench = Bench::new(QueueFaults { reorder: 1.0, ..QueueFaults::default() });
    let mut items = slices(20);
    items[4].delay = MAX_DELAY + Duration::from_secs(1);
    let outcomes = bench.send(&items).unwrap();
    let refused = outcomes.iter().position(|outcome| *outcome == SendOutcome::Refused);
    assert_eq!(refused, Some(4));
    let received: Vec<_> = bench.receive_all().into_iter().map(|lease| lease.envelope.unwrap()).collect();
    let mut sent: Vec<_> = items.into_iter().map(|item| item.envelope).collect();
    sent.remove(4);
    assert_ne!(received, sent);
    assert!(sent.iter().all(|envelope| received.contains(envelope)));
    assert_eq!(bench.queue.injected(), InjectedFaults { reorders: 1, ..InjectedFaults::default() });
}

#[test]
fn a_receive_is_reordered_too() {
    let bench = Bench::new(QueueFaults { reorder: 1.0, ..QueueFaults::default() });
    let items = slices(20);
    assert_eq!(block_on(bench.inner.send(&bench.name, &items)).unwrap().len(), 20);
    let leases = block_on(bench.queue.receive(&bench.name, 20, Duration::ZERO, VISIBILITY)).unwrap();
    assert_eq!(leases.len(), 20);
    assert!(leases.iter().zip(&items).any(|(lease, item)| lease.envelope.as_ref() != Ok(&item.envelope)));
    assert_eq!(bench.queue.injected(), InjectedFaults { reorders: 1, ..InjectedFaults::default() });
}

#[test]
fn a_call_without_answer_takes_effect() {
    let bench = Bench::new(QueueFaults { lose_answer: 1.0, ..QueueFaults::default() });
    assert!(matches!(bench.send(&slices(2)), Err(QueueError::Unavailable { .. })));
    assert_eq!(bench.depth().ready, 2);
    let tokens: Vec<_> = bench.receive_all().into_iter().map(|lease| lease.token).collect();
    let (first, second) = (&tokens[..1], &tokens[1]);
    let name = &bench.name;
    let answers = [
        block_on(bench.queue.extend(name, first, VISIBILITY)).map(drop),
        block_on(bench.queue.release(name, first, Duration::ZERO)).map(drop),
        block_on(bench.queue.dead_letter(name, second, "test")).map(drop),
        block_on(bench.queue.receive(name, 1, Duration::ZERO, VISIBILITY)).map(drop),
        block_on(bench.queue.ack(name, &tokens)).map(drop),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(QueueError::Unavailable { .. })), "{answer:?}");
    }
    assert_eq!(bench.depth(), Depth { ready: 0, leased: 1, delayed: 0 });
    assert_eq!(bench.queue.injected(), InjectedFaults { lost_answers: 6, ..InjectedFaults::default() });
}

#[test]
fn an_item_that_failed_is_not_there() {
    let bench = Bench::new(QueueFaults { fail: 1.0, ..QueueFaults::default() });
    assert_eq!(bench.send(&slices(3)).unwrap(), [SendOutcome::Failed; 3]);
    assert_eq!(bench.depth(), Depth::default());
    assert_eq!(bench.queue.injected(), InjectedFaults { failures: 3, ..InjectedFaults::default() });
}

#[test]
fn what_fails_and_what_does_not_is_told_in_place() {
    let bench = Bench::new(QueueFaults { fail: 0.5, reorder: 1.0, ..QueueFaults::default() });
    let items = slices(40);
    let outcomes = bench.send(&items).unwrap();
    let received: Vec<_> = bench.receive_all().into_iter().map(|lease| lease.envelope.unwrap()).collect();
    for (item, outcome) in items.iter().zip(&outcomes) {
        assert_eq!(*outcome == SendOutcome::Sent, received.contains(&item.envelope));
    }
    assert!(outcomes.contains(&SendOutcome::Sent) && outcomes.contains(&SendOutcome::Failed));
}

#[test]
fn a_lease_that_failed_is_held_on() {
    let bench = Bench::new(QueueFaults { fail: 0.5, ..QueueFaults::default() });
    assert_eq!(block_on(bench.inner.send(&bench.name, &slices(40))).unwrap().len(), 40);
    let tokens: Vec<_> = bench.receive_all().into_iter().map(|lease| lease.token).collect();
    let outcomes = block_on(bench.queue.ack(&bench.name, &tokens)).unwrap().into_vec();
    let failed = outcomes.iter().filter(|outcome| **outcome == LeaseOutcome::Failed).count();
    assert!(failed > 0 && failed < 40, "{outcomes:?}");
    assert_eq!(bench.depth(), Depth { ready: 0, leased: failed as u64, delayed: 0 });
    for (token, outcome) in tokens.iter().zip(&outcomes) {
        let again = block_on(bench.inner.ack(&bench.name, std::slice::from_ref(token))).unwrap().into_vec();
        let is_held = again == [LeaseOutcome::Done];
        assert_eq!(is_held, *outcome == LeaseOutcome::Failed, "{again:?}");
    }
    assert_eq!(bench.queue.injected().failures, failed as u64);
}

#[test]
fn a_refused_call_does_nothing() {
    let bench = Bench::new(QueueFaults { refuse: 1.0, ..QueueFaults::default() });
    let name = &bench.name;
    assert!(matches!(bench.send(&slices(2)), Err(QueueError::Unavailable { .. })));
    assert_eq!(bench.depth(), Depth::default());
    assert_eq!(block_on(bench.inner.send(name, &slices(2))).unwrap().len(), 2);
    let received = block_on(bench.queue.receive(name, 2, Duration::ZERO, VISIBILITY));
    assert!(matches!(received, Err(QueueError::Unavailable { .. })));
    let tokens: Vec<_> = bench.receive_all().into_iter().map(|lease| lease.token).collect();
    let answers = [
        block_on(bench.queue.ack(name, &tokens)).map(drop),
        block_on(bench.queue.release(name, &tokens, Duration::ZERO)).map(drop),
        block_on(bench.queue.dead_letter(name, &tokens[0], "test")).map(drop),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(QueueError::Unavailable { .. })), "{answer:?}");
    }
    assert_eq!(bench.depth(), Depth { ready: 0, leased: 2, delayed: 0 });
    assert_eq!(bench.queue.injected(), InjectedFaults { refusals: 5, ..InjectedFaults::default() });
}

#[test]
fn with_too_much_in_flight_nothing_comes() {
    let bench = Bench::new(QueueFaults { over_limit: 1.0, ..QueueFaults::default() });
    assert_eq!(bench.send(&slices(2)).unwrap(), [SendOutcome::Sent; 2]);
    let at_once = block_on(bench.queue.receive(&bench.name, 2, Duration::ZERO, VISIBILITY));
    assert!(matches!(at_once, Err(QueueError::OverLimit(name)) if name == bench.name));
    let waiting = block_on(bench.queue.receive(&bench.name, 2, Duration::from_secs(1), VISIBILITY));
    assert_eq!(waiting.unwrap(), []);
    assert_eq!(bench.depth().ready, 2);
    assert_eq!(bench.queue.injected(), InjectedFaults { over_limit: 2, ..InjectedFaults::default() });
}

#[test]
fn the_same_seed_injects_the_same_faults() {
    let faults = QueueFaults {
        duplicate: 0.3,
        reorder: 0.5,
        lose: 0.2,
        delay: 0.4,
        fail: 0.1,
        refuse: 0.1,
        over_limit: 0.0,
        lose_answer: 0.1,
        lose_payloads: false,
    };
    let run = || {
        let bench = Bench::new(faults);
        let answers: Vec<_> = (0..20).map(|_| bench.send(&slices(10)).ok()).collect();
        (answers, bench.queue.injected(), bench.receive_all())
    };
    let (first, again) = (run(), run());
    assert_eq!(first, again);
    let injected = first.1;
    assert!(injected.duplicates > 0 && injected.losses > 0 && injected.delays > 0, "{injected:?}");
    assert!(injected.reorders > 0 && injected.lost_answers > 0, "{injected:?}");
    assert!(injected.failures > 0 && injected.refusals > 0, "{injected:?}");
}
