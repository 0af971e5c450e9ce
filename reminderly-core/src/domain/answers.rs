//! The answers model: how likely a person answers a message, by method and local hour.
//!
//! Rates are pooled partially, from the company to the method to the hours to the person: who was seldom contacted is expected
//! to answer like everybody, who was contacted often like before. What is long past weighs less. Formulas, sources and limits:
//! `docs/answers-model.md`.

mod calibration;
mod estimate;
mod model;
mod outcome;
mod pools;
mod tally;
#[cfg(test)]
mod tests;

pub use calibration::{Calibration, CalibrationReport, ReliabilityBin};
pub use estimate::{Chance, Estimate};
pub use model::{AnswersModel, AnswersModelBuilder, HALF_LIFE};
pub use outcome::{ContactOutcome, Goal, is_positive};

pub(crate) use tally::HOURS_PER_CELL;
