//! How many requests were started lately.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::clock::Monotonic;

/// How many instants are told apart. Beyond them, instants are rounded up to a thousandth of the window, so that a window of
/// any size needs bounded memory; what is rounded counts for longer than it must, never for shorter.
const EXACT_INSTANTS: usize = 1_000;

/// The requests of the last `per`: a log of their starts, not a bucket, because a bucket that is full and refilled lets out
/// twice its size within one stretch of time. Every stretch `[t, t + per)` is kept.
///
/// A request counts from the moment at which it is permitted until `per` after the latest instant at which it can have
/// started: that lies in the future while the request is on its way.
#[derive(Debug)]
pub(super) struct SlidingWindow {
    per: Duration,
    /// Permitted; nothing was asked of a provider yet.
    reserved: u64,
    /// Being asked for, by the instant before which they start. None of them is `per` ago.
    on_their_way: BTreeMap<Monotonic, u64>,
    /// Started, oldest first, with how many of each instant.
    started: VecDeque<(Monotonic, u64)>,
    /// How many of the last `per` are on their way or have started.
    lately: u64,
    origin: Option<Monotonic>,
}

impl SlidingWindow {
    pub(super) const fn new(per: Duration) -> Self {
        Self {
            per,
            reserved: 0,
            on_their_way: BTreeMap::new(),
            started: VecDeque::new(),
            lately: 0,
            origin: None,
        }
    }

    /// How many more may be permitted at `now` when `limit` are allowed.
    pub(super) fn room(&mut self, limit: u64, now: Monotonic) -> u64 {
        self.forget(now);
        limit.saturating_sub(self.reserved + self.lately)
    }

    /// When there will be more room than now; `None` if that depends on others, or there is nothing that could make room.
    pub(super) fn next_room(&self) -> Option<Monotonic> {
        let started = self.started.front().map(|(at, _)| *at);
        let on_their_way = self.on_their_way.keys().next().copied();
        Some(started.into_iter().chain(on_their_way).min()?.plus(self.per))
    }

    /// Permits so many. The caller has looked at the room.
    pub(super) fn reserve(&mut self, messages: u64) {
        self.reserved += messages;
    }

    /// Takes back what was permitted and surely not asked for.
    pub(super) fn give_back(&mut self, messages: u64) {
        self.reserved = self.reserved.saturating_sub(messages);
    }

    /// Requests for so many that were permitted now start, each before `by`.
    pub(super) fn start(&mut self, messages: u64, by: Monotonic) {
        self.reserved = self.reserved.saturating_sub(messages);
        self.lately += messages;
        *self.on_their_way.entry(by).or_default() += messages;
    }

    /// Of so many that were to start before `by`, `made` have been started by `now`, and the others surely were not.
    pub(super) fn finish(&mut self, messages: u64, made: u64, by: Monotonic, now: Monotonic) {
        // What is not there any more started longer ago than matters.
        let Some(left) = self.on_their_way.get_mut(&by) else { return };
        *left = left.saturating_sub(messages);
        if *left == 0 {
            self.on_their_way.remove(&by);
        }
        self.lately = self.lately.saturating_sub(messages - made.min(messages));
        if made > 0 {
            self.log(made.min(messages), now.min(by));
        }
    }

    /// Nothing is permitted, and nothing was started lately.
    pub(super) fn is_idle(&mut self, now: Monotonic) -> bool {
        self.forget(now);
        self.reserved + self.lately == 0
    }

    fn log(&mut self, messages: u64, at: Monotonic) {
        let at = if self.started.len() < EXACT_INSTANTS { at } else { self.rounded_up(at) };
        // What is logged late counts as of the latest: for longer than it must.
        let at = self.started.back().map_or(at, |(latest, _)| at.max(*latest));
        match self.started.back_mut().filter(|(latest, _)| *latest == at) {
            Some((_, count)) => *count += messages,
            None => self.started.push_back((at, messages)),
        }
    }

    fn rounded_up(&mut self, at: Monotonic) -> Monotonic {
        let origin = *self.origin.get_or_insert(at);
        let grain = self.per.as_nanos().div_ceil(EXACT_INSTANTS as u128).max(1);
        let grains = at.since(origin).as_nanos().div_ceil(grain);
        origin.plus(Duration::from_nanos_u128(grains * grain))
    }

    fn forget(&mut self, now: Monotonic) {
        while let Some((_, count)) = self.started.front().filter(|(at, _)| at.plus(self.per) <= now) {
            self.lately = self.lately.saturating_sub(*count);
            self.started.pop_front();
        }
        while let Some(entry) = self.on_their_way.first_entry().filter(|e| e.key().plus(self.per) <= now) {
            self.lately = self.lately.saturating_sub(entry.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PER: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Monotonic {
        Monotonic::new(Duration::from_millis(millis))
    }

    /// Permits, starts and ends up to `wanted` at once; answers how many.
    fn send(window: &mut SlidingWindow, limit: u64, wanted: u64, now: Monotonic) -> u64 {
        let granted = window.room(limit, now).min(wanted);
        window.reserve(granted);
        window.start(granted, now.plus(PER));
        window.finish(granted, granted, now.plus(PER), now);
        granted
    }

    /// Counted anew for every stretch that begins with a start.
    fn most_in_a_window(starts: &[u64], per: u64) -> usize {
        let within = |first: &u64| starts.iter().filter(|at| (*first..first + per).contains(at)).count();
        starts.iter().map(within).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_has_more_than_the_limit_and_room_is_used_at_once(
            limit in 1_u64..40,
            requests in prop::collection::vec((0_u64..300, 1_u64..30), 1..80),
        ) {
            let mut window = SlidingWindow::new(PER);
            let (mut now, mut starts) = (0, Vec::new());
            for (wait, wanted) in requests {
                now += wait;
                let granted = send(&mut window, limit, wanted, at(now));
                let busy = starts.iter().filter(|start| **start + 1_000 > now).count() as u64;
                prop_assert_eq!(granted, wanted.min(limit - busy), "all that there is room for");
                starts.extend((0..granted).map(|_| now));
            }
            prop_assert!(most_in_a_window(&starts, 1_000) as u64 <= limit);
        }

        #[test]
        fn requests_that_take_their_time_count_from_when_they_can_have_started(
            limit in 1_u64..20,
            requests in prop::collection::vec((0_u64..200, 1_u64..10, 0_u64..500, 0_u64..3_000), 1..60),
        ) {
            let mut window = SlidingWindow::new(PER);
            let (mut now, mut starts, mut open) = (0, Vec::new(), Vec::<(u64, u64, u64)>::new());
            for (wait, wanted, start_after, answer_after) in requests {
                now += wait;
                open.sort_unstable();
                while let Some((end, by, count)) = open.first().copied().filter(|(end, ..)| *end <= now) {
                    open.remove(0);
                    window.finish(count, count, at(by), at(end));
                }
                let granted = window.room(limit, at(now)).min(wanted);
                window.reserve(granted);
                let by = now + 500;
                window.start(granted, at(by));
                open.push((now + answer_after, by, granted));
                starts.extend((0..granted).map(|_| now + start_after.min(answer_after)));
            }
            prop_assert!(most_in_a_window(&starts, 1_000) as u64 <= limit);
        }
    }

    #[test]
    fn what_was_surely_not_asked_for_makes_room_again() {
        let mut window = SlidingWindow::new(PER);
        window.reserve(10);
        assert_eq!((window.room(10, at(0)), window.next_room()), (0, None));
        window.give_back(4);
        window.start(6, at(700));
        assert_eq!((window.room(10, at(0)), window.next_room()), (4, Some(at(1_700))));
        window.finish(6, 1, at(700), at(100));
        assert_eq!((window.room(10, at(100)), window.next_room()), (9, Some(at(1_100))));
        assert_eq!(window.room(10, at(1_100)), 10);
        assert!(window.is_idle(at(1_100)));
    }

    #[test]
    fn of_requests_that_start_before_the_same_instant_each_is_finished_by_itself() {
        let mut window = SlidingWindow::new(PER);
        window.reserve(6);
        window.start(3, at(700));
        window.start(3, at(700));
        window.finish(3, 0, at(700), at(100));
        assert_eq!(window.room(10, at(100)), 7);
        window.finish(3, 0, at(700), at(100));
        assert_eq!((window.room(10, at(100)), window.next_room()), (10, None));
    }

    #[test]
    fn a_window_is_idle_when_nothing_is_permitted_and_nothing_was_started_lately() {
        for (reserved, started) in [(5, 0), (0, 5), (2, 2)] {
            let mut window = SlidingWindow::new(PER);
            window.reserve(reserved + started);
            window.start(started, at(0));
            assert!(!window.is_idle(at(0)), "{reserved} {started}");
            window.give_back(reserved);
            assert_eq!(window.is_idle(at(999)), started == 0, "{reserved} {started}");
            assert!(window.is_idle(at(1_000)), "{reserved} {started}");
        }
    }

    #[test]
    fn an_answer_that_comes_after_the_window_changes_nothing() {
        let mut window = SlidingWindow::new(PER);
        window.reserve(5);
        window.start(5, at(500));
        assert_eq!(window.room(5, at(1_500)), 5);
        window.finish(5, 5, at(500), at(9_000));
        assert!(window.is_idle(at(9_000)));
    }

    #[test]
    fn a_very_large_window_needs_little_memory_and_never_exceeds() {
        let (limit, mut window) = (100_000_u32, SlidingWindow::new(Duration::from_secs(1_000)));
        let mut starts = Vec::new();
        for now in (0..4_000_000).step_by(7) {
            starts.extend((0..send(&mut window, limit.into(), 1, at(now))).map(|_| now));
            assert!(window.started.len() <= 2 * EXACT_INSTANTS + 1);
        }
        let later = starts.iter().skip(limit as usize);
        assert!(starts.iter().zip(later).all(|(first, one_too_many)| *one_too_many >= first + 1_000_000));
        // Four windows, of which the coarse form gives up at most a thousandth each.
        assert!(starts.len() > limit as usize * 399 / 100, "{}", starts.len());
    }
}
