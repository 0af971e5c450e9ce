//! Whose turn it is.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::ops::Bound;

use crate::domain::envelope::MAX_SLICE;

/// What one message costs a member of weight 1.
const COST: u64 = 1 << 20;

/// How far a member that has just come may lie behind the others: a slice of it goes before everybody else's. So a small
/// company waits for the provider, not for the large ones, which lose no more than this whenever it comes back.
const CREDIT: u64 = COST * MAX_SLICE as u64;

/// How many members are remembered before those are forgotten that are of no account any more; again when they have doubled.
const REMEMBERED: usize = 1_024;

/// A member in its place: it moves back when it is served, and never forward.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<K>(pub(super) u64, pub(super) K);

/// Who is served next, so that in the long run everybody who waits gets a share by weight: start-time fair queueing
/// (Goyal, Vin and Cheng, "Start-time Fair Queueing", SIGCOMM 1996, <https://doi.org/10.1145/248156.248171>). Each member
/// has a virtual time that each service moves on by its cost over the member's weight; the least goes first.
#[derive(Debug)]
pub(super) struct FairLine<K> {
    /// The virtual time of the latest service.
    now: u64,
    members: HashMap<K, Member>,
    waiting: BTreeSet<(u64, K)>,
    tidy_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    at: u64,
    weight: NonZeroU32,
    waits: Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    No,
    Yes,
    /// Limits of its own keep it from being served.
    HeldUp,
}

impl<K> Default for FairLine<K> {
    fn default() -> Self {
        Self { now: 0, members: HashMap::new(), waiting: BTreeSet::new(), tidy_at: REMEMBERED }
    }
}

impl<K: Copy + Ord + Hash> FairLine<K> {
    /// The member has something to wait for; one that waits already stays where it is.
    pub(super) fn join(&mut self, key: K, weight: NonZeroU32) {
        self.tidy();
        let earliest = self.earliest(weight);
        let member = self.members.entry(key).or_insert(Member { at: earliest, weight, waits: Waits::No });
        member.weight = weight;
        if member.waits == Waits::No {
            member.at = member.at.max(earliest);
            member.waits = Waits::Yes;
            self.waiting.insert((member.at, key));
        }
    }

    /// The member waits for nothing any more.
    pub(super) fn leave(&mut self, key: K) {
        if let Some(member) = self.members.get_mut(&key).filter(|member| member.waits != Waits::No) {
            member.waits = Waits::No;
            self.waiting.remove(&(member.at, key));
        }
    }

    /// Whose turn comes after this one, or first of all.
    pub(super) fn next_after(&self, turn: Option<Turn<K>>) -> Option<Turn<K>> {
        let after = turn.map_or(Bound::Unbounded, |Turn(at, key)| Bound::Excluded((at, key)));
        self.waiting.range((after, Bound::Unbounded)).next().map(|(at, key)| Turn(*at, *key))
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Limits that are the member's alone keep it from being served: it does not save up for later meanwhile.
    pub(super) fn hold_up(&mut self, key: K) {
        if let Some(member) = self.members.get_mut(&key).filter(|member| member.waits == Waits::Yes) {
            member.waits = Waits::HeldUp;
        }
    }

    /// The member may be served again; whether its turn has changed by that.
    pub(super) fn go_on(&mut self, key: K) -> bool {
        let Some(member) = self.members.get_mut(&key).filter(|member| member.waits == Waits::HeldUp) else {
            return false;
        };
        let (before, weight) = (member.at, member.weight);
        member.waits = Waits::Yes;
        let at = before.max(self.earliest(weight));
        self.put(key, at);
        at != before
    }

    /// The member, which waits, was given so many messages.
    pub(super) fn serve(&mut self, key: K, messages: u64) {
        let Some(member) = self.members.get(&key) else { return };
        self.now = self.now.max(member.at);
        let cost = (messages * COST).div_ceil(u64::from(member.weight.get()));
        let at = member.at.saturating_add(cost);
        self.put(key, at);
    }

    fn put(&mut self, key: K, at: u64) {
        let Some(member) = self.members.get_mut(&key) else { return };
        let waits = self.waiting.remove(&(member.at, key));
        member.at = at;
        if waits {
            self.waiting.insert((at, key));
        }
    }

    /// Where a member of this weight comes in.
    fn earliest(&self, weight: NonZeroU32) -> u64 {
        self.now.saturating_sub(CREDIT / u64::from(weight.get()))
    }

    /// Forgets members that would come in anew where they are. While nobody waits, everybody may begin anew.
    fn tidy(&mut self) {
        if self.members.len() < self.tidy_at {
            return;
        }
        let (now, idle) = (self.now, self.waiting.is_empty());
        self.members.retain(|_, member| {
            let earliest = now.saturating_sub(CREDIT / u64::from(member.weight.get()));
            member.waits != Waits::No || (!idle && member.at > earliest)
        });
        self.tidy_at = REMEMBERED.max(2 * self.members.len());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn weight(weight: u32) -> NonZeroU32 {
        NonZeroU32::new(weight).unwrap()
    }

    fn serve_next(line: &mut FairLine<char>, messages: u64) -> char {
        let Turn(_, key) = line.next_after(None).unwrap();
        line.serve(key, messages);
        key
    }

    #[test]
    fn shares_are_by_weight() {
        let mut line = FairLine::default();
        for (key, of) in [('a', 3), ('b', 1), ('c', 2)] {
            line.join(key, weight(of));
        }
        let mut served = BTreeMap::<char, u64>::new();
        for round in 0..6_000 {
            let messages = 1 + round % 7;
            *served.entry(serve_next(&mut line, messages)).or_default() += messages;
        }
        let (a, b, c) = (served[&'a'], served[&'b'], served[&'c']);
        assert!(a.abs_diff(3 * b) < 30 && c.abs_diff(2 * b) < 30, "{served:?}");
    }

    #[test]
    fn who_comes_late_goes_first_but_not_for_long() {
        let mut line = FairLine::default();
        line.join('a', weight(1));
        for _ in 0..1_000 {
            serve_next(&mut line, 100);
        }
        line.join('b', weight(1));
        let turns: String = (0..100).map(|_| serve_next(&mut line, 10)).collect();
        let first = turns.chars().take_while(|key| *key == 'b').count();
        assert!((10..=21).contains(&first), "{turns}");
        let rest = turns.chars().skip(first).filter(|key| *key == 'b').count();
        assert!(rest.abs_diff((100 - first) / 2) <= 1, "{turns}");
    }

    #[test]
    fn who_is_held_up_by_limits_of_its_own_saves_up_no_more_than_a_slice() {
        let mut line = FairLine::default();
        line.join('a', weight(1));
        line.join('b', weight(1));
        line.hold_up('b');
        for _ in 0..1_000 {
            line.serve('a', 100);
        }
        assert!(line.go_on('b'));
        let turns: String = (0..100).map(|_| serve_next(&mut line, 10)).collect();
        assert!(turns.chars().take_while(|key| *key == 'b').count() <= 21, "{turns}");
    }

    #[test]
    fn who_goes_away_and_comes_back_gains_nothing() {
        let mut line = FairLine::default();
        line.join('a', weight(1));
        line.join('b', weight(1));
        let mut served = BTreeMap::<char, u64>::new();
        for _ in 0..1_000 {
            let key = serve_next(&mut line, 10);
            *served.entry(key).or_default() += 1;
            if key == 'b' {
                line.leave('b');
                line.join('b', weight(1));
            }
        }
        assert!(served[&'b'] <= 511, "{served:?}");
    }

    #[test]
    fn members_of_no_account_are_forgotten() {
        let mut line = FairLine::default();
        for key in 0..100_000_u32 {
            line.join(key, weight(1));
            line.serve(key, 100);
            line.leave(key);
        }
        assert!(line.members.len() <= 2 * REMEMBERED && line.is_empty());
    }
}
