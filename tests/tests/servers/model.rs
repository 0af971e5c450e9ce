//! The services on a real server and on the in-memory store at once, which must answer the same to every call.

use std::sync::{Arc, Mutex, PoisonError};

use reminderly_core::ports::store::Store;
use reminderly_core::testing::{RunToEnd, TwinStore, VirtualClock};
use reminderly_mysql::{MySqlStore, ServerKind};
use reminderly_tests::prove::simulation::{Breakage, Schedule, verdict_with};
use rstest::rstest;
use tokio::runtime::Runtime;

use crate::database::{database, migrated};

/// So many schedules of the simulation are carried out on each server, other ones on each.
const SCHEDULES: usize = 3;

/// The first ones take long.
const FIRST_SEED: u64 = 3;

/// Puts a server's store beside the one that the services have.
#[derive(Debug)]
struct Beside {
    server: Arc<MySqlStore>,
    runtime: Arc<Runtime>,
    twins: Mutex<Vec<Arc<TwinStore>>>,
}

impl Breakage for Beside {
    fn store(&self, store: Arc<dyn Store>, _: &Arc<VirtualClock>) -> Arc<dyn Store> {
        let runtime = Arc::clone(&self.runtime);
        let run: RunToEnd = Arc::new(move |call| runtime.block_on(call));
        let twin = Arc::new(TwinStore::new(store, Arc::<MySqlStore>::clone(&self.server), run));
        self.twins.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&twin));
        twin
    }
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb, 0)]
#[case::mysql(ServerKind::MySql, 1)]
fn a_server_answers_what_the_model_answers(#[case] kind: ServerKind, #[case] turn: usize) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    // A server is not brought back with the model.
    let seeds = (FIRST_SEED..).filter(|seed| !Schedule::of(*seed).is_restored()).skip(turn * SCHEDULES);
    for seed in seeds.take(SCHEDULES) {
        let server = Arc::new(runtime.block_on(migrated(&database)));
        let beside = Beside { server, runtime: Arc::clone(&runtime), twins: Mutex::default() };
        let verdict = verdict_with(seed, &beside);
        let twins = beside.twins.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(twins.iter().any(|twin| twin.calls() > 100), "seed {seed}: nobody asked them");
        let differences: Vec<String> = twins.iter().flat_map(|twin| twin.differences()).collect();
        assert_eq!(differences, [""; 0], "seed {seed}");
        assert_eq!(verdict.wrong, [""; 0], "seed {seed}");
    }
}
