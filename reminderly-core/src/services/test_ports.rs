//! Ports of which a test says those that it needs.

#![cfg(feature = "mock")]

use std::sync::Arc;

use crate::clock::Clock;
use crate::ids::SeededIds;
use crate::ports::provider::MockProviderDirectory;
use crate::ports::queue::{MockMessageQueue, MockQueueAdmin};
use crate::ports::sealer::MockSealer;
use crate::ports::store::Store;
use crate::services::Ports;

/// A store and a clock. Whoever calls another port fails.
pub(super) fn over(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Ports {
    Ports {
        store,
        queue: Arc::new(MockMessageQueue::new()),
        queues: Arc::new(MockQueueAdmin::new()),
        providers: Arc::new(MockProviderDirectory::new()),
        sealer: Arc::new(MockSealer::new()),
        clock,
        ids: Arc::new(SeededIds::new(2)),
    }
}
