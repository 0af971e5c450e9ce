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
use crate::ports::provider::{
    OutboundMessage, Provider, ProviderError, ProviderLimits, ProviderOutcome, SendDeadline,
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

#[test]
fn lost_answers_are_unknown_and_what_was_not_started_stays_so() {
    let inner = Arc::new(Odd::default());
    let shared: Arc<dyn Provider> = Arc::<Odd>::clone(&inner);
    let provider = LostAnswerProvider::new(shared, 1_000, 1);
    let lost = ProviderOutcome::Unknown { code: "connection_reset".to_owned() };
    assert_eq!(send(&provider, &[message(1), message(2)]).unwrap(), [lost, ProviderOutcome::NotStarted]);
    assert_eq!((provider.lost(), inner.sent.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(provider.limits(), inner.limits());
}

#[test]
fn without_a_chance_nothing_is_lost_and_nothing_panics() {
    let lossless = LostAnswerProvider::new(Arc::new(Odd::default()), 0, 1);
    let calm = PanickingProvider::with_chance(Arc::new(lossless), PanicPoint::AfterCall, 0, 1);
    for _ in 0..1_000 {
        assert_eq!(send(&calm, &[message(1)]).unwrap(), [ProviderOutcome::Accepted { reference: None }]);
    }
}
