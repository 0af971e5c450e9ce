//! Sending, until the process is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use reminderly_core::services::{Dispatch, InProcessPollers, Shutdown, ShutdownTrigger, Worker, shutdown};
use reminderly_mysql::MySqlStore;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;

use crate::config::Config;
use crate::endpoint;
use crate::failure::Failure;
use crate::host::Host;
use crate::maintenance::Maintenance;
use crate::office::Office;

/// Sends until a signal says to stop; returns when nothing is in hand any more.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    let (trigger, shutdown) = shutdown();
    tokio::spawn(Signals::new()?.heed(trigger));
    if let Some(address) = config.metrics {
        serve_metrics(address)?;
    }
    tokio::select! {
        host = Host::sending(config) => send(config, &host?, &shutdown).await,
        () = shutdown.wait() => Ok(()),
    }
}

async fn send(config: &Config, host: &Host, shutdown: &Shutdown) -> Result<(), Failure> {
    let inboxes = Office::new(&host.ports).inboxes(config).await?;
    let dispatch = Arc::new(Dispatch::new(&host.ports, &host.settings));
    let spawn = Arc::new(|poller| drop(tokio::spawn(poller)));
    let pollers = Arc::new(InProcessPollers::new(dispatch, spawn));
    let worker = Worker::new(&host.ports, &host.settings, Arc::clone(&pollers) as _);
    let worker = inboxes.into_iter().fold(worker, Worker::with_inbox);
    info!(server.kind = ?host.store.server().kind, server.version = %host.store.server().version, "sending");
    // A file that is being taken in is taken in to its end; nothing is sent meanwhile.
    let stop_polling = async {
        shutdown.wait().await;
        pollers.stop_all().await;
        Ok(())
    };
    let (clock, archive) = (Arc::clone(&host.ports.clock), config.archive.clone());
    let maintenance = Maintenance { store: MySqlStore::clone(&host.store), clock, archive };
    // It unpacks and compares much, and nothing here waits for it.
    let maintenance = tokio::spawn(maintenance.run(shutdown.clone()));
    let endpoint = async {
        endpoint::run(host, shutdown).await;
        Ok(())
    };
    tokio::try_join!(worker.run(shutdown), stop_polling, endpoint)?;
    // The last round may have started some.
    pollers.stop_all().await;
    // It ends with the shutdown, whatever became of it.
    maintenance.await.ok();
    host.store.close().await;
    info!("nothing is in hand any more");
    Ok(())
}

/// Metrics for Prometheus, on every path of this address.
fn serve_metrics(address: SocketAddr) -> Result<(), Failure> {
    let installed = PrometheusBuilder::new().with_http_listener(address).install();
    installed.map_err(|error| Failure::because(&format!("metrics cannot be served on {address}"), &error))?;
    info!(%address, "metrics are served");
    Ok(())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let of = |kind| signal(kind).map_err(|error| Failure::because("signals cannot be heeded", &error));
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    /// The first one stops the loops, the second one the process: what was in hand then is found again at the next start.
    async fn heed(mut self, trigger: ShutdownTrigger) {
        self.next().await;
        info!("ending what is in hand; another signal ends the process at once");
        trigger.fire();
        let signal = self.next().await;
        // As shells tell of who was ended by a signal.
        std::process::exit(128 + signal.as_raw_value());
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        }
    }
}
