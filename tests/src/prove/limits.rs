//! Limits: what the provider sees in every stretch of time, whoever sends and whatever goes wrong. See `docs/proof.md`.

mod clock;
mod judge;
mod load;
mod watched;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::clock::Clock;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::rate::Rate;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::CompanyId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::provider::ProviderLimits;
use reminderly_core::services::{Dispatch, InProcessPollers, ShutdownTrigger, Worker, shutdown};
use reminderly_providers::router::MethodRouter;
use serde_json::json;

use self::clock::WrongClock;
use self::judge::{allowed, count};
use self::load::{Load, SENDERS, Sends};
use self::watched::{Log, Seen, WatchedProvider};
use super::spread::spread;
use super::{Failure, Order, Proof, Violation};
use crate::executor::Process;
use crate::material;
use crate::world::{Setup, World};

/// How many loads are sent.
const SHORT: u64 = 300;
const LONG: u64 = 20_000;
/// What must have happened.
const FIRED: [&str; 13] = [
    "account limit used up",
    "answer or request late",
    "campaign limit used up",
    "campaign paused",
    "clock set",
    "company limit used up",
    "pollers dropped",
    "provider asks to wait",
    "provider unreachable",
    "request at the first instant allowed",
    "request refused for now",
    "sender limit used up",
    "several processes",
];

/// Sends loads and counts what the provider saw.
///
/// # Errors
///
/// None.
#[expect(clippy::unnecessary_wraps, reason = "every kind is run in the same way")]
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let mut proof = spread(order.seeds(SHORT, LONG), attempt);
    proof.unit = "schedules";
    if order.count.is_none() {
        for what in FIRED {
            proof.fired.entry(what).or_default();
        }
    }
    Ok(proof)
}

fn attempt(seed: u64) -> Proof {
    let mut proof = Proof { count: 1, ..Proof::default() };
    let load = Load::draw(seed);
    let mut stage = Stage::set(seed, &load);
    stage.play(&mut proof);
    stage.judge(&load, &mut proof);
    proof
}

/// A deployment with a load.
struct Stage {
    seed: u64,
    world: World,
    log: Arc<Mutex<Log>>,
    campaigns: Vec<Campaign>,
    processes: Vec<Running>,
}

/// A process whose pollers can be dropped while what they count stays.
struct Running {
    polling: Process,
    clock: Arc<WrongClock>,
    _trigger: ShutdownTrigger,
}

impl Stage {
    fn set(seed: u64, load: &Load) -> Self {
        let script = json!({ "default": { "mix": { "silent": 985, "throttled": 2, "server_error": 9, "time_out": 4 } } });
        let mut world = World::new(&Setup { seed, store: MemoryStore::yielding, script, ..Setup::default() });
        world.settings.tick = Duration::from_secs(5);
        world.settings.sharing.workers = std::num::NonZeroU32::new(load.workers).expect("at least one");
        let campaigns: Vec<Campaign> =
            load.companies.iter().map(|sends| campaign(&mut world, sends)).collect();
        let log = Arc::<Mutex<Log>>::default();
        let mut router = MethodRouter::sandbox(&world.sandbox);
        for (campaign, sends) in campaigns.iter().zip(&load.companies) {
            let inner = world.sandbox.provider(ContactMethod::Sms);
            let limits = ProviderLimits { rates: load.rates(sends.sender), ..inner.limits() };
            let random = (sends.sender, seed ^ 0x5eed);
            let watched = WatchedProvider::new(inner, limits, random, &world.clock, &log);
            router = router.with_provider_for(campaign.company, Arc::new(watched));
        }
        world.ports.providers = Arc::new(router);
        plant(&world, &campaigns, load);
        world.shuffle(seed);
        let mut random = SmallRng::seed_from_u64(seed);
        let processes = (0..load.workers).map(|_| Running::start(&mut world, &mut random)).collect();
        Self { seed, world, log, campaigns, processes }
    }

    /// Minutes in which everything goes wrong, then some in which nothing does.
    fn play(&mut self, proof: &mut Proof) {
        let mut random = SmallRng::seed_from_u64(!self.seed);
        let calm = self.world.now() + TimeDelta::seconds(random.random_range(90..240));
        let mut fire = |what, times| *proof.fired.entry(what).or_default() += times;
        if self.processes.len() > 1 {
            fire("several processes", 1);
        }
        while self.world.now() < calm {
            for _ in 0..random.random_range(1..400) {
                if !self.world.step() && !self.world.advance(calm) {
                    break;
                }
            }
            let process = random.random_range(0..self.processes.len());
            let Some(running) = self.processes.get(process) else { continue };
            match random.random_range(0..12) {
                0 => {
                    self.world.executor.kill(running.polling);
                    fire("pollers dropped", 1);
                }
                1 => {
                    let hours = [-3_600_000, -90_000, -500, 500, 90_000, 3_600_000];
                    running.clock.set(hours[random.random_range(0..hours.len())]);
                    fire("clock set", 1);
                }
                2 => {
                    self.pause(random.random_range(0..self.campaigns.len()));
                    fire("campaign paused", 1);
                }
                _ => {}
            }
        }
        self.processes.iter().for_each(|running| running.clock.set(0));
        self.world.run_until(calm + TimeDelta::seconds(70));
    }

    /// Pauses a campaign, and lets it go on at once: what is under way is put back, and comes again.
    fn pause(&mut self, index: usize) {
        let Some(campaign) = self.campaigns.get(index) else { return };
        let scope = self.world.scope(campaign.company, Action::RunCampaign);
        block_on(self.world.campaigns().pause(&scope, campaign.id)).expect("paused");
        self.world.run_for(Duration::from_millis(300));
        block_on(self.world.campaigns().resume(&scope, campaign.id)).expect("resumed");
    }

    fn judge(&self, load: &Load, proof: &mut Proof) {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = &log.seen;
        let mut fire = |what, times| *proof.fired.entry(what).or_default() += times;
        fire("requests", seen.len() as u64);
        fire("provider asks to wait", log.throttled);
        fire("provider unreachable", log.unreachable);
        fire("answer or request late", log.late);
        fire("request refused for now", self.world.sandbox.requests() - self.world.sandbox.accepted_count());
        let mut limits: Vec<(&'static str, Rate, Vec<Duration>)> = Vec::new();
        for rate in &load.of_account {
            limits.push(("account limit used up", *rate, starts(seen, |_| true)));
        }
        for (sender, rate) in (0..SENDERS).zip(load.of_senders) {
            limits.push(("sender limit used up", rate, starts(seen, |seen| seen.sender == sender)));
        }
        for (campaign, sends) in self.campaigns.iter().zip(&load.companies) {
            let of_company = |company: CompanyId| starts(seen, move |seen| seen.company == company);
            if let Some(rate) = sends.rate {
                limits.push(("company limit used up", rate, of_company(campaign.company)));
            }
            if let Some(per_minute) = sends.per_minute {
                let rate = Rate::per_minute(per_minute);
                limits.push(("campaign limit used up", rate, of_company(campaign.company)));
            }
        }
        let violation = |what| Violation { at: format!("seed {}", self.seed), what };
        for (what, rate, starts) in limits {
            let counted = count(&starts, allowed(rate, load.workers), rate.per);
            fire(what, u64::from(counted.is_used_up));
            fire("request at the first instant allowed", counted.at_the_boundary);
            if let Some((from, by)) = counted.exceeded {
                let what =
                    format!("{rate:?} of {} workers: {by} too many from {from:?} ({what})", load.workers);
                proof.violations.push(violation(what));
            }
        }
        // The log that is judged must be the whole of it.
        let unseen = self.world.sandbox.accepted().into_iter();
        let unseen =
            unseen.filter(|accepted| seen.iter().all(|seen| seen.attempt != accepted.attempt)).count();
        if unseen > 0 {
            proof.violations.push(violation(format!("{unseen} accepted requests are not in the log")));
        }
    }
}

impl Running {
    fn start(world: &mut World, random: &mut SmallRng) -> Self {
        let clock = Arc::new(WrongClock::new(Arc::clone(&world.clock), random.random_range(-2_000..2_000)));
        let ports = reminderly_core::services::Ports {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..world.ports.clone()
        };
        let (process, polling) = (world.new_process(), world.new_process());
        let dispatch = Arc::new(Dispatch::new(&ports, &world.settings));
        let pollers = Arc::new(InProcessPollers::new(dispatch, world.executor.spawner(polling)));
        let worker = Worker::new(&ports, &world.settings, pollers);
        let (trigger, stop) = shutdown();
        world.executor.spawn(process, async move { worker.run(&stop).await.expect("a worker runs") });
        Self { polling, clock, _trigger: trigger }
    }
}

fn campaign(world: &mut World, sends: &Sends) -> Campaign {
    let company = world.company();
    world.settings.sharing.weights.insert(company, sends.weight);
    if let Some(rate) = sends.rate {
        world.settings.sharing.rates.insert(company, vec![rate]);
    }
    let document = match sends.per_minute {
        Some(per_minute) => material::document_with(&[("/limits", json!({ "per_minute": per_minute }))]),
        None => material::document(),
    };
    world.campaign(company, &document)
}

fn plant(world: &World, campaigns: &[Campaign], load: &Load) {
    let start = world.now() + TimeDelta::seconds(20);
    for (campaign, sends) in campaigns.iter().zip(&load.companies) {
        for (number, messages) in sends.packets.iter().enumerate() {
            world.plant(campaign, number + 1, *messages, |index| {
                let after = i64::try_from(index).unwrap_or(0) * sends.spread / 160;
                LegalInterval { from: start + TimeDelta::seconds(after), until: start + TimeDelta::hours(5) }
            });
        }
    }
}

/// When these requests reached the provider, in order.
fn starts(seen: &[Seen], of: impl Fn(&Seen) -> bool) -> Vec<Duration> {
    let mut starts: Vec<Duration> = seen.iter().filter(|seen| of(seen)).map(|seen| seen.at).collect();
    starts.sort_unstable();
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_loads_exceed_no_limit() {
        for seed in 0..6 {
            assert_eq!(attempt(seed).violations, []);
        }
    }
}
