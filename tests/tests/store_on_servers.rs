//! The suite of the storage ports on real servers. The servers run for the whole suite, so it brings a `main` of its own.

#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail as tests do: by panicking")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "servers/database.rs"]
mod database;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Trial};
use reminderly_core::conformance::store::{self, Bench, Decoy, StoreHarness};
use reminderly_core::domain::restore::Restore;
use reminderly_core::ids::{IdSource, RandomIds};
use reminderly_core::ports::store::{RestoreStore as _, Store};
use reminderly_mysql::{MySqlStore, ServerKind};
use tokio::runtime::{Handle, Runtime};

use database::Database;

/// A case of the suite.
type Case = for<'a> fn(&'a Bench) -> BoxFuture<'a, ()>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A case waits for the server most of its time.
    let threads = std::thread::available_parallelism().map_or(4, |cores| 3 * cores.get());
    arguments.test_threads.get_or_insert(threads);
    let runtime = Runtime::new().expect("a runtime");
    // Listing starts nothing.
    let servers = [ServerKind::MariaDb, ServerKind::MySql].map(|kind| Arc::new(Server::new(kind)));
    let trials = servers.iter().flat_map(|server| trials(server, runtime.handle())).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The runtime goes before the servers.
    drop(runtime);
    drop(servers);
    conclusion.exit_code()
}

/// A server, and databases on it that no case uses just now.
struct Server {
    kind: ServerKind,
    database: OnceLock<Option<Arc<Database>>>,
    free: Mutex<Vec<Place>>,
}

/// A database, and in it a company that no case may touch: it takes longer to make than most cases take.
struct Place {
    store: Arc<MySqlStore>,
    decoy: Decoy,
}

impl Server {
    const fn new(kind: ServerKind) -> Self {
        Self { kind, database: OnceLock::new(), free: Mutex::new(Vec::new()) }
    }

    /// The server, which the first case starts; `None` if there is none and that may be.
    fn database(&self) -> Option<Arc<Database>> {
        self.database.get_or_init(|| database::database(self.kind)).clone()
    }

    async fn take(&self, database: &Database) -> Place {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(place) = free {
            return place;
        }
        let store = Arc::new(database::migrated(database).await);
        let bench = Bench::new(&Harness { store: Arc::clone(&store) }).await;
        Place { store, decoy: Decoy::new(&bench).await }
    }

    /// Takes a database back for another case, unless it was restored: that concerns all that is in it.
    async fn give_back(&self, place: Place) {
        if place.store.restore_across_companies().await.expect("the store answers") == Restore::default() {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(place);
        } else {
            place.store.close().await;
        }
    }

    async fn run(&self, database: &Database, case: Case) {
        let place = self.take(database).await;
        let bench = Bench::new(&Harness { store: Arc::clone(&place.store) }).await;
        case(&bench).await;
        place.decoy.assert_untouched().await;
        self.give_back(place).await;
    }
}

#[derive(Debug)]
struct Harness {
    store: Arc<MySqlStore>,
}

impl StoreHarness for Harness {
    fn store(&self) -> Arc<dyn Store> {
        Arc::<MySqlStore>::clone(&self.store)
    }

    fn ids(&self) -> Arc<dyn IdSource> {
        Arc::new(RandomIds)
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }
}

fn trial(server: &Arc<Server>, runtime: &Handle, (name, case): (&str, Case)) -> Trial {
    let (server, runtime) = (Arc::clone(server), runtime.clone());
    Trial::test(format!("{:?}::{name}", server.kind), move || {
        let Some(database) = server.database() else { return Ok(()) };
        // On a thread of the runtime, which answers sooner than one that waits for it.
        let run = runtime.spawn(async move { server.run(&database, case).await });
        runtime.block_on(run).map_err(|panic| panic.to_string().into())
    })
}

macro_rules! all_cases {
    ([] $($case:ident)*) => {
        const CASES: &[(&str, Case)] = &[$((stringify!($case), |bench| Box::pin(store::$case(bench)))),*];
    };
}

reminderly_core::for_each_store_case!(all_cases, []);

fn trials(server: &Arc<Server>, runtime: &Handle) -> Vec<Trial> {
    CASES.iter().map(|case| trial(server, runtime, *case)).collect()
}
