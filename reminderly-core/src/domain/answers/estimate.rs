//! What is expected of one contact, and how sure that is.

use std::fmt;

use serde::{Deserialize, Serialize};
use special::Beta as _;

/// Rates stay this far from 0 and 1: nobody is certain.
const EDGE: f64 = 1e-6;

/// An interval gets no narrower than with so many contacts: by then habits have changed.
const STRENGTH_MAX: f64 = 1_000.0;

/// Below this a Beta distribution is all but two points, and its quantiles are of no use.
const SHAPE_MIN: f64 = 0.01;

/// Quantiles are exact to 2^-22.
const HALVINGS: u32 = 22;

/// A probability and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The expected probability, above 0 and below 1.
    pub mean: f64,
    /// The lower end of the interval that holds the probability with 95 %: the 2.5 % quantile of the posterior.
    pub low: f64,
    /// Its upper end: the 97.5 % quantile.
    pub high: f64,
    /// How many contacts of this person by this method it rests on, older ones counted as parts; 0 means that only others' count.
    pub contacts: f64,
}

/// A probability in thousandths, for traces: what is kept with a message is compared and counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Chance {
    /// The expected probability, 0 to 1,000.
    pub mean: u16,
    /// The lower end of the 95 % interval.
    pub low: u16,
    /// Its upper end.
    pub high: u16,
}

impl From<Estimate> for Chance {
    fn from(estimate: Estimate) -> Self {
        Self {
            mean: thousandths(estimate.mean),
            low: thousandths(estimate.low),
            high: thousandths(estimate.high),
        }
    }
}

impl fmt::Display for Chance {
    /// `12.5 % (8.0 to 20.1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [mean, low, high] = [self.mean, self.low, self.high].map(|rate| f64::from(rate) / 10.0);
        write!(f, "{mean:.1} % ({low:.1} to {high:.1})")
    }
}

/// What one person did, against what was to be expected of everybody at the same methods and hours.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Own {
    /// Weighted contacts.
    pub(super) contacts: f64,
    /// Those that reached the goal.
    pub(super) hits: f64,
    /// Those that would have, had the person been like everybody.
    pub(super) expected: f64,
}

impl Own {
    /// The posterior of a person at hours where the pool's rate is `pool`, if persons differ from the pool as `strength`
    /// contacts' worth of prior says.
    ///
    /// The person's rate is shrunk towards what was expected; by how much its odds differ from that, the pool's odds are moved.
    pub(super) fn mean(&self, pool: f64, strength: f64) -> f64 {
        let pool = inside(pool);
        if self.contacts <= 0.0 {
            return pool;
        }
        let expected = inside(self.expected / self.contacts);
        let rate = inside((self.hits + strength * expected) / (self.contacts + strength));
        from_odds(odds(pool) * odds(rate) / odds(expected))
    }

    /// The same with its interval, which costs a thousand times as much.
    pub(super) fn posterior(&self, pool: f64, strength: f64) -> Estimate {
        let mean = self.mean(pool, strength);
        let (low, high) = interval(mean, strength + self.contacts);
        Estimate { mean, low, high, contacts: self.contacts }
    }
}

/// A rate that is safe to take odds of; what is no number is even.
pub(super) fn inside(rate: f64) -> f64 {
    if rate.is_nan() { 0.5 } else { rate.clamp(EDGE, 1.0 - EDGE) }
}

fn odds(rate: f64) -> f64 {
    rate / (1.0 - rate)
}

fn from_odds(odds: f64) -> f64 {
    inside(odds / (1.0 + odds))
}

/// The 2.5 % and 97.5 % quantiles of the Beta distribution with this mean and so many contacts' worth of knowledge.
///
/// Found by halving, which ends in any case; the inverse of the crate does not for very skewed distributions.
fn interval(mean: f64, strength: f64) -> (f64, f64) {
    let strength = strength.min(STRENGTH_MAX);
    let (a, b) = ((mean * strength).max(SHAPE_MIN), ((1.0 - mean) * strength).max(SHAPE_MIN));
    let ln_beta = a.ln_beta(b);
    let quantile = |level: f64| {
        let (mut from, mut to) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(from, to);
            *(if middle.inc_beta(a, b, ln_beta) < level { &mut from } else { &mut to }) = middle;
        }
        f64::midpoint(from, to)
    };
    // Of a very skewed distribution the mean may lie beyond a quantile; the interval names it all the same.
    (quantile(0.025).min(mean), quantile(0.975).max(mean))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 1,000 and rounded before"
)]
fn thousandths(rate: f64) -> u16 {
    (inside(rate) * 1_000.0).round() as u16
}
