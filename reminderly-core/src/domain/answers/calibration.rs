//! Whether what was expected came true, on data that the model has not seen.

use serde::{Deserialize, Serialize};

use super::model::AnswersModel;
use super::outcome::{ContactOutcome, Goal};

/// Bins of a reliability table.
const BINS: usize = 10;

/// Compares expectations with outcomes, one after the other.
#[derive(Debug, Clone)]
pub struct Calibration<'a> {
    model: &'a AnswersModel,
    goal: Goal,
    all: Sums,
    squared_errors: f64,
    squared_errors_of_base: f64,
    bins: [Sums; BINS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    contacts: u64,
    predicted: f64,
    hits: f64,
}

/// How good the expectations were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// What was expected.
    pub goal: Goal,
    /// How many contacts were compared.
    pub contacts: u64,
    /// The mean of what was expected.
    pub predicted: f64,
    /// The part of them that reached the goal.
    pub observed: f64,
    /// The mean squared error, 0 to 1, the less the better ([Brier 1950](https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2),
    /// for two classes counted once).
    pub brier: f64,
    /// That of expecting the company's rate of everybody.
    pub brier_of_base_rate: f64,
    /// By which part the model is better: 1 is perfect, 0 no better, below 0 worse. `None` if there is nothing to compare.
    pub skill: Option<f64>,
    /// What came true, by what was expected; without empty bins.
    pub bins: Vec<ReliabilityBin>,
}

/// The contacts of which about the same was expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The least probability of the bin.
    pub from: f64,
    /// The least of the next one.
    pub to: f64,
    /// How many contacts.
    pub contacts: u64,
    /// The mean of what was expected.
    pub predicted: f64,
    /// The part of them that reached the goal.
    pub observed: f64,
}

impl<'a> Calibration<'a> {
    /// Nothing compared yet.
    pub fn new(model: &'a AnswersModel, goal: Goal) -> Self {
        let (all, bins) = (Sums::default(), [Sums::default(); BINS]);
        Self { model, goal, all, squared_errors: 0.0, squared_errors_of_base: 0.0, bins }
    }

    /// Compares one outcome. One from before the model's instant is left out: the model may have seen it.
    pub fn add(&mut self, outcome: &ContactOutcome) {
        if outcome.sent_at < self.model.as_of() {
            return;
        }
        let hour = Some(outcome.hour());
        let predicted = self.model.expect(self.goal, &outcome.person, outcome.method, hour);
        let hit = if outcome.reaches(self.goal) { 1.0 } else { 0.0 };
        self.squared_errors += (predicted - hit).powi(2);
        self.squared_errors_of_base += (self.model.base_rate(self.goal) - hit).powi(2);
        self.all.add(predicted, hit);
        if let Some(bin) = self.bins.get_mut(bin_of(predicted)) {
            bin.add(predicted, hit);
        }
    }

    /// How good the expectations were.
    pub fn report(&self) -> CalibrationReport {
        let (brier, brier_of_base_rate) =
            (self.all.mean(self.squared_errors), self.all.mean(self.squared_errors_of_base));
        let skill = (brier_of_base_rate > 0.0).then(|| 1.0 - brier / brier_of_base_rate);
        let bins = (0_u8..).zip(&self.bins).filter(|(_, sums)| sums.contacts > 0);
        let edge = |position: u8| f64::from(position) / 10.0;
        let bin = |(position, sums): (u8, &Sums)| ReliabilityBin {
            from: edge(position),
            to: edge(position + 1),
            contacts: sums.contacts,
            predicted: sums.mean(sums.predicted),
            observed: sums.mean(sums.hits),
        };
        CalibrationReport {
            goal: self.goal,
            contacts: self.all.contacts,
            predicted: self.all.mean(self.all.predicted),
            observed: self.all.mean(self.all.hits),
            brier,
            brier_of_base_rate,
            skill,
            bins: bins.map(bin).collect(),
        }
    }
}

impl Sums {
    fn add(&mut self, predicted: f64, hit: f64) {
        self.contacts += 1;
        self.predicted += predicted;
        self.hits += hit;
    }

    /// A sum over these contacts as a mean; zero of none.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 contacts")]
    fn mean(&self, sum: f64) -> f64 {
        if self.contacts == 0 { 0.0 } else { sum / self.contacts as f64 }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a probability between 0 and 1 times ten"
)]
fn bin_of(predicted: f64) -> usize {
    ((predicted * 10.0) as usize).min(BINS - 1)
}
