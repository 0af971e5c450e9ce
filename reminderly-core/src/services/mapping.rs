//! Mapping: from stored rows to planned messages.

mod changes;
mod counted;
mod households;
mod row_messages;
mod slots;
mod vanished;

use std::collections::HashSet;
use std::sync::Arc;

use tracing::{Instrument as _, info_span};

use crate::domain::access::{Action, CompanyScope};
use crate::domain::answers::AnswersModel;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::campaign::definition::{AnswersUse, Vanished};
use crate::domain::mapping::{CompiledCampaign, MappedRow};
use crate::domain::packet::{Draining, Packet, PacketFailure, PacketStage};
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::domain::unsubscribe::RefusalKey;
use crate::give_way::give_way;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{PlanBatch, PlanOutcome, StageChange, WriteOutcome};
use crate::services::compiled::CompiledCampaigns;
use crate::services::{Answers, Ports, ServiceError, Settings};

use changes::{Changes, RowChange};
use counted::Counted;
use row_messages::RowMessages;
pub(super) use row_messages::cut_to_lateness;

/// How often a batch is decided anew. Each time others have got on; more often is no accident.
const OVERTAKEN_MAX: usize = 100;

/// How far mapping a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapProgress {
    /// The last row that was mapped.
    pub through: RowNumber,
    /// How many good rows the packet has.
    pub loaded: u64,
}

/// Maps rows, plans their messages and renders their texts.
#[derive(Debug, Clone)]
pub struct Mapping {
    ports: Ports,
    rows_per_batch: usize,
    campaigns: Arc<CompiledCampaigns>,
    answers: Answers,
}

impl Mapping {
    /// The service over these ports.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        let answers = Answers::new(ports);
        Self { ports: ports.clone(), rows_per_batch: settings.rows_per_batch, campaigns, answers }
    }

    /// Maps every row of a loaded packet, batch by batch, and makes the packet `mapped`. Goes on after the last stored batch
    /// when it was interrupted. A packet that is not `loaded` is left as it is.
    ///
    /// A row that cannot be mapped goes to the rejected rows with its column and code; its neighbours are unharmed.
    ///
    /// # Errors
    ///
    /// [`ServiceError::UnusableFile`] if a column that the campaign needs is missing: the packet is failed and can be resumed
    /// after a correction. [`ServiceError::WrongState`] if somebody else maps it too; [`ServiceError::NotFound`],
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn map(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        progress: &mut (dyn FnMut(MapProgress) + Send),
    ) -> Result<Packet, ServiceError> {
        let company = scope.require(Action::Operate)?;
        let span = info_span!("packet.map", company.id = %company, packet.id = %packet);
        self.map_all(company, packet, progress).instrument(span).await
    }

    async fn map_all(
        &self,
        company: CompanyId,
        id: PacketId,
        progress: &mut (dyn FnMut(MapProgress) + Send),
    ) -> Result<Packet, ServiceError> {
        let packet = self.packet(company, id).await?;
        if packet.stage != PacketStage::Loaded || packet.draining != Draining::Off {
            return Ok(packet);
        }
        let campaign = self.campaigns.of(&packet).await?;
        if let Err(missing) = campaign.mapper_of(&packet) {
            return Err(self.fail(&packet, missing.to_string()).await?);
        }
        let answers = match campaign.definition().methods.answers_model {
            AnswersUse::Off => None,
            AnswersUse::FirstMethod | AnswersUse::Order => Some(self.answers.model(company).await?),
        };
        let recipe = Recipe { packet: &packet, campaign: &campaign, answers: answers.as_deref() };
        let mut after = packet.mapped_through;
        loop {
            let page = self.ports.store.rows(company, id, after, self.rows_per_batch).await?;
            let Some(through) = page.items.last().map(|row| row.number) else { break };
            self.plan_rows(&recipe, &page.items, after, through).await?;
            after = through;
            // A large packet must not hold up the other loops of the task, whatever the adapters.
            give_way().await;
            progress(MapProgress { through, loaded: packet.rows.loaded });
        }
        self.cancel_overtaken(&packet).await?;
        self.cancel_vanished(&packet, &campaign).await?;
        // What has vanished or is superseded is named no more, and has given its slots up.
        self.plan_households(&packet, &campaign).await?;
        self.take_slots(&packet, &campaign).await?;
        let change = StageChange {
            packet: id,
            from: PacketStage::Loaded,
            to: PacketStage::Mapped,
            failure: None,
            at: self.ports.clock.now(),
        };
        match self.ports.store.change_stage(company, change).await? {
            WriteOutcome::Applied => self.packet(company, id).await,
            WriteOutcome::Stale => Err(stale()),
        }
    }

    /// Plans rows, again if an appointment of theirs has changed hands meanwhile.
    async fn plan_rows(
        &self,
        recipe: &Recipe<'_>,
        rows: &[Row],
        after: RowNumber,
        through: RowNumber,
    ) -> Result<(), ServiceError> {
        for _ in 0..OVERTAKEN_MAX {
            let batch = self.plan_batch(recipe, rows, after, through).await?;
            let counted = Counted::of(&batch);
            match self.ports.store.plan(recipe.packet.company, recipe.packet.id, batch).await? {
                PlanOutcome::Stored { .. } => {
                    counted.count();
                    return Ok(());
                }
                PlanOutcome::Stale => return Err(stale()),
                PlanOutcome::Overtaken => give_way().await,
            }
        }
        Err(stale())
    }

    async fn plan_batch(
        &self,
        recipe: &Recipe<'_>,
        rows: &[Row],
        after: RowNumber,
        through: RowNumber,
    ) -> Result<PlanBatch, ServiceError> {
        let Recipe { packet, campaign, answers } = *recipe;
        let at = self.ports.clock.now();
        let mut failed = Vec::new();
        let mut named = Vec::new();
        let good = map_rows(packet, campaign, rows, &mut failed, &mut named);
        let Changes { rows: changes, expected } = self.changes(packet, campaign.definition(), &good).await?;
        let refused = self.refused(packet.company, &good, &changes).await?;
        let restore = self.ports.store.restore_across_companies().await?;
        let mut messages = Vec::with_capacity(good.len() * campaign.definition().schedule.send.len());
        let mut appointments = Vec::with_capacity(good.len());
        for (row, change) in good.iter().zip(changes) {
            let (refused, restore, ids) = (&refused, &restore, &*self.ports.ids);
            let change_of_row = change.as_ref();
            let plan = RowMessages {
                packet,
                campaign,
                row,
                change: change_of_row,
                refused,
                restore,
                answers,
                now: at,
                ids,
            };
            match plan.make(&mut messages) {
                Ok(()) => appointments.extend(change.map(|change| change.planned)),
                Err(fault) => {
                    named.push(row.key.clone());
                    failed.push(RejectedRow::from(fault));
                }
            }
        }
        failed.sort_by_key(|row| row.row);
        // Where nothing vanishes, nothing needs to be named.
        if campaign.definition().mapping.vanished != Vanished::Cancel {
            named.clear();
        }
        let caps = campaign.definition().limits.caps;
        Ok(PlanBatch { after, through, messages, appointments, expected, failed, named, caps, at })
    }

    /// The refusals that stand against the people of these rows: one question for the whole batch.
    async fn refused(
        &self,
        company: CompanyId,
        rows: &[MappedRow],
        changes: &[Option<RowChange>],
    ) -> Result<HashSet<RefusalKey>, ServiceError> {
        let mut keys: Vec<RefusalKey> = rows.iter().flat_map(row_messages::refusal_keys).collect();
        for (row, change) in rows.iter().zip(changes) {
            let told = change.iter().flat_map(|change| &change.told);
            keys.extend(told.flat_map(|told| row_messages::keys_of_row(row, &told.contact)));
        }
        keys.sort_unstable();
        keys.dedup();
        let standing = self.ports.store.refused(company, &keys).await?;
        Ok(keys.into_iter().zip(standing).filter_map(|(key, refused)| refused.then_some(key)).collect())
    }

    async fn fail(&self, packet: &Packet, reason: String) -> Result<ServiceError, ServiceError> {
        let change = StageChange {
            packet: packet.id,
            from: packet.stage,
            to: PacketStage::Failed,
            failure: Some(PacketFailure { stage: packet.stage, reason: reason.clone() }),
            at: self.ports.clock.now(),
        };
        match self.ports.store.change_stage(packet.company, change).await? {
            WriteOutcome::Applied => Ok(ServiceError::UnusableFile { reason }),
            WriteOutcome::Stale => Ok(stale()),
        }
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Packet, ServiceError> {
        self.ports.store.packet(company, id).await?.ok_or(ServiceError::NotFound { what: "packet" })
    }
}

/// What the messages of a packet are made by.
#[derive(Clone, Copy)]
struct Recipe<'a> {
    packet: &'a Packet,
    campaign: &'a CompiledCampaign,
    /// `None` if the campaign does not use it.
    answers: Option<&'a AnswersModel>,
}

/// Maps rows, out of the way of any await: a mapper lives for one batch.
fn map_rows(
    packet: &Packet,
    campaign: &CompiledCampaign,
    rows: &[Row],
    failed: &mut Vec<RejectedRow>,
    named: &mut Vec<AppointmentKey>,
) -> Vec<MappedRow> {
    let Ok(mapper) = campaign.mapper_of(packet) else { return Vec::new() };
    let mut good = Vec::with_capacity(rows.len());
    for row in rows {
        match mapper.map(row) {
            Ok(row) => good.push(row),
            Err(fault) => {
                failed.push(fault);
                named.extend(mapper.key(row));
            }
        }
    }
    good
}

fn stale() -> ServiceError {
    ServiceError::WrongState {
        what: "packet",
        state: "in other hands",
        hint: "another worker maps it, or it was cancelled; nothing is lost",
    }
}
