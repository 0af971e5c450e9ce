//! What stands between the services and the ports: nothing, or something that breaks a promise on purpose.

use std::fmt::Debug;
use std::sync::Arc;

use reminderly_core::ports::provider::Provider;
use reminderly_core::ports::queue::MessageQueue;
use reminderly_core::ports::store::Store;
use reminderly_core::testing::VirtualClock;

/// What stands between the services and the ports. As it is, it breaks nothing.
pub trait Breakage: Debug + Sync {
    /// What the services take for the store.
    fn store(&self, store: Arc<dyn Store>, clock: &Arc<VirtualClock>) -> Arc<dyn Store> {
        let _ = clock;
        store
    }

    /// What they take for the queues.
    fn queue(&self, queue: Arc<dyn MessageQueue>) -> Arc<dyn MessageQueue> {
        queue
    }

    /// What they take for a provider.
    fn provider(&self, provider: Arc<dyn Provider>) -> Arc<dyn Provider> {
        provider
    }
}

/// Breaks nothing.
#[derive(Debug)]
pub struct Unbroken;

impl Breakage for Unbroken {}
