//! Work that is spread over the cores.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{Proof, Violation};

/// How many violations of one seed are kept: one that is wrong everywhere would fill the memory.
const KEPT: usize = 5;

/// Tries every seed, on as many threads as there are cores. The result does not depend on how many these are.
pub(super) fn spread(seeds: Range<u64>, attempt: impl Fn(u64) -> Proof + Sync) -> Proof {
    let next = AtomicU64::new(seeds.start);
    let take = || {
        let mut sum = Proof::default();
        let mut found: Vec<(u64, Violation)> = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return (sum, found);
            }
            let mut proof = attempt(seed);
            found.extend(proof.violations.drain(..).take(KEPT).map(|violation| (seed, violation)));
            sum.absorb(proof);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let parts: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a seed that panics is a bug of its own"))
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

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
