use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use futures::FutureExt as _;
use uuid::Uuid;

use super::*;
use crate::batch::Outcomes;
use crate::clock::Monotonic;
use crate::domain::attempt::ProviderName;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, PhoneNumber};
use crate::domain::content::Content;
use crate::ids::AttemptId;
use crate::ports::provider::{
    AttemptLookup, Finding, OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome,
    SendDeadline,
};

/// Accepts messages with an odd number and does not start the others.
#[derive(Debug, Default)]
struct Odd {
    sent: AtomicU64,
}

#[async_trait]
impl Provider for Odd {
    fn name(&self) -> ProviderName {
        "odd".into()
    }

    fn method(&self) -> ContactMethod {
        ContactMethod::Sms
    }

    fn limits(&self) -> ProviderLimits {
        ProviderLimits { batch: 7, answer_within: Duration::from_secs(3), rates: Vec::new() }
    }

    async fn send(
        &self,
        messages: &[OutboundMessage],
        _: SendDeadline,
    ) -> Result<Outcomes<ProviderOutcome>, ProviderError> {
        let outcome = |message: &OutboundMessage| {
            if message.message.as_uuid().as_u128().is_multiple_of(2) {
                return ProviderOutcome::NotStarted;
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
            ProviderOutcome::Accepted { reference: None }
        };
        Ok(messages.iter().map(outcome).collect())
    }
}

fn message(number: u128) -> OutboundMessage {
    let id = Uuid::from_u128(number);
    OutboundMessage {
        attempt: id.into(),
        message: id.into(),
        company: id.into(),
        contact: ContactPoint::Sms(PhoneNumber::parse_stored("+15205550100").unwrap()),
        content: Content::Sms { text: "hello".into(), segments: 1 },
        expires_at: DateTime::UNIX_EPOCH,
    }
}

/// The outcomes of a call, or `None` if it panicked.
fn send(provider: &dyn Provider, messages: &[OutboundMessage]) -> Option<Vec<ProviderOutcome>> {
    let point = Monotonic::new(Duration::from_secs(1));
    let deadline = SendDeadline { start_by: point, answer_by: point };
    let call = || provider.send(messages, deadline).now_or_never().unwrap().unwrap().into_vec();
    catch_unwind(AssertUnwindSafe(call)).ok()
}

#[test]
fn it_panics_on_chosen_messages_before_or_after_the_call() {
    for (point, sent) in [(PanicPoint::BeforeCall, 1), (PanicPoint::AfterCall, 2)] {
        let inner = Arc::new(Odd::default());
        let shared: Arc<dyn Provider> = Arc::<Odd>::clone(&inner);
        let provider = PanickingProvider::on_messages(shared, point, [message(3).message]);
        assert!(send(&provider, &[message(3), message(4)]).is_none());
        assert!(send(&provider, &[message(5)]).is_some());
        assert_eq!(provider.panics(), 1);
        assert_eq!(inner.sent.load(Ordering::Relaxed), sent, "{point:?}");
    }
}

#[test]
fn a_seed_always_panics_in_the_same_calls() {
    let run = |seed| {
        let inner = Arc::new(Odd::default());
        let provider = PanickingProvider::with_chance(inner, PanicPoint::BeforeCall, 100, seed);
        let panicked: Vec<bool> = (0..1_000).map(|_| send(&provider, &[message(1)]).is_none()).collect();
        assert_eq!(
            u64::try_from(panicked.iter().filter(|panicked| **panicked).count()).unwrap(),
            provider.panics()
        );
        panicked
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!((50..150).contains(&run(1).iter().filter(|panicked| **panicked).count()));
}

fn faulty(inner: &Arc<Odd>, faults: ProviderFaults) -> (FaultyProvider, Arc<VirtualClock>) {
    let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
    let shared: Arc<dyn Provider> = Arc::<Odd>::clone(inner);
    let provider = FaultyProvider::new(shared, Arc::<VirtualClock>::clone(&clock), 1);
    provider.set_faults(faults);
    (provider, clock)
}

#[test]
fn without_a_chance_nothing_is_lost_and_nothing_panics() {
    let (lossless, _) = faulty(&Arc::new(Odd::default()), ProviderFaults::default());
    let calm = PanickingProvider::with_chance(Arc::new(lossless), PanicPoint::AfterCall, 0, 1);
    for _ in 0..1_000 {
        assert_eq!(send(&calm, &[message(1)]).unwrap(), [ProviderOutcome::Accepted { reference: None }]);
    }
}

#[test]
fn lost_answers_are_unknown_and_what_was_not_started_stays_so() {
    let inner = Arc::new(Odd::default());
    let (provider, _) = faulty(&inner, ProviderFaults { lost_answer: 1.0, ..ProviderFaults::default() });
    let lost = ProviderOutcome::Unknown { code: "connection_reset".to_owned() };
    assert_eq!(send(&provider, &[message(1), message(2)]).unwrap(), [lost, ProviderOutcome::NotStarted]);
    assert_eq!(inner.sent.load(Ordering::Relaxed), 1);
    assert_eq!(provider.limits(), inner.limits());
}

#[test]
fn what_is_accepted_twice_is_answered_once() {
    let inner = Arc::new(Odd::default());
    let (provider, _) = faulty(&inner, ProviderFaults { accepted_twice: 1.0, ..ProviderFaults::default() });
    let accepted = ProviderOutcome::Accepted { reference: None };
    assert_eq!(send(&provider, &[message(1), message(2)]).unwrap(), [accepted, ProviderOutcome::NotStarted]);
    assert_eq!(inner.sent.load(Ordering::Relaxed), 2, "what was not accepted is not said again");
    assert_eq!(provider.injected(ProviderFault::AcceptedTwice), 1);
}

#[test]
fn a_fault_of_a_message_reaches_the_provider_or_not_and_is_told_as_what_it_is() {
    let none = ProviderFaults::default();
    let cases = [
        (ProviderFault::Rejected, ProviderFaults { rejected: 1.0, ..none }, 0),
        (ProviderFault::Deferred, ProviderFaults { deferred: 1.0, ..none }, 0),
        (ProviderFault::ServerError, ProviderFaults { server_error: 1.0, ..none }, 0),
        (ProviderFault::ServerErrorAccepted, ProviderFaults { server_error_accepted: 1.0, ..none }, 1),
        (ProviderFault::LostAnswer, ProviderFaults { lost_answer: 1.0, ..none }, 1),
        (ProviderFault::Malformed, ProviderFaults { malformed: 1.0, ..none }, 1),
    ];
    for (fault, faults, sent) in cases {
        let inner = Arc::new(Odd::default());
        let (provider, _) = faulty(&inner, faults);
        let outcomes = send(&provider, &[message(1)]).unwrap();
        let definite = matches!(fault, ProviderFault::Rejected | ProviderFault::Deferred);
        let told = !matches!(outcomes[..], [ProviderOutcome::Unknown { .. }]);
        assert_eq!((told, inner.sent.load(Ordering::Relaxed)), (definite, sent), "{fault:?}");
        assert_eq!(provider.injected(fault), 1, "{fault:?}");
    }
}

#[test]
fn a_call_that_fails_reaches_nobody() {
    let none = ProviderFaults::default();
    for faults in [
        ProviderFaults { unreachable: 1.0, ..none },
        ProviderFaults { unauthorized: 1.0, ..none },
        ProviderFaults { throttled: 1.0, ..none },
    ] {
        let inner = Arc::new(Odd::default());
        let (provider, _) = faulty(&inner, faults);
        let point = Monotonic::new(Duration::from_secs(1));
        let deadline = SendDeadline { start_by: point, answer_by: point };
        let answer = provider.send(&[message(1)], deadline).now_or_never().unwrap();
        assert!(answer.is_err() && inner.sent.load(Ordering::Relaxed) == 0, "{faults:?}");
    }
}

#[test]
fn what_is_late_at_the_provider_is_no_fault() {
    let inner = Arc::new(Odd::default());
    let (provider, clock) = faulty(&inner, ProviderFaults { rejected: 1.0, ..ProviderFaults::default() });
    clock.advance(Duration::from_secs(1));
    assert_eq!(send(&provider, &[message(2)]).unwrap(), [ProviderOutcome::NotStarted]);
    assert_eq!(provider.injected(ProviderFault::Rejected), 0);
}

#[test]
fn a_call_that_hangs_never_comes_back_whatever_was_sent() {
    let inner = Arc::new(Odd::default());
    let (provider, clock) = faulty(&inner, ProviderFaults { hang: 1.0, ..ProviderFaults::default() });
    let point = Monotonic::new(Duration::from_secs(1));
    let batch = [message(1)];
    let mut call = provider.send(&batch, SendDeadline { start_by: point, answer_by: point });
    assert!((&mut call).now_or_never().is_none());
    clock.advance(Duration::from_hours(1));
    assert!(call.now_or_never().is_none());
    assert_eq!(inner.sent.load(Ordering::Relaxed), 1);
}

#[derive(Debug)]
struct KnowsNothing;

#[async_trait]
impl AttemptLookup for KnowsNothing {
    fn quiet_after(&self) -> Duration {
        Duration::from_secs(7)
    }

    async fn find(&self, attempts: &[AttemptId]) -> Result<Outcomes<Finding>, ProviderError> {
        Ok(attempts.iter().map(|_| Finding::Absent).collect())
    }
}

#[test]
fn a_look_up_fails_hangs_or_cannot_say() {
    let lookup = FaultyLookup::new(Arc::new(KnowsNothing), 1);
    let attempts = [message(1).attempt];
    let found = |lookup: &FaultyLookup| {
        lookup.find(&attempts).now_or_never().map(|answer| answer.ok().map(Outcomes::into_vec))
    };
    assert_eq!(found(&lookup), Some(Some(vec![Finding::Absent])));
    let none = LookupFaults::default();
    lookup.set_faults(LookupFaults { inconclusive: 1.0, ..none });
    assert_eq!(found(&lookup), Some(Some(vec![Finding::Inconclusive])));
    lookup.set_faults(LookupFaults { unreachable: 1.0, ..none });
    assert_eq!(found(&lookup), Some(None));
    lookup.set_faults(LookupFaults { hang: 1.0, ..none });
    assert_eq!(found(&lookup), None);
    assert_eq!(lookup.injected(), InjectedLookupFaults { unreachable: 1, hangs: 1, inconclusive: 1 });
    assert_eq!(lookup.quiet_after(), Duration::from_secs(7));
}
