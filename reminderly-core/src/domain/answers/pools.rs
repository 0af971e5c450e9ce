//! The rates of everybody, level by level, and how far each level may differ from the one above.

use std::collections::BTreeMap;

use special::Beta as _;

use super::estimate::inside;
use super::outcome::Goal;
use super::tally::{Cell, Counts, Tally};
use crate::domain::contact_method::ContactMethod;

/// How many contacts' worth of prior a level may have: what is tried, from "each its own" to "all alike".
const STRENGTHS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// The strength of a level about which nothing is known.
const USUAL_STRENGTH: f64 = 16.0;

/// One unit of a level: its contacts and hits, and the rate of the level above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub(super) contacts: f64,
    pub(super) hits: f64,
    pub(super) above: f64,
}

/// The rates of everybody for one goal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pools {
    pub(super) company: f64,
    methods: BTreeMap<ContactMethod, f64>,
    cells: BTreeMap<Cell, f64>,
}

impl Pools {
    /// The posterior means of company, methods and hours, each shrunk towards the level above.
    pub(super) fn of(tallies: &BTreeMap<Cell, Tally>, goal: Goal) -> Self {
        let mut all = Tally::default();
        let mut by_method: BTreeMap<ContactMethod, Tally> = BTreeMap::new();
        for (cell, tally) in tallies {
            all.merge(tally);
            by_method.entry(cell.method).or_default().merge(tally);
        }
        // Jeffreys' prior: half a hit and half a miss.
        let company = inside((all.aged.hits(goal) + 0.5) / (all.aged.contacts + 1.0));
        let methods = shrink(by_method.iter().map(|(method, tally)| (*method, tally, company)), goal);
        let above = |cell: &Cell| methods.get(&cell.method).copied().unwrap_or(company);
        let cells = shrink(tallies.iter().map(|(cell, tally)| (*cell, tally, above(cell))), goal);
        Self { company, methods, cells }
    }

    /// The rate of a method at all hours.
    pub(super) fn method(&self, method: ContactMethod) -> f64 {
        self.methods.get(&method).copied().unwrap_or(self.company)
    }

    /// Whether anybody was contacted by a method at some hours.
    pub(super) fn knows(&self, cell: Cell) -> bool {
        self.cells.contains_key(&cell)
    }

    /// The rate of a method at some hours.
    pub(super) fn cell(&self, cell: Cell) -> f64 {
        self.cells.get(&cell).copied().unwrap_or_else(|| self.method(cell.method))
    }
}

fn shrink<'a, K: Ord + Copy>(
    level: impl Iterator<Item = (K, &'a Tally, f64)> + Clone,
    goal: Goal,
) -> BTreeMap<K, f64> {
    let unit = |counts: &Counts, above| Unit { contacts: counts.contacts, hits: counts.hits(goal), above };
    let units: Vec<Unit> = level.clone().map(|(_, tally, above)| unit(&tally.whole, above)).collect();
    let strength = strength(&units);
    let rate = |unit: Unit| inside((unit.hits + strength * unit.above) / (unit.contacts + strength));
    level.map(|(key, tally, above)| (key, rate(unit(&tally.aged, above)))).collect()
}

/// How alike the units of a level are, in contacts' worth of prior: the strength of [`STRENGTHS`] under which what was seen is
/// likeliest, if every unit draws its rate from a Beta distribution around the level above.
pub(super) fn strength(units: &[Unit]) -> f64 {
    if units.iter().all(|unit| unit.contacts <= 0.0) {
        return USUAL_STRENGTH;
    }
    let mut best = (USUAL_STRENGTH, f64::NEG_INFINITY);
    for strength in STRENGTHS {
        let likelihood: f64 = units.iter().map(|unit| ln_likelihood(unit, strength)).sum();
        if likelihood > best.1 {
            best = (strength, likelihood);
        }
    }
    best.0
}

/// The Beta-Binomial log-likelihood of a unit, without what does not depend on the strength.
fn ln_likelihood(unit: &Unit, strength: f64) -> f64 {
    let above = inside(unit.above);
    let (a, b) = (strength * above, strength * (1.0 - above));
    let misses = (unit.contacts - unit.hits).max(0.0);
    (a + unit.hits).ln_beta(b + misses) - a.ln_beta(b)
}
