//! The services on a real server and on the in-memory store at once, which must answer the same to every call, while the history of
//! the server is moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{Days, TimeDelta};
use reminderly_core::ports::store::Store;
use reminderly_core::testing::{RunToEnd, SkewedClock, TwinStore, VirtualClock};
use reminderly_mysql::{History, HistorySettings, MySqlStore, ServerKind};
use reminderly_tests::prove::simulation::{Breakage, Schedule, verdict_with};
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::sleep;

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
    mover: Mover,
}

impl Breakage for Beside {
    fn store(&self, store: Arc<dyn Store>, clock: &Arc<VirtualClock>) -> Arc<dyn Store> {
        self.mover.start(&self.runtime, MySqlStore::clone(&self.server), Arc::clone(clock));
        let runtime = Arc::clone(&self.runtime);
        let run: RunToEnd = Arc::new(move |call| runtime.block_on(call));
        let twin = Arc::new(TwinStore::new(store, Arc::<MySqlStore>::clone(&self.server), run));
        self.twins.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&twin));
        twin
    }
}

/// Moves what has ended out of the way on the same day, in small steps: nobody may notice.
#[derive(Debug, Default)]
struct Mover {
    task: OnceLock<JoinHandle<()>>,
    moved: Arc<AtomicU64>,
}

impl Mover {
    fn start(&self, runtime: &Runtime, store: MySqlStore, clock: Arc<VirtualClock>) {
        let settings = HistorySettings::default().with_move_after(Days::new(0)).with_rows_per_step(7);
        let clock = Arc::new(SkewedClock::new(clock, TimeDelta::days(1)));
        let (history, moved) = (History::new(store, clock, settings), Arc::clone(&self.moved));
        let work = async move {
            loop {
                let found = history.move_ended().await.expect("moved");
                moved.fetch_add(found.packets, Ordering::Relaxed);
                sleep(Duration::from_millis(5)).await;
            }
        };
        self.task.get_or_init(|| runtime.spawn(work));
    }

    /// How many packets were moved.
    fn stop(&self) -> u64 {
        let task = self.task.get().expect("it was started");
        assert!(!task.is_finished(), "it could not move something");
        task.abort();
        self.moved.load(Ordering::Relaxed)
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
    let mut moved = 0;
    for seed in seeds.take(SCHEDULES) {
        let server = Arc::new(runtime.block_on(migrated(&database)));
        let beside = Beside {
            server,
            runtime: Arc::clone(&runtime),
            twins: Mutex::default(),
            mover: Mover::default(),
        };
        let verdict = verdict_with(seed, &beside);
        moved += beside.mover.stop();
        let twins = beside.twins.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(twins.iter().any(|twin| twin.calls() > 100), "seed {seed}: nobody asked them");
        let differences: Vec<String> = twins.iter().flat_map(|twin| twin.differences()).collect();
        assert_eq!(differences, [""; 0], "seed {seed}");
        assert_eq!(verdict.wrong, [""; 0], "seed {seed}");
    }
    assert!(moved > 0, "nothing was moved");
}
