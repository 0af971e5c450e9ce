//! Packets, their rows and their stages.

use chrono::{DateTime, Utc};

use super::campaign_data::{CampaignData, CampaignHead, PacketNaturalKey};
use super::packet_data::{PacketData, PacketHead};
use super::records::Records;
use super::table::Extent;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::caps::Caps;
use crate::domain::file_arrival::FileArrival;
use crate::domain::packet::{Draining, IngestProgress, Packet, PacketOrigin, PacketStage, RowCounts};
use crate::domain::row::RowNumber;
use crate::domain::vanished::VanishedAppointments;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{NewPacket, PacketCreation, RowBatch, StageChange, StoreError, WriteOutcome};

/// Makes a packet: see [`PacketStore::create_packet`](crate::ports::store::PacketStore::create_packet).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn create_packet(
    records: &mut Records,
    company: CompanyId,
    new: NewPacket,
) -> Result<PacketCreation, StoreError> {
    // Ids are unique in the installation. One that is taken answers as what it names, to those who may see it.
    if let Some(taken) = records.packets.get(&new.id) {
        let visible = taken.packet.company == company;
        let exists = visible.then(|| PacketCreation::Exists(taken.packet.clone()));
        return exists.ok_or(StoreError::Missing { what: "packet" });
    }
    let found = records.companies.get(&company).ok_or(StoreError::Missing { what: "company" })?;
    let campaign = found.campaigns.get(&new.campaign).ok_or(StoreError::Missing { what: "campaign" })?;
    let natural_key = PacketNaturalKey::of(&new);
    let latest = campaign.packets_by_key.get(&natural_key).and_then(|id| records.packets.get(id));
    if let Some(same) = latest.filter(|latest| is_repeated(&campaign.head, &latest.packet, &new)) {
        return Ok(PacketCreation::Exists(same.packet.clone()));
    }
    if campaign.head.state == CampaignState::Archived {
        return Ok(PacketCreation::CampaignArchived);
    }
    let is_file = matches!(new.origin, PacketOrigin::File { .. });
    if let Some(newest) = campaign.head.newest_file.filter(|newest| is_file && *newest >= new.id) {
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
        reconciled: records.restore.epoch,
        ingest: IngestProgress::default(),
        mapped_through: RowNumber::default(),
        rows: RowCounts::default(),
        vanished: VanishedAppointments::default(),
        created_at: new.created_at,
        stage_changed_at: new.created_at,
        offloaded_at: None,
    };
    if let Some(campaign) = campaign_mut(records, &packet) {
        campaign.packets_by_key.insert(natural_key, packet.id);
        if is_file {
            campaign.head.newest_file = Some(packet.id);
            campaign.head.last_file_came_at = campaign.head.last_file_came_at.max(packet.file_came_at());
        }
    }
    // There is nothing more of it anywhere.
    let head = PacketHead { packet: packet.clone(), caps: Caps::default(), message_count: 0 };
    records.packets.insert(packet.id, PacketData::new(head, Extent::Whole));
    Ok(PacketCreation::Created(packet))
}

/// Makes a packet with its rows: see
/// [`PacketStore::create_loaded_packet`](crate::ports::store::PacketStore::create_loaded_packet).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn create_loaded_packet(
    records: &mut Records,
    company: CompanyId,
    new: NewPacket,
    rows: RowBatch,
) -> Result<PacketCreation, StoreError> {
    let creation = create_packet(records, company, new)?;
    let PacketCreation::Created(packet) = creation else { return Ok(creation) };
    let made = records.packet_mut(company, packet.id)?;
    take_rows(made, rows);
    made.packet.stage = PacketStage::Loaded;
    Ok(PacketCreation::Created(made.packet.clone()))
}

/// Changes a packet's stage, while `open` of its messages are: see
/// [`PacketStore::change_stage`](crate::ports::store::PacketStore::change_stage).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn change_stage(
    records: &mut Records,
    company: CompanyId,
    change: StageChange,
    open: u64,
) -> Result<WriteOutcome, StoreError> {
    let packet = &mut records.packet_mut(company, change.packet)?.packet;
    let goes_on = packet.draining != Draining::Completing || open > 0;
    let ends_unasked = packet.stage == PacketStage::Queued && change.to == PacketStage::Complete && goes_on;
    if packet.stage != change.from || !change.from.may_become(change.to) || ends_unasked {
        return Ok(WriteOutcome::Stale);
    }
    packet.stage = change.to;
    if packet.draining == Draining::Completing && change.to != PacketStage::Complete {
        packet.draining = Draining::Off;
    }
    packet.failure = change.failure.filter(|_| change.to == PacketStage::Failed);
    packet.stage_changed_at = change.at;
    Ok(WriteOutcome::Applied)
}

/// Sets how a packet drains: see [`PacketStore::set_draining`](crate::ports::store::PacketStore::set_draining).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn set_draining(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    drain: Draining,
) -> Result<WriteOutcome, StoreError> {
    let packet = &mut records.packet_mut(company, packet)?.packet;
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
}

/// Begins to take rows: see [`PacketStore::open_ingest`](crate::ports::store::PacketStore::open_ingest).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn open_ingest(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    progress: IngestProgress,
    at: DateTime<Utc>,
) -> Result<WriteOutcome, StoreError> {
    let packet = &mut records.packet_mut(company, packet)?.packet;
    if packet.stage != PacketStage::Prepared {
        return Ok(WriteOutcome::Stale);
    }
    packet.ingest = progress;
    packet.stage = PacketStage::Ingested;
    packet.stage_changed_at = at;
    Ok(WriteOutcome::Applied)
}

/// Takes rows: see [`PacketStore::append_rows`](crate::ports::store::PacketStore::append_rows).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn append_rows(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    batch: RowBatch,
) -> Result<WriteOutcome, StoreError> {
    let found = records.packet_mut(company, packet)?;
    let packet = &found.packet;
    let takes = packet.stage == PacketStage::Ingested && packet.draining == Draining::Off;
    if !takes || packet.ingest.through != batch.after {
        return Ok(WriteOutcome::Stale);
    }
    take_rows(found, batch);
    Ok(WriteOutcome::Applied)
}

/// A length as a counter.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

pub(crate) fn campaign_mut<'d>(records: &'d mut Records, packet: &Packet) -> Option<&'d mut CampaignData> {
    records.companies.get_mut(&packet.company)?.campaigns.get_mut(&packet.campaign)
}

/// Adds rows and rejections to a packet and its counters.
fn take_rows(found: &mut PacketData, batch: RowBatch) {
    let (loaded, rejected) = (count(batch.rows.len()), count(batch.rejected.len()));
    let packet = &mut found.packet;
    packet.ingest = batch.progress;
    packet.rows.read += loaded + rejected;
    packet.rows.loaded += loaded;
    packet.rows.rejected += rejected;
    found.reject(batch.rejected);
    for row in batch.rows {
        found.rows.insert(row.number, row);
    }
}

/// Whether what is new is the latest packet of its natural key once more.
fn is_repeated(campaign: &CampaignHead, latest: &Packet, new: &NewPacket) -> bool {
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
pub(crate) fn holds_its_call(packet: &Packet) -> bool {
    packet.stage != PacketStage::Cancelled
}
