//! What happens and what does not, by a seed.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Draws whether faults happen.
#[derive(Debug)]
pub(super) struct Chance(SmallRng);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// Whether something of this probability happens; draws once, whatever the probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// How long something takes.
    pub(super) fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.0.random::<f64>())
    }

    /// Puts things in any order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }

    /// One of several.
    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let position = self.0.random_range(0..of.len().max(1));
        of.get(position).cloned()
    }
}
