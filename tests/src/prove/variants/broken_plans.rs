//! Stores that forget a part of what is planned.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Outcomes;
use reminderly_core::domain::appointment_change::AppointmentChange;
use reminderly_core::domain::caps::Caps;
use reminderly_core::domain::message::PlannedMessage;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{PlanBatch, PlanOutcome, Store, StoreError, WriteOutcome};
use reminderly_core::testing::StoreHooks;

/// The next file speaks for no appointment.
#[derive(Debug)]
pub(super) struct NoLedger;

#[async_trait]
impl StoreHooks for NoLedger {
    async fn plan(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        let batch = PlanBatch { appointments: Vec::new(), expected: Vec::new(), ..batch };
        store.plan(company, packet, batch).await
    }
}

/// What was moved is known, and nobody is told.
#[derive(Debug)]
pub(super) struct MovesAreDropped;

#[async_trait]
impl StoreHooks for MovesAreDropped {
    async fn plan(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        mut batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        let is_move = |change: &AppointmentChange| matches!(change, AppointmentChange::Moved(_));
        let moved = batch.appointments.iter().filter(|planned| is_move(&planned.change));
        let moved: BTreeSet<_> = moved.map(|planned| planned.key.clone()).collect();
        batch.messages.retain(|planned| !moved.contains(&planned.message.key));
        store.plan(company, packet, batch).await
    }
}

/// Nobody counts how often a person is contacted.
#[derive(Debug)]
pub(super) struct NoCaps;

#[async_trait]
impl StoreHooks for NoCaps {
    async fn plan(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        batch: PlanBatch,
    ) -> Result<PlanOutcome, StoreError> {
        store.plan(company, packet, PlanBatch { caps: Caps::default(), ..batch }).await
    }
}

/// Says that one message stands for several.
#[derive(Debug)]
pub(super) struct HouseholdsAreForgotten;

#[async_trait]
impl StoreHooks for HouseholdsAreForgotten {
    async fn plan_households(
        &self,
        _: &dyn Store,
        _: CompanyId,
        _: PacketId,
        messages: Vec<PlannedMessage>,
        _: DateTime<Utc>,
    ) -> Result<Outcomes<WriteOutcome>, StoreError> {
        Ok(messages.iter().map(|_| WriteOutcome::Applied).collect())
    }
}
