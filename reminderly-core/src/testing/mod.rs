//! Tools for tests, simulations and examples.

mod faulty_queue;
mod virtual_clock;

pub use faulty_queue::{FaultyQueue, InjectedFaults, QueueFaults};
pub use virtual_clock::VirtualClock;
