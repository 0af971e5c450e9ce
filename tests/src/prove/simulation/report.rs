//! What came of a schedule.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::breakage::Breakage;
use super::judge::judge;
use super::schedule::Schedule;
use super::trial::Trial;
use crate::executor::hash;
use crate::prove::spread::panic_text;

/// What came of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How often everything that must happen did.
    pub fired: BTreeMap<&'static str, u64>,
    /// What is wrong.
    pub wrong: Vec<String>,
    /// Who was polled when and what was accepted when, as a digest.
    pub trail: u64,
}

/// Everything that must happen in every run, not yet happened.
pub(super) fn nothing_fired() -> BTreeMap<&'static str, u64> {
    MUST_HAPPEN.into_iter().map(|what| (what, 0)).collect()
}

/// What does not go wrong by itself, and is not drawn by a decorator that counts it.
const MUST_HAPPEN: [&str; 43] = [
    "worker killed",
    "worker told to stop",
    "worker replaced",
    "file arrived",
    "call on demand",
    "opt-out by an operator",
    "opt-out by a reply",
    "opt-in by an operator",
    "opt-in by a reply",
    "host crashed in the middle of something",
    "opt-out by the provider",
    "campaign paused",
    "campaign resumed",
    "campaign archived",
    "packet cancelled",
    "store restored",
    "queue deleted while in use",
    "poison in a queue",
    "dead letters came back",
    "clocks of workers apart",
    "day on which clocks change",
    "window past midnight",
    "people in several zones",
    "appointment moved",
    "appointment amended",
    "appointment unchanged",
    "appointment vanished",
    "person answered",
    "call reached nobody and was made again",
    "request accepted late",
    "request made twice after proof of absence",
    "claim reaped",
    "answer that says nothing",
    "refused by a carrier that heard what we did not",
    "person was corrected",
    "rung above the first went",
    "household was told at once",
    "household fell apart",
    "refused by a cap",
    "queue taken down",
    "schedule with two hundred messages or more",
    "person permitted contact again",
    "person complained",
];

/// Carries a schedule out and judges it.
pub(in crate::prove) fn verdict(schedule: &Schedule, breakage: &dyn Breakage) -> Verdict {
    let run = AssertUnwindSafe(|| {
        let trial = Trial::of(schedule, breakage);
        Verdict { fired: fired(&trial), wrong: judge(&trial), trail: trail(&trial) }
    });
    catch_unwind(run).unwrap_or_else(|panic| {
        let wrong = vec![format!("panic: {}", panic_text(&*panic))];
        Verdict { wrong, ..Verdict::default() }
    })
}

fn trail(trial: &Trial<'_>) -> u64 {
    let world = &trial.deployment.world;
    let accepted = world.sandbox.accepted().into_iter().map(|request| (request.attempt, request.at));
    hash((world.executor.trail(), accepted.collect::<Vec<_>>()))
}

fn fired(trial: &Trial<'_>) -> BTreeMap<&'static str, u64> {
    let mut fired = trial.done.clone();
    let mut add = |what, times| *fired.entry(what).or_default() += times;
    for (what, times) in trial.deployment.injected().into_iter().chain(trial.gateway.injected.clone()) {
        add(what, times);
    }
    let seen = trial.deployment.witness.seen();
    for (change, name) in [
        ("moved", "appointment moved"),
        ("amended", "appointment amended"),
        ("unchanged", "appointment unchanged"),
        ("vanished", "appointment vanished"),
        ("opted out at the provider", "opt-out by the provider"),
        ("claim reaped", "claim reaped"),
    ] {
        add(name, seen.changes.get(change).copied().unwrap_or_default());
    }
    add("person answered", seen.answers.len() as u64);
    super::judge::add_what_happened(trial, &seen, &mut add);
    fired
}
