//! A whole deployment: store, queues, sandbox, workers and gateway, in one thread and under one clock.

pub mod callers;
mod look;
mod plant;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use reminderly_core::clock::Clock;
use reminderly_core::domain::access::{
    Action, Actor, Company, CompanyScope, Grants, PlatformScope, Role, authorize, authorize_platform,
};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::{CampaignId, CompanyId, IdSourceExt as _, PacketId, SeededIds};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::provider::{ProviderDirectory, ProviderRate};
use reminderly_core::ports::queue::MessageQueue;
use reminderly_core::ports::source::PacketSource;
use reminderly_core::sealers::PlainSealer;
use reminderly_core::services::{
    Callbacks, Campaigns, Dispatch, InProcessPollers, Inbox, Ingest, Ports, Prepared, QueueNames, Settings,
    ShutdownTrigger, Worker, shutdown,
};
use reminderly_core::sources::MemorySource;
use reminderly_core::testing::{FaultyQueue, QueueFaults, VirtualClock};
use reminderly_providers::router::MethodRouter;
use reminderly_providers::sandbox::{AcceptedLog, Sandbox, SandboxCallback, SandboxScript, SandboxSettings};
use reminderly_providers::standard_webhooks::WebhookKey;
use reminderly_queue_memory::MemoryQueue;
use serde_json::Value;

use crate::executor::{Executor, Process};

/// How a world is set up. The default has no faults, and everybody gets everything delivered.
#[derive(Debug)]
pub struct Setup {
    /// Of ids, of faults and of everything else that is drawn.
    pub seed: u64,
    /// Makes the store.
    pub store: fn() -> MemoryStore,
    /// What the queue does wrong.
    pub faults: Option<QueueFaults>,
    /// The sandbox's script, JSON.
    pub script: Value,
    /// How fast the sandbox's text messages say that they may go.
    pub rates: Vec<ProviderRate>,
    /// How fast its calls say that they may go.
    pub call_rates: Vec<ProviderRate>,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// What the sandbox keeps of what it accepts.
    pub log: AcceptedLog,
    /// What stands between dispatch and sandbox.
    pub providers: fn(&Sandbox, &Arc<dyn Clock>) -> MethodRouter,
    /// Changes the settings.
    pub tune: fn(&mut Settings),
}

impl Default for Setup {
    /// Starts on Wednesday 2026-03-04 at 10:55 in Phoenix.
    fn default() -> Self {
        Self {
            seed: 1,
            store: MemoryStore::new,
            faults: None,
            script: serde_json::json!({}),
            rates: Vec::new(),
            call_rates: Vec::new(),
            start: instant("2026-03-04T17:55:00Z"),
            log: AcceptedLog::Full,
            providers: |sandbox, _| MethodRouter::sandbox(sandbox),
            tune: |_| {},
        }
    }
}

/// An instant from RFC 3339.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// A deployment.
pub struct World {
    /// Moves only when the world runs.
    pub clock: Arc<VirtualClock>,
    /// The store.
    pub store: Arc<MemoryStore>,
    /// The queues, without the faults.
    pub queue: Arc<MemoryQueue>,
    /// The queues with their faults, if there are any.
    pub faulty: Option<Arc<FaultyQueue>>,
    /// The provider.
    pub sandbox: Sandbox,
    /// The adapters.
    pub ports: Ports,
    /// The settings.
    pub settings: Settings,
    /// What polls.
    pub executor: Executor,
    /// What the sandbox signs its callbacks with.
    pub webhook_key: WebhookKey,
    /// Callbacks that were taken.
    pub accepted_callbacks: u64,
    /// Those themselves and when they were taken, unless the sandbox keeps nothing either.
    pub callbacks: Vec<(DateTime<Utc>, SandboxCallback)>,
    keeps_callbacks: bool,
    workers: BTreeMap<Process, Running>,
    last_process: Process,
    inboxes: Vec<Inbox>,
    random: Option<SmallRng>,
}

struct Running {
    ports: Ports,
    pollers: Arc<InProcessPollers>,
    trigger: Option<ShutdownTrigger>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now", &self.clock.now()).finish_non_exhaustive()
    }
}

impl World {
    /// Sets up a deployment without companies and workers.
    pub fn new(setup: &Setup) -> Self {
        let clock = Arc::new(VirtualClock::new(setup.start));
        let shared: Arc<dyn Clock> = Arc::<VirtualClock>::clone(&clock);
        let store = Arc::new((setup.store)());
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&shared)));
        let plain: Arc<dyn MessageQueue> = Arc::<MemoryQueue>::clone(&queue);
        let faulty =
            setup.faults.map(|faults| Arc::new(FaultyQueue::new(Arc::clone(&plain), faults, setup.seed)));
        let used: Arc<dyn MessageQueue> =
            faulty.as_ref().map_or(plain, |faulty| Arc::<FaultyQueue>::clone(faulty));
        let script = SandboxScript::parse(&setup.script.to_string()).expect("a script");
        let rates =
            [(ContactMethod::Sms, setup.rates.clone()), (ContactMethod::Phone, setup.call_rates.clone())]
                .into();
        let webhook_key = WebhookKey::new(&[7; 32]).expect("a key");
        let sandbox_settings = SandboxSettings {
            seed: setup.seed,
            script,
            rates,
            log: setup.log,
            keys: vec![webhook_key.clone()],
            ..SandboxSettings::default()
        };
        let sandbox = Sandbox::new(Arc::clone(&shared), sandbox_settings);
        let providers: Arc<dyn ProviderDirectory> = Arc::new((setup.providers)(&sandbox, &shared));
        let ports = Ports {
            store: Arc::<MemoryStore>::clone(&store),
            queue: used,
            queues: Arc::<MemoryQueue>::clone(&queue),
            providers,
            sealer: Arc::new(PlainSealer),
            clock: shared,
            ids: Arc::new(SeededIds::new(setup.seed)),
        };
        let mut settings = Settings::new(QueueNames::of_deployment("test").expect("legal names"));
        (setup.tune)(&mut settings);
        block_on(Callbacks::new(&ports, &settings).ensure_queues()).expect("queues");
        Self {
            clock,
            store,
            queue,
            faulty,
            sandbox,
            ports,
            settings,
            executor: Executor::new(),
            webhook_key,
            accepted_callbacks: 0,
            callbacks: Vec::new(),
            keeps_callbacks: setup.log == AcceptedLog::Full,
            workers: BTreeMap::new(),
            last_process: 0,
            inboxes: Vec::new(),
            random: None,
        }
    }

    /// From now on the next task to be polled is drawn.
    pub fn shuffle(&mut self, seed: u64) {
        self.random = Some(SmallRng::seed_from_u64(seed));
    }

    /// Waits for so long from now.
    pub async fn clock_passed(&self, duration: Duration) {
        self.clock.sleep_until(self.now() + duration).await;
    }

    /// What time it is.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Makes a company.
    pub fn company(&self) -> CompanyId {
        let id = self.ports.ids.next(self.now());
        let company = Company { id, name: "Clinic".to_owned(), server_name: "memory".to_owned() };
        block_on(self.ports.store.save_company_across_companies(&company)).expect("stored");
        id
    }

    /// A scope of a user who may do this for the company.
    pub fn scope(&self, company: CompanyId, action: Action) -> CompanyScope {
        let id = self.ports.ids.next(self.now());
        let role = Role { id, name: String::new(), actions: [action].into(), companies: [company].into() };
        let user = Actor::User(self.ports.ids.next(self.now()));
        authorize(user, action, company, &Grants { roles: vec![role] }).expect("granted")
    }

    /// The scope of a worker.
    pub fn worker_scope(&self, company: CompanyId) -> CompanyScope {
        authorize(Actor::Worker, Action::Operate, company, &Grants::default()).expect("workers may operate")
    }

    /// The scope of sweeps.
    pub fn platform_scope(&self) -> PlatformScope {
        authorize_platform(Actor::Worker).expect("workers may sweep")
    }

    /// The scope of the operator.
    pub fn operator_scope(&self) -> PlatformScope {
        authorize_platform(Actor::Operator).expect("the operator may keep the platform")
    }

    /// Campaigns.
    pub fn campaigns(&self) -> Campaigns {
        Campaigns::new(&self.ports).with_rule_packs(self.settings.rule_packs.clone())
    }

    /// Makes an active campaign.
    pub fn campaign(&self, company: CompanyId, document: &Value) -> Campaign {
        let edit = self.scope(company, Action::EditCampaign);
        let run = self.scope(company, Action::RunCampaign);
        let campaign =
            block_on(self.campaigns().create(&edit, &document.to_string())).expect("a usable document");
        block_on(self.campaigns().activate(&run, campaign.id)).expect("activated")
    }

    /// Loads a file; workers go on with the packet.
    pub fn load(&self, company: CompanyId, campaign: CampaignId, data: &str) -> PacketId {
        let ingest = Ingest::new(&self.ports, &self.settings);
        let scope = self.scope(company, Action::Ingest);
        let source = MemorySource::new().with_file("data.csv", data);
        block_on(async {
            let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
                ingest.prepare(&scope, campaign, &source, "data.csv").await.expect("prepared");
            ingest.load(&scope, packet.id, &source, &mut |_| {}).await.expect("loaded").id
        })
    }

    /// Lets workers that start from now on take files in.
    pub fn with_inbox(&mut self, company: CompanyId, campaign: CampaignId, source: Arc<dyn PacketSource>) {
        self.inboxes.push(Inbox { company, campaign, source });
    }

    /// A worker with its pollers that nobody runs.
    pub fn idle_worker(&self, process: Process) -> (Worker, Arc<InProcessPollers>) {
        self.idle_worker_over(&self.ports, process)
    }

    fn idle_worker_over(&self, ports: &Ports, process: Process) -> (Worker, Arc<InProcessPollers>) {
        let dispatch = Arc::new(Dispatch::new(ports, &self.settings));
        let pollers = Arc::new(InProcessPollers::new(dispatch, self.executor.spawner(process)));
        let worker = Worker::new(ports, &self.settings, Arc::<InProcessPollers>::clone(&pollers));
        let worker = self.inboxes.iter().cloned().fold(worker, Worker::with_inbox);
        (worker, pollers)
    }

    /// A number for a process.
    pub fn new_process(&mut self) -> Process {
        self.last_process += 1;
        self.last_process
    }

    /// Starts a worker.
    pub fn start_worker(&mut self) -> Process {
        self.start_worker_over(&self.ports.clone())
    }

    /// Starts a worker whose adapters are its own.
    pub fn start_worker_over(&mut self, ports: &Ports) -> Process {
        let process = self.new_process();
        let (worker, pollers) = self.idle_worker_over(ports, process);
        let (trigger, shutdown) = shutdown();
        let (own, worker_clock) = (Arc::clone(&pollers), Arc::clone(&ports.clock));
        self.executor.spawn(process, async move {
            // As whoever supervises processes does.
            while let Err(error) = worker.run(&shutdown).await {
                assert!(error.is_transient(), "a worker runs: {error:?}");
                worker_clock.sleep_until(worker_clock.now() + TimeDelta::seconds(10)).await;
            }
            own.stop_all().await;
        });
        let ports = ports.clone();
        self.workers.insert(process, Running { ports, pollers, trigger: Some(trigger) });
        process
    }

    /// Drops everything that a worker has in hand.
    pub fn kill(&mut self, process: Process) {
        let running = self.workers.remove(&process);
        self.executor.kill(process);
        drop(running);
        self.executor.kill(process);
    }

    /// The workers that run.
    pub fn workers(&self) -> Vec<Process> {
        self.workers.keys().copied().collect()
    }

    /// Tells a worker to stop, and its pollers with it.
    pub fn shut_down(&mut self, process: Process) {
        let running = self.workers.get_mut(&process).expect("a worker that runs");
        drop(running.trigger.take());
    }

    /// How many queues a worker polls.
    pub fn polled_queues(&self, process: Process) -> usize {
        self.workers.get(&process).map_or(0, |running| running.pollers.running())
    }
}
