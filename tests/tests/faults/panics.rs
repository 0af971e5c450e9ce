//! A provider that panics.

use std::sync::Arc;

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::testing::{PanicPoint, PanickingProvider};
use reminderly_providers::router::MethodRouter;
use reminderly_tests::world::{Setup, World};
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
