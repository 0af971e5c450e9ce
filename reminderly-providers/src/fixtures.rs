//! What the unit tests of this crate share.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use futures::future::join;
use reminderly_core::clock::{Clock, Monotonic};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, EmailAddress, PhoneNumber};
use reminderly_core::domain::content::Content;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::callback::CallbackEvent;
use reminderly_core::ports::provider::{OutboundMessage, Provider, ProviderOutcome, SendDeadline};
use reminderly_core::testing::VirtualClock;
use uuid::Uuid;

use crate::sandbox::{Sandbox, SandboxSettings};

pub(crate) struct Bench {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) sandbox: Sandbox,
}

pub(crate) fn bench(settings: SandboxSettings) -> Bench {
    let clock = Arc::new(VirtualClock::new(start()));
    let shared: Arc<dyn Clock> = Arc::<VirtualClock>::clone(&clock);
    Bench { sandbox: Sandbox::new(shared, settings), clock }
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

pub(crate) fn company(number: u64) -> CompanyId {
    id(0xc0, number).into()
}

pub(crate) fn id(kind: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(0x019a_0000_0000_7000 | kind << 16, 0x8000_0000_0000_0000 | number)
}

pub(crate) fn sms(number: &str) -> ContactPoint {
    ContactPoint::Sms(PhoneNumber::parse_stored(number).unwrap())
}

pub(crate) fn email(address: &str) -> ContactPoint {
    ContactPoint::Email(EmailAddress::parse(address).unwrap())
}

/// Attempt and message `number` for company 1.
pub(crate) fn message(number: u64, contact: ContactPoint) -> OutboundMessage {
    OutboundMessage {
        attempt: id(0xa0, number).into(),
        message: id(0xb0, number).into(),
        company: company(1),
        contact,
        content: Content::Sms { text: "See you at 3".into(), segments: 1 },
        expires_at: start() + TimeDelta::hours(8),
    }
}

pub(crate) fn deadline(now: Monotonic) -> SendDeadline {
    SendDeadline { start_by: now.plus(Duration::from_secs(1)), answer_by: now.plus(Duration::from_secs(10)) }
}

impl Bench {
    pub(crate) fn send(&self, messages: &[OutboundMessage]) -> Vec<ProviderOutcome> {
        let method = messages.first().map_or(ContactMethod::Sms, |message| message.contact.method());
        self.send_by(&*self.sandbox.provider(method), messages)
    }

    /// Sends; the clock moves on to whatever the call waits for.
    pub(crate) fn send_by(
        &self,
        provider: &dyn Provider,
        messages: &[OutboundMessage],
    ) -> Vec<ProviderOutcome> {
        let call = provider.send(messages, deadline(self.clock.monotonic()));
        let time = async {
            if let Some(wake) = self.clock.next_wake() {
                self.clock.advance_to(wake);
            }
        };
        block_on(join(call, time)).0.unwrap().into_vec()
    }

    /// Every event to come with the time at which it comes, through signature and decoder.
    pub(crate) fn drain(&self) -> Vec<(DateTime<Utc>, CallbackEvent)> {
        let mut events = Vec::new();
        while let Some(at) = self.sandbox.next_callback_at() {
            self.clock.advance_to(at);
            for callback in self.sandbox.take_callbacks(self.clock.now()) {
                let decoded = self.sandbox.decoder().decode(&callback.request, self.clock.now()).unwrap();
                events.extend(decoded.into_iter().map(|event| (at, event)));
            }
        }
        events
    }
}
