//! How much is to be proven.

use std::ops::Range;

/// How much of everything is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What every test run tries: minutes.
    Short,
    /// What the published figures need: hours.
    Long,
}

/// How much is to be proven.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// How much of everything.
    pub extent: Extent,
    /// The first seed.
    pub first_seed: u64,
    /// How much, if not what the extent says.
    pub count: Option<u64>,
}

impl Order {
    /// How much a kind tries that has these extents.
    pub fn count(&self, short: u64, long: u64) -> u64 {
        self.count.unwrap_or(match self.extent {
            Extent::Short => short,
            Extent::Long => long,
        })
    }

    /// The seeds of a kind that has these extents.
    pub fn seeds(&self, short: u64, long: u64) -> Range<u64> {
        self.first_seed..self.first_seed.saturating_add(self.count(short, long))
    }
}
