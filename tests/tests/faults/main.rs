//! What goes wrong, and what must be true all the same. Judged by the provider's own log of accepted requests.
//!
//! `SEED=n` runs the drawn schedules with one seed only.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod access;
mod answers;
mod bad_input;
mod calls;
mod canary;
mod caps;
mod changed_files;
mod companies;
mod company_log;
mod crashes;
mod fairness;
mod files;
mod files_again;
mod grants;
mod household_restores;
mod households;
mod ladder_files;
mod ladders;
mod late_files;
mod main_job;
mod offloaded;
mod on_demand;
mod on_demand_crashes;
mod panics;
mod personas;
mod pressure;
mod questions;
mod queue_faults;
mod recipients;
mod replies;
mod restores;
mod rules;
mod set_up;
mod shutdowns;
mod simulation;
mod slow_methods;
mod stops;
mod store_answers;
mod unreadable_campaigns;
mod windows;

/// The seeds 0 to `count`, or the one that the environment names.
fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    }
}

/// Says which seed failed.
fn with_seed<T>(seed: u64, run: impl FnOnce() -> T) -> T {
    struct Witness(u64);
    impl Drop for Witness {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("failed with SEED={}", self.0);
            }
        }
    }
    let witness = Witness(seed);
    let result = run();
    drop(witness);
    result
}
