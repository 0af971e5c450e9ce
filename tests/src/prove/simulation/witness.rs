//! Who stands at the store and writes down what was acknowledged, and when: the instants from which a promise holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::appointment_change::AppointmentChange;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::incoming::IncomingRecord;
use reminderly_core::domain::message::{Origin, PlannedMessage};
use reminderly_core::domain::packet::Draining;
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange};
use reminderly_core::ids::{AttemptId, CampaignId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::{
    CampaignChange, ClaimOutcome, ClaimRequest, ClaimTerms, DispositionOutcome, IncomingOutcome,
    LocatedDisposition, PlanBatch, PlanOutcome, SettleOutcome, SettleVerdict, Settlement, Store, StoreError,
    VanishOutcome, Vanishing, WriteOutcome,
};
use reminderly_core::testing::{StoreHooks, VirtualClock};

/// Somebody refused contact, or permitted it again.
#[derive(Debug, Clone)]
pub(super) struct Unsubscribed {
    pub(super) company: CompanyId,
    pub(super) key: RefusalKey,
    pub(super) change: UnsubscribeChange,
    /// From when it may count: when it was said, by whatever clock, or the store was asked.
    pub(super) since: DateTime<Utc>,
    /// From when it counts.
    pub(super) at: DateTime<Utc>,
}

/// A row speaks for an appointment from now on.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) packet: PacketId,
    pub(super) campaign: CampaignId,
    pub(super) key: String,
    pub(super) local: NaiveDateTime,
    pub(super) change: AppointmentChange,
    pub(super) at: DateTime<Utc>,
}

/// What is known of a message from its making.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) packet: PacketId,
    pub(super) origin: Origin,
    pub(super) below: Option<MessageId>,
    pub(super) contact: Option<ContactPoint>,
}

/// A person answered a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) message: MessageId,
    /// The message about the appointment alone, if the answered one is a household's.
    pub(super) about: MessageId,
    pub(super) kind: ResponseKind,
    pub(super) at: DateTime<Utc>,
}

/// A claim, by the true time, and when something was first recorded about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClaimSeen {
    pub(super) message: MessageId,
    pub(super) attempt: AttemptId,
    pub(super) at: DateTime<Utc>,
    pub(super) settled_at: Option<DateTime<Utc>>,
}

/// All that a later packet does not name has vanished from an earlier one.
#[derive(Debug, Clone, Copy)]
pub(super) struct AllVanished {
    pub(super) missing_in: PacketId,
    pub(super) earlier: PacketId,
    pub(super) at: DateTime<Utc>,
}

/// What was acknowledged.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) unsubscribes: Vec<Unsubscribed>,
    pub(super) states: Vec<(CampaignId, CampaignState, DateTime<Utc>)>,
    pub(super) cancelled: Vec<(PacketId, DateTime<Utc>)>,
    pub(super) planned: Vec<Planned>,
    pub(super) changes: BTreeMap<&'static str, u64>,
    pub(super) made: BTreeMap<MessageId, Made>,
    pub(super) replies: BTreeMap<MessageId, DateTime<Utc>>,
    pub(super) answers: Vec<Answered>,
    pub(super) claims: BTreeMap<(MessageId, u32), ClaimSeen>,
    pub(super) vanished: Vec<AllVanished>,
    /// When the store was brought back to what it was, and what had been acknowledged until then.
    pub(super) before_restore: Option<(DateTime<Utc>, Box<Seen>)>,
}

impl Seen {
    /// What a request at this instant is judged by.
    pub(super) fn valid_at(&self, at: DateTime<Utc>) -> &Self {
        match &self.before_restore {
            Some((restored_at, before)) if at <= *restored_at => before,
            _ => self,
        }
    }

    /// The refusals that hold at an instant, or may still hold: nobody has permitted contact since they were said. Clocks of those
    /// who say so may be `apart`.
    pub(super) fn refusals_at(
        &self,
        instant: DateTime<Utc>,
        apart: TimeDelta,
    ) -> impl Iterator<Item = &Unsubscribed> {
        let all = || self.unsubscribes.iter().enumerate();
        let restored_at = self.before_restore.as_ref().map(|(at, _)| *at);
        let is_lifted = move |(position, refusal): (usize, &Unsubscribed)| {
            all().any(|(other_position, other)| {
                let is_permission = other.change == UnsubscribeChange::OptedIn;
                let is_of_it = (other.company, &other.key) == (refusal.company, &refusal.key);
                // What is said again after a restore is said in its order, and at one instant.
                let is_before =
                    other.at == refusal.at && Some(other.at) == restored_at && other_position < position;
                let is_since = other.at + apart >= refusal.since && !is_before;
                is_permission && is_of_it && is_since && other.since <= instant
            })
        };
        let refusals = all().filter(|(_, said)| said.change == UnsubscribeChange::OptedOut);
        refusals.filter(move |refusal| !is_lifted(*refusal)).map(|(_, refusal)| refusal)
    }

    fn make(&mut self, packet: PacketId, messages: &[PlannedMessage]) {
        for PlannedMessage { message, .. } in messages {
            let (origin, below) = (message.origin.clone(), message.ladder.map(|place| place.below));
            self.made.insert(message.id, Made { packet, origin, below, contact: message.contact.clone() });
        }
    }

    /// The store was brought back to what it was: what was acknowledged since holds no more from `now` on, but for what the host
    /// says again before anything starts.
    fn forget_since(&mut self, backup: DateTime<Utc>, now: DateTime<Utc>) {
        self.before_restore = Some((now, Box::new(self.clone())));
        self.planned.retain(|planned| planned.at <= backup);
        self.answers.retain(|answered| answered.at <= backup);
        self.claims.retain(|_, claim| claim.at <= backup);
        self.vanished.retain(|vanished| vanished.at <= backup);
    }
}

/// Writes down what was acknowledged.
#[derive(Debug)]
pub(super) struct Witness {
    clock: Arc<VirtualClock>,
    seen: Mutex<Seen>,
}

impl Witness {
    pub(super) fn new(clock: Arc<VirtualClock>) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    pub(super) fn forget_since(&self, backup: DateTime<Utc>) {
        let now = self.clock.now();
        self.lock().forget_since(backup, now);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_unsubscribed(&self, company: CompanyId, events: &[Unsubscribe], asked_at: DateTime<Utc>) {
        let at = self.clock.now();
        let noted = events.iter().map(|event| {
            let (key, change, since) = (event.key.clone(), event.change, asked_at.min(event.at));
            Unsubscribed { company, key, change, since, at }
        });
        self.lock().unsubscribes.extend(noted);
    }

    fn note_planned(&self, campaign: CampaignId, packet: PacketId, batch: &PlanBatch) {
        let at = self.clock.now();
        let mut seen = self.lock();
        for planned in &batch.appointments {
            *seen.changes.entry(planned.change.as_str()).or_default() += 1;
            let speaks = planned.change == AppointmentChange::New || planned.change.replaces().is_some();
            if speaks {
                let (key, local) = (planned.key.as_str().to_owned(), planned.appointment.local);
                seen.planned.push(Planned { packet, campaign, key, local, change: planned.change, at });
            }
        }
        seen.make(packet, &batch.messages);
    }
}

#[async_trait]
impl StoreHooks for Witness {
    async fn plan(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        let outcome = store.plan(company, packet, batch.clone()).await?;
        if matches!(outcome, PlanOutcome::Stored { .. })
            && let Some(found) = store.packet(company, packet).await?
        {
            self.note_planned(found.campaign, packet, &batch);
        }
        Ok(outcome)
    }

    async fn plan_households(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        messages: Vec<PlannedMessage>,
        at: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        // Whatever comes of it: an id is of one message only.
        self.lock().make(packet, &messages);
        store.plan_households(company, packet, messages, at).await
    }

    async fn claim(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        requests: &[ClaimRequest],
        terms: &ClaimTerms,
    ) -> Result<Outcomes<ClaimOutcome>, StoreError> {
        let at = self.clock.now();
        let outcomes = store.claim(company, packet, requests, terms).await?;
        let mut seen = self.lock();
        for outcome in &outcomes {
            if let ClaimOutcome::Claimed(claim) = outcome {
                let (message, attempt) = (claim.message, claim.attempt);
                let fresh = ClaimSeen { message, attempt, at, settled_at: None };
                seen.claims.entry((message, claim.epoch)).or_insert(fresh);
            }
        }
        drop(seen);
        Ok(outcomes)
    }

    async fn settle(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        settlements: &[Settlement],
    ) -> Result<Outcomes<SettleOutcome>, StoreError> {
        let since = self.clock.now();
        let outcomes = store.settle(company, packet, settlements).await?;
        let now = self.clock.now();
        let mut seen = self.lock();
        for (settlement, outcome) in settlements.iter().zip(&outcomes) {
            if let Some(claim) = seen.claims.get_mut(&(settlement.message, settlement.epoch)) {
                claim.settled_at.get_or_insert(now);
            }
            let was_reaped = matches!(settlement.verdict, SettleVerdict::Reaped)
                && matches!(outcome, SettleOutcome::Applied(_));
            *seen.changes.entry("claim reaped").or_default() += u64::from(was_reaped);
            let opted_out = matches!(settlement.verdict, SettleVerdict::OptedOut { .. })
                && matches!(outcome, SettleOutcome::Applied(_) | SettleOutcome::Stale(_));
            let contact = seen.made.get(&settlement.message).and_then(|made| made.contact.clone());
            if let Some(contact) = contact.filter(|_| opted_out) {
                let (key, change) = (contact.refusal_key(), UnsubscribeChange::OptedOut);
                seen.unsubscribes.push(Unsubscribed { company, key, change, since, at: now });
                *seen.changes.entry("opted out at the provider").or_default() += 1;
            }
        }
        drop(seen);
        Ok(outcomes)
    }

    async fn record_dispositions(
        &self,
        store: &dyn Store,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        let outcomes = store.record_dispositions(company, dispositions, at).await?;
        let now = self.clock.now();
        let mut seen = self.lock();
        for located in dispositions {
            let told = |claim: &&mut ClaimSeen| claim.attempt == located.disposition.attempt;
            if let Some(claim) = seen.claims.values_mut().find(told) {
                claim.settled_at.get_or_insert(now);
            }
        }
        drop(seen);
        Ok(outcomes)
    }

    async fn record_incoming(
        &self,
        store: &dyn Store,
        company: CompanyId,
        record: IncomingRecord,
    ) -> Result<IncomingOutcome, StoreError> {
        let asked_at = self.clock.now();
        let outcome = store.record_incoming(company, record.clone()).await?;
        if outcome == IncomingOutcome::Recorded {
            self.note_unsubscribed(company, &record.effect.unsubscribes, asked_at);
            let at = self.clock.now();
            let mut seen = self.lock();
            for tied in &record.effect.responses {
                let (message, kind) = (tied.message, tied.response.kind);
                seen.answers.push(Answered { message, about: tied.member.unwrap_or(message), kind, at });
            }
            if let Some(follow_up) = &record.effect.follow_up {
                seen.replies.insert(follow_up.message.id, record.incoming.at);
            }
        }
        Ok(outcome)
    }

    async fn record_unsubscribes(
        &self,
        store: &dyn Store,
        company: CompanyId,
        events: &[Unsubscribe],
        now: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        let asked_at = self.clock.now();
        let outcomes = store.record_unsubscribes(company, events, now).await?;
        self.note_unsubscribed(company, events, asked_at);
        Ok(outcomes)
    }

    async fn change_campaign_state(
        &self,
        store: &dyn Store,
        company: CompanyId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
    ) -> Result<CampaignChange, StoreError> {
        // It may take effect any time from here: a pause is acknowledged at the end, but a resumption counts from the beginning.
        let before = self.clock.now();
        let change = store.change_campaign_state(company, id, from, to).await?;
        if matches!(change, CampaignChange::Changed(_)) {
            let at = if to == CampaignState::Active { before } else { self.clock.now() };
            self.lock().states.push((id, to, at));
        }
        Ok(change)
    }

    async fn cancel_vanished(
        &self,
        store: &dyn Store,
        company: CompanyId,
        vanishing: Vanishing,
    ) -> Result<VanishOutcome, StoreError> {
        let outcome = store.cancel_vanished(company, vanishing).await?;
        if let VanishOutcome::Page { cancelled, .. } = outcome {
            *self.lock().changes.entry("vanished").or_default() += cancelled;
        }
        if matches!(outcome, VanishOutcome::Page { next: None, .. }) {
            let Vanishing { missing_in, earlier, .. } = vanishing;
            let at = self.clock.now();
            self.lock().vanished.push(AllVanished { missing_in, earlier, at });
        }
        Ok(outcome)
    }

    async fn set_draining(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        drain: Draining,
    ) -> Result<WriteOutcome, StoreError> {
        let outcome = store.set_draining(company, packet, drain).await?;
        if (drain, outcome) == (Draining::Cancelling, WriteOutcome::Applied) {
            let at = self.clock.now();
            self.lock().cancelled.push((packet, at));
        }
        Ok(outcome)
    }
}
