use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use super::company_data::{CampaignData, PacketNaturalKey};
use super::data::Data;
use super::packet_data::PacketData;
use crate::batch::Page;
use crate::domain::call::CallKey;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::file_arrival::FileArrival;
use crate::domain::packet::{Draining, IngestProgress, Packet, PacketOrigin, PacketStage, RowCounts};
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::domain::vanished::VanishedAppointments;
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::store::{
    NewPacket, PacketCreation, PacketStore, RowBatch, StageChange, StoreError, WriteOutcome,
};

#[async_trait]
impl PacketStore for MemoryStore {
    async fn create_packet(&self, company: CompanyId, new: NewPacket) -> Result<PacketCreation, StoreError> {
        self.transact(|data| create(data, company, new)).await
    }

    async fn create_loaded_packet(
        &self,
        company: CompanyId,
        new: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        self.transact(|data| {
            let creation = create(data, company, new)?;
            let PacketCreation::Created(packet) = creation else { return Ok(creation) };
            let made = data.packet_mut(company, packet.id)?;
            take_rows(made, rows);
            made.packet.stage = PacketStage::Loaded;
            Ok(PacketCreation::Created(made.packet.clone()))
        })
        .await
    }

    async fn packet_of_call(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        key: &CallKey,
    ) -> Result<Option<Packet>, StoreError> {
        Ok(self
            .transact(|data| {
                let campaign = data.companies.get(&company)?.campaigns.get(&campaign)?;
                let id = campaign.packets_by_key.get(&PacketNaturalKey::Call(key.clone()))?;
                let packet = &data.packets.get(id)?.packet;
                holds_its_call(packet).then(|| packet.clone())
            })
            .await)
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Option<Packet>, StoreError> {
        Ok(self.transact(|data| data.packet(company, id).map(|found| found.packet.clone())).await)
    }

    async fn packets(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let found = data.companies.get(&company).and_then(|found| found.campaigns.get(&campaign));
                let ids = found.into_iter().flat_map(|found| found.packets.range((start, Bound::Unbounded)));
                page(ids.filter_map(|id| Some((*id, data.packets.get(id)?.packet.clone()))), limit)
            })
            .await)
    }

    async fn change_stage(
        &self,
        company: CompanyId,
        change: StageChange,
    ) -> Result<WriteOutcome, StoreError> {
        self.transact(|data| {
            let found = data.packet_mut(company, change.packet)?;
            let has_open = found.counts.open > 0;
            let packet = &mut found.packet;
            let goes_on = packet.draining != Draining::Completing || has_open;
            let ends_unasked =
                packet.stage == PacketStage::Queued && change.to == PacketStage::Complete && goes_on;
            if packet.stage != change.from || !change.from.may_become(change.to) || ends_unasked {
                return Ok(WriteOutcome::Stale);
            }
            packet.stage = change.to;
            if packet.draining == Draining::Completing && change.to != PacketStage::Complete {
                packet.draining = Draining::Off;
            }
            packet.failure = change.failure.filter(|_| change.to == PacketStage::Failed);
            packet.stage_changed_at = change.at;
            if change.to.is_closed() || change.to == PacketStage::Failed {
                data.open_packets.remove(&change.packet);
            } else {
                data.open_packets.insert(change.packet);
            }
            Ok(WriteOutcome::Applied)
        })
        .await
    }

    async fn set_draining(
        &self,
        company: CompanyId,
        packet: PacketId,
        drain: Draining,
    ) -> Result<WriteOutcome, StoreError> {
        self.transact(|data| {
            let packet = &mut data.packet_mut(company, packet)?.packet;
            let is_too_late = match drain {
                Draining::Off => packet.draining == Draining::Cancelling,
                Draining::Completing => {
                    packet.draining == Draining::Cancelling || packet.stage != PacketStage::Queued
                }
                Draining::Cancelling => false,
            };
            if is_too_late {
                return Ok(WriteOutcome::Stale);
            }
            packet.draining = drain;
            Ok(WriteOutcome::Applied)
        })
        .await
    }

    async fn open_ingest(
        &self,
        company: CompanyId,
        packet: PacketId,
        progress: IngestProgress,
        at: DateTime<Utc>,
    ) -> Result<WriteOutcome, StoreError> {
        self.transact(|data| {
            let packet = &mut data.packet_mut(company, packet)?.packet;
            if packet.stage != PacketStage::Prepared {
                return Ok(WriteOutcome::Stale);
            }
            packet.ingest = progress;
            packet.stage = PacketStage::Ingested;
            packet.stage_changed_at = at;
            Ok(WriteOutcome::Applied)
        })
        .await
    }

    async fn append_rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        batch: RowBatch,
    ) -> Result<WriteOutcome, StoreError> {
        self.transact(|data| {
            let found = data.packet_mut(company, packet)?;
            let packet = &found.packet;
            let takes = packet.stage == PacketStage::Ingested && packet.draining == Draining::Off;
            if !takes || packet.ingest.through != batch.after {
                return Ok(WriteOutcome::Stale);
            }
            take_rows(found, batch);
            Ok(WriteOutcome::Applied)
        })
        .await
    }

    async fn rows(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<Row, RowNumber>, StoreError> {
        Ok(self
            .transact(|data| {
                let rows = data.packet(company, packet).map(|found| &found.rows);
                let range = rows.into_iter().flat_map(|rows| rows.range(after.next()..));
                page(range.map(|(number, row)| (*number, row.clone())), limit)
            })
            .await)
    }

    async fn row(
        &self,
        company: CompanyId,
        packet: PacketId,
        row: RowNumber,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.transact(|data| data.packet(company, packet)?.rows.get(&row).cloned()).await)
    }

    async fn rejected(
        &self,
        company: CompanyId,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<RejectedRow, RowNumber>, StoreError> {
        Ok(self
            .transact(|data| {
                let rows = data.packet(company, packet).map(|found| &found.rejected);
                let range = rows.into_iter().flat_map(|rows| rows.range(after.next()..));
                page(range.map(|(number, row)| (*number, row.clone())), limit)
            })
            .await)
    }

    async fn open_packets_across_companies(
        &self,
        after: Option<PacketId>,
        limit: usize,
    ) -> Result<Page<Packet, PacketId>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                let ids = data.open_packets.range((start, Bound::Unbounded));
                page(ids.filter_map(|id| Some((*id, data.packets.get(id)?.packet.clone()))), limit)
            })
            .await)
    }

    async fn ended_across_companies(&self, packets: &[PacketId]) -> Result<Vec<bool>, StoreError> {
        let has_ended =
            |data: &Data, id| data.packets.get(id).is_some_and(|found| found.packet.stage.is_closed());
        Ok(self.transact(|data| packets.iter().map(|id| has_ended(data, id)).collect()).await)
    }
}

/// A length as a counter.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Adds rows and rejections to a packet and its counters.
fn take_rows(found: &mut PacketData, batch: RowBatch) {
    let (loaded, rejected) = (count(batch.rows.len()), count(batch.rejected.len()));
    let packet = &mut found.packet;
    packet.ingest = batch.progress;
    packet.rows.read += loaded + rejected;
    packet.rows.loaded += loaded;
    packet.rows.rejected += rejected;
    for row in &batch.rejected {
        *found.counts.faults.entry(row.code).or_default() += 1;
    }
    found.rows.extend(batch.rows.into_iter().map(|row| (row.number, row)));
    found.rejected.extend(batch.rejected.into_iter().map(|row| (row.row, row)));
}

fn create(data: &mut Data, company: CompanyId, new: NewPacket) -> Result<PacketCreation, StoreError> {
    // Ids are unique in the installation. One that is taken answers as what it names, to those who may see it.
    if let Some(taken) = data.packets.get(&new.id) {
        let visible = taken.packet.company == company;
        let exists = visible.then(|| PacketCreation::Exists(taken.packet.clone()));
        return exists.ok_or(StoreError::Missing { what: "packet" });
    }
    let campaigns =
        &mut data.companies.get_mut(&company).ok_or(StoreError::Missing { what: "company" })?.campaigns;
    let campaign = campaigns.get_mut(&new.campaign).ok_or(StoreError::Missing { what: "campaign" })?;
    let natural_key = PacketNaturalKey::of(&new);
    let latest = campaign.packets_by_key.get(&natural_key).and_then(|id| data.packets.get(id));
    if let Some(same) = latest.filter(|latest| is_repeated(campaign, &latest.packet, &new)) {
        return Ok(PacketCreation::Exists(same.packet.clone()));
    }
    if campaign.campaign.state == CampaignState::Archived {
        return Ok(PacketCreation::CampaignArchived);
    }
    let is_file = matches!(new.origin, PacketOrigin::File { .. });
    if let Some(newest) = campaign.newest_file.filter(|newest| is_file && *newest >= new.id) {
        return Ok(PacketCreation::NotNewest(newest));
    }
    let packet = Packet {
        id: new.id,
        company,
        campaign: new.campaign,
        campaign_version: new.campaign_version,
        stage: match new.origin {
            PacketOrigin::File { .. } => PacketStage::Prepared,
            PacketOrigin::OnDemand { .. } => PacketStage::Loaded,
            PacketOrigin::FollowUp => PacketStage::Mapped,
        },
        origin: new.origin,
        failure: None,
        draining: Draining::Off,
        reconciled: data.restore.epoch,
        ingest: IngestProgress::default(),
        mapped_through: RowNumber::default(),
        rows: RowCounts::default(),
        vanished: VanishedAppointments::default(),
        created_at: new.created_at,
        stage_changed_at: new.created_at,
    };
    campaign.packets.insert(packet.id);
    campaign.packets_by_key.insert(natural_key, packet.id);
    if is_file {
        campaign.newest_file = Some(packet.id);
        campaign.last_file_came_at = campaign.last_file_came_at.max(packet.file_came_at());
    }
    data.open_packets.insert(packet.id);
    data.packets.insert(packet.id, PacketData::new(packet.clone()));
    Ok(PacketCreation::Created(packet))
}

/// Whether what is new is the latest packet of its natural key once more.
fn is_repeated(campaign: &CampaignData, latest: &Packet, new: &NewPacket) -> bool {
    match new.origin {
        PacketOrigin::File { arrival, .. } => {
            let is_read = matches!(latest.stage, PacketStage::Prepared | PacketStage::Ingested);
            let goes_on = is_read && arrival == FileArrival::HandedIn;
            let counts = goes_on || campaign.newest_file == Some(latest.id);
            let is_known = campaign.last_file_came_at.is_some_and(|last| !arrival.is_after(last));
            (counts && !latest.is_given_up()) || is_known
        }
        PacketOrigin::OnDemand { .. } => holds_its_call(latest),
        PacketOrigin::FollowUp => !latest.stage.is_closed() && latest.draining == Draining::Off,
    }
}

/// Whether a packet is the one of its call's key.
fn holds_its_call(packet: &Packet) -> bool {
    packet.stage != PacketStage::Cancelled
}
