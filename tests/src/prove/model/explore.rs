//! Every state that can be reached, the nearest first; with two threads, each of which keeps the states of one half of the hashes.

use std::collections::BTreeMap;
use std::thread;

use super::action::{Action, Deed};
use super::bounds::{Bounds, Labels};
use super::state::State;
use super::states::{States, mixed};
use super::step::moves;
use super::variant::Wrong;

/// In how many parts the states lie. Fixed, so that every machine explores in the same order.
const PARTS: usize = 2;

/// How many states of each part are expanded before their successors are stored.
const BLOCK: usize = 1 << 18;

/// What was explored.
#[derive(Debug, Default)]
pub(super) struct Explored {
    pub(super) states: u64,
    /// How many actions lie between the first state and the farthest.
    pub(super) depth: u32,
    /// How often each action was possible.
    pub(super) fired: BTreeMap<Deed, u64>,
    /// The first thing that went wrong, after the fewest actions.
    pub(super) wrong: Option<Found>,
    parts: [States; PARTS],
    /// For each level, how many states each part had before it.
    levels: Vec<[usize; PARTS]>,
}

/// Something wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) wrong: Wrong,
    /// The state before the action.
    state: u128,
    action: Action,
}

/// What one thread found in one block.
#[derive(Debug)]
struct Block {
    next: [Vec<u128>; PARTS],
    fired: [u64; Deed::ALL.len()],
    wrong: Option<Found>,
}

impl Explored {
    /// Explores until nothing is new, or something is wrong.
    pub(super) fn new(bounds: &Bounds) -> Self {
        assert!(bounds.is_possible(), "the bounds have room in a state");
        let mut explored = Self::default();
        let first = key(bounds, State::initial(bounds.messages));
        explored.parts[part(first)].insert(first);
        let mut from = [0; PARTS];
        loop {
            let to = explored.sizes();
            explored.levels.push(from);
            explored.level(bounds, from, to);
            if explored.wrong.is_some() || explored.sizes() == to {
                break;
            }
            explored.depth += 1;
            from = to;
        }
        explored.states = explored.parts.iter().map(|part| part.all().len() as u64).sum();
        explored
    }

    /// Every state with its place among all; for what is small.
    pub(super) fn numbered(&self) -> impl DoubleEndedIterator<Item = u128> {
        self.parts.iter().flat_map(States::all).copied()
    }

    /// The number of a state.
    pub(super) fn number(&self, state: u128) -> Option<usize> {
        let part = part(state);
        let before: usize = self.parts.iter().take(part).map(|part| part.all().len()).sum();
        Some(before + self.parts[part].find(state)?)
    }

    /// On which level a state lies.
    pub(super) fn level_of(&self, state: u128) -> Option<usize> {
        let part = part(state);
        let place = self.parts[part].find(state)?;
        Some(self.levels.partition_point(|from| from[part] <= place) - 1)
    }

    /// The actions that lead to what went wrong.
    pub(super) fn trace_of(&self, bounds: &Bounds, found: &Found) -> Vec<Action> {
        let mut actions = self.trace(bounds, found.state);
        actions.push(found.action);
        actions
    }

    /// The fewest actions that lead to a state: from it, a state of the level before that has it as a successor, and so on.
    pub(super) fn trace(&self, bounds: &Bounds, state: u128) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut wanted = state;
        for level in (0..self.level_of(state).unwrap_or(0)).rev() {
            let Some((before, action)) = self.before(bounds, level, wanted) else { break };
            actions.push(action);
            wanted = before;
        }
        actions.reverse();
        actions
    }

    fn before(&self, bounds: &Bounds, level: usize, wanted: u128) -> Option<(u128, Action)> {
        let (from, to) = (self.levels[level], self.levels.get(level + 1).copied().unwrap_or(self.sizes()));
        let states = (0..PARTS).flat_map(|part| &self.parts[part].all()[from[part]..to[part]]);
        states.copied().find_map(|state| {
            let mut leads = None;
            moves(bounds, State::unpacked(state), |action, next| {
                let is_wanted = next.is_ok_and(|next| key(bounds, next) == wanted);
                leads = leads.or(is_wanted.then_some((state, action)));
            });
            leads
        })
    }

    fn sizes(&self) -> [usize; PARTS] {
        [0, 1].map(|part: usize| self.parts[part].all().len())
    }

    /// Expands the states of a level, block by block.
    fn level(&mut self, bounds: &Bounds, mut from: [usize; PARTS], to: [usize; PARTS]) {
        while from != to {
            let until = [0, 1].map(|part: usize| to[part].min(from[part] + BLOCK));
            let slices = [0, 1].map(|part: usize| &self.parts[part].all()[from[part]..until[part]]);
            let blocks: Vec<Block> = thread::scope(|scope| {
                let expanding = slices.map(|states| scope.spawn(move || expand(bounds, states)));
                expanding.map(|thread| thread.join().expect("it does not panic")).into()
            });
            let next = [0, 1].map(|part: usize| blocks.iter().map(move |block| &block.next[part]));
            thread::scope(|scope| {
                for (part, next) in self.parts.iter_mut().zip(next) {
                    scope.spawn(move || {
                        for state in next.flatten() {
                            part.insert(*state);
                        }
                    });
                }
            });
            for block in blocks {
                for ((deed, _), times) in Deed::ALL.iter().zip(block.fired) {
                    *self.fired.entry(*deed).or_default() += times;
                }
                self.wrong = self.wrong.into_iter().chain(block.wrong).min();
            }
            from = until;
        }
    }
}

fn expand(bounds: &Bounds, states: &[u128]) -> Block {
    let mut block = Block { next: Default::default(), fired: [0; Deed::ALL.len()], wrong: None };
    for state in states {
        moves(bounds, State::unpacked(*state), |action, next| {
            block.fired[action.deed as usize] += 1;
            match next {
                Ok(next) => {
                    let next = key(bounds, next);
                    block.next[part(next)].push(next);
                }
                Err(wrong) => {
                    let found = Found { wrong, state: *state, action };
                    block.wrong = Some(block.wrong.map_or(found, |known| known.min(found)));
                }
            }
        });
    }
    block
}

/// The number that stands for a state.
pub(super) fn key(bounds: &Bounds, state: State) -> u128 {
    match bounds.labels {
        Labels::Forgotten => state.canonical(bounds.messages),
        Labels::Kept => state.packed(),
    }
}

/// In which part a state lies: by bits that its place in the table does not use.
fn part(state: u128) -> usize {
    usize::from(mixed(state) & 1 == 1)
}
