//! What has ended, out of the way: into tables of its month, and old logs into files.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use object_store::local::LocalFileSystem;
use reminderly_core::clock::Clock;
use reminderly_core::services::Shutdown;
use reminderly_mysql::{
    History, HistorySettings, Moved, MySqlStore, Offload, OffloadSettings, Offloaded, Sink,
};
use tracing::{info, warn};

use crate::config::Archive;
use crate::failure::Failure;

const EVERY: Duration = Duration::from_hours(1);

/// What is to be done once an hour.
pub(crate) struct Maintenance {
    history: History,
    logs: Option<Offload>,
    clock: Arc<dyn Clock>,
}

impl Maintenance {
    /// Old logs stay where they are without an archive.
    pub(crate) fn new(
        store: &MySqlStore,
        clock: &Arc<dyn Clock>,
        archive: Option<&Archive>,
    ) -> Result<Self, Failure> {
        let history = History::new(store.clone(), Arc::clone(clock), HistorySettings::default());
        let logs = archive.map(|archive| offload(store, clock, archive)).transpose()?;
        Ok(Self { history, logs, clock: Arc::clone(clock) })
    }

    /// Does it until a shutdown. What is cut off then goes on at the next start.
    pub(crate) async fn run(&self, shutdown: &Shutdown) {
        let rounds = async {
            loop {
                self.round().await;
                self.clock.sleep_until(self.clock.now() + EVERY).await;
            }
        };
        tokio::select! {
            () = rounds => {}
            () = shutdown.wait() => {}
        }
    }

    async fn round(&self) {
        match self.history.move_ended().await {
            Ok(moved) if moved == Moved::default() => {}
            Ok(moved) => info!(moved.sets, moved.packets, moved.rows, "what has ended was moved"),
            Err(error) => {
                let error =
                    Failure::because("what has ended cannot be moved; the next hour tries again", &error);
                warn!("{error}");
            }
        }
        let Some(logs) = &self.logs else { return };
        match logs.offload_logs().await {
            Ok(offloaded) if offloaded == Offloaded::default() => {}
            Ok(offloaded) => info!(offloaded.tables, offloaded.rows, "old logs were taken into files"),
            Err(error) => {
                let error = Failure::because(
                    "old logs cannot be taken into files; the next hour tries again",
                    &error,
                );
                warn!("{error}");
            }
        }
    }
}

/// Brings the log of a day back from its files; how many entries there are.
pub(crate) async fn restore_log(
    store: &MySqlStore,
    clock: &Arc<dyn Clock>,
    archive: &Archive,
    day: NaiveDate,
) -> Result<u64, Failure> {
    let what = format!("the log of {day} cannot be brought back");
    let restored = offload(store, clock, archive)?.restore_log(day).await;
    restored.map_err(|error| Failure::because(&what, &error))
}

fn offload(store: &MySqlStore, clock: &Arc<dyn Clock>, archive: &Archive) -> Result<Offload, Failure> {
    let what = format!("the folder {} of the archive cannot be used", archive.folder.display());
    fs::create_dir_all(&archive.folder).map_err(|error| Failure::because(&what, &error))?;
    let files = LocalFileSystem::new_with_prefix(&archive.folder);
    // A table is dropped once its file is written: that has to be on the disk by then.
    let files = files.map_err(|error| Failure::because(&what, &error))?.with_fsync(true);
    let settings = OffloadSettings::default().with_keep_logs(Days::new(archive.keep_logs_days.into()));
    Ok(Offload::new(store.clone(), Arc::clone(clock), Sink::new(Arc::new(files), ""), settings))
}
