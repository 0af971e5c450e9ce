//! Work that is spread over the cores.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{Proof, Violation};

/// How many violations of one seed are kept: one that is wrong everywhere would fill the memory.
const KEPT: usize = 5;

/// Tries every seed, on as many threads as there are cores. The result does not depend on how many these are.
pub(super) fn spread(seeds: Range<u64>, attempt: impl Fn(u64) -> Proof + Sync) -> Proof {
    let parts = on_every_core(seeds.clone(), |next| {
        let mut sum = Proof::default();
        let mut found: Vec<(u64, Violation)> = Vec::new();
        while let Some(seed) = next() {
            let mut proof = attempt(seed);
            found.extend(proof.violations.drain(..).take(KEPT).map(|violation| (seed, violation)));
            sum.absorb(proof);
        }
        (sum, found)
    });
    let mut sum = Proof { seeds: Some(seeds.clone()), ..Proof::default() };
    let mut found = Vec::new();
    for (part, of_part) in parts {
        sum.absorb(part);
        found.extend(of_part);
    }
    found.sort_by_key(|(seed, _)| *seed);
    sum.violations = found.into_iter().map(|(_, violation)| violation).collect();
    sum
}

/// What comes of each seed.
pub(super) fn each<T: Send>(seeds: Range<u64>, attempt: impl Fn(u64) -> T + Sync) -> BTreeMap<u64, T> {
    let parts = on_every_core(seeds, |next| {
        let mut found = Vec::new();
        while let Some(seed) = next() {
            found.push((seed, attempt(seed)));
        }
        found
    });
    parts.into_iter().flatten().collect()
}

/// Does the work on every core; each takes the seeds that are next.
fn on_every_core<T: Send>(seeds: Range<u64>, work: impl Fn(&dyn Fn() -> Option<u64>) -> T + Sync) -> Vec<T> {
    let upcoming = AtomicU64::new(seeds.start);
    let next = || {
        let seed = upcoming.fetch_add(1, Ordering::Relaxed);
        (seed < seeds.end).then_some(seed)
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&next))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a seed that panics is a bug of its own"))
            .collect()
    })
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "a panic without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seed_has_its_result() {
        let found = each(3..50, |seed| seed * 2);
        assert!(found.into_iter().eq((3..50).map(|seed| (seed, seed * 2))));
    }

    #[test]
    fn every_seed_is_tried_once_and_violations_stand_in_their_order() {
        let proof = spread(10..200, |seed| Proof {
            count: seed,
            fired: [("odd", seed % 2)].into(),
            violations: (0..seed % 7)
                .map(|n| Violation { at: format!("{seed:03}"), what: n.to_string() })
                .collect(),
            ..Proof::default()
        });
        assert_eq!((proof.count, proof.fired["odd"], proof.seeds), ((10..200).sum(), 95, Some(10..200)));
        assert!(proof.violations.is_sorted_by_key(|violation| violation.at.clone()));
        let expected: usize = (10..200).map(|seed| KEPT.min(seed % 7)).sum();
        assert_eq!(proof.violations.len(), expected);
    }
}
