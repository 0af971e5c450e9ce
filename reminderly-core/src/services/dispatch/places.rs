//! How many slices a poller works at the same time.

use std::sync::atomic::{AtomicIsize, Ordering};

/// The places of one poller. A slice has one while it is worked, and lends it to others while it waits for its turn: what a slow
/// method waits for is no reason not to work another one. When its turn comes it goes on, if need be with one place more than
/// there are; a limit lets out few at once.
#[derive(Debug)]
pub(super) struct Places(AtomicIsize);

/// A place that is taken, or lent, until this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    places: &'a Places,
    given: isize,
}

impl Places {
    pub(super) fn new(places: usize) -> Self {
        Self(AtomicIsize::new(isize::try_from(places).unwrap_or(isize::MAX).max(1)))
    }

    /// How many slices more may be worked.
    pub(super) fn free(&self) -> usize {
        usize::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Takes a place, whether there is one or not.
    pub(super) fn take(&self) -> Held<'_> {
        self.hold(-1)
    }

    /// Lends the place of a slice that waits.
    pub(super) fn lend(&self) -> Held<'_> {
        self.hold(1)
    }

    fn hold(&self, given: isize) -> Held<'_> {
        self.0.fetch_add(given, Ordering::Relaxed);
        Held { places: self, given }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.places.0.fetch_sub(self.given, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_lends_its_place() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert_eq!(places.free(), 0);
        let lent = places.lend();
        let third = places.take();
        assert_eq!(places.free(), 0);
        drop(lent);
        assert_eq!(places.free(), 0, "one more than there are");
        drop(third);
        assert_eq!(places.free(), 0);
        drop((first, second));
        assert_eq!(places.free(), 2);
    }
}
