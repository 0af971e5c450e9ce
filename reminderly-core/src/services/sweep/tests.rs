//! Sweeps over a store in memory, with providers that say what a test wants.

#![cfg(all(feature = "conformance", feature = "memory", feature = "mock"))]

mod lookup;
mod overdue_claims;
mod unknown_outcomes;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;

use crate::conformance::store::StoreHarness;
use crate::conformance::store::bench::{Answered as _, Bench, Placed};
use crate::conformance::store::sending::ambiguous;
use crate::domain::access::{Actor, PlatformScope, authorize_platform};
use crate::domain::attempt::ProviderName;
use crate::domain::campaign::definition::UnknownOutcome;
use crate::domain::campaign::document;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::message_status::MessageStatus;
use crate::ids::{IdSource, SeededIds};
use crate::memory::MemoryStore;
use crate::ports::provider::MockProviderDirectory;
use crate::ports::store::{ClaimOutcome, ClaimTerms, NewCampaign, Store};
use crate::services::{Ports, QueueNames, Settings, test_ports};
use crate::testing::{SkewedClock, VirtualClock};

const DOCUMENT: &str = r#"{
    "name": "Ready", "time_zone": "UTC",
    "mapping": { "key": "row['Id']", "fields": { "sms": "row['Cell'] | phone('US')" } },
    "messages": { "sms": { "text": "Your order is ready." } },
    "schedule": { "send": "now" }
}"#;

/// A company whose messages were claimed at noon and were to be answered within 30 seconds, and a process that sweeps.
struct Desk {
    bench: Bench,
    store: Arc<MemoryStore>,
    /// Begins at noon.
    clock: Arc<VirtualClock>,
    /// What the process takes for the time.
    wall: Arc<SkewedClock>,
}

impl StoreHarness for Arc<MemoryStore> {
    fn store(&self) -> Arc<dyn Store> {
        Self::clone(self)
    }

    fn ids(&self) -> Arc<dyn IdSource> {
        Arc::new(SeededIds::new(1))
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }
}

impl Desk {
    fn new(policy: UnknownOutcome) -> Self {
        let store = Arc::new(MemoryStore::new());
        let mut bench = block_on(Bench::new(&store));
        let mut definition = document::parse(DOCUMENT).unwrap();
        definition.unknown_outcome = policy;
        let campaign =
            NewCampaign { id: bench.id(), definition: Arc::new(definition), created_at: bench.now };
        bench.campaign = campaign.id;
        block_on(async {
            bench.store.create_campaign(bench.company, campaign).await.answered();
            bench.change_state(bench.campaign, CampaignState::Draft, CampaignState::Active).await;
        });
        let clock = Arc::new(VirtualClock::new(bench.now));
        let wall = Arc::new(SkewedClock::new(Arc::<VirtualClock>::clone(&clock), TimeDelta::zero()));
        Self { bench, store, clock, wall }
    }

    /// Ports of which a sweep asks no other than these.
    fn ports(&self, providers: MockProviderDirectory) -> Ports {
        let store = Arc::<MemoryStore>::clone(&self.store);
        let ports = test_ports::over(store, Arc::<SkewedClock>::clone(&self.wall));
        Ports { providers: Arc::new(providers), ..ports }
    }

    /// It is so many seconds past noon.
    fn is(&self, seconds: i64) {
        self.clock.advance_to(self.bench.now + TimeDelta::seconds(seconds));
    }

    /// Messages that are being sent.
    fn sending(&self, count: u64, provider: &str) -> Vec<Placed> {
        block_on(async {
            let mut all = self.bench.queued(count).await;
            self.bench.hand_over(all[0].packet).await;
            for placed in &mut all {
                self.claim(placed, provider).await;
            }
            all
        })
    }

    async fn claim(&self, placed: &mut Placed, provider: &str) {
        let terms = ClaimTerms { provider: ProviderName::from(provider), ..Bench::terms_at(self.bench.now) };
        match self.bench.claim_with(placed, &terms).await {
            ClaimOutcome::Claimed(claimed) => placed.epoch = claimed.epoch,
            ClaimOutcome::Refused(refusal) => panic!("not claimed: {refusal:?}"),
        }
    }

    /// Messages of which nobody knows whether they were accepted.
    fn unknown(&self, count: u64, provider: &str) -> Vec<Placed> {
        let all = self.sending(count, provider);
        for placed in &all {
            block_on(self.bench.must_settle(placed, ambiguous(), MessageStatus::Unknown));
        }
        all
    }

    fn statuses(&self, all: &[Placed]) -> Vec<MessageStatus> {
        all.iter().map(|placed| block_on(self.bench.status(placed))).collect()
    }
}

fn settings() -> Settings {
    Settings::new(QueueNames::of_deployment("test").unwrap())
}

fn scope(actor: Actor) -> PlatformScope {
    authorize_platform(actor).unwrap()
}
