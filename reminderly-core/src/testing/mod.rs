//! Tools for tests, simulations and examples.

mod virtual_clock;

pub use virtual_clock::VirtualClock;
