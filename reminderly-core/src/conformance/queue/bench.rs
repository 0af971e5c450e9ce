//! A queue of its own for each case, and short words for what cases do.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use uuid::Uuid;

use super::QueueHarness;
use crate::domain::contact_method::ContactMethod;
use crate::domain::envelope::{Envelope, Slice};
use crate::ids::{CampaignId, CompanyId, MessageId, PacketId};
use crate::ports::queue::{
    Depth, Lease, LeaseOutcome, LeaseToken, MessageQueue, Outgoing, QueueAdmin, QueueName, QueueSpec,
    SendOutcome,
};

/// Longer than any case takes.
pub(super) const LONG: Duration = Duration::from_mins(5);

/// A visibility time-out that a case waits for.
pub(super) const SHORT: Duration = Duration::from_secs(4);

/// How long cases wait for what happens sooner or later on a real server.
const PATIENCE: Duration = Duration::from_secs(20);

const STEP: Duration = Duration::from_millis(250);

/// Items are told apart by a number.
pub(super) struct Bench<'a> {
    pub(super) harness: &'a dyn QueueHarness,
    pub(super) queue: Arc<dyn MessageQueue>,
    pub(super) admin: Arc<dyn QueueAdmin>,
    pub(super) spec: QueueSpec,
    packet: PacketId,
}

impl<'a> Bench<'a> {
    /// A fresh queue whose items may be received often.
    pub(super) async fn new(harness: &'a dyn QueueHarness) -> Self {
        Self::with_max_receives(harness, 100).await
    }

    pub(super) async fn with_max_receives(harness: &'a dyn QueueHarness, max_receives: u32) -> Self {
        let bench = Self::without_queue(harness, max_receives);
        bench.admin.ensure(&bench.spec).await.expect("ensures a new queue");
        bench
    }

    pub(super) fn without_queue(harness: &'a dyn QueueHarness, max_receives: u32) -> Self {
        let packet = PacketId::from(harness.unique());
        let name = QueueName::of_packet(packet);
        let dead_letters = QueueName::new(format!("{name}-dead")).expect("fits a queue name");
        let spec = QueueSpec { name, dead_letters, max_receives };
        Self { harness, queue: harness.queue(), admin: harness.admin(), spec, packet }
    }

    pub(super) fn name(&self) -> &QueueName {
        &self.spec.name
    }

    pub(super) fn envelope(&self, number: u64) -> Envelope {
        Envelope::Outbound(Slice {
            company: CompanyId::from(Uuid::from_u128(1)),
            campaign: CampaignId::from(Uuid::from_u128(2)),
            packet: self.packet,
            method: ContactMethod::Sms,
            closes_at: None,
            messages: vec![MessageId::from(Uuid::from_u128(u128::from(number)))],
        })
    }

    pub(super) fn outgoing(&self, number: u64, delay: Duration) -> Outgoing {
        Outgoing { envelope: self.envelope(number), delay }
    }

    /// Sends one item per number, without delay.
    pub(super) async fn send(&self, numbers: impl IntoIterator<Item = u64>) {
        let items: Vec<_> = numbers.into_iter().map(|n| self.outgoing(n, Duration::ZERO)).collect();
        let outcomes = self.queue.send(self.name(), &items).await.expect("sends").into_vec();
        assert_eq!(outcomes, vec![SendOutcome::Sent; items.len()]);
    }

    /// Receives exactly `count` items, and waits for them if it must.
    pub(super) async fn take(&self, count: usize, visibility: Duration) -> Vec<Lease> {
        self.take_from(self.name(), count, visibility).await
    }

    pub(super) async fn take_from(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
    ) -> Vec<Lease> {
        let mut leases = Vec::new();
        let mut waited = Duration::ZERO;
        while leases.len() < count {
            let missing = count - leases.len();
            let more = self.queue.receive(queue, missing, Duration::ZERO, visibility).await;
            leases.extend(more.expect("receives"));
            if leases.len() < count {
                assert!(waited < PATIENCE, "got {} of {count} items in {waited:?}", leases.len());
                self.harness.advance(STEP).await;
                waited += STEP;
            }
        }
        assert_eq!(leases.len(), count, "more items than asked for");
        leases
    }

    pub(super) async fn take_one(&self, visibility: Duration) -> Lease {
        self.take(1, visibility).await.pop().expect("takes one")
    }

    pub(super) async fn ack(&self, leases: &[Lease]) -> Vec<LeaseOutcome> {
        self.queue.ack(self.name(), &tokens(leases)).await.expect("acks").into_vec()
    }

    pub(super) async fn ack_all(&self, leases: &[Lease]) {
        assert_eq!(self.ack(leases).await, vec![LeaseOutcome::Done; leases.len()]);
    }

    pub(super) async fn release(&self, lease: &Lease, delay: Duration) -> LeaseOutcome {
        only(
            self.queue
                .release(self.name(), std::slice::from_ref(&lease.token), delay)
                .await
                .expect("releases"),
        )
    }

    pub(super) async fn extend(&self, lease: &Lease, visibility: Duration) -> LeaseOutcome {
        only(
            self.queue
                .extend(self.name(), std::slice::from_ref(&lease.token), visibility)
                .await
                .expect("extends"),
        )
    }

    pub(super) async fn dead_letter(&self, lease: &Lease, reason: &str) -> LeaseOutcome {
        self.queue.dead_letter(self.name(), &lease.token, reason).await.expect("dead-letters")
    }

    pub(super) async fn assert_nothing_visible(&self) {
        let leases = self.queue.receive(self.name(), 10, Duration::ZERO, LONG).await.expect("receives");
        assert_eq!(leases, [], "these should be invisible");
    }

    /// Waits until the queue is as deep as that: the depth of a real queue lags behind.
    pub(super) async fn assert_depth(&self, queue: &QueueName, ready: u64, leased: u64, delayed: u64) {
        let expected = Some(Depth { ready, leased, delayed });
        let mut waited = Duration::ZERO;
        loop {
            let depth = self.admin.depth(queue).await.expect("measures");
            if depth == expected {
                return;
            }
            assert!(waited < PATIENCE && self.harness.patience() > PATIENCE, "{depth:?} is not {expected:?}");
            self.harness.advance(STEP).await;
            waited += STEP;
        }
    }

    /// Runs `future` to its end while time passes, and answers how much of it did.
    pub(super) async fn timed<T>(&self, future: impl Future<Output = T>) -> (T, Duration) {
        let clock = self.harness.clock();
        let start = clock.monotonic();
        let mut future = Box::pin(future);
        loop {
            match select(future, self.harness.advance(STEP)).await {
                Either::Left((output, _)) => return (output, clock.monotonic().since(start)),
                Either::Right(((), unfinished)) => future = unfinished,
            }
            assert!(clock.monotonic().since(start) < LONG, "the call never returned");
        }
    }

    /// Whether a case that lets `duration` pass applies; says so if not.
    pub(super) fn can_wait(&self, duration: Duration) -> bool {
        let can = self.harness.patience() >= duration;
        if !can {
            not_applicable(&format!("{duration:?} is longer than the harness waits"));
        }
        can
    }
}

pub(super) fn tokens(leases: &[Lease]) -> Vec<LeaseToken> {
    leases.iter().map(|lease| lease.token.clone()).collect()
}

/// The number of a received item.
pub(super) fn number(lease: &Lease) -> u64 {
    let Ok(Envelope::Outbound(slice)) = &lease.envelope else { panic!("no slice: {:?}", lease.envelope) };
    let low = slice.messages.first().expect("a slice has ids").as_uuid().as_u128();
    u64::try_from(low).expect("ids of this suite are small")
}

/// The numbers of received items, sorted.
pub(super) fn numbers(leases: &[Lease]) -> Vec<u64> {
    let mut numbers: Vec<_> = leases.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

pub(super) fn not_applicable(why: &str) {
    eprintln!("not applicable: {why}");
}

fn only(outcomes: crate::batch::Outcomes<LeaseOutcome>) -> LeaseOutcome {
    match outcomes.into_vec()[..] {
        [outcome] => outcome,
        ref other => panic!("one outcome expected: {other:?}"),
    }
}
