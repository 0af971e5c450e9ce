//! A packet whose people are called and texted, when calls are slow. Judged by the provider's log alone.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::provider::{ProviderRate, RateScope};
use reminderly_core::services::{CompiledCampaigns, Forecasts};
use reminderly_tests::fairness::{account, quiet, rate};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

const ROWS: usize = 3_000;

/// Both go at 11:00, three hours before.
const AT: &str = "2026-03-04 14:00";

/// All who are texted are called as well.
fn both(methods: &[&str]) -> Value {
    material::document_with(&[
        ("/mapping/fields/phone", json!("row['Cell'] | phone('US')")),
        (
            "/messages/phone",
            json!({ "script": "Clinic: {{ first_name }}, see you soon. Press 8 to opt out." }),
        ),
        ("/responses/phone", json!({ "confirm": ["1"], "opt_out": ["8"] })),
        ("/methods", json!({ "order": methods, "use": "all" })),
    ])
}

/// Texts go at 100 a second, calls at one.
struct Run {
    world: World,
    company: CompanyId,
    packet: PacketId,
    start: DateTime<Utc>,
}

impl Run {
    fn new(calls: Vec<ProviderRate>, methods: &[&str]) -> Self {
        let setup =
            Setup { call_rates: calls, store: MemoryStore::yielding, ..quiet(1, vec![account(100, SECOND)]) };
        let mut world = World::new(&setup);
        let company = world.company();
        let campaign = world.campaign(company, &both(methods));
        let packet = world.load(company, campaign.id, &material::csv(ROWS, AT));
        world.start_worker();
        Self { world, company, packet, start: instant("2026-03-04T18:00:00Z") }
    }

    /// When the requests of a method were accepted.
    fn of(&self, method: ContactMethod) -> Vec<DateTime<Utc>> {
        let accepted = self.world.sandbox.accepted();
        let of_method = accepted.iter().filter(|request| request.method == method);
        of_method.map(|request| request.at).collect()
    }

    /// How long the texts took.
    fn texts_take(&mut self) -> TimeDelta {
        self.world.run_until(self.start + TimeDelta::minutes(5));
        let texts = self.of(ContactMethod::Sms);
        assert_eq!(texts.len(), ROWS);
        texts.into_iter().max().unwrap() - self.start
    }
}

fn line() -> ProviderRate {
    ProviderRate { of: RateScope::Sender("line".into()), rate: rate(1, SECOND) }
}

#[test]
fn slow_calls_do_not_slow_down_texts() {
    let alone = Run::new(Vec::new(), &["sms"]).texts_take();
    assert!(alone >= TimeDelta::seconds(29), "{alone}: the account's limit is what they wait for");
    // Calls by an account of their own, and by a line of the account that texts go by.
    for calls in [vec![line()], vec![account(100, SECOND), line()]] {
        let mut run = Run::new(calls, &["sms", "phone"]);
        let beside = run.texts_take();
        assert!(beside <= alone + TimeDelta::seconds(8), "{beside} beside calls, {alone} alone");
        let calls = run.of(ContactMethod::Phone);
        let until = run.start + TimeDelta::minutes(5);
        // A limit counts a request until it has surely started.
        assert!((200..=301).contains(&calls.len()), "{} calls by {until}", calls.len());
        judge::at_most_once(&run.world);
    }
}

#[test]
fn what_slow_calls_leave_is_forecast_and_nothing_else_is() {
    let mut run = Run::new(vec![line()], &["sms", "phone"]);
    let look = |run: &Run| {
        let campaigns = CompiledCampaigns::new(std::sync::Arc::clone(&run.world.ports.store));
        let forecasts = Forecasts::new(&run.world.ports, &run.world.settings, campaigns.into());
        let scope = run.world.scope(run.company, Action::ViewReports);
        block_on(forecasts.packet(&scope, run.packet)).unwrap()
    };
    run.world.run_until(run.start + TimeDelta::seconds(10));
    let early = look(&run);
    assert!(early.iter().any(|window| window.method == ContactMethod::Sms && window.waiting > 0));
    let unsent =
        |method| early.iter().filter(|window| window.method == method).map(|it| it.unsent).sum::<u64>();
    assert_eq!(unsent(ContactMethod::Sms), 0, "{early:?}");
    // Appointments are at 14:00 and need an hour's notice: two hours of calls, one a second.
    assert_eq!(unsent(ContactMethod::Phone), 0, "{early:?}");
    let calls: Vec<_> = early.iter().filter(|window| window.method == ContactMethod::Phone).collect();
    assert!(calls.iter().all(|window| window.rate > 0.5 && window.rate <= 1.0), "{calls:?}");
    run.world.run_until(run.start + TimeDelta::hours(2));
    assert_eq!(run.of(ContactMethod::Sms).len(), ROWS);
    assert_eq!(run.of(ContactMethod::Phone).len(), ROWS);
}
