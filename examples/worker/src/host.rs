//! The host: adapters for the ports.

use std::fmt;
use std::sync::Arc;

use reminderly_core::clock::{Clock, SystemClock};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::RandomIds;
use reminderly_core::sealers::{AeadSealer, SealingKey};
use reminderly_core::services::{Ports, QueueNames, Settings};
use reminderly_mysql::MySqlStore;
use reminderly_providers::layers::{TimeOut, Trace};
use reminderly_providers::router::MethodRouter;
use reminderly_providers::sandbox::{QUIET_AFTER, Sandbox, SandboxScript, SandboxSettings};
use reminderly_queue_memory::MemoryQueue;
use tracing::warn;

use crate::config::{Config, SandboxFiles};
use crate::failure::Failure;

/// The adapters of this program: storage on a server, queues in memory, and the sandbox as the provider of every method.
pub(crate) struct Host {
    pub(crate) store: Arc<MySqlStore>,
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) sandbox: Sandbox,
}

impl Host {
    /// For a process that sends: its sandbox goes on with what it accepted before.
    pub(crate) async fn sending(config: &Config) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sandbox = sandbox(&config.sandbox, &clock)?;
        Self::new(config, clock, sandbox).await
    }

    /// For one that only looks things up, or writes them down, beside others that send.
    pub(crate) async fn looking(config: &Config) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sandbox = Sandbox::new(Arc::clone(&clock), SandboxSettings::default());
        Self::new(config, clock, sandbox).await
    }

    async fn new(config: &Config, clock: Arc<dyn Clock>, sandbox: Sandbox) -> Result<Self, Failure> {
        let store = Arc::new(connected(config, &clock).await?);
        let steps = store.steps_to_migrate().await;
        let steps = steps.map_err(|error| Failure::because("the tables cannot be looked at", &error))?;
        if steps > 0 {
            let database = &config.database;
            return Err(Failure::new(format!(
                "the tables of {database} are {steps} steps behind this release: run worker --init"
            )));
        }
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock)));
        // What is sealed never outlives the process here: a host with queues of its own keeps its key in a vault.
        let sealer = AeadSealer::new(SealingKey::new("process", &rand::random()), []);
        let ports = Ports {
            store: Arc::clone(&store) as _,
            queue: Arc::clone(&queue) as _,
            queues: queue,
            providers: Arc::new(providers(&sandbox, &clock)),
            sealer: Arc::new(sealer.map_err(|error| Failure::because("the sealing key", &error))?),
            clock,
            ids: Arc::new(RandomIds),
        };
        let names = QueueNames::of_deployment(&config.deployment)
            .map_err(|error| Failure::because("the deployment's name makes no queue names", &error))?;
        let settings = Settings {
            tick: config.pace.tick,
            copy_lifetime: config.pace.copy_lifetime,
            claim_margin: config.pace.claim_margin,
            ..Settings::new(names)
        };
        Ok(Self { store, ports, settings, sandbox })
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("sandbox", &self.sandbox).finish_non_exhaustive()
    }
}

/// A store, perhaps without its tables.
pub(crate) async fn connected(config: &Config, clock: &Arc<dyn Clock>) -> Result<MySqlStore, Failure> {
    let what = format!("the database {} cannot be used (worker --init makes it)", config.database);
    let store = MySqlStore::connect(&config.database, Arc::clone(clock)).await;
    store.map_err(|error| Failure::because(&what, &error))
}

fn sandbox(files: &SandboxFiles, clock: &Arc<dyn Clock>) -> Result<Sandbox, Failure> {
    let script = match &files.script {
        None => SandboxScript::default(),
        Some(path) => {
            let what = format!("the sandbox's script {} cannot be used", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| Failure::because(&what, &error))?;
            SandboxScript::parse(&text).map_err(|error| Failure::because(&what, &error))?
        }
    };
    if files.quiet_after.is_some_and(|quiet_after| quiet_after < QUIET_AFTER) {
        warn!(
            "quiet_after_seconds is short: what the sandbox's script accepts later than that is sent twice"
        );
    }
    let settings = SandboxSettings { script, quiet_after: files.quiet_after, ..SandboxSettings::default() };
    Sandbox::open(Arc::clone(clock), settings, &files.journal)
        .map_err(|error| Failure::because("the sandbox cannot be opened", &error))
}

/// The sandbox for every method, with hung calls cut and every call visible in traces and metrics.
fn providers(sandbox: &Sandbox, clock: &Arc<dyn Clock>) -> MethodRouter {
    ContactMethod::ALL.into_iter().fold(MethodRouter::sandbox(sandbox), |router, method| {
        let cut = TimeOut::new(sandbox.provider(method), Arc::clone(clock));
        router.with_provider(Arc::new(Trace::new(Arc::new(cut), Arc::clone(clock))))
    })
}
