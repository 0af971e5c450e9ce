//! Tools for tests, simulations and examples.

mod faulty_queue;
mod lost_answer_provider;
mod panicking_provider;
mod planned_text;
mod virtual_clock;

#[cfg(test)]
mod provider_tests;

pub use faulty_queue::{FaultyQueue, InjectedFaults, QueueFaults};
pub use lost_answer_provider::LostAnswerProvider;
pub use panicking_provider::{PanicPoint, PanickingProvider};
pub use planned_text::PlannedText;
pub use virtual_clock::VirtualClock;
