//! Tools for tests, simulations and examples.

mod chance;
mod faulty_lookup;
mod faulty_provider;
mod faulty_queue;
mod faulty_queue_admin;
mod faulty_store;
mod hooked_store;
mod panicking_provider;
mod planned_text;
mod skewed_clock;
mod store_methods;
mod twin_store;
mod virtual_clock;
mod wanted_panic;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod provider_tests;

pub use faulty_lookup::{FaultyLookup, InjectedLookupFaults, LookupFaults};
pub use faulty_provider::{FaultyProvider, ProviderFault, ProviderFaults};
pub use faulty_queue::{FaultyQueue, InjectedFaults, QueueFaults};
pub use faulty_queue_admin::{AdminFaults, FaultyQueueAdmin, InjectedAdminFaults};
pub use faulty_store::{FaultyStore, InjectedStoreFaults, StoreFaults};
pub use hooked_store::HookedStore;
pub use panicking_provider::{PanicPoint, PanickingProvider};
pub use planned_text::PlannedText;
pub use skewed_clock::SkewedClock;
pub use store_methods::StoreHooks;
pub use twin_store::{RunToEnd, TwinStore};
pub use virtual_clock::VirtualClock;
pub use wanted_panic::WantedPanic;
