#![cfg(all(feature = "memory", feature = "mock", feature = "testing"))]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use futures::executor::block_on;

use super::Handler;
use crate::domain::envelope::Undecodable;
use crate::memory::MemoryStore;
use crate::ports::queue::{Lease, LeaseOutcome, LeaseToken, MockMessageQueue, QueueError, QueueName};
use crate::services::{
    CompiledCampaigns, Dispositions, IncomingMessages, Ports, QueueNames, Settings, test_ports,
};
use crate::testing::VirtualClock;

/// Three copies that nobody can read. The first cannot be set aside.
fn leases() -> Vec<Lease> {
    let lease = |number: usize| Lease {
        envelope: Err(Undecodable::Malformed { line: 1, column: number }),
        token: LeaseToken(number.to_string()),
        receives: 1,
        expires_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(2),
    };
    (0..3).map(lease).collect()
}

fn handled_with(make: impl FnOnce(&Ports, &Settings, Arc<CompiledCampaigns>) -> Arc<dyn Handler>) {
    let mut queue = MockMessageQueue::new();
    queue.expect_dead_letter().times(3).returning(|_, token, _| match token.0.as_str() {
        "0" => Err(QueueError::Unavailable { source: "away".into() }),
        _ => Ok(LeaseOutcome::Done),
    });
    let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
    let ports = test_ports::over(Arc::new(MemoryStore::new()), clock);
    let ports = Ports { queue: Arc::new(queue), ..ports };
    let settings = Settings::new(QueueNames::of_deployment("test").unwrap());
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let handler = make(&ports, &settings, campaigns);
    block_on(handler.handle(&QueueName::new("test").unwrap(), leases())).unwrap();
}

#[test]
fn a_copy_that_cannot_be_settled_keeps_no_other_back() {
    handled_with(|ports, settings, campaigns| Arc::new(IncomingMessages::new(ports, settings, campaigns)));
    handled_with(|ports, settings, campaigns| Arc::new(Dispositions::new(ports, settings, campaigns)));
}
