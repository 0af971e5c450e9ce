//! T1: every state of the sending protocol, within bounds.
//!
//! The model has the steps of docs/architecture.md ("The sending protocol") as single actions: what a transaction of the store, a call of
//! the queue or of the provider does, and the moments that pass in between. It explores every order of them, and asks of every state
//! whether P1, P2 or P4 is broken. The oracle is what the provider has accepted, not what the store believes. The same is done with
//! protocols that are not safe, which must be seen to fail.

mod action;
pub(in crate::prove) mod attempt;
mod bounds;
mod endless;
mod explore;
mod figures;
mod packed;
pub(in crate::prove) mod row;
mod state;
mod states;
mod step;
#[cfg(test)]
mod tests;
mod variant;
pub(in crate::prove) mod verdict;

use std::collections::BTreeMap;

use crate::prove::{Failure, Order, Proof, Violation};
use crate::table::grouped;

use action::{Action, Deed};
use bounds::Bounds;
use endless::endless;
use explore::Explored;
use figures::figures;
use variant::{Variant, Wrong};

/// Explores the protocol within all bounds of the extent, and every protocol that is not safe.
///
/// # Errors
///
/// None.
#[expect(clippy::unnecessary_wraps, reason = "every kind is run in the same way")]
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let mut proof = Proof { unit: "states", ..Proof::default() };
    let mut fired: BTreeMap<Deed, u64> = BTreeMap::new();
    let mut with_an_end = 0;
    for (bounds, ends) in figures(order.extent) {
        let explored = Explored::new(&bounds);
        eprintln!("  {}: {} states, {} actions deep", bounds.name, grouped(explored.states), explored.depth);
        proof.count += explored.states;
        for (deed, times) in &explored.fired {
            *fired.entry(*deed).or_default() += times;
        }
        match broken(&bounds, &explored, ends) {
            Some(violation) => proof.violations.push(violation),
            None if ends == Ends::AreSought => with_an_end += explored.states,
            None => {}
        }
    }
    // Only protocols that are not safe ask the guards outside the claim.
    fired.remove(&Deed::Check);
    proof.fired = fired.into_iter().map(|(deed, times)| (deed.as_str(), times)).collect();
    proof.fired.insert("states from which an end can be reached", with_an_end);
    for (variant, expected) in Variant::UNSAFE {
        let shown = fails(variant);
        let what = match &shown {
            Some((wrong, trace)) if *wrong == expected => {
                eprintln!(
                    "  unsafe: {}: {}, after {} actions",
                    variant.as_str(),
                    wrong.as_str(),
                    trace.len()
                );
                eprintln!("{}", told(trace));
                *proof.fired.entry("unsafe protocols seen to fail").or_default() += 1;
                continue;
            }
            Some((wrong, trace)) => format!("failed otherwise: {}\n{}", wrong.as_str(), told(trace)),
            None => "was not seen to fail".to_owned(),
        };
        proof.violations.push(Violation { at: format!("unsafe protocol '{}'", variant.as_str()), what });
    }
    Ok(proof)
}

/// Whether ends are looked for: that costs as much as the exploration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    AreSought,
    AreNot,
}

/// What is wrong with the protocol, with its shortest trace.
fn broken(bounds: &Bounds, explored: &Explored, ends: Ends) -> Option<Violation> {
    let (what, trace) = match &explored.wrong {
        Some(found) => (found.wrong.as_str(), explored.trace_of(bounds, found)),
        None if ends == Ends::AreNot => return None,
        None => (Wrong::NeverEnds.as_str(), endless(bounds, explored)?),
    };
    Some(Violation { at: bounds.name.to_owned(), what: format!("{what}\n{}", told(&trace)) })
}

/// How a protocol that is not safe fails first.
fn fails(variant: Variant) -> Option<(Wrong, Vec<Action>)> {
    let bounds = Bounds::of(variant);
    let explored = Explored::new(&bounds);
    match &explored.wrong {
        Some(found) => Some((found.wrong, explored.trace_of(&bounds, found))),
        None => Some((Wrong::NeverEnds, endless(&bounds, &explored)?)),
    }
}

/// A trace, to be read.
fn told(trace: &[Action]) -> String {
    let lines = trace.iter().zip(1..).map(|(action, number)| format!("    {number:>2}. {action}"));
    lines.collect::<Vec<_>>().join("\n")
}
