use chrono::TimeDelta;

use super::super::*;
use crate::fixtures::{bench, message, sms, start};

const MIX: &str = r#"{"default": {"mix": {"delivers": 5, "confirms": 2, "throttled": 1, "invalid": 1,
    "server_error_accepted": 1, "lost_answer": 1, "duplicate_reports": 1}}}"#;

fn settings(seed: u64) -> SandboxSettings {
    SandboxSettings { seed, script: SandboxScript::parse(MIX).unwrap(), ..SandboxSettings::default() }
}

fn number(index: u64) -> ContactPoint {
    sms(&format!("+1520555{index:04}"))
}

/// Log, outcomes and callbacks of 300 messages to 100 numbers in batches of this size.
fn run(seed: u64, batch: usize) -> (Vec<AcceptedRequest>, Vec<ProviderOutcome>, Vec<SandboxCallback>) {
    let bench = bench(settings(seed));
    let messages: Vec<_> = (0..300).map(|index| message(index, number(index % 100))).collect();
    let outcomes = messages.chunks(batch).flat_map(|batch| bench.send(batch)).collect();
    let callbacks = bench.sandbox.take_callbacks(start() + TimeDelta::hours(1));
    (bench.sandbox.accepted(), outcomes, callbacks)
}

#[test]
fn the_same_seed_gives_the_same_run_whatever_the_batches() {
    let whole = run(7, 100);
    assert!(whole.2.len() > 300);
    for batch in [1, 3, 64] {
        assert_eq!(run(7, batch), whole, "batches of {batch}");
    }
    assert_ne!(run(8, 100).1, whole.1);
}

#[test]
fn a_mix_does_not_depend_on_the_order_of_calls() {
    let outcomes = |messages: &[OutboundMessage]| bench(settings(7)).send(messages);
    let accepts = |outcome: &ProviderOutcome| matches!(outcome, ProviderOutcome::Accepted { .. });
    let mut messages: Vec<_> = (0..100).map(|index| message(index, number(index))).collect();
    let forth: Vec<_> = outcomes(&messages).iter().map(accepts).collect();
    messages.reverse();
    let back: Vec<_> = outcomes(&messages).iter().rev().map(accepts).collect();
    assert_eq!(forth, back);
}

#[test]
fn a_mix_keeps_its_weights_roughly() {
    let script = r#"{"default": {"mix": {"delivers": 70, "confirms": 30, "stops": 0}}}"#;
    let script = SandboxScript::parse(script).unwrap();
    let confirming = (0..10_000)
        .map(|index| script.persona(1, &number(index)))
        .inspect(|persona| assert_ne!(**persona, NamedPersona::Stops.into()))
        .filter(|persona| **persona == NamedPersona::Confirms.into())
        .count();
    // Binomial(10000, 0.3) has a standard deviation of 46.
    assert!(confirming.abs_diff(3_000) < 230, "{confirming} of 10000");
}

#[test]
fn what_one_company_sends_changes_nothing_for_another() {
    let bench = bench(SandboxSettings::default());
    let throttled = sms("+12025550105");
    let other = OutboundMessage { company: crate::fixtures::company(2), ..message(2, throttled.clone()) };
    let outcomes = bench.send(&[message(1, throttled), other]);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, ProviderOutcome::Deferred { .. })));
}
