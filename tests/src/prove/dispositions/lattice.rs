//! Every order of eight reports, through the lattice and the table of transitions.

use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};

use super::table::Ranks;
use crate::prove::{Proof, Violation};

/// How many reports a set has.
const REPORTS: usize = 8;
/// How many orders these have.
pub(super) const ORDERS: u64 = 40_320;

/// The statuses in which a message can be of whose latest attempt something is reported.
const FROM: [MessageStatus; 8] = [
    MessageStatus::Queued,
    MessageStatus::Sending,
    MessageStatus::Sent,
    MessageStatus::Unknown,
    MessageStatus::Failed,
    MessageStatus::Skipped,
    MessageStatus::Expired,
    MessageStatus::Cancelled,
];

/// How the reports of an order come again.
#[derive(Debug, Clone, Copy)]
enum Again {
    Never,
    /// Each at once.
    Each,
    /// All, in the same order.
    All,
    /// All, the last one first.
    Backwards,
}

const AGAIN: [Again; 4] = [Again::Never, Again::Each, Again::All, Again::Backwards];

/// Twelve sets of reports.
pub(super) type Sets = [[AttemptReport; REPORTS]; 12];

/// Twelve sets of eight reports: of messages and of calls, with everything that providers say, and with contradictions.
pub(super) fn sets() -> Sets {
    use AttemptReport::{
        Accepted as A, Busy as B, Complained as C, Delivered as D, Machine as M, NoAnswer as N, Sent as S,
        Voicemail as V,
    };
    let u = |code: &str| AttemptReport::Undelivered { code: code.into() };
    [
        [A, S, u("30003"), B, N, M, V, D],
        [A, S, D, C, u("30003"), u("30005"), u("3"), u("")],
        [A, A, S, S, D, D, C, C],
        [A, S, u("30003"), u("30005"), u("30006"), u("30008"), u("é"), u("~")],
        [u("a"), u("b"), u("aa"), u("B"), u("a"), u("ab"), u(""), u("b")],
        [A, S, A, S, A, S, A, S],
        [A, S, B, N, B, N, S, A],
        [A, S, B, N, M, u("no_such_number"), B, M],
        [S, N, M, V, V, M, N, u("expired")],
        [S, B, D, u("busy"), N, D, A, u("30003")],
        [C, u("30003"), A, S, V, B, N, u("z")],
        [D, C, V, M, N, B, S, u("99999")],
    ]
}

/// One order of one set: every way in which it comes again gives the join, and takes every message to the same status.
pub(super) fn compare(number: u64, sets: &Sets, ranks: &Ranks) -> Proof {
    let mut proof = Proof { count: AGAIN.len() as u64, ..Proof::default() };
    let (set, place) = (number / ORDERS, number % ORDERS);
    let Some(reports) = usize::try_from(set).ok().and_then(|set| sets.get(set)) else { return proof };
    let order: Vec<AttemptReport> = permuted(place).map(|index| reports[index].clone()).collect();
    let expected = ranks.greatest(reports).cloned();
    let status = expected.as_ref().and_then(|report| ranks.status(report));
    for again in AGAIN {
        let (joined, ended) = taken(again.of(&order));
        let is_right = joined == expected && ended.iter().all(|ended| Some(*ended) == status);
        if !is_right {
            let what =
                format!("{order:?}, again {again:?}, gives {joined:?} and {ended:?}, not {expected:?}");
            proof.violations.push(Violation { at: format!("seed {number}"), what });
        }
    }
    if let Some(report) = &expected {
        proof.fired.insert(report.as_str(), AGAIN.len() as u64);
    }
    proof
}

impl Again {
    fn of(self, order: &[AttemptReport]) -> Vec<&AttemptReport> {
        let once = order.iter();
        match self {
            Self::Never => once.collect(),
            Self::Each => once.flat_map(|report| [report, report]).collect(),
            Self::All => once.chain(order).collect(),
            Self::Backwards => once.chain(order.iter().rev()).collect(),
        }
    }
}

/// The join of the reports, and where messages of every status end that take the events of the join as they come.
fn taken(reports: Vec<&AttemptReport>) -> (Option<AttemptReport>, [MessageStatus; FROM.len()]) {
    let mut joined: Option<AttemptReport> = None;
    let mut statuses = FROM;
    for report in reports {
        let now = match joined.take() {
            Some(earlier) => earlier.join(report.clone()),
            None => report.clone(),
        };
        // A report proves that the attempt was accepted. What the table does not allow has happened already.
        for status in &mut statuses {
            for event in [MessageEvent::Found, now.event()] {
                *status = status.after(event).unwrap_or(*status);
            }
        }
        joined = Some(now);
    }
    (joined, statuses)
}

/// The indices of the order with this number, in the order of dictionaries.
fn permuted(number: u64) -> impl Iterator<Item = usize> {
    let mut left: Vec<usize> = (0..REPORTS).collect();
    let (mut rest, mut orders) = (number, ORDERS);
    (1..=REPORTS as u64).rev().map(move |remaining| {
        orders /= remaining;
        let index = rest / orders;
        rest %= orders;
        left.remove(usize::try_from(index).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_order_is_there_once() {
        let orders: BTreeSet<Vec<usize>> = (0..ORDERS).map(|number| permuted(number).collect()).collect();
        assert_eq!(orders.len() as u64, ORDERS);
        let all: Vec<usize> = (0..REPORTS).collect();
        assert!(
            orders.iter().all(|order| order
                .iter()
                .copied()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .eq(all.clone()))
        );
    }
}
