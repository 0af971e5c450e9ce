//! Schedules of the seeded simulation in which something was wrong once: in the services, or in the judge.

use reminderly_tests::prove::simulation::wrong_with;

/// What was wrong with the services stands in `docs/proof.md`.
const SEEDS: [u64; 11] = [3, 7, 215, 360, 610, 634, 652, 1_021, 1_023, 2_117, 21_367];

#[test]
fn nothing_is_wrong_any_more() {
    for seed in SEEDS {
        assert_eq!(wrong_with(seed), [] as [String; 0], "seed {seed}");
    }
}
