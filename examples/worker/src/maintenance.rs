//! What has ended, out of the way: into tables of its month, and what is old into files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, Months};
use object_store::local::LocalFileSystem;
use reminderly_core::clock::Clock;
use reminderly_core::services::Shutdown;
use reminderly_mysql::{
    History, HistorySettings, Moved, MySqlStore, Offload, OffloadError, OffloadSettings, Offloaded, Sink,
};
use tracing::{info, warn};

use crate::config::Archive;
use crate::failure::Failure;

const EVERY: Duration = Duration::from_hours(1);

/// What is to be done once an hour.
pub(crate) struct Maintenance {
    pub(crate) store: MySqlStore,
    pub(crate) clock: Arc<dyn Clock>,
    /// Without one, what is old stays where it is.
    pub(crate) archive: Option<Archive>,
}

impl Maintenance {
    /// Does it until a shutdown. What is cut off then goes on at the next start.
    pub(crate) async fn run(self, shutdown: Shutdown) {
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

    /// Nothing that fails here keeps anything from being sent.
    async fn round(&self) {
        let history = History::new(self.store.clone(), Arc::clone(&self.clock), HistorySettings::default());
        match history.move_ended().await {
            Ok(moved) if moved == Moved::default() => {}
            Ok(moved) => info!(moved.sets, moved.packets, moved.rows, "what has ended was moved"),
            Err(error) => warn_of(&Failure::because("what has ended cannot be moved", &error)),
        }
        let Some(archive) = &self.archive else { return };
        match offload(&self.store, &self.clock, archive) {
            Ok(offload) => {
                tell("logs", offload.offload_logs().await);
                tell("months", offload.offload_months().await);
            }
            Err(failure) => warn_of(&failure),
        }
    }
}

fn tell(what: &str, outcome: Result<Offloaded, OffloadError>) {
    match outcome {
        Ok(offloaded) if offloaded == Offloaded::default() => {}
        Ok(offloaded) => info!(offloaded.tables, offloaded.rows, "old {what} were taken into files"),
        Err(error) => {
            warn_of(&Failure::because(&format!("not all old {what} can be taken into files"), &error));
        }
    }
}

fn warn_of(failure: &Failure) {
    warn!("{failure}; the next hour tries again");
}

/// What takes into an archive, and back.
pub(crate) fn offload(
    store: &MySqlStore,
    clock: &Arc<dyn Clock>,
    archive: &Archive,
) -> Result<Offload, Failure> {
    let folder = archive.folder.display();
    let name = archive.folder.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::new(format!("the archive {folder} has no name to write with")))?;
    // The folder is made with the first file, but not that in which it is: a disk may be missing.
    let beside = archive.folder.parent().unwrap_or(Path::new("."));
    let files = LocalFileSystem::new_with_prefix(beside);
    let what = format!("the folder in which the archive {folder} is to be cannot be used");
    // A table is dropped once its file is written: that has to be on the disk by then.
    let files = files.map_err(|error| Failure::because(&what, &error))?.with_fsync(true);
    let settings = OffloadSettings::default()
        .with_keep_logs(Days::new(archive.keep_logs_days.into()))
        .with_keep_months(Months::new(archive.keep_months.into()));
    Ok(Offload::new(store.clone(), Arc::clone(clock), Sink::new(Arc::new(files), name), settings))
}
