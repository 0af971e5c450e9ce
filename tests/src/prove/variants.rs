//! Variants of the protocol that are broken on purpose: the simulation must catch each of them, or it proves nothing.
//!
//! They are wrappers around ports, never features: what is sold has none of this in it.

mod broken_intake;
mod broken_plans;
mod broken_provider;
mod broken_queue;
mod broken_store;

use std::collections::BTreeMap;

use super::simulation::{Breakage, Schedule, Unbroken, verdict};
use super::{Failure, Order, Proof, Violation, spread};

use broken_intake::{PermissionIsForEver, RepliesAreDropped, RepliesWithoutKey, RowsAreDropped};
use broken_plans::{HouseholdsAreForgotten, MovesAreDropped, NoCaps, NoLedger};
use broken_provider::{FivesAreRefusals, FivesAreTriedAgain};
use broken_queue::AcksFirst;
use broken_store::{
    AnyEpoch, CallsWithoutKey, ClaimsAreShared, CopiesLiveForEver, GuardsOfLongAgo, HoursAreIgnored,
    LastReportWins, NoFence, OverdueIsQueued, RefusalsAreForgotten, behind,
};

/// Each is caught within so many seeds. The rarest shows in one of a thousand.
const SEEDS: u64 = 5_000;

/// So many seeds are tried at once.
const AT_ONCE: u64 = 8;

/// A breakage, its name, and what it must show: the kinds of violations, by their first word.
type Variant = (&'static str, &'static [&'static str], Box<dyn Breakage>);

/// Every variant.
fn variants() -> [Variant; 21] {
    let lost: &[&str] = &["P1", "liveness"];
    [
        ("caught: settled whatever the epoch", &["P2", "truth"], behind(|_| Box::new(AnyEpoch))),
        ("caught: a claim for everybody who asks", &["P2"], behind(|_| Box::new(ClaimsAreShared))),
        (
            "caught: guards outside of the claim",
            &["P4"],
            behind(|clock| Box::new(GuardsOfLongAgo::new(clock))),
        ),
        ("caught: refusals forgotten", &["P4"], behind(|_| Box::new(RefusalsAreForgotten))),
        ("caught: hours ignored by the claim", &["hours"], behind(|_| Box::new(HoursAreIgnored))),
        ("caught: overdue claims queued again", &["P2"], behind(|_| Box::new(OverdueIsQueued))),
        ("caught: lost copies stay lost", lost, behind(|_| Box::new(CopiesLiveForEver))),
        ("caught: acked before it is settled", lost, Box::new(AcksFirst)),
        ("caught: the last report wins", &["truth"], behind(|_| Box::new(LastReportWins::default()))),
        ("caught: rows dropped", &["liveness"], behind(|_| Box::new(RowsAreDropped))),
        ("caught: moves dropped", &["liveness"], behind(|_| Box::new(MovesAreDropped))),
        ("caught: replies dropped", &["truth", "P4"], behind(|_| Box::new(RepliesAreDropped))),
        (
            "caught: replies without a key",
            &["truth", "P2"],
            behind(|_| Box::new(RepliesWithoutKey::default())),
        ),
        ("caught: permission for ever", &["P4"], behind(|_| Box::new(PermissionIsForEver))),
        ("caught: no ledger of appointments", &["P4"], behind(|_| Box::new(NoLedger))),
        ("caught: no caps", &["caps"], behind(|_| Box::new(NoCaps))),
        ("caught: households forgotten", &["household"], behind(|_| Box::new(HouseholdsAreForgotten))),
        ("caught: calls without a key", &["P2"], behind(|_| Box::new(CallsWithoutKey))),
        ("caught: no fence after a restore", &["P2"], behind(|_| Box::new(NoFence))),
        ("caught: 5xx tried again by the provider's library", &["P2"], Box::new(FivesAreTriedAgain)),
        ("caught: 5xx taken for a refusal", &["P2"], Box::new(FivesAreRefusals)),
    ]
}

/// Looks for the seed that catches each variant.
///
/// # Errors
///
/// None.
#[expect(clippy::unnecessary_wraps, reason = "every kind is run in the same way")]
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let first = order.first_seed;
    let last = first.saturating_add(order.count.unwrap_or(SEEDS));
    let mut proof = Proof { unit: "schedules", seeds: Some(first..last), ..Proof::default() };
    for (name, kinds, breakage) in variants() {
        let (tried, caught) = catch(&*breakage, kinds, first..last);
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
fn catch(
    breakage: &dyn Breakage,
    kinds: &[&str],
    seeds: std::ops::Range<u64>,
) -> (u64, Option<(u64, String)>) {
    let mut tried = 0;
    let mut from = seeds.start;
    while from < seeds.end {
        let until = seeds.end.min(from.saturating_add(AT_ONCE));
        let found: BTreeMap<u64, Option<String>> =
            spread::each(from..until, |seed| shown(breakage, kinds, seed));
        tried += until - from;
        if let Some((seed, what)) = found.into_iter().find_map(|(seed, what)| Some((seed, what?))) {
            return (tried, Some((seed, what)));
        }
        from = until;
    }
    (tried, None)
}

/// What a schedule shows about a breakage, of these kinds.
fn shown(breakage: &dyn Breakage, kinds: &[&str], seed: u64) -> Option<String> {
    let schedule = Schedule::of(seed);
    let wrong = verdict(&schedule, breakage).wrong;
    let is_meant = |wrong: &String| wrong.split(':').next().is_some_and(|kind| kinds.contains(&kind));
    let first = wrong.into_iter().find(is_meant)?;
    verdict(&schedule, &Unbroken).wrong.is_empty().then_some(first)
}
