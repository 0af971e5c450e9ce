//! Adapters that panic.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, DispositionOutcome, HandOver, HandedOver, LocatedDisposition,
    PlanBatch, PlanOutcome, StageChange, Store, StoreError, WriteOutcome,
};
use reminderly_core::services::Ports;
use reminderly_core::testing::{HookedStore, PanicPoint, PanickingProvider, StoreHooks};
use reminderly_providers::router::MethodRouter;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};

fn run(
    seed: u64,
    providers: fn(
        &reminderly_providers::sandbox::Sandbox,
        &Arc<dyn reminderly_core::clock::Clock>,
    ) -> MethodRouter,
) -> usize {
    let mut world = World::new(&Setup { seed, providers, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    // Files of their own are calls of their own.
    for row in 0..12 {
        let line = material::line(row, &material::number(row), "2026-03-04 14:00");
        world.load(company, campaign.id, &format!("{}{line}", material::HEADER));
    }
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let accepted = world.sandbox.accepted().len();
    assert_eq!(accepted, 12, "what was unknown is resolved by the look-up");
    let unknown = judge::records(&world, &campaign);
    unknown.iter().filter(|record| record.state.epoch > 1).count()
}

fn sandwiched(sandbox: &reminderly_providers::sandbox::Sandbox, point: PanicPoint) -> MethodRouter {
    let inner = sandbox.provider(ContactMethod::Sms);
    MethodRouter::sandbox(sandbox)
        .with_provider(Arc::new(PanickingProvider::with_chance(inner, point, 400, 7)))
}

#[test]
fn a_panic_before_the_call_is_proven_harmless_and_the_message_goes() {
    let again = run(1, |sandbox, _| sandwiched(sandbox, PanicPoint::BeforeCall));
    assert!(again > 0, "no panic was injected");
}

#[test]
fn a_panic_after_the_call_is_found_and_nothing_goes_twice() {
    let again = run(2, |sandbox, _| sandwiched(sandbox, PanicPoint::AfterCall));
    assert_eq!(again, 0, "what was accepted is never claimed again");
}

/// A store that panics in everything that is about one company.
#[derive(Debug)]
struct PanicsFor {
    company: CompanyId,
    panics: AtomicU32,
    until: u32,
}

impl PanicsFor {
    fn asked(&self, company: CompanyId) {
        if company == self.company && self.panics.fetch_add(1, Ordering::Relaxed) < self.until {
            // The panic hook is not called, so that the output stays readable.
            resume_unwind(Box::new("a bug"));
        }
    }
}

#[async_trait]
impl StoreHooks for PanicsFor {
    async fn plan(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        self.asked(company);
        store.plan(company, packet, batch).await
    }

    async fn change_stage(
        &self,
        store: &dyn Store,
        company: CompanyId,
        change: StageChange,
    ) -> Result<WriteOutcome, StoreError> {
        self.asked(company);
        store.change_stage(company, change).await
    }

    async fn hand_over(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        terms: HandOver,
    ) -> Result<HandedOver, StoreError> {
        self.asked(company);
        store.hand_over(company, packet, terms).await
    }

    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        self.asked(company);
        store.claim(company, packet, requests, terms).await
    }

    async fn record_dispositions(
        &self,
        store: &dyn Store,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        self.asked(company);
        store.record_dispositions(company, dispositions, at).await
    }
}

/// Each panic is in another place, as the work gets a step further.
#[test]
fn a_panic_ends_one_piece_of_work_and_no_other() {
    for until in [1, 2, 3, 5, 8, 13, u32::MAX] {
        let mut world = World::new(&Setup::default());
        let (faulty, sound) = (world.company(), world.company());
        let [of_faulty, of_sound] = [faulty, sound].map(|company| {
            let campaign = world.campaign(company, &material::document());
            world.load(company, campaign.id, &material::csv(4, "2026-03-04 14:00"));
            campaign
        });
        let hooks = Arc::new(PanicsFor { company: faulty, panics: AtomicU32::new(0), until });
        let store = HookedStore::new(Arc::clone(&world.ports.store), Arc::<PanicsFor>::clone(&hooks));
        let ports = Ports { store: Arc::new(store), ..world.ports.clone() };
        world.start_worker_over(&ports);
        world.run_until(instant("2026-03-04T20:00:00Z"));
        judge::all_is_well(&world, &of_sound);
        assert!(hooks.panics.load(Ordering::Relaxed) >= until.min(5), "{until}: no panic was injected");
        if until < u32::MAX {
            judge::all_is_well(&world, &of_faulty);
        }
    }
}
