//! What a store answers, or does not, at a bad moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::executor::block_on;
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::attempt::{AttemptOutcome, ReturnReason};
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::incoming::{Answerable, Incoming};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::reply::ReplyKind;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, IncomingStore as _, MessageStore as _, Store, StoreError,
    UnsubscribeStore as _,
};
use reminderly_core::services::{CompiledCampaigns, IncomingMessages, Ports, Received, ServiceError};
use reminderly_core::testing::{HookedStore, StoreHooks};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};

/// A server that fails over: the first claim is committed, but nobody hears of it, and for a while nobody answers.
#[derive(Debug, Default)]
struct FailsOver(AtomicU32);

#[async_trait]
impl StoreHooks for FailsOver {
    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => {
                store.claim(company, packet, requests, terms).await?.into_vec();
                Err(StoreError::CommitUnknown { source: "the connection was lost".into() })
            }
            1 | 2 => Err(StoreError::Unavailable { source: "the server fails over".into() }),
            _ => store.claim(company, packet, requests, terms).await,
        }
    }
}

#[test]
fn a_claim_whose_answer_was_lost_in_a_failover_leaves_nothing_unknown() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let packet = world.load(company, campaign.id, &material::csv(5, "2026-03-04 14:00"));
    let store = HookedStore::new(Arc::clone(&world.ports.store), Arc::<FailsOver>::default());
    let ports = Ports { store: Arc::new(store), ..world.ports.clone() };
    world.start_worker_over(&ports);
    world.run_to_end();
    judge::everything_ended(&world, &campaign);
    let statuses: Vec<_> = world.messages(company, packet).iter().map(|record| record.state.status).collect();
    assert_eq!(statuses, [MessageStatus::Delivered; 5]);
    assert_eq!(world.sandbox.accepted().len(), 5);
    for record in world.messages(company, packet) {
        let attempts = block_on(world.store.attempts(company, packet, record.message.id)).unwrap();
        let outcomes: Vec<_> = attempts.into_iter().map(|attempt| attempt.outcome).collect();
        let too_late = AttemptOutcome::Returned { reason: ReturnReason::TooLate };
        assert_eq!(outcomes, [Some(too_late), Some(AttemptOutcome::Accepted)]);
    }
}

/// A store in which what somebody may be answering cannot be read.
#[derive(Debug)]
struct Unreadable;

#[async_trait]
impl StoreHooks for Unreadable {
    async fn answerable(
        &self,
        _store: &dyn Store,
        _company: CompanyId,
        _from: &ContactPoint,
        _at: DateTime<Utc>,
    ) -> Result<Vec<Answerable>, StoreError> {
        let (table, column) = ("messages", "person");
        Err(StoreError::Corrupt { table, column, id: "1".to_owned(), source: "no text".into() })
    }
}

#[test]
fn a_refusal_is_one_whatever_cannot_be_read() {
    let world = World::new(&Setup::default());
    let company = world.company();
    let store = Arc::new(HookedStore::new(Arc::clone(&world.ports.store), Arc::new(Unreadable)));
    let ports = Ports { store, ..world.ports.clone() };
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let service = IncomingMessages::new(&ports, &world.settings, campaigns);
    let from = ContactPoint::Sms(PhoneNumber::parse(&material::number(0), None).unwrap());
    let receive = |event: &str, text: &str| {
        let incoming = Incoming {
            provider: "sandbox-sms".into(),
            account: world.sandbox.account(company),
            event: event.into(),
            from: from.clone(),
            text: text.into(),
            at: world.now(),
        };
        block_on(service.receive(&world.worker_scope(company), &incoming))
    };
    let is_refused = || block_on(world.store.refused(company, &[from.refusal_key()])).unwrap() == [true];
    let confirmed = receive("1", "1");
    assert!(matches!(confirmed, Err(ServiceError::Store(StoreError::Corrupt { .. }))), "{confirmed:?}");
    assert!(!is_refused());
    let stopped = receive("2", "Please stop!");
    assert!(matches!(stopped, Ok(Received::Recorded(_, ReplyKind::OptOut(_)))), "{stopped:?}");
    assert!(is_refused());
    let kept = block_on(world.store.incoming(company, None, 10)).unwrap().items;
    assert!(matches!(kept.as_slice(), [record] if record.effect.needs_review), "{kept:?}");
}
