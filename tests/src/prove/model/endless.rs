//! Whether every message can still end, from every state that can be reached: P1.

use std::thread;

use super::action::Action;
use super::bounds::Bounds;
use super::explore::{Explored, key};
use super::state::{Fleet, State};
use super::step::moves;

/// The fewest actions that lead to a state from which no end can be reached. Marks the ends, and whatever leads to something marked;
/// what is left can never end.
pub(super) fn endless(bounds: &Bounds, explored: &Explored) -> Option<Vec<Action>> {
    let states: Vec<u128> = explored.numbered().collect();
    let before = Predecessors::new(bounds, explored, &states);
    let is_end = |number: &usize| State::unpacked(states[*number]).fleet == Fleet::Ended;
    let mut marked = vec![false; states.len()];
    let mut ends: Vec<usize> = (0..states.len()).filter(is_end).collect();
    while let Some(number) = ends.pop() {
        if !std::mem::replace(&mut marked[number], true) {
            ends.extend(before.of(number));
        }
    }
    let open = (0..states.len()).filter(|number| !marked[*number]);
    let nearest = open.min_by_key(|number| (explored.level_of(states[*number]), states[*number]))?;
    Some(explored.trace(bounds, states[nearest]))
}

/// Which states lead to which, by their numbers.
struct Predecessors {
    /// Those of the first state, of the second, and so on.
    all: Vec<u32>,
    /// Where those of a state begin, and at last where those of the last one end.
    starts: Vec<usize>,
}

impl Predecessors {
    fn new(bounds: &Bounds, explored: &Explored, states: &[u128]) -> Self {
        let ways = ways(bounds, explored, states);
        let mut starts = vec![0; states.len() + 1];
        for (_, to) in ways.iter().flatten() {
            starts[*to as usize + 1] += 1;
        }
        for number in 0..states.len() {
            starts[number + 1] += starts[number];
        }
        let mut free = starts.clone();
        let mut all = vec![0; ways.iter().map(Vec::len).sum()];
        for (from, to) in ways.iter().flatten() {
            let place = &mut free[*to as usize];
            all[*place] = *from;
            *place += 1;
        }
        Self { all, starts }
    }

    fn of(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        self.all[self.starts[number]..self.starts[number + 1]].iter().map(|before| *before as usize)
    }
}

/// From which number to which one action leads, found in two threads.
fn ways(bounds: &Bounds, explored: &Explored, states: &[u128]) -> [Vec<(u32, u32)>; 2] {
    let (one, other) = states.split_at(states.len() / 2);
    let found = |states: &[u128], first: usize| {
        let mut ways = Vec::new();
        for (state, from) in states.iter().zip(first..) {
            moves(bounds, State::unpacked(*state), |_, next| {
                let to = next.ok().and_then(|next| explored.number(key(bounds, next)));
                ways.extend(to.and_then(|to| Some((u32::try_from(from).ok()?, u32::try_from(to).ok()?))));
            });
        }
        ways
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(|| found(one, 0)), scope.spawn(|| found(other, one.len()))];
        threads.map(|thread| thread.join().expect("it does not panic"))
    })
}
