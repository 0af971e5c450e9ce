//! Schedules of the seeded simulation in which something was wrong once.

use reminderly_tests::prove::simulation::wrong_with;

/// What was wrong stands in `docs/proof.md`.
const SEEDS: [u64; 6] = [3, 7, 215, 634, 1_021, 1_023];

#[test]
fn nothing_is_wrong_any_more() {
    for seed in SEEDS {
        assert_eq!(wrong_with(seed), [] as [String; 0], "seed {seed}");
    }
}
