//! Companies that share a provider, limits, and windows that close too soon. Judged by the provider's log alone.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::CompanyId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::provider::{ProviderRate, RateScope};
use reminderly_core::services::{CompiledCampaigns, Dispatch, Forecasts, InProcessPollers, Worker, shutdown};
use reminderly_providers::sandbox::AcceptedRequest;
use reminderly_tests::fairness::{account, all_day, company, p99, quiet, rate, waits};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::json;

use crate::{seeds, with_seed};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_small_company_waits_little_longer_beside_a_large_one() {
    let solo = p99(&waits(0, 0, 20));
    assert!(solo >= TimeDelta::seconds(2), "{solo}: the account's limit is what it waits for");
    for seed in seeds(3) {
        with_seed(seed, || {
            let beside = waits(seed, 50_000, 20);
            assert_eq!(beside.len(), 50);
            let p99 = p99(&beside);
            assert!(p99 <= solo * 2, "{p99} beside 50,000 messages, {solo} alone");
        });
    }
}

#[test]
fn a_small_packet_of_the_same_company_waits_little_longer_too() {
    let mut world = World::new(&quiet(1, vec![account(20, SECOND)]));
    let campaign = company(&world);
    let start = world.now() + TimeDelta::seconds(60);
    world.plant(&campaign, 1, 10_000, all_day(start));
    let due = start + TimeDelta::milliseconds(30_500);
    let small = world.plant(&campaign, 2, 50, all_day(due));
    world.start_worker();
    world.run_until(due + TimeDelta::minutes(1));
    let of_small: Vec<_> =
        world.messages(campaign.company, small).iter().map(|record| record.message.id).collect();
    let accepted = world.sandbox.accepted();
    let last =
        accepted.iter().filter(|request| of_small.contains(&request.message)).map(|request| request.at);
    let (count, last) = (last.clone().count(), last.max().unwrap());
    assert_eq!(count, 50);
    assert!(last - due <= TimeDelta::seconds(4), "{}", last - due);
}

#[test]
fn a_small_packet_is_fed_while_a_large_one_is() {
    let setup = Setup {
        store: MemoryStore::yielding,
        tune: |settings| settings.max_copies = 100_000,
        ..quiet(1, vec![])
    };
    let mut world = World::new(&setup);
    let (large, small) = (company(&world), company(&world));
    let start = world.now() + TimeDelta::seconds(60);
    world.plant(&large, 1, 10_000, all_day(start));
    world.plant(&small, 1, 50, all_day(start));
    world.start_worker();
    world.run_until(start + TimeDelta::seconds(1));
    let accepted = world.sandbox.accepted();
    assert_eq!(accepted.len(), 10_050, "without limits nobody waits");
    let last = accepted.iter().rposition(|request| request.company == small.company).unwrap();
    assert!(last < 5_000, "{last} of the large one's went before the small one's last");
}

#[test]
fn throughput_is_by_weight() {
    let mut world = World::new(&quiet(1, vec![account(40, SECOND)]));
    let (heavy, light) = (company(&world), company(&world));
    world.settings.sharing.weights.insert(heavy.company, NonZeroU32::new(3).unwrap());
    let start = world.now() + TimeDelta::seconds(60);
    for campaign in [&heavy, &light] {
        world.plant(campaign, 1, 5_000, all_day(start));
    }
    world.start_worker();
    world.run_until(start + TimeDelta::seconds(62));
    let accepted = world.sandbox.accepted();
    let since = start + TimeDelta::seconds(2);
    let of =
        |company| accepted.iter().filter(|request| request.company == company && request.at > since).count();
    let (heavy, light) = (of(heavy.company), of(light.company));
    assert_eq!(heavy + light, 60 * 40, "nothing of the account is left unused");
    assert!((heavy * 100).abs_diff(light * 300) <= light * 300 / 20, "{heavy} to {light}");
}

/// Counts every stretch of time that begins with a request, from the log alone.
fn most_in<'a>(log: impl Iterator<Item = &'a AcceptedRequest>, per: TimeDelta) -> usize {
    let starts: Vec<DateTime<Utc>> = log.map(|request| request.at).collect();
    assert!(starts.is_sorted());
    let within = |first: &DateTime<Utc>| {
        starts.partition_point(|at| *at < *first + per) - starts.partition_point(|at| at < first)
    };
    starts.iter().map(within).max().unwrap_or(0)
}

struct Limited {
    world: World,
    companies: Vec<CompanyId>,
    slow: CompanyId,
    paced: CompanyId,
    start: DateTime<Utc>,
}

/// An account of 30 a second and 1,000 a minute, with a sender of 90 in five seconds; one company may send 12 a second, and a
/// campaign of another 240 a minute.
fn limited(seed: u64) -> Limited {
    let sender = ProviderRate { of: RateScope::Sender("+15205550100".into()), rate: rate(90, 5 * SECOND) };
    let rates = vec![account(30, SECOND), account(1_000, 60 * SECOND), sender];
    let mut world = World::new(&Setup { store: MemoryStore::yielding, ..quiet(seed, rates) });
    let (slow, free) = (company(&world), company(&world));
    let id = world.company();
    let document = material::document_with(&[("/limits", json!({ "per_minute": 240 }))]);
    let paced = world.campaign(id, &document);
    world.settings.sharing.rates.insert(slow.company, vec![rate(12, SECOND)]);
    let start = world.now() + TimeDelta::seconds(60);
    for campaign in [&slow, &paced, &free] {
        // Two packets share what their campaign may send.
        world.plant(campaign, 1, 2_000, all_day(start));
        world.plant(campaign, 2, 2_000, all_day(start));
    }
    let companies = vec![slow.company, paced.company, free.company];
    Limited { world, companies, slow: slow.company, paced: paced.company, start }
}

#[test]
fn every_limit_holds_in_every_stretch_of_time_whoever_is_dropped() {
    for seed in seeds(3) {
        with_seed(seed, || {
            let Limited { mut world, companies, slow, paced, start } = limited(seed);
            let mut random = SmallRng::seed_from_u64(seed);
            world.shuffle(seed);
            // The pollers are dropped again and again, the permits' bookkeeping stays.
            let (process, polling) = (world.new_process(), world.new_process());
            world.settings.tick = 5 * SECOND;
            let dispatch = Arc::new(Dispatch::new(&world.ports, &world.settings));
            let pollers = Arc::new(InProcessPollers::new(dispatch, world.executor.spawner(polling)));
            let worker = Worker::new(&world.ports, &world.settings, Arc::<InProcessPollers>::clone(&pollers));
            let (_trigger, stop) = shutdown();
            world.executor.spawn(process, async move { worker.run(&stop).await.unwrap() });
            let calm = start + TimeDelta::minutes(3);
            while world.now() < calm {
                for _ in 0..random.random_range(0..400) {
                    if !world.step() && !world.advance(calm) {
                        break;
                    }
                }
                if random.random_range(0..3) == 0 {
                    world.executor.kill(polling);
                }
            }
            world.run_until(calm + TimeDelta::minutes(4));
            judge::at_most_once(&world);
            let accepted = world.sandbox.accepted();
            assert!(most_in(accepted.iter(), TimeDelta::seconds(1)) <= 30);
            assert!(most_in(accepted.iter(), TimeDelta::minutes(1)) <= 1_000);
            assert!(most_in(accepted.iter(), TimeDelta::seconds(5)) <= 90);
            let of = |company| accepted.iter().filter(move |request| request.company == company);
            assert!(most_in(of(slow), TimeDelta::seconds(1)) <= 12);
            assert!(most_in(of(paced), TimeDelta::minutes(1)) <= 240);
            // Nothing has leaked: once nobody is dropped any more, the tightest limit that they share is used up.
            let late = |request: &&AcceptedRequest| request.at >= calm + TimeDelta::minutes(1);
            let went = accepted.iter().filter(late).count();
            assert!(went >= 990 * 3, "{went} messages in three minutes");
            for company in companies {
                let went = of(company).filter(late).count();
                assert!(went >= 700, "{went} messages of one of three companies in three minutes");
            }
        });
    }
}

#[test]
fn what_is_urgent_overtakes_what_is_not() {
    let mut world = World::new(&quiet(1, vec![account(20, SECOND)]));
    let campaign = company(&world);
    let start = world.now() + TimeDelta::seconds(60);
    // 250 seconds' worth with a long day before them; half a minute later 200 messages that have 90 seconds.
    let urgent = start + TimeDelta::seconds(30);
    let legal = move |index: usize| {
        if index < 5_000 {
            LegalInterval { from: start, until: start + TimeDelta::hours(5) }
        } else {
            LegalInterval { from: urgent, until: urgent + TimeDelta::seconds(90) }
        }
    };
    let packet = world.plant(&campaign, 1, 5_200, legal);
    world.start_worker();
    world.run_until(start + TimeDelta::minutes(8));
    let closes: BTreeMap<_, _> = world
        .messages(campaign.company, packet)
        .into_iter()
        .map(|record| (record.message.id, record.state.legal_until.unwrap()))
        .collect();
    let accepted = world.sandbox.accepted();
    assert_eq!(accepted.len(), 5_200);
    assert!(accepted.iter().all(|request| request.at < closes[&request.message]));
    let last = accepted.iter().filter(|request| closes[&request.message] < urgent + TimeDelta::hours(1));
    let last = last.map(|request| request.at).max().unwrap();
    // What was in the queue already goes before them: five slices.
    assert!(last - urgent <= TimeDelta::seconds(25 + 10 + 2), "{}", last - urgent);
}

/// What is forecast a minute before a window of ten minutes opens for so many messages, and how many then do not go.
fn forecast(messages: usize) -> (Option<u64>, u64) {
    let mut world = World::new(&quiet(1, vec![account(10, SECOND)]));
    let (campaign, other) = (company(&world), company(&world));
    let start = world.now() + TimeDelta::minutes(5);
    let legal = LegalInterval { from: start, until: start + TimeDelta::minutes(10) };
    let packet = world.plant(&campaign, 1, messages, |_| legal);
    // A second company has as much to do and more time: it gets half of the account.
    world.plant(&other, 1, 9_000, all_day(start));
    world.start_worker();
    world.run_until(start - TimeDelta::minutes(1));
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let forecasts = Forecasts::new(&world.ports, &world.settings, campaigns);
    let scope = world.platform_scope();
    let early = block_on(forecasts.look(&scope)).unwrap();
    let unsent = early.iter().find(|found| found.packet == packet).map(|found| found.windows[0].unsent);
    let mine = world.scope(campaign.company, Action::ViewReports);
    let own = block_on(forecasts.packet(&mine, packet)).unwrap();
    assert_eq!((own.len(), own[0].waiting), (1, messages as u64));
    assert_eq!(unsent.unwrap_or(0), own[0].unsent);
    // It does not come and go while nothing changes.
    while world.now() < legal.until - TimeDelta::seconds(40) {
        world.run_for(Duration::from_secs(20));
        let found = block_on(forecasts.look(&scope)).unwrap();
        let again = found.iter().find(|found| found.packet == packet);
        assert_eq!(again.is_some(), unsent.is_some(), "at {}", world.now());
    }
    world.run_until(legal.until + TimeDelta::minutes(1));
    let went = world.sandbox.accepted().iter().filter(|request| request.company == campaign.company).count();
    (unsent, (messages - went) as u64)
}

#[test]
fn a_window_that_will_close_with_messages_unsent_is_told_before_it_opens() {
    // Five a second for ten minutes.
    let (told, left) = forecast(4_000);
    let told = told.unwrap();
    assert!(told.abs_diff(1_000) <= 10 && told.abs_diff(left) <= 150, "{told} were told, {left} did not go");
    let (told, left) = forecast(2_800);
    assert_eq!((told, left), (None, 0));
}
