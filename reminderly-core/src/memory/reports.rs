use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use crate::batch::Page;
use crate::domain::answers::ContactOutcome;
use crate::domain::forecast::WaitingWindow;
use crate::domain::report::{IncomingCounts, PacketCounts};
use crate::domain::row::RowNumber;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{OutcomeCursor, ReportStore, StoreError};
use crate::storage::{self, PacketData, Recount, RejectedAt, Slot, count};

#[async_trait]
impl ReportStore for MemoryStore {
    async fn packet_counts(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError> {
        self.transact(|data| {
            let found = data.records.packet(company, packet).ok_or(StoreError::Missing { what: "packet" })?;
            let kept = found.index.as_ref().map(|index| index.counts.clone()).unwrap_or_default();
            let mut counts = PacketCounts { rows: found.packet.rows, ..kept };
            counts.drop_zeros();
            Ok(counts)
        })
        .await
    }

    async fn recount_packet(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError> {
        self.transact(|data| {
            data.records.packet(company, packet).map(recount).ok_or(StoreError::Missing { what: "packet" })
        })
        .await
    }

    async fn waiting_windows(
        &self,
        company: CompanyId,
        packet: PacketId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<WaitingWindow>, StoreError> {
        let found = self.transact(|data| {
            let windows = data.records.packet(company, packet).and_then(|packet| packet.index.as_ref());
            let windows = windows.into_iter().flat_map(|index| &index.windows);
            let mut sums: BTreeMap<_, u64> = BTreeMap::new();
            for (window, messages) in windows.filter(|(window, _)| window.opens_at < until) {
                let key = (window.closes_at, window.opens_at.max(now), window.method);
                *sums.entry(key).or_default() += *messages;
            }
            sums
        });
        let windows = found.await.into_iter().map(|((closes_at, opens_at, method), messages)| {
            WaitingWindow { method, opens_at, closes_at, messages }
        });
        Ok(windows.take(limit).collect())
    }

    async fn incoming_counts(&self, company: CompanyId) -> Result<IncomingCounts, StoreError> {
        let found = self
            .transact(|data| data.records.companies.get(&company).map(|found| found.incoming_counts))
            .await;
        Ok(found.unwrap_or_default())
    }

    async fn contact_outcomes(
        &self,
        company: CompanyId,
        since: DateTime<Utc>,
        after: Option<OutcomeCursor>,
        limit: usize,
    ) -> Result<Page<ContactOutcome, OutcomeCursor>, StoreError> {
        Ok(self
            .transact(|data| {
                let start = after.map_or(Bound::Unbounded, |after| Bound::Included(after.packet));
                let packets = data.records.packets.rows().range((start, Bound::Unbounded));
                let own = packets.filter(|(_, found)| found.packet.company == company);
                let all = own.flat_map(|(packet, found)| {
                    let seen = after.filter(|after| after.packet == *packet);
                    let seen = seen.map_or(0, |after| after.position.saturating_add(1));
                    let slots = (0_u64..).zip(0..found.message_count);
                    slots
                        .skip_while(move |(position, _)| *position < seen)
                        .map(move |(position, slot)| (OutcomeCursor { packet: *packet, position }, slot))
                });
                let outcome = |packet, slot| storage::contact_outcome(&data.records, packet, slot, since);
                let told =
                    |(cursor, slot): (OutcomeCursor, Slot)| Some((cursor, outcome(cursor.packet, slot)?));
                page(all.filter_map(told), limit)
            })
            .await)
    }
}

fn recount(packet: &PacketData) -> PacketCounts {
    let mut recount = Recount::new(packet.packet.mapped_through);
    let failed = |row: &RowNumber| packet.rows.contains_key(row);
    let loaded = packet.rows.rows().keys().filter(|row| !packet.rejected.contains_key(row));
    recount.add_loaded(count(loaded.count()));
    for (number, row) in packet.rejected.rows() {
        let row = if failed(number) { RejectedAt::Mapping(row) } else { RejectedAt::Reading(row) };
        recount.add_rejected(row);
    }
    for (_, message) in packet.messages.rows().iter() {
        recount.add_message(message);
    }
    recount.finish()
}
