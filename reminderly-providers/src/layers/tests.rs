use std::sync::Arc;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use reminderly_core::clock::Clock;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ports::provider::{Provider, ProviderOutcome};

use super::*;
use crate::fixtures::{Bench, bench, message, sms, start};
use crate::sandbox::SandboxSettings;

fn cut(bench: &Bench) -> TimeOut {
    let clock: Arc<dyn Clock> = Arc::<reminderly_core::testing::VirtualClock>::clone(&bench.clock);
    TimeOut::new(bench.sandbox.provider(ContactMethod::Sms), clock)
}

fn timeout() -> ProviderOutcome {
    ProviderOutcome::Unknown { code: "timeout".to_owned() }
}

#[test]
fn a_hung_call_is_cut_at_answer_by_and_all_of_it_is_unknown() {
    let bench = bench(SandboxSettings::default());
    let messages = [message(1, sms("+12025550116")), message(2, sms("+12025550100"))];
    assert_eq!(bench.send_by(&cut(&bench), &messages), [timeout(), timeout()]);
    assert_eq!(bench.clock.now(), start() + Duration::from_secs(10));
    assert_eq!(bench.sandbox.accepted_count(), 1, "the neighbour was accepted, which nobody was told");
}

#[test]
fn an_answer_in_time_passes() {
    let bench = bench(SandboxSettings::default());
    let messages = [message(1, sms("+12025550108")), message(2, sms("+12025550100"))];
    let outcomes = bench.send_by(&cut(&bench), &messages);
    assert_eq!(outcomes[0], timeout());
    assert!(matches!(outcomes[1], ProviderOutcome::Accepted { .. }), "a slow neighbour changes nothing");
    assert!(bench.clock.now() < start() + Duration::from_secs(10));
}

#[test]
fn layers_say_of_themselves_what_the_provider_says() {
    let bench = bench(SandboxSettings::default());
    let inner = bench.sandbox.provider(ContactMethod::Sms);
    let clock: Arc<dyn Clock> = Arc::<reminderly_core::testing::VirtualClock>::clone(&bench.clock);
    let outer = Trace::new(Arc::new(cut(&bench)), clock);
    assert_eq!(outer.name(), inner.name());
    assert_eq!(outer.method(), inner.method());
    assert_eq!(outer.limits(), inner.limits());
}

#[test]
fn calls_are_counted_by_outcome() {
    let bench = bench(SandboxSettings::default());
    let clock: Arc<dyn Clock> = Arc::<reminderly_core::testing::VirtualClock>::clone(&bench.clock);
    let trace = Trace::new(bench.sandbox.provider(ContactMethod::Sms), clock);
    let numbers = ["+12025550100", "+12025550101", "+12025550104", "+12025550105", "+12025550108"];
    let messages: Vec<_> =
        (1..).zip(numbers).map(|(number, contact)| message(number, sms(contact))).collect();

    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || bench.send_by(&trace, &messages));
    let mut seen = Vec::new();
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
        let value = match value {
            DebugValue::Counter(count) => count.to_string(),
            DebugValue::Histogram(values) => format!("{:?}", values.iter().map(|v| v.0).collect::<Vec<_>>()),
            DebugValue::Gauge(_) => "gauge".to_owned(),
        };
        seen.push(format!("{}{labels:?} {value}", key.key().name()));
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            r#"reminderly_provider_requests_total["sandbox-sms", "accepted"] 2"#,
            r#"reminderly_provider_requests_total["sandbox-sms", "deferred"] 1"#,
            r#"reminderly_provider_requests_total["sandbox-sms", "rejected"] 1"#,
            r#"reminderly_provider_requests_total["sandbox-sms", "unknown"] 1"#,
            r#"reminderly_provider_send_seconds["sandbox-sms"] [9.9]"#,
        ]
    );
}
