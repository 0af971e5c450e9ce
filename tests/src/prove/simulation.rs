//! Seeded simulation: the real services on memory ports, under a virtual clock and a scheduler that draws who is polled next.
//!
//! A seed draws a [`Schedule`]: companies, campaigns, files, calls, people, what the host does and everything that goes wrong.
//! It is carried out by three workers and more, and judged by the provider's log.

mod breakage;
mod deployment;
mod documents;
mod draw;
mod gateway;
mod judge;
mod leases;
mod report;
mod schedule;
mod shrink;
mod source;
mod trial;
mod wire;
mod witness;

use super::{Failure, Kind, Order, Proof, Violation};

pub use breakage::{Breakage, Unbroken};
pub use report::Verdict;
pub(super) use report::verdict;
pub use schedule::Schedule;

/// Schedules of a test run.
const SHORT: u64 = 1_000;

/// Schedules of the published figure.
const LONG: u64 = 1_000_000;

/// So many schedules are tried before the figures are added up.
const AT_ONCE: u64 = 5_000;

/// So many violating schedules are shrunk; the others are named.
const SHRUNK: usize = 3;

/// The kind.
pub const KIND: Kind = Kind {
    name: "simulation",
    about: "the services under every fault at once, judged by the provider's log",
    run,
};

/// What is wrong with the schedule of a seed.
pub fn wrong_with(seed: u64) -> Vec<String> {
    verdict(&Schedule::of(seed), &Unbroken).wrong
}

fn run(order: &Order) -> Result<Proof, Failure> {
    let seeds = order.seeds(SHORT, LONG);
    let mut proof = Proof {
        count: seeds.end - seeds.start,
        unit: "schedules",
        seeds: Some(seeds.clone()),
        fired: report::nothing_fired(),
        violations: Vec::new(),
    };
    let mut first = seeds.start;
    while first < seeds.end {
        let last = seeds.end.min(first.saturating_add(AT_ONCE));
        for (seed, verdict) in
            super::parallel::over(first..last, |seed| verdict(&Schedule::of(seed), &Unbroken))
        {
            for (what, times) in verdict.fired {
                *proof.fired.entry(what).or_default() += times;
            }
            let Some(found) = verdict.wrong.first() else { continue };
            let what = format!("{found} (and {} more)", verdict.wrong.len() - 1);
            if proof.violations.len() < SHRUNK {
                shrink::tell(&Schedule::of(seed));
            }
            proof.violations.push(Violation { at: format!("seed {seed}"), what });
        }
        first = last;
        if seeds.end - seeds.start > AT_ONCE {
            eprintln!("  up to seed {last}: {} violations", proof.violations.len());
        }
    }
    Ok(proof)
}
