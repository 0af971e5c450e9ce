//! A packet that ends while somebody still sets it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use reminderly_core::batch::Page;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::packet::{Draining, PacketStage};
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::{CompanyId, IdSourceExt as _, PacketId};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::queue::{Depth, QueueAdmin, QueueCursor, QueueError, QueueName, QueueSpec};
use reminderly_core::ports::store::{PacketStore as _, StageChange, WriteOutcome};
use reminderly_core::services::{Fleet, Ports};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};

/// Before the first queue is made, another worker sets the packet up, and marks it as completing.
#[derive(Debug)]
struct Overtaken {
    queues: Arc<dyn QueueAdmin>,
    store: Arc<MemoryStore>,
    company: CompanyId,
    packet: PacketId,
    at: DateTime<Utc>,
    happened: AtomicBool,
}

#[async_trait]
impl QueueAdmin for Overtaken {
    async fn ensure(&self, spec: &QueueSpec) -> Result<(), QueueError> {
        if !self.happened.swap(true, Ordering::Relaxed) {
            let (from, to) = (PacketStage::Mapped, PacketStage::Queued);
            let change = StageChange { packet: self.packet, from, to, failure: None, at: self.at };
            let set_up = self.store.change_stage(self.company, change).await.unwrap();
            let marked =
                self.store.set_draining(self.company, self.packet, Draining::Completing).await.unwrap();
            assert_eq!((set_up, marked), (WriteOutcome::Applied, WriteOutcome::Applied));
        }
        self.queues.ensure(spec).await
    }

    async fn delete(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.queues.delete(queue).await
    }

    async fn depth(&self, queue: &QueueName) -> Result<Option<Depth>, QueueError> {
        self.queues.depth(queue).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<QueueCursor>,
    ) -> Result<Page<QueueName, QueueCursor>, QueueError> {
        self.queues.list(prefix, after).await
    }

    async fn redrive(&self, dead_letters: &QueueName, limit: usize) -> Result<u64, QueueError> {
        self.queues.redrive(dead_letters, limit).await
    }
}

/// A packet with three messages that are due.
fn planted() -> (World, Campaign, PacketId) {
    let world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let legal = LegalInterval { from: world.now(), until: world.now() + TimeDelta::hours(5) };
    let packet = world.plant(&campaign, 1, 3, |_| legal);
    (world, campaign, packet)
}

#[test]
fn what_is_set_up_too_late_is_taken_down_again() {
    let (mut world, campaign, packet) = planted();
    let overtaken = Overtaken {
        queues: Arc::clone(&world.ports.queues),
        store: Arc::clone(&world.store),
        company: campaign.company,
        packet,
        at: world.now(),
        happened: AtomicBool::new(false),
    };
    let ports = Ports { queues: Arc::new(overtaken), ..world.ports.clone() };
    let process = world.new_process();
    let (_, pollers) = world.idle_worker(process);
    let fleet = Fleet::new(&ports, &world.settings, Arc::clone(&pollers) as _);
    let tended = block_on(fleet.tend(&world.platform_scope())).unwrap();
    assert_eq!((tended.set_up, tended.failed), (0, 0));
    assert_eq!(world.depth(&QueueName::of_packet(packet)), None, "nobody else would delete it");
    assert_eq!(pollers.running(), 0);
    // Nothing is lost by it: whoever marked it finds that it has messages, and goes on with it.
    world.start_worker();
    world.run_to_end();
    judge::everything_ended(&world, &campaign);
    assert_eq!(world.sandbox.accepted_count(), 3);
}

#[test]
fn what_is_left_of_a_set_up_that_broke_off_is_deleted() {
    let (mut world, _, packet) = planted();
    world.start_worker();
    world.run_to_end();
    // Whoever makes a queue now dies before it sees that the packet has ended. The other may be of another deployment.
    let other: PacketId = world.ports.ids.next(world.now());
    let [stray, foreign] = [packet, other].map(QueueName::of_packet);
    world.clock.advance(Duration::from_mins(1));
    for name in [stray.clone(), foreign.clone()] {
        let dead_letters = world.settings.queues.dead_letters.clone();
        block_on(world.queue.ensure(&QueueSpec { name, dead_letters, max_receives: 5 })).unwrap();
    }
    assert_eq!(world.stray_queues(), std::slice::from_ref(&stray));
    world.run_for(Duration::from_mins(8));
    assert_eq!(world.stray_queues(), [stray], "the worker has listed them at its start");
    world.run_for(Duration::from_mins(3));
    assert_eq!(world.stray_queues(), []);
    assert!(world.depth(&foreign).is_some());
}
