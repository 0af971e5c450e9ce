//! Each fault of the decorator happens, is counted, and does what it says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;

use chrono::DateTime;
use futures::executor::block_on;
use reminderly_core::ports::queue::{QueueAdmin, QueueError, QueueName, QueueSpec};
use reminderly_core::testing::{AdminFaults, FaultyQueueAdmin, InjectedAdminFaults, VirtualClock};
use reminderly_queue_memory::MemoryQueue;

fn bench(faults: AdminFaults) -> (FaultyQueueAdmin, Arc<MemoryQueue>, QueueSpec) {
    let inner = Arc::new(MemoryQueue::new(Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH))));
    let admin = FaultyQueueAdmin::new(Arc::<MemoryQueue>::clone(&inner), 7);
    admin.set_faults(faults);
    let [name, dead_letters] = ["queue", "dead"].map(|name| QueueName::new(name).unwrap());
    (admin, inner, QueueSpec { name, dead_letters, max_receives: 3 })
}

fn exists(queues: &impl QueueAdmin, queue: &QueueName) -> bool {
    block_on(queues.depth(queue)).unwrap().is_some()
}

/// Every call, with what it said.
fn calls(admin: &FaultyQueueAdmin, spec: &QueueSpec) -> [Result<(), QueueError>; 5] {
    [
        block_on(admin.ensure(spec)),
        block_on(admin.depth(&spec.name)).map(drop),
        block_on(admin.list("", None)).map(drop),
        block_on(admin.redrive(&spec.dead_letters, 1)).map(drop),
        block_on(admin.delete(&spec.name)),
    ]
}

#[test]
fn a_refused_call_does_nothing() {
    let (admin, inner, spec) = bench(AdminFaults { refuse: 1.0, lose_answer: 1.0 });
    let refused = |answer: &Result<(), _>| matches!(answer, Err(QueueError::Unavailable { .. }));
    assert!(calls(&admin, &spec).iter().all(refused));
    assert!(!exists(&*inner, &spec.name));
    block_on(inner.ensure(&spec)).unwrap();
    assert!(calls(&admin, &spec).iter().all(refused));
    assert!(exists(&*inner, &spec.name));
    assert_eq!(admin.injected(), InjectedAdminFaults { refusals: 10, lost_answers: 0 });
}

#[test]
fn a_call_without_answer_takes_effect() {
    let (admin, inner, spec) = bench(AdminFaults { lose_answer: 1.0, ..AdminFaults::default() });
    let answer = block_on(admin.ensure(&spec));
    assert!(matches!(answer, Err(QueueError::Unavailable { .. })), "{answer:?}");
    assert!(exists(&*inner, &spec.name));
    let answer = block_on(admin.delete(&spec.name));
    assert!(matches!(answer, Err(QueueError::Unavailable { .. })), "{answer:?}");
    assert!(!exists(&*inner, &spec.name));
    assert_eq!(admin.injected(), InjectedAdminFaults { refusals: 0, lost_answers: 2 });
}

#[test]
fn without_faults_it_is_as_if_it_were_not_there() {
    let (admin, inner, spec) = bench(AdminFaults::default());
    block_on(admin.ensure(&spec)).unwrap();
    assert!(exists(&admin, &spec.name) && exists(&*inner, &spec.name));
    assert!(block_on(admin.list("", None)).unwrap().items.contains(&spec.name));
    block_on(admin.delete(&spec.name)).unwrap();
    assert!(!exists(&*inner, &spec.name));
    assert_eq!(admin.injected(), InjectedAdminFaults::default());
}
