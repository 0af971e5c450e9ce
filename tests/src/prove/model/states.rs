//! A set of states that remembers in which order they came: 16 bytes for a state, and 4 to 8 for its place. Exact: states are kept
//! whole, not as fingerprints.

/// States in the order of their coming, each once.
#[derive(Debug, Default)]
pub(super) struct States {
    all: Vec<u128>,
    /// Places in `all`, from 1; 0 is free. Open addressing, at most two thirds full.
    table: Vec<u32>,
}

impl States {
    /// Whether it is new.
    pub(super) fn insert(&mut self, state: u128) -> bool {
        if (self.all.len() + 1) * 3 > self.table.len() * 2 {
            self.grow();
        }
        let slot = self.slot(state);
        if self.table[slot] > 0 {
            return false;
        }
        self.all.push(state);
        self.table[slot] = u32::try_from(self.all.len()).expect("fewer than four thousand million states");
        true
    }

    /// Its place.
    pub(super) fn find(&self, state: u128) -> Option<usize> {
        let place = *self.table.get(self.slot(state))?;
        usize::try_from(place).ok()?.checked_sub(1)
    }

    /// All of them, in their order.
    pub(super) fn all(&self) -> &[u128] {
        &self.all
    }

    /// Where it stands, or would stand.
    fn slot(&self, state: u128) -> usize {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = usize::try_from(mixed(state) >> 8).unwrap_or(0) & mask;
        while let Some(place) = self.table.get(slot).filter(|place| **place > 0)
            && self.all[*place as usize - 1] != state
        {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(1 << 10);
        self.table.clear();
        self.table.resize(size, 0);
        for (place, state) in (1..).zip(&self.all) {
            let mut slot = usize::try_from(mixed(*state) >> 8).unwrap_or(0) & (size - 1);
            while self.table[slot] > 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.table[slot] = place;
        }
    }
}

/// The bits of a state, mixed so that any of them tell states apart: the finisher of `SplitMix64` over both halves.
#[expect(clippy::cast_possible_truncation, reason = "a half is taken at a time")]
pub(super) const fn mixed(state: u128) -> u64 {
    let (low, high) = (state as u64, (state >> 64) as u64);
    let mut bits = low ^ high.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_kept_once_and_in_its_order() {
        let mut states = States::default();
        let many = || (0..5_000_u128).map(|n| n << 60 | n);
        assert!(many().all(|state| states.insert(state)));
        assert!(!many().any(|state| states.insert(state)));
        assert!(states.all().iter().copied().eq(many()));
        assert_eq!((states.find(7 << 60 | 7), states.find(7)), (Some(7), None));
    }
}
