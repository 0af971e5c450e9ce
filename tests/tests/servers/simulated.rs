//! A server in which there is what a schedule of the simulation leaves.

use std::sync::Arc;

use reminderly_core::ports::store::Store;
use reminderly_core::testing::{RunToEnd, TwinStore, VirtualClock};
use reminderly_mysql::MySqlStore;
use reminderly_tests::prove::simulation::{Breakage, verdict_with};
use tokio::runtime::Runtime;

/// Carries a schedule out in memory, and on a server as well.
pub(crate) fn carry_out(seed: u64, server: &Arc<MySqlStore>, runtime: &Arc<Runtime>) {
    let beside = Beside { server: Arc::clone(server), runtime: Arc::clone(runtime) };
    assert_eq!(verdict_with(seed, &beside).wrong, [""; 0]);
}

#[derive(Debug)]
struct Beside {
    server: Arc<MySqlStore>,
    runtime: Arc<Runtime>,
}

impl Breakage for Beside {
    fn store(&self, store: Arc<dyn Store>, _: &Arc<VirtualClock>) -> Arc<dyn Store> {
        let runtime = Arc::clone(&self.runtime);
        let run: RunToEnd = Arc::new(move |call| runtime.block_on(call));
        Arc::new(TwinStore::new(store, Arc::<MySqlStore>::clone(&self.server), run))
    }
}
