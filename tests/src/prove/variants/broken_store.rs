//! Stores that break one rule of their ports each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::batch::{Outcomes, Page};
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::attempt::ReturnReason;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::incoming::IncomingRecord;
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};
use reminderly_core::domain::packet::{Packet, PacketOrigin};
use reminderly_core::domain::restore::RestoreEpoch;
use reminderly_core::domain::unsubscribe::Unsubscribe;
use reminderly_core::ids::{CampaignId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed, DispositionOutcome, HandOver, HandedOver,
    IncomingOutcome, LocatedDisposition, NewPacket, PacketCreation, Raised, RowBatch, SettleOutcome,
    SettleVerdict, Settlement, Snooze, SnoozeUntil, Store, StoreError, WriteOutcome,
};
use reminderly_core::testing::{HookedStore, StoreHooks, VirtualClock};

use crate::prove::simulation::Breakage;

type MakeHooks = fn(&Arc<VirtualClock>) -> Box<dyn StoreHooks>;

/// A breakage by hooks that are made anew for every schedule.
pub(super) fn behind(make: MakeHooks) -> Box<dyn Breakage> {
    Box::new(Behind(make))
}

struct Behind(MakeHooks);

impl fmt::Debug for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behind").finish_non_exhaustive()
    }
}

impl Breakage for Behind {
    fn store(&self, store: Arc<dyn Store>, clock: &Arc<VirtualClock>) -> Arc<dyn Store> {
        Arc::new(HookedStore::new(store, Arc::from((self.0)(clock))))
    }
}

/// Whoever settles, settles the latest attempt.
#[derive(Debug)]
pub(super) struct AnyEpoch;

#[async_trait]
impl StoreHooks for AnyEpoch {
    async fn settle(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        let mut latest = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            let attempts = store.attempts(company, packet, settlement.message).await?;
            let epoch = attempts.last().map_or(settlement.epoch, |attempt| attempt.epoch);
            latest.push(Settlement { epoch, ..settlement.clone() });
        }
        store.settle(company, packet, &latest).await
    }
}

/// Who asks for a message that somebody has claimed gets it, too.
#[derive(Debug)]
pub(super) struct ClaimsAreShared;

#[async_trait]
impl StoreHooks for ClaimsAreShared {
    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        let mut outcomes = store.claim(company, packet, requests, terms).await?.into_vec();
        for (request, outcome) in requests.iter().zip(&mut outcomes) {
            if !matches!(outcome, ClaimOutcome::Refused(ClaimRefusal::NotQueued(MessageStatus::Sending))) {
                continue;
            }
            if let Some(shared) = shared(store, company, packet, *request).await? {
                *outcome = ClaimOutcome::Claimed(Box::new(shared));
            }
        }
        Ok(outcomes.into())
    }
}

async fn shared(
    store: &dyn Store,
    company: CompanyId,
    packet: PacketId,
    request: ClaimRequest,
) -> Result<Option<Claimed>, StoreError> {
    let Some(record) = store.message(company, packet, request.message).await? else { return Ok(None) };
    let (message, state) = (record.message, record.state);
    let (Some(contact), Some(content), Some(legal_until)) =
        (message.contact, message.content, state.legal_until)
    else {
        return Ok(None);
    };
    Ok(Some(Claimed {
        message: request.message,
        attempt: request.attempt,
        epoch: state.epoch,
        attempts: state.attempts,
        contact,
        content,
        legal_until,
        appointment: message.appointment,
        contact_zone: message.contact_zone,
    }))
}

/// What is recorded later, and when it was acknowledged.
type Held = (DateTime<Utc>, CompanyId, Vec<Unsubscribe>);

/// The claim goes by what was known half a minute ago.
#[derive(Debug)]
pub(super) struct GuardsOfLongAgo {
    clock: Arc<VirtualClock>,
    unsubscribes: Mutex<Vec<Held>>,
}

impl GuardsOfLongAgo {
    pub(super) fn new(clock: &Arc<VirtualClock>) -> Self {
        Self { clock: Arc::clone(clock), unsubscribes: Mutex::default() }
    }

    fn due(&self) -> Vec<Held> {
        let long_ago = self.clock.now() - TimeDelta::seconds(30);
        let mut waiting = lock(&self.unsubscribes);
        let (due, later) = std::mem::take(&mut *waiting).into_iter().partition(|(at, ..)| *at <= long_ago);
        *waiting = later;
        due
    }
}

#[async_trait]
impl StoreHooks for GuardsOfLongAgo {
    async fn record_unsubscribes(
        &self,
        _: &dyn Store,
        company: CompanyId,
        events: &[Unsubscribe],
        _now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        lock(&self.unsubscribes).push((self.clock.now(), company, events.to_vec()));
        Ok(events.iter().map(|_| WriteOutcome::Applied).collect())
    }

    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        for (_, company, events) in self.due() {
            store.record_unsubscribes(company, &events, self.clock.now()).await?.into_vec();
        }
        store.claim(company, packet, requests, terms).await
    }
}

/// Says that refusals are recorded.
#[derive(Debug)]
pub(super) struct RefusalsAreForgotten;

#[async_trait]
impl StoreHooks for RefusalsAreForgotten {
    async fn record_unsubscribes(
        &self,
        _: &dyn Store,
        _: CompanyId,
        events: &[Unsubscribe],
        _now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        Ok(events.iter().map(|_| WriteOutcome::Applied).collect())
    }

    async fn record_incoming(
        &self,
        store: &dyn Store,
        company: CompanyId,
        mut record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        record.effect.unsubscribes.clear();
        store.record_incoming(company, record).await
    }
}

/// Claims at any hour.
#[derive(Debug)]
pub(super) struct HoursAreIgnored;

#[async_trait]
impl StoreHooks for HoursAreIgnored {
    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        let until =
            SnoozeUntil::Planned { not_before: terms.now, legal_until: terms.now + TimeDelta::hours(1) };
        let open = |request: &ClaimRequest| Snooze {
            message: request.message,
            until,
            reason: "at any hour".into(),
            at: terms.now,
        };
        let snoozes: Vec<Snooze> = requests.iter().map(open).collect();
        store.snooze(company, packet, &snoozes).await?.into_vec();
        store.claim(company, packet, requests, terms).await
    }
}

/// What nobody has settled is queued again, without a look at whether it was accepted.
#[derive(Debug)]
pub(super) struct OverdueIsQueued;

#[async_trait]
impl StoreHooks for OverdueIsQueued {
    async fn settle(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        let queue = |settlement: &Settlement| match settlement.verdict {
            SettleVerdict::Reaped => {
                let (reason, not_before) = (ReturnReason::Interrupted, settlement.at);
                Settlement { verdict: SettleVerdict::Returned { reason, not_before }, ..settlement.clone() }
            }
            _ => settlement.clone(),
        };
        let settlements: Vec<Settlement> = settlements.iter().map(queue).collect();
        store.settle(company, packet, &settlements).await
    }
}

/// A copy is never presumed lost.
#[derive(Debug)]
pub(super) struct CopiesLiveForEver;

#[async_trait]
impl StoreHooks for CopiesLiveForEver {
    async fn hand_over(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        terms: HandOver,
    ) -> Result<HandedOver, StoreError> {
        let copy_until = terms.now + TimeDelta::days(365);
        store.hand_over(company, packet, HandOver { copy_until, ..terms }).await
    }
}

/// A message is what its last report says.
#[derive(Debug, Default)]
pub(super) struct LastReportWins(Mutex<HashMap<MessageId, MessageStatus>>);

#[async_trait]
impl StoreHooks for LastReportWins {
    async fn record_dispositions(
        &self,
        store: &dyn Store,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        for located in dispositions {
            let status = match located.disposition.report.event() {
                MessageEvent::Delivered => MessageStatus::Delivered,
                MessageEvent::Undelivered => MessageStatus::Undelivered,
                _ => MessageStatus::Sent,
            };
            lock(&self.0).insert(located.message, status);
        }
        store.record_dispositions(company, dispositions, at).await
    }

    async fn messages(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<MessageRecord, u64>, StoreError> {
        let mut page = store.messages(company, packet, after, limit).await?;
        for record in &mut page.items {
            if let Some(status) = lock(&self.0).get(&record.message.id) {
                record.state.status = *status;
            }
        }
        Ok(page)
    }
}

/// Every call is another one.
#[derive(Debug)]
pub(super) struct CallsWithoutKey;

#[async_trait]
impl StoreHooks for CallsWithoutKey {
    async fn packet_of_call(
        &self,
        _: &dyn Store,
        _: CompanyId,
        _: CampaignId,
        _: &CallKey,
    ) -> Result<Option<Packet>, StoreError> {
        Ok(None)
    }

    async fn create_loaded_packet(
        &self,
        store: &dyn Store,
        company: CompanyId,
        mut packet: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        if let PacketOrigin::OnDemand { key, .. } = &mut packet.origin {
            *key = CallKey::new(&format!("{}-{}", key.as_str(), packet.id)).expect("a key");
        }
        store.create_loaded_packet(company, packet, rows).await
    }
}

/// Says that packets are fenced.
#[derive(Debug)]
pub(super) struct NoFence;

#[async_trait]
impl StoreHooks for NoFence {
    async fn raise_restore_epoch_across_companies(
        &self,
        store: &dyn Store,
        _: RestoreEpoch,
        _: DateTime<Utc>,
    ) -> Result<Raised, StoreError> {
        Ok(Raised::Raised(store.restore_across_companies().await?))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
