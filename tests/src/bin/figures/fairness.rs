//! How long a small company waits beside a large one.

use reminderly_tests::fairness::{p99, waits};

use reminderly_tests::report::{Failure, Report};

/// What the account takes in a second.
const PER_SECOND: u32 = 20;

/// How much longer than alone the small company may wait.
const GOAL: f64 = 2.0;

pub(crate) fn measure(report: &mut Report, messages: usize, runs: usize) -> Result<(), Failure> {
    let milliseconds = |seed: u64, beside: usize| -> Result<f64, Failure> {
        let waits = waits(seed, beside, PER_SECOND);
        if waits.len() != 50 {
            return Err(format!("only {} of 50 messages were sent", waits.len()).into());
        }
        Ok(u32::try_from(p99(&waits).num_milliseconds())?.into())
    };
    let (mut solo, mut beside): (f64, f64) = (0.0, 0.0);
    for seed in 0..runs.max(1) as u64 {
        solo = solo.max(milliseconds(seed, 0)?);
        beside = beside.max(milliseconds(seed, messages)?);
    }
    let what = format!(
        "a company's 50 messages beside a larger one's, {PER_SECOND} a second for both (virtual clock)"
    );
    let median = format!("p99 wait {beside:.0} ms, alone {solo:.0} ms: × {:.2}", beside / solo);
    report.add(&what, messages as u64, median, "≤ × 2", Some(GOAL * solo / beside));
    Ok(())
}
