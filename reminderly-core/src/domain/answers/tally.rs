//! Counts of contacts and of what came back.

use super::outcome::{ContactOutcome, Goal};
use crate::domain::contact_method::ContactMethod;

/// Hours of the day that share a rate: single hours have too little data, and days have 24.
pub(crate) const HOURS_PER_CELL: u8 = 3;

/// A method and some hours of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    pub(super) method: ContactMethod,
    part: u8,
}

impl Cell {
    pub(super) const fn of(method: ContactMethod, hour: u8) -> Self {
        Self { method, part: hour / HOURS_PER_CELL }
    }
}

/// Contacts and those that reached each goal: sufficient for every rate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tally {
    /// Weighted by age: what rates are made of.
    pub(super) aged: Counts,
    /// As they are: how much rates differ shows best in all that was seen.
    pub(super) whole: Counts,
}

/// Contacts and those that reached each goal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Counts {
    pub(super) contacts: f64,
    answers: f64,
    positive: f64,
}

impl Tally {
    pub(super) fn add(&mut self, outcome: &ContactOutcome, weight: f64) {
        self.aged.add(outcome, weight);
        self.whole.add(outcome, 1.0);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.aged.merge(&other.aged);
        self.whole.merge(&other.whole);
    }
}

impl Counts {
    fn add(&mut self, outcome: &ContactOutcome, weight: f64) {
        self.contacts += weight;
        if outcome.reaches(Goal::Answer) {
            self.answers += weight;
        }
        if outcome.reaches(Goal::PositiveAnswer) {
            self.positive += weight;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.contacts += other.contacts;
        self.answers += other.answers;
        self.positive += other.positive;
    }

    pub(super) const fn hits(&self, goal: Goal) -> f64 {
        match goal {
            Goal::Answer => self.answers,
            Goal::PositiveAnswer => self.positive,
        }
    }
}
