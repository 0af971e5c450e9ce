//! Variants of the protocol that are broken on purpose: the simulation must catch each of them, or it proves nothing.
//!
//! They are wrappers around ports, never features: what is sold has none of this in it.

mod broken_provider;
mod broken_queue;
mod broken_store;

use std::collections::BTreeMap;

use super::simulation::{Breakage, Schedule, Unbroken, verdict};
use super::{Failure, Kind, Order, Proof, Violation, parallel};

use broken_provider::{FivesAreRefusals, FivesAreTriedAgain};
use broken_queue::AcksFirst;
use broken_store::{
    AnyEpoch, CallsWithoutKey, ClaimsAreShared, CopiesLiveForEver, GuardsOfLongAgo, HoursAreIgnored,
    LastReportWins, NoCaps, NoFence, NoLedger, OverdueIsQueued, RefusalsAreForgotten, behind,
};

/// Each is caught within so many seeds.
const SEEDS: u64 = 1_000;

/// So many seeds are tried at once.
const AT_ONCE: u64 = 8;

/// The kind.
pub const KIND: Kind = Kind {
    name: "variants",
    about: "broken variants of the protocol, each of which the simulation must catch",
    run,
};

/// Every variant, and what is broken about it.
fn variants() -> [(&'static str, Box<dyn Breakage>); 15] {
    [
        ("caught: settled whatever the epoch", behind(|_| Box::new(AnyEpoch))),
        ("caught: a claim for everybody who asks", behind(|_| Box::new(ClaimsAreShared))),
        ("caught: guards outside of the claim", behind(|clock| Box::new(GuardsOfLongAgo::new(clock)))),
        ("caught: refusals forgotten", behind(|_| Box::new(RefusalsAreForgotten))),
        ("caught: hours ignored by the claim", behind(|_| Box::new(HoursAreIgnored))),
        ("caught: overdue claims queued again", behind(|_| Box::new(OverdueIsQueued))),
        ("caught: lost copies stay lost", behind(|_| Box::new(CopiesLiveForEver))),
        ("caught: acked before it is settled", Box::new(AcksFirst)),
        ("caught: the last report wins", behind(|_| Box::new(LastReportWins::default()))),
        ("caught: no ledger of appointments", behind(|_| Box::new(NoLedger))),
        ("caught: no caps", behind(|_| Box::new(NoCaps))),
        ("caught: calls without a key", behind(|_| Box::new(CallsWithoutKey))),
        ("caught: no fence after a restore", behind(|_| Box::new(NoFence))),
        ("caught: 5xx tried again by the provider's library", Box::new(FivesAreTriedAgain)),
        ("caught: 5xx taken for a refusal", Box::new(FivesAreRefusals)),
    ]
}

fn run(order: &Order) -> Result<Proof, Failure> {
    let first = order.first_seed;
    let last = first.saturating_add(order.count.unwrap_or(SEEDS));
    let mut proof = Proof { unit: "schedules", seeds: Some(first..last), ..Proof::default() };
    for (name, breakage) in variants() {
        let (tried, caught) = catch(&*breakage, first..last);
        proof.count += tried;
        if let Some((seed, what)) = caught {
            // How many seeds it took.
            proof.fired.insert(name, seed - first + 1);
            eprintln!("  {name} by seed {seed}: {what}");
        } else {
            let what = format!("{name}: not within {tried} seeds");
            proof.violations.push(Violation { at: format!("seeds {first} to {last}"), what });
        }
    }
    Ok(proof)
}

/// How many schedules were tried, and the first that is well unbroken and shows the breakage, with what is wrong then.
fn catch(breakage: &dyn Breakage, seeds: std::ops::Range<u64>) -> (u64, Option<(u64, String)>) {
    let mut tried = 0;
    let mut from = seeds.start;
    while from < seeds.end {
        let until = seeds.end.min(from.saturating_add(AT_ONCE));
        let found: BTreeMap<u64, Option<String>> = parallel::over(from..until, |seed| shown(breakage, seed));
        tried += until - from;
        if let Some((seed, what)) = found.into_iter().find_map(|(seed, what)| Some((seed, what?))) {
            return (tried, Some((seed, what)));
        }
        from = until;
    }
    (tried, None)
}

/// What a schedule shows about a breakage.
fn shown(breakage: &dyn Breakage, seed: u64) -> Option<String> {
    let schedule = Schedule::of(seed);
    let first = verdict(&schedule, breakage).wrong.into_iter().next()?;
    verdict(&schedule, &Unbroken).wrong.is_empty().then_some(first)
}
