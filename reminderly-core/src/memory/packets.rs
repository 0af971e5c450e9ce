use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::MemoryStore;
use super::campaigns::page;
use super::data::Data;
use crate::batch::Page;
use crate::domain::call::CallKey;
use crate::domain::packet::{Draining, IngestProgress, Packet};
use crate::domain::row::{RejectedRow, Row, RowNumber};
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::store::{
    NewPacket, PacketCreation, PacketStore, RowBatch, StageChange, StoreError, WriteOutcome,
};
use crate::storage::{self, PacketNaturalKey, holds_its_call};

#[async_trait]
impl PacketStore for MemoryStore {
    async fn create_packet(&self, company: CompanyId, new: NewPacket) -> Result<PacketCreation, StoreError> {
        self.transact(|data| {
            let creation =
                data.apply(company, new, |records, new| storage::create_packet(records, company, new))?;
            data.list_packet(&creation);
            Ok(creation)
        })
        .await
    }

    async fn create_loaded_packet(
        &self,
        company: CompanyId,
        new: NewPacket,
        rows: RowBatch,
    ) -> Result<PacketCreation, StoreError> {
        self.transact(|data| {
            let creation = data.apply(company, (new, rows), |records, (new, rows)| {
                storage::create_loaded_packet(records, company, new, rows)
            })?;
            data.list_packet(&creation);
            Ok(creation)
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
                let campaign = data.records.companies.get(&company)?.campaigns.get(&campaign)?;
                let id = campaign.packets_by_key.get(&PacketNaturalKey::Call(key.clone()))?;
                let packet = &data.records.packets.get(id)?.packet;
                holds_its_call(packet).then(|| packet.clone())
            })
            .await)
    }

    async fn packet(&self, company: CompanyId, id: PacketId) -> Result<Option<Packet>, StoreError> {
        Ok(self.transact(|data| data.packet(company, id).cloned()).await)
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
                let first = (campaign, PacketId::from(Uuid::nil()));
                let start = after.map_or(Bound::Included(first), |after| Bound::Excluded((campaign, after)));
                let listed = data.packets_of.range((start, Bound::Unbounded));
                let ids = listed.take_while(|(of, _)| *of == campaign).map(|(_, id)| *id);
                page(ids.filter_map(|id| Some((id, data.packet(company, id)?.clone()))), limit)
            })
            .await)
    }

    async fn change_stage(
        &self,
        company: CompanyId,
        change: StageChange,
    ) -> Result<WriteOutcome, StoreError> {
        self.transact(|data| {
            let index = data.records.packet_mut(company, change.packet)?.index.as_ref();
            let open = index.map_or(0, |index| index.counts.open);
            let (packet, to) = (change.packet, change.to);
            let outcome = data.apply(company, change, |records, change| {
                storage::change_stage(records, company, change, open)
            })?;
            if outcome == WriteOutcome::Applied {
                data.list_open(packet, to);
            }
            Ok(outcome)
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
            data.apply(company, drain, |records, drain| {
                storage::set_draining(records, company, packet, drain)
            })
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
            data.apply(company, progress, |records, progress| {
                storage::open_ingest(records, company, packet, progress, at)
            })
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
            data.apply(company, batch, |records, batch| storage::append_rows(records, company, packet, batch))
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
                let rows = data.records.packet(company, packet).map(|found| found.rows.rows());
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
        Ok(self.transact(|data| data.records.packet(company, packet)?.rows.get(&row).cloned()).await)
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
                let rows = data.records.packet(company, packet).map(|found| found.rejected.rows());
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
                page(ids.filter_map(|id| Some((*id, data.records.packets.get(id)?.packet.clone()))), limit)
            })
            .await)
    }

    async fn ended_across_companies(&self, packets: &[PacketId]) -> Result<Vec<bool>, StoreError> {
        let has_ended = |data: &Data, id| {
            data.records.packets.get(id).is_some_and(|found| found.packet.stage.is_closed())
        };
        Ok(self.transact(|data| packets.iter().map(|id| has_ended(data, id)).collect()).await)
    }
}
