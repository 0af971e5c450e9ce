use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::campaigns::page;
use crate::batch::Page;
use crate::domain::answers::ContactOutcome;
use crate::domain::forecast::WaitingWindow;
use crate::domain::message::{Origin, PlanVerdict};
use crate::domain::message_status::MessageStatus;
use crate::domain::report::{IncomingCounts, PacketCounts};
use crate::domain::row::RowNumber;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{OutcomeCursor, ReportStore, StoreError};
use crate::storage::{PacketData, Slot, count, count_message};

#[async_trait]
impl ReportStore for MemoryStore {
    async fn packet_counts(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError> {
        self.transact(|data| {
            let found = data.records.packet(company, packet).ok_or(StoreError::Missing { what: "packet" })?;
            let kept = found.index.as_ref().map(|index| index.counts.clone()).unwrap_or_default();
            let mut counts = PacketCounts { rows: found.packet.rows, ..kept };
            drop_zeros(&mut counts);
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
                    slots.skip_while(move |(position, _)| *position < seen).map(move |(position, slot)| {
                        (OutcomeCursor { packet: *packet, position }, found, slot)
                    })
                });
                let told = |(cursor, found, slot)| Some((cursor, outcome(found, slot, since)?));
                page(all.filter_map(told), limit)
            })
            .await)
    }
}

/// What became of a message that asked and arrived. A household's is one contact.
fn outcome(packet: &PacketData, slot: Slot, since: DateTime<Utc>) -> Option<ContactOutcome> {
    let found = packet.get(slot)?;
    let (message, state) = (&found.record.message, &found.record.state);
    let arrived = matches!(state.status, MessageStatus::Sent | MessageStatus::Delivered);
    let sent_at = state.sent_at.filter(|sent_at| arrived && *sent_at >= since)?;
    if matches!(message.origin, Origin::Reply { .. }) {
        return None;
    }
    Some(ContactOutcome {
        person: message.person.clone()?,
        method: message.method,
        sent_at,
        contact_zone: message.contact_zone,
        response: packet.responses(slot).next().map(|response| response.kind),
    })
}

/// Counts a packet anew, from nothing but its rows and messages.
fn recount(packet: &PacketData) -> PacketCounts {
    let mut counts = PacketCounts::default();
    let through = packet.packet.mapped_through;
    let failed = packet.rejected.rows().keys().filter(|row| packet.rows.contains_key(row)).count();
    counts.rows.loaded = count(packet.rows.rows().len());
    counts.rows.failed = count(failed);
    counts.rows.rejected = count(packet.rejected.rows().len() - failed);
    counts.rows.read = counts.rows.loaded + counts.rows.rejected;
    for row in packet.rejected.rows().values() {
        *counts.faults.entry(row.code).or_default() += 1;
    }
    let mut last: Option<(RowNumber, bool)> = None;
    for (_, message) in packet.messages.rows().iter() {
        let state = &message.record.state;
        count_message(&mut counts, state, |counter| *counter += 1);
        let verdict = message.verdict();
        match verdict {
            PlanVerdict::Send { .. } => counts.planned += 1,
            PlanVerdict::Skip(reason) => *counts.skipped_at_planning.entry(reason).or_default() += 1,
        }
        let goes = matches!(verdict, PlanVerdict::Send { .. });
        let Some(row) = message.record.message.origin.row().filter(|row| *row <= through) else { continue };
        last = match last {
            Some((same, earlier)) if same == row => Some((row, earlier || goes)),
            other => {
                count_row(&mut counts, other);
                Some((row, goes))
            }
        };
    }
    count_row(&mut counts, last);
    drop_zeros(&mut counts);
    counts
}

fn count_row(counts: &mut PacketCounts, row: Option<(RowNumber, bool)>) {
    match row {
        Some((_, true)) => counts.rows.planned += 1,
        Some((_, false)) => counts.rows.skipped += 1,
        None => {}
    }
}

/// A counter that went back to zero is no counter.
fn drop_zeros(counts: &mut PacketCounts) {
    counts.messages.retain(|_: &MessageStatus, count| *count > 0);
    counts.skipped.retain(|_, count| *count > 0);
    counts.responses.retain(|_, count| *count > 0);
}
