//! Sweeps: one for each way in which work can be left lying. Each finds by a cursor and changes by compare-and-set, so that
//! any number of workers may sweep.

mod overdue_claims;
mod stalled_packets;
mod stray_queues;
mod unknown_outcomes;
mod watch;

#[cfg(test)]
mod tests;

pub use overdue_claims::OverdueClaims;
pub use stalled_packets::{StalledPackets, Unfinished};
pub use stray_queues::StrayQueues;
pub use unknown_outcomes::{Resolved, UnknownOutcomes};
