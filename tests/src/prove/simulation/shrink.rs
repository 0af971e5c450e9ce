//! From a schedule in which something is wrong to one in which little else happens.

use std::fmt::Write as _;

use chrono::TimeDelta;
use reminderly_core::testing::{AdminFaults, LookupFaults, ProviderFaults, QueueFaults, StoreFaults};

use super::breakage::Unbroken;
use super::report::verdict;
use super::schedule::{Deed, Faults, Schedule};

/// Tells on standard error what is wrong with a schedule, with as little beside it as possible.
pub(super) fn tell(schedule: &Schedule) {
    let (shrunk, wrong) = shrink(schedule);
    eprintln!("seed {}, shrunk:", schedule.seed);
    for wrong in wrong.iter().take(5) {
        eprintln!("  {wrong}");
    }
    eprintln!("{}", shrunk.log());
}

/// The kind of a violation: its first word.
fn kinds(wrong: &[String]) -> Vec<String> {
    wrong.iter().filter_map(|wrong| wrong.split(':').next()).map(str::to_owned).collect()
}

/// Leaves out whatever can be left out while the same kind of thing is wrong.
fn shrink(schedule: &Schedule) -> (Schedule, Vec<String>) {
    let mut best = schedule.clone();
    let mut wrong = verdict(&best, &Unbroken).wrong;
    let wanted = kinds(&wrong);
    let attempt = |candidate: Schedule, best: &mut Schedule, wrong: &mut Vec<String>| {
        let found = verdict(&candidate, &Unbroken).wrong;
        let is_same = kinds(&found).iter().any(|kind| wanted.contains(kind));
        if is_same {
            (*best, *wrong) = (candidate, found);
        }
        is_same
    };
    for simpler in SIMPLER {
        let mut candidate = best.clone();
        simpler(&mut candidate.faults);
        attempt(candidate, &mut best, &mut wrong);
    }
    for _ in 0..2 {
        let mut position = 0;
        while position < best.deeds.len() {
            let mut candidate = best.clone();
            candidate.deeds.remove(position);
            if !attempt(candidate, &mut best, &mut wrong) {
                position += 1;
            }
        }
        for position in 0..best.deeds.len() {
            while let Some(candidate) = with_half_the_rows(&best, position) {
                if !attempt(candidate, &mut best, &mut wrong) {
                    break;
                }
            }
        }
    }
    (best, wrong)
}

/// Takes one kind of fault away.
type Simpler = fn(&mut Faults);

const SIMPLER: [Simpler; 13] = [
    |faults| faults.store = StoreFaults::default(),
    |faults| faults.queue = QueueFaults::default(),
    |faults| faults.admin = AdminFaults::default(),
    |faults| faults.provider = ProviderFaults::default(),
    |faults| faults.lookup = LookupFaults::default(),
    |faults| faults.panic_per_mille = 0,
    |faults| faults.callbacks.late = 0.0,
    |faults| faults.callbacks.doubled = 0.0,
    |faults| faults.callbacks.given_up = 0.0,
    |faults| faults.callbacks.forged = 0.0,
    |faults| faults.callbacks.lost = 0.0,
    |faults| faults.callbacks.strange = 0.0,
    |faults| faults.callbacks.lost_stop = 0.0,
];

/// Writing to a string does not fail.
const WRITES: &str = "a string takes it";

fn with_half_the_rows(schedule: &Schedule, position: usize) -> Option<Schedule> {
    let mut candidate = schedule.clone();
    match &mut candidate.deeds.get_mut(position)?.deed {
        Deed::File { rows, .. } if rows.len() > 1 => rows.truncate(rows.len() / 2),
        _ => return None,
    }
    Some(candidate)
}

impl Schedule {
    /// What it consists of, for people.
    pub fn log(&self) -> String {
        let mut log = format!(
            "  starts {} in {}, {} workers{}, skews {:?}\n  {:?}\n",
            self.start,
            self.zone,
            self.workers,
            if self.is_steady { ", the first is not killed" } else { "" },
            self.skews.iter().map(TimeDelta::num_milliseconds).collect::<Vec<_>>(),
            self.faults,
        );
        for (position, campaign) in self.campaigns.iter().enumerate() {
            writeln!(log, "  campaign {position}: {campaign:?}").expect(WRITES);
        }
        for timed in &self.deeds {
            let at = (self.start + timed.after).format("%H:%M:%S%.3f");
            match &timed.deed {
                Deed::File { campaign, number, rows } => {
                    writeln!(log, "  {at} file {number} of campaign {campaign}, {} rows", rows.len())
                        .expect(WRITES);
                    for row in rows.iter().take(4) {
                        writeln!(log, "    {row:?}").expect(WRITES);
                    }
                }
                deed => writeln!(log, "  {at} {deed:?}").expect(WRITES),
            }
        }
        log
    }
}
