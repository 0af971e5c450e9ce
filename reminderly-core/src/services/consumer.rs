//! The loop of step 2: receive, handle, and settle every copy.

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use serde::de::DeserializeOwned;
use tracing::warn;

use crate::domain::envelope::SealedPayload;
use crate::ports::queue::{Lease, QueueName};
use crate::services::contained::contained;
use crate::services::{Ports, ServiceError, Settings, Shutdown};

/// Copies per receive; adapters cut it to their own limit.
const RECEIVE_BATCH: usize = 100;

/// How long the loop waits after a failure of the queue.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// What is done with received copies. What is not settled comes again.
#[async_trait]
pub(super) trait Handler: Send + Sync {
    async fn handle(&self, queue: &QueueName, leases: Vec<Lease>) -> Result<(), ServiceError>;
}

/// Receives from `queue` until told to stop; what is in hand then is finished.
pub(super) async fn run(
    ports: &Ports,
    settings: &Settings,
    queue: &QueueName,
    shutdown: &Shutdown,
    handler: &dyn Handler,
) {
    while !shutdown.is_triggered() {
        if let Err(error) = contained(poll(ports, settings, queue, shutdown, handler)).await {
            warn!(queue.name = %queue, error = &error as &dyn std::error::Error, "poll failed");
            let pause = ports.clock.sleep_until(ports.clock.now() + FAILURE_PAUSE);
            select(pause, Box::pin(shutdown.wait())).await;
        }
    }
}

/// Receives once and handles what came.
async fn poll(
    ports: &Ports,
    settings: &Settings,
    queue: &QueueName,
    shutdown: &Shutdown,
    handler: &dyn Handler,
) -> Result<(), ServiceError> {
    let receive = ports.queue.receive(queue, RECEIVE_BATCH, settings.poll_wait, settings.visibility);
    match select(receive, Box::pin(shutdown.wait())).await {
        Either::Left((leases, _)) => {
            let leases = leases?;
            if leases.is_empty() { Ok(()) } else { handler.handle(queue, leases).await }
        }
        Either::Right(_) => Ok(()),
    }
}

/// Opens a sealed payload; the error says why it never will.
pub(super) fn open<T: DeserializeOwned>(
    ports: &Ports,
    purpose: &str,
    payload: &SealedPayload,
) -> Result<T, String> {
    let plain = ports.sealer.open(purpose, &payload.sealed).map_err(|error| error.to_string())?;
    serde_json::from_slice(&plain).map_err(|error| {
        format!("payload is not understood (line {}, column {})", error.line(), error.column())
    })
}
