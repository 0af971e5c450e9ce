//! How loops are told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::Shared;

/// Tells loops to stop. Dropping it without a word stops them too: nobody is left who could.
#[derive(Debug)]
pub struct ShutdownTrigger {
    fired: Arc<AtomicBool>,
    _sender: oneshot::Sender<()>,
}

/// What a loop watches. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown {
    fired: Arc<AtomicBool>,
    receiver: Shared<oneshot::Receiver<()>>,
}

/// A trigger and what it stops.
///
/// ```
/// use reminderly_core::services::shutdown;
///
/// let (trigger, shutdown) = shutdown();
/// assert!(!shutdown.is_triggered());
/// trigger.fire();
/// assert!(shutdown.is_triggered());
/// ```
pub fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = oneshot::channel();
    let fired = Arc::new(AtomicBool::new(false));
    let trigger = ShutdownTrigger { fired: Arc::clone(&fired), _sender: sender };
    (trigger, Shutdown { fired, receiver: receiver.shared() })
}

impl ShutdownTrigger {
    /// Stops everything that watches: each loop ends what it has in hand and returns.
    pub fn fire(self) {
        drop(self);
    }
}

impl Drop for ShutdownTrigger {
    fn drop(&mut self) {
        self.fired.store(true, Ordering::SeqCst);
    }
}

impl Shutdown {
    /// Whether it is time to stop.
    pub fn is_triggered(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    /// Returns when it is time to stop.
    pub async fn wait(&self) {
        // The sender never sends: it is dropped, and that is the signal.
        self.receiver.clone().await.ok();
    }
}
