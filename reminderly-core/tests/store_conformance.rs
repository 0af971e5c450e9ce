//! The suite of the storage ports for the in-memory store: with calls that never wait, with calls that give way, and with
//! rules that see only what they look up.

#![cfg(all(feature = "conformance", feature = "memory"))]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::conformance::store::StoreHarness;
use reminderly_core::ids::{IdSource, SeededIds};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::store::Store;

mod memory_store {
    reminderly_core::store_conformance!(super::Harness::new(super::MemoryStore::new()));
}

mod yielding_memory_store {
    reminderly_core::store_conformance!(super::Harness::new(super::MemoryStore::yielding()));
}

mod memory_store_in_parts {
    reminderly_core::store_conformance!(super::Harness::new(super::MemoryStore::new().in_parts()));
}

#[derive(Debug)]
struct Harness {
    store: Arc<MemoryStore>,
    ids: Arc<SeededIds>,
}

impl Harness {
    fn new(store: MemoryStore) -> Self {
        Self { store: Arc::new(store), ids: Arc::new(SeededIds::new(1)) }
    }
}

impl StoreHarness for Harness {
    fn store(&self) -> Arc<dyn Store> {
        Arc::<MemoryStore>::clone(&self.store)
    }

    fn ids(&self) -> Arc<dyn IdSource> {
        Arc::<SeededIds>::clone(&self.ids)
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }
}
