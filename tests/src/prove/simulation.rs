//! Seeded simulation: the real services on memory ports, under a virtual clock and a scheduler that draws who is polled next.
//!
//! A seed draws a [`Schedule`]: companies, campaigns, files, calls, people, what the host does and everything that goes wrong.
//! It is carried out by three workers and more, and judged by the provider's log.

mod breakage;
mod deeds;
mod deployment;
mod documents;
mod draw;
mod errands;
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

use std::ops::Range;

use super::{Failure, Order, Proof, Violation};

pub use breakage::{Breakage, Unbroken};
pub use report::Verdict;
pub(super) use report::verdict;
pub use schedule::Schedule;

/// Schedules of a test run.
const SHORT: u64 = 1_000;

/// Schedules of the published figure.
const LONG: u64 = 1_000_000;

/// So many schedules are a batch, in which everything must happen that can.
const BATCH: u64 = 1_000;

/// One in so many schedules is carried out twice, and the same must come of it.
const AGAIN_EACH: u64 = 100;

/// How it stands is told so often.
const TOLD_EACH: u64 = 10_000;

/// So many violating schedules are shrunk; the others are named.
const SHRUNK: usize = 3;

/// What comes of the schedule of a seed.
pub fn verdict_of(seed: u64) -> Verdict {
    verdict(&Schedule::of(seed), &Unbroken)
}

/// What comes of it with something between the services and the ports.
pub fn verdict_with(seed: u64, breakage: &dyn Breakage) -> Verdict {
    verdict(&Schedule::of(seed), breakage)
}

/// Carries schedules out in batches, in each of which everything must happen that can.
///
/// # Errors
///
/// None.
#[expect(clippy::unnecessary_wraps, reason = "every kind is run in the same way")]
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let seeds = order.seeds(SHORT, LONG);
    let mut proof = Proof { unit: "schedules", seeds: Some(seeds.clone()), ..Proof::default() };
    let mut first = seeds.start;
    while first < seeds.end {
        let last = seeds.end.min(first.saturating_add(BATCH));
        batch(first..last, &mut proof);
        first = last;
        if first.is_multiple_of(TOLD_EACH) && first < seeds.end {
            eprintln!("  up to seed {first}: {} violations", proof.violations.len());
        }
    }
    Ok(proof)
}

fn batch(seeds: Range<u64>, proof: &mut Proof) {
    let mut fired = report::nothing_fired();
    let attempt = |seed| {
        let verdict = verdict_of(seed);
        let unlike = unlike_before(seed, &verdict);
        (verdict, unlike)
    };
    for (seed, (verdict, unlike)) in super::spread::each(seeds.clone(), attempt) {
        proof.count += 1;
        for (what, times) in verdict.fired {
            *fired.entry(what).or_default() += times;
        }
        proof.violations.extend(unlike);
        let Some(found) = verdict.wrong.first() else { continue };
        let what = format!("{found} (and {} more)", verdict.wrong.len() - 1);
        if proof.violations.len() < SHRUNK {
            shrink::tell(&Schedule::of(seed));
        }
        proof.violations.push(Violation { at: format!("seed {seed}"), what });
    }
    for (what, times) in fired {
        if times > 0 {
            *proof.fired.entry(what).or_default() += times;
        } else if seeds.end - seeds.start == BATCH {
            let at = format!("seeds {} to {}", seeds.start, seeds.end);
            proof.violations.push(Violation { at, what: format!("{what} never happened") });
        }
    }
}

/// What is wrong if something else comes of a schedule when it is carried out again; not every seed is asked.
fn unlike_before(seed: u64, before: &Verdict) -> Option<Violation> {
    let is_unlike = seed.is_multiple_of(AGAIN_EACH) && verdict_of(seed) != *before;
    let what = "something else came of it when it was carried out again";
    is_unlike.then(|| Violation { at: format!("seed {seed}"), what: what.to_owned() })
}
