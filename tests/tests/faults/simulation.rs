//! Schedules of the seeded simulation in which something was wrong once: in the services, or in the judge.

use std::collections::BTreeSet;

use reminderly_tests::prove::simulation::verdict_of;

/// What was wrong with the services stands in `docs/proof.md`.
const SEEDS: [u64; 32] = [
    3, 7, 215, 360, 610, 634, 639, 652, 1_021, 1_023, 2_117, 2_266, 14_634, 14_904, 19_967, 21_367, 31_545,
    38_302, 48_002, 50_620, 71_461, 107_402, 90_415, 124_810, 188_579, 234_084, 253_194, 297_990, 311_166,
    356_632, 541_721, 581_082,
];

#[test]
fn nothing_is_wrong_any_more() {
    for seed in SEEDS {
        assert_eq!(verdict_of(seed).wrong, [] as [String; 0], "seed {seed}");
    }
}

/// Something else came of these each time, while pollers were told to stop in an order that no seed had drawn.
const UNREPEATABLE: [u64; 3] = [111, 120, 1_025];

#[test]
fn the_same_comes_of_a_seed_again() {
    let [first, second] = [(); 2].map(|()| UNREPEATABLE.map(verdict_of));
    assert_eq!(first, second);
    let trails: BTreeSet<u64> = first.iter().map(|verdict| verdict.trail).collect();
    assert_eq!(trails.len(), UNREPEATABLE.len(), "the trail tells runs apart");
}
