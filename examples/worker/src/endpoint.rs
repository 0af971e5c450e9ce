//! Where the sandbox calls back. A real provider would call an HTTP endpoint, which hands its request to the same service.

use std::collections::VecDeque;
use std::time::Duration;

use reminderly_core::services::{Callbacks, ServiceError, Shutdown};
use tracing::warn;

use crate::host::Host;

const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// When a provider calls again whose callback was not taken.
const CALLS_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// So many events are remembered that wait for confirmation; of more, the oldest are called back again after a restart.
const IN_HAND_MAX: usize = 100_000;

/// Hands callbacks on until told to stop.
pub(crate) async fn run(host: &Host, shutdown: &Shutdown) {
    let callbacks = Callbacks::new(&host.ports, &host.settings);
    let mut in_hand = VecDeque::new();
    while !shutdown.is_triggered() {
        confirm(host, &mut in_hand).await;
        let now = host.ports.clock.now();
        for callback in host.sandbox.take_callbacks(now) {
            match callbacks.accept(&callback.provider, &callback.request).await {
                Ok(_) => in_hand.push_back(callback.event),
                Err(error) if error.is_transient() => {
                    host.sandbox.put_back(callback, now + CALLS_AGAIN_AFTER);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(provider.name = %callback.provider, error, "a callback was refused");
                    host.sandbox.confirm(&callback.event);
                }
            }
        }
        in_hand.drain(..in_hand.len().saturating_sub(IN_HAND_MAX));
        tokio::select! {
            () = tokio::time::sleep(LOOKS_EVERY) => {}
            () = shutdown.wait() => {}
        }
    }
}

/// Tells the sandbox what need not be called back after a restart. A queue in memory dies with the process, so that is only what has
/// gone through it; with durable queues it would be all that was accepted.
async fn confirm(host: &Host, in_hand: &mut VecDeque<String>) {
    if in_hand.is_empty() {
        return;
    }
    match is_worked_off(host).await {
        Ok(true) => in_hand.drain(..).for_each(|event| host.sandbox.confirm(&event)),
        Ok(false) => {}
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "the queues cannot be looked at");
        }
    }
}

/// Whether everything was stored: what was given up lies with the dead letters, and is called back again after a restart.
async fn is_worked_off(host: &Host) -> Result<bool, ServiceError> {
    let names = &host.settings.queues;
    for queue in [&names.dispositions, &names.incoming, &names.dead_letters] {
        let depth = host.ports.queues.depth(queue).await?;
        if depth.is_some_and(|depth| depth.total() > 0) {
            return Ok(false);
        }
    }
    Ok(true)
}
