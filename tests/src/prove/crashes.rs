//! Crashes: every use case of the services, dropped at every one of its polls; and again, when it is tried again.
//!
//! A store that gives way before and after each of its calls makes a poll of every moment at which a process can die. What is
//! left is finished by a worker, or by the host that repeats its call, and judged: by what must be true of every world, and by what
//! the use case must have come to.

mod harness;
mod judges;
mod preparations;
mod use_cases;
mod use_cases_of_files;
mod use_cases_of_hosts;
mod use_cases_of_incoming;
mod use_cases_of_workers;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Failure, Order, Proof, Violation, spread};

pub use harness::{POLLS_AT_MOST, Until, at_every_poll, crash, cut};
pub use use_cases::{Ready, UseCase, all};

/// Pairs of a test run.
const SHORT: u64 = 1_200;

/// Pairs of the published figure.
const LONG: u64 = 100_000;

/// Drops every use case at every poll, and pairs of polls until there are enough.
///
/// # Errors
///
/// None.
#[expect(clippy::unnecessary_wraps, reason = "every kind is run in the same way")]
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let wanted = order.count(SHORT, LONG);
    let mut proof = Proof { unit: "crashes", ..Proof::default() };
    let cases = all();
    let mut pairs = 0;
    let mut seed = order.first_seed;
    while pairs < wanted {
        let polls = singles(&cases, seed, &mut proof);
        let possible: Vec<(usize, usize, usize)> = polls
            .iter()
            .flat_map(|(case, polls)| {
                (0..*polls).flat_map(move |first| (0..*polls).map(move |second| (*case, first, second)))
            })
            .collect();
        // A sample that is spread over all, or all. Some have no second crash, so it is larger by three quarters.
        let sample = usize::try_from(wanted).unwrap_or(usize::MAX).saturating_mul(7) / 4;
        let stride = (possible.len() / sample.max(1)).max(1);
        let chosen: Vec<_> = possible.into_iter().step_by(stride).collect();
        let before = pairs;
        let found = spread::each(0..chosen.len() as u64, |position| {
            let (case, first, second) = chosen[usize::try_from(position).unwrap_or(usize::MAX)];
            tried(&cases[case], seed, &[first, second])
        });
        for (position, outcome) in found {
            let (case, first, second) = chosen[usize::try_from(position).unwrap_or(usize::MAX)];
            match outcome {
                Ok(Until::Dropped) => pairs += 1,
                // The second try had come to its end before: no second crash.
                Ok(Until::Finished) => {}
                Err(what) => proof.violations.push(violation(&cases[case], seed, &[first, second], what)),
            }
        }
        seed += 1;
        if pairs == before {
            break;
        }
    }
    proof.count += pairs;
    proof.fired.insert("second crashes", pairs);
    proof.seeds = Some(order.first_seed..seed);
    Ok(proof)
}

/// Drops each use case at each of its polls; answers how many there are.
fn singles(cases: &[UseCase], seed: u64, proof: &mut Proof) -> BTreeMap<usize, usize> {
    let found = spread::each(0..cases.len() as u64, |position| {
        let case = &cases[usize::try_from(position).unwrap_or(usize::MAX)];
        let mut wrong = Vec::new();
        for polls in 0..POLLS_AT_MOST {
            match tried(case, seed, &[polls]) {
                Ok(Until::Dropped) => {}
                Ok(Until::Finished) => return (polls, wrong),
                Err(what) => wrong.push(violation(case, seed, &[polls], what)),
            }
        }
        let what = format!("it did not come to an end within {POLLS_AT_MOST} polls");
        wrong.push(violation(case, seed, &[POLLS_AT_MOST], what));
        (0, wrong)
    });
    let mut counts = BTreeMap::new();
    for (position, (polls, wrong)) in found {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        proof.count += polls as u64;
        *proof.fired.entry(cases[position].name).or_default() += polls as u64;
        proof.violations.extend(wrong);
        counts.insert(position, polls);
    }
    counts
}

fn violation(case: &UseCase, seed: u64, cuts: &[usize], what: String) -> Violation {
    Violation { at: format!("{}, seed {seed}, dropped after {cuts:?} polls", case.name), what }
}

/// Whether the last try came to its end; `Err` says what was wrong.
fn tried(case: &UseCase, seed: u64, cuts: &[usize]) -> Result<Until, String> {
    catch_unwind(AssertUnwindSafe(|| crash(case, seed, cuts))).map_err(|panic| spread::panic_text(&*panic))
}
