//! Workers with clocks, connections and networks of their own, over one store, one queue service and one sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use reminderly_core::clock::Clock;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::CompanyId;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::provider::Provider;
use reminderly_core::services::Ports;
use reminderly_core::testing::{
    AdminFaults, FaultyLookup, FaultyProvider, FaultyQueueAdmin, FaultyStore, HookedStore, LookupFaults,
    PanicPoint, PanickingProvider, ProviderFault, ProviderFaults, QueueFaults, SkewedClock, StoreFaults,
};
use reminderly_providers::router::MethodRouter;
use serde_json::{Value, json};

use super::breakage::Breakage;
use super::documents;
use super::draw::cell;
use super::leases::CountedLeases;
use super::schedule::{Methods, Schedule};
use super::source::ArrivingFiles;
use super::wire::{Wire, WiredProvider};
use super::witness::Witness;
use crate::executor::Process;
use crate::world::{Setup, World};

/// The adapters of one worker, which stay when its process is replaced.
#[derive(Debug)]
struct Place {
    ports: Ports,
    clock: Arc<SkewedClock>,
    store: Arc<FaultyStore>,
    admin: Arc<FaultyQueueAdmin>,
    providers: Vec<Arc<FaultyProvider>>,
    panicking: Vec<Arc<PanickingProvider>>,
    lookup: Arc<FaultyLookup>,
    process: Option<Process>,
}

/// A deployment under a schedule.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) world: World,
    pub(super) companies: Vec<CompanyId>,
    pub(super) campaigns: Vec<Campaign>,
    pub(super) files: Vec<Arc<ArrivingFiles>>,
    pub(super) wire: Arc<Wire>,
    pub(super) witness: Arc<Witness>,
    lost_leases: Arc<AtomicU64>,
    places: Vec<Place>,
}

/// One in so many schedules runs on a store that applies its rules to parts.
const IN_PARTS: u64 = 4;

fn store_of(seed: u64) -> fn() -> MemoryStore {
    if seed.is_multiple_of(IN_PARTS) { || MemoryStore::yielding().in_parts() } else { MemoryStore::yielding }
}

impl Deployment {
    pub(super) fn new(schedule: &Schedule, breakage: &dyn Breakage) -> Self {
        let mut world = World::new(&Setup {
            seed: schedule.seed,
            store: store_of(schedule.seed),
            faults: Some(QueueFaults::default()),
            script: script(schedule),
            start: schedule.start,
            ..Setup::default()
        });
        world.shuffle(schedule.seed);
        world.settings.rows_per_batch = 7;
        world.settings.max_receives = schedule.max_receives;
        world.settings.tick = schedule.tick.to_std().expect("a length of time");
        world.settings.visibility = Duration::from_secs(40);
        let witness = Arc::new(Witness::new(Arc::clone(&world.clock)));
        let store = breakage.store(Arc::clone(&world.ports.store), &world.clock);
        world.ports.store = Arc::new(HookedStore::new(store, Arc::<Witness>::clone(&witness)));
        let lost_leases = Arc::default();
        let counted = Arc::new(CountedLeases::new(Arc::clone(&world.ports.queue), &lost_leases));
        world.ports.queue = breakage.queue(counted);
        let companies: Vec<CompanyId> = (0..2).map(|_| world.company()).collect();
        let campaigns: Vec<Campaign> = schedule
            .campaigns
            .iter()
            .enumerate()
            .map(|(index, draft)| {
                world.campaign(companies[draft.company], &documents::document(index, draft, schedule.zone))
            })
            .collect();
        let files: Vec<Arc<ArrivingFiles>> = campaigns.iter().map(|_| Arc::default()).collect();
        for (campaign, source) in campaigns.iter().zip(&files) {
            world.with_inbox(campaign.company, campaign.id, Arc::<ArrivingFiles>::clone(source));
        }
        let wire = Arc::default();
        // The last one is the host's.
        let places =
            (0..=schedule.workers).map(|worker| place(&world, schedule, worker, &wire, breakage)).collect();
        let mut deployment = Self { world, companies, campaigns, files, wire, witness, lost_leases, places };
        deployment.set_faults(schedule);
        for worker in 0..schedule.workers {
            deployment.start(worker);
        }
        deployment
    }

    fn set_faults(&self, schedule: &Schedule) {
        let faults = &schedule.faults;
        for place in &self.places {
            place.store.set_faults(faults.store);
            place.admin.set_faults(faults.admin);
            place.lookup.set_faults(faults.lookup);
            place.providers.iter().for_each(|provider| provider.set_faults(faults.provider));
        }
        if let Some(queue) = &self.world.faulty {
            queue.set_faults(faults.queue);
        }
    }

    /// From now on nothing goes wrong. Clocks show what time it is.
    pub(super) fn calm(&mut self) {
        for place in &mut self.places {
            place.store.set_faults(StoreFaults::default());
            place.admin.set_faults(AdminFaults::default());
            place.lookup.set_faults(LookupFaults::default());
            place.providers.iter().for_each(|provider| provider.set_faults(ProviderFaults::default()));
            place.panicking.iter().for_each(|provider| provider.set_chance(0));
            place.clock.jump_to(TimeDelta::zero());
        }
        if let Some(queue) = &self.world.faulty {
            queue.set_faults(QueueFaults::default());
        }
    }

    /// The adapters of the host's own tasks, with a clock, a store and a network that are no better than those of workers.
    pub(super) fn ports_of_host(&self) -> Ports {
        self.places.last().map_or_else(|| self.world.ports.clone(), |place| place.ports.clone())
    }

    /// Starts a worker, unless it runs.
    pub(super) fn start(&mut self, worker: usize) -> bool {
        let Some(place) = self.places.get_mut(worker).filter(|place| place.process.is_none()) else {
            return false;
        };
        place.process = Some(self.world.start_worker_over(&place.ports.clone()));
        true
    }

    pub(super) fn kill(&mut self, worker: usize) -> bool {
        let process = self.places.get_mut(worker).and_then(|place| place.process.take());
        process.map(|process| self.world.kill(process)).is_some()
    }

    /// Tells a worker to stop; it does so while others go on.
    pub(super) fn stop(&mut self, worker: usize) -> bool {
        let process = self.places.get_mut(worker).and_then(|place| place.process.take());
        process.map(|process| self.world.shut_down(process)).is_some()
    }

    pub(super) fn process(&self, worker: usize) -> Option<Process> {
        self.places.get(worker)?.process
    }

    pub(super) fn kill_all(&mut self) {
        for process in self.world.workers() {
            self.world.kill(process);
        }
        self.places.iter_mut().for_each(|place| place.process = None);
    }

    pub(super) fn jump(&self, worker: usize, to: TimeDelta) {
        if let Some(place) = self.places.get(worker) {
            place.clock.jump_to(to);
        }
    }

    /// The worker that is left when the others go.
    pub(super) fn keep_one(&mut self) {
        let last = self.places.iter().position(|place| place.process.is_some()).unwrap_or(0);
        for worker in (0..self.places.len()).filter(|worker| *worker != last) {
            self.stop(worker);
        }
        self.start(last);
    }

    /// Nobody is left.
    pub(super) fn stop_all(&mut self) {
        for worker in 0..self.places.len() {
            self.stop(worker);
        }
    }

    /// How often everything that goes wrong by itself did.
    pub(super) fn injected(&self) -> BTreeMap<&'static str, u64> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut add = |name, times| *counts.entry(name).or_default() += times;
        for place in &self.places {
            let store = place.store.injected();
            add("store away", store.refusals);
            add("commit that took effect, answer lost", store.lost_answers);
            add("commit lost", store.lost_commits);
            add("store slow before its effect", store.late_effects);
            add("store slow after its effect", store.late_answers);
            add("store panicked", store.panics);
            let admin = place.admin.injected();
            add("queues neither made nor deleted", admin.refusals);
            add("queues made or deleted, answer lost", admin.lost_answers);
            let lookup = place.lookup.injected();
            add("look-up failed", lookup.unreachable);
            add("look-up hung", lookup.hangs);
            add("look-up could not say", lookup.inconclusive);
            add("clock jumped", place.clock.jumps());
            add("provider panicked", place.panicking.iter().map(|provider| provider.panics()).sum());
            for (fault, name) in PROVIDER_FAULTS {
                add(name, place.providers.iter().map(|provider| provider.injected(fault)).sum());
            }
        }
        add("lease lost", self.lost_leases.load(Ordering::Relaxed));
        if let Some(queue) = &self.world.faulty {
            let queue = queue.injected();
            add("copy doubled", queue.duplicates);
            add("copies reordered", queue.reorders);
            add("copy lost", queue.losses);
            add("copy delayed", queue.delays);
            add("item or lease failed", queue.failures);
            add("queue away", queue.refusals);
            add("too much in flight", queue.over_limit);
            add("answer of the queue lost", queue.lost_answers);
        }
        counts
    }
}

const PROVIDER_FAULTS: [(ProviderFault, &str); 15] = [
    (ProviderFault::Unreachable, "provider unreachable"),
    (ProviderFault::Unauthorized, "credentials refused"),
    (ProviderFault::Throttled, "429 for a call"),
    (ProviderFault::SlowStart, "process held up before the request"),
    (ProviderFault::Hang, "provider hung"),
    (ProviderFault::ShortAnswer, "answers missing"),
    (ProviderFault::Deferred, "429 for a message"),
    (ProviderFault::Rejected, "refused for now"),
    (ProviderFault::ServerError, "5xx, not accepted"),
    (ProviderFault::ServerErrorAccepted, "5xx, accepted"),
    (ProviderFault::TimeOut, "time-out, not accepted"),
    (ProviderFault::TimeOutAccepted, "time-out, accepted"),
    (ProviderFault::LostAnswer, "answer of the provider lost"),
    (ProviderFault::Malformed, "answer without sense"),
    (ProviderFault::AcceptedTwice, "accepted twice by the provider"),
];

/// The adapters of a worker.
fn place(
    world: &World,
    schedule: &Schedule,
    worker: usize,
    wire: &Arc<Wire>,
    breakage: &dyn Breakage,
) -> Place {
    let seed = schedule.seed.wrapping_mul(31).wrapping_add(worker as u64);
    let true_clock: Arc<dyn Clock> = Arc::<reminderly_core::testing::VirtualClock>::clone(&world.clock);
    let clock = Arc::new(SkewedClock::new(Arc::clone(&true_clock), schedule.skews[worker]));
    let own: Arc<dyn Clock> = Arc::<SkewedClock>::clone(&clock);
    let store = Arc::new(FaultyStore::new(Arc::clone(&world.ports.store), Arc::clone(&true_clock), seed));
    let admin = Arc::new(FaultyQueueAdmin::new(Arc::clone(&world.ports.queues), seed));
    let lookup = Arc::new(FaultyLookup::new(world.sandbox.lookup(), seed));
    let mut router = MethodRouter::sandbox(&world.sandbox);
    let (mut providers, mut panicking) = (Vec::new(), Vec::new());
    for (number, method) in (0..).zip(ContactMethod::ALL) {
        let seed = seed.wrapping_mul(7).wrapping_add(number);
        let faulty = Arc::new(FaultyProvider::new(world.sandbox.provider(method), Arc::clone(&own), seed));
        let point = if number == 0 { PanicPoint::AfterCall } else { PanicPoint::BeforeCall };
        let chance = schedule.faults.panic_per_mille;
        let inner: Arc<dyn Provider> = Arc::<FaultyProvider>::clone(&faulty);
        let panics = Arc::new(PanickingProvider::with_chance(inner, point, chance, seed));
        let inner: Arc<dyn Provider> = Arc::<PanickingProvider>::clone(&panics);
        let wired: Arc<dyn Provider> = Arc::new(WiredProvider {
            inner,
            wire: Arc::clone(wire),
            clock: Arc::clone(&world.clock),
            of_worker: Arc::clone(&clock),
        });
        router = router
            .with_lookup(wired.name(), Arc::<FaultyLookup>::clone(&lookup))
            .with_provider(breakage.provider(wired));
        providers.push(faulty);
        panicking.push(panics);
    }
    let ports = Ports {
        store: Arc::<FaultyStore>::clone(&store),
        queues: Arc::<FaultyQueueAdmin>::clone(&admin),
        clock: own,
        providers: Arc::new(router),
        ..world.ports.clone()
    };
    Place { ports, clock, store, admin, providers, panicking, lookup, process: None }
}

/// What people and their providers do.
fn script(schedule: &Schedule) -> Value {
    let by_phone = json!({ "mix": {
        "presses_one": 4, "presses_nine": 2, "presses_eight": 1, "voicemail": 1, "machine": 1, "busy_once": 2, "busy": 1,
        "no_answer_once": 2, "no_answer": 1, "accepted_late": 1,
    } });
    let phones = schedule.campaigns.iter().enumerate().filter(|(_, draft)| draft.methods == Methods::Phone);
    let mut points = serde_json::Map::new();
    for (_, draft) in phones {
        // Some people of the company are called, whoever else writes to them.
        for person in (0..20).step_by(3) {
            points.insert(cell(draft.company, person), by_phone.clone());
        }
    }
    json!({ "contact_points": points, "default": { "mix": {
        "delivers": 8, "confirms": 3, "cancels": 2, "stops": 1, "complains": 1, "gibberish": 1, "undelivered": 1, "landline": 1,
        "invalid": 1, "opted_out": 1, "duplicate_reports": 2, "hangs": 1, "accepted_late": 2, "silent": 1, "throttled": 1,
    } } })
}
