//! P3: an attempt that nobody can decide is shown as unknown within a minute and a round of its `answer_by`.

use chrono::TimeDelta;
use reminderly_core::testing::StoreFaults;
use reminderly_providers::sandbox::ANSWER_WITHIN;

use super::super::schedule::FAULTS_FOR;
use super::super::trial::AWAKE_FOR;
use super::{Evidence, ONE_SECOND, SKEW};

/// After `answer_by` a claim counts as overdue so much later, and then the next round looks.
const BEFORE_A_ROUND: TimeDelta = TimeDelta::minutes(1);

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let schedule = evidence.trial.schedule;
    // While the store is away nobody can say anything, and nobody does while no worker runs.
    let is_judged = schedule.is_steady && schedule.faults.store == StoreFaults::default();
    if !is_judged || schedule.is_restored() || schedule.jumps() {
        return;
    }
    let answer_within = ONE_SECOND + TimeDelta::from_std(ANSWER_WITHIN).expect("seconds");
    // After that the last worker sleeps most of the time.
    let watched_until = schedule.start + FAULTS_FOR + AWAKE_FOR - TimeDelta::minutes(5);
    for claim in evidence.seen.claims.values().filter(|claim| claim.at < watched_until) {
        let shown_by = claim.at + answer_within + BEFORE_A_ROUND + schedule.tick + SKEW;
        if claim.settled_at.is_none_or(|at| at > shown_by) {
            wrong.push(format!(
                "P3: attempt {} of message {}, claimed at {}, was shown at {:?}",
                claim.attempt, claim.message, claim.at, claim.settled_at
            ));
        }
    }
}
